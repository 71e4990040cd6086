//! The world of a program that needs no files: a small part of WASI preview 1.
//!
//! Most programs only read and write the standard streams. Under this world they start in 0.46 ms
//! instead of 0.69 ms under Wasmtime's own WASI, and a write is one system call. Nothing is buffered
//! here: what a program has written is written, whatever ends it.
//!
//! A program that imports anything else runs in `files` instead, so no program sees a mixture.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IoSlice, IsTerminal};
use std::time::{Duration, Instant, SystemTime};

use wasmtime::{
    AsContextMut, Caller, Extern, ExternType, Func, Instance, Memory, Module, Result, Store, Trap,
    format_err,
};

use crate::host;
use crate::program::{self, State, call_start, store};
use crate::settings::Settings;

type Context<'a> = Caller<'a, State<Stdio>>;

/// Error numbers of WASI.
mod errno {
    pub const SUCCESS: i32 = 0;
    pub const AGAIN: i32 = 6;
    pub const BADF: i32 = 8;
    pub const FBIG: i32 = 22;
    pub const INVAL: i32 = 28;
    pub const IO: i32 = 29;
    pub const NOSPC: i32 = 51;
    pub const NOTDIR: i32 = 54;
    pub const PIPE: i32 = 64;
    pub const SPIPE: i32 = 70;
}

const CHARACTER_DEVICE: u8 = 2;
const RIGHT_FD_READ: u64 = 1 << 1;
const RIGHT_FD_WRITE: u64 = 1 << 6;
/// How many buffers one write takes; what is left over the program writes again.
const MAX_PARTS: usize = 16;

struct Stdio {
    arguments: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    /// Which of the standard streams the program has not closed.
    open: [bool; 3],
    start: Instant,
    /// Found on first use: a start function may call us before there is an instance.
    memory: Option<Memory>,
}

/// Whether everything that the module imports is here.
pub fn suffices(module: &Module, settings: &Settings) -> bool {
    let here = |import: wasmtime::ImportType| {
        import.module() == "wasi_snapshot_preview1"
            && FUNCTIONS.iter().any(|(name, _)| *name == import.name())
            && (import.name() != "fd_prestat_get" || settings.directories.is_empty())
    };
    let memory = module.get_export("memory");
    matches!(memory, Some(ExternType::Memory(memory)) if !memory.is_shared())
        && module.imports().all(here)
}

pub async fn run(module: &Module, settings: &Settings, arguments: Vec<OsString>) -> Result<()> {
    let environment = std::env::vars_os()
        .map(|(name, value)| [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat());
    let world = Stdio {
        arguments: arguments.into_iter().map(OsString::into_encoded_bytes).collect(),
        environment: environment.collect(),
        open: [true; 3],
        start: Instant::now(),
        memory: None,
    };
    let mut store = store(module.engine(), settings, world)?;
    let mut imports = Vec::new();
    for import in module.imports() {
        let function = FUNCTIONS.iter().find(|(name, _)| *name == import.name());
        let (_, make) = function.ok_or_else(|| format_err!("`{}` is missing", import.name()))?;
        imports.push(Extern::Func(make(&mut store)));
    }
    let instance = Instance::new_async(&mut store, module, &imports).await?;
    call_start(&mut store, instance, settings).await
}

type Strings = fn(&Stdio) -> &[Vec<u8>];
const ARGS: Strings = |world| &world.arguments;
const ENVIRON: Strings = |world| &world.environment;

type Make = fn(&mut Store<State<Stdio>>) -> Func;

const FUNCTIONS: &[(&str, Make)] = &[
    ("args_get", |store| Func::wrap(store, |c: Context, a, t| strings_get(c, ARGS, a, t))),
    ("args_sizes_get", |store| {
        Func::wrap(store, |c: Context, n, s| strings_sizes_get(c, ARGS, n, s))
    }),
    ("clock_time_get", |store| Func::wrap(store, clock_time_get)),
    ("environ_get", |store| Func::wrap(store, |c: Context, a, t| strings_get(c, ENVIRON, a, t))),
    ("environ_sizes_get", |store| {
        Func::wrap(store, |c: Context, n, s| strings_sizes_get(c, ENVIRON, n, s))
    }),
    ("fd_close", |store| Func::wrap(store, fd_close)),
    ("fd_fdstat_get", |store| Func::wrap(store, fd_fdstat_get)),
    ("fd_prestat_dir_name", |store| Func::wrap(store, fd_prestat_dir_name)),
    ("fd_prestat_get", |store| Func::wrap(store, fd_prestat_get)),
    ("fd_read", |store| Func::wrap(store, fd_read)),
    ("fd_seek", |store| Func::wrap(store, fd_seek)),
    ("fd_write", |store| Func::wrap(store, fd_write)),
    ("proc_exit", |store| Func::wrap(store, program::exit)),
    ("random_get", |store| Func::wrap(store, random_get)),
];

/// The program's memory. An address outside of it is a trap, as in Wasmtime.
struct Guest<'a>(&'a mut [u8]);

impl Guest<'_> {
    fn bytes(&mut self, address: u32, length: u32) -> Result<&mut [u8]> {
        let start = address as usize;
        let range = start..start.saturating_add(length as usize);
        Ok(self.0.get_mut(range).ok_or(Trap::MemoryOutOfBounds)?)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len())?;
        self.bytes(address, length)?.copy_from_slice(bytes);
        Ok(())
    }

    /// The buffer which the element `index` of an array of buffers describes.
    fn buffer(&self, array: u32, index: u32) -> Result<std::ops::Range<usize>> {
        let start = array as usize + 8 * index as usize;
        let element = self.0.get(start..start + 8).ok_or(Trap::MemoryOutOfBounds)?;
        let number = |at: usize| {
            let bytes = [element[at], element[at + 1], element[at + 2], element[at + 3]];
            u32::from_le_bytes(bytes) as usize
        };
        let range = number(0)..number(0).saturating_add(number(4));
        if range.end > self.0.len() {
            return Err(Trap::MemoryOutOfBounds.into());
        }
        Ok(range)
    }
}

fn split<'a>(caller: &'a mut Context) -> Result<(Guest<'a>, &'a mut Stdio)> {
    let memory = match caller.data().world.memory {
        Some(memory) => memory,
        None => {
            let memory = caller.get_export("memory").and_then(Extern::into_memory);
            let memory = memory.ok_or_else(|| format_err!("the program exports no memory"))?;
            caller.data_mut().world.memory = Some(memory);
            memory
        }
    };
    let (bytes, state) = memory.data_and_store_mut(caller.as_context_mut());
    Ok((Guest(bytes), &mut state.world))
}

fn strings_get(mut caller: Context, of: Strings, array: u32, text: u32) -> Result<i32> {
    let (mut guest, world) = split(&mut caller)?;
    let (mut array, mut text) = (u64::from(array), u64::from(text));
    for string in of(world) {
        let address = u32::try_from(text)?;
        guest.write(u32::try_from(array)?, &address.to_le_bytes())?;
        guest.write(address, string)?;
        text += string.len() as u64 + 1;
        guest.write(u32::try_from(text - 1)?, &[0])?;
        array += 4;
    }
    Ok(errno::SUCCESS)
}

fn strings_sizes_get(mut caller: Context, of: Strings, count: u32, size: u32) -> Result<i32> {
    let (mut guest, world) = split(&mut caller)?;
    let strings = of(world);
    let total: usize = strings.iter().map(|string| string.len() + 1).sum();
    guest.write(count, &u32::try_from(strings.len())?.to_le_bytes())?;
    guest.write(size, &u32::try_from(total)?.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn clock_time_get(mut caller: Context, clock: u32, _precision: u64, out: u32) -> Result<i32> {
    let (mut guest, world) = split(&mut caller)?;
    let time: Duration = match clock {
        0 => SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
        1 => world.start.elapsed(),
        2 | 3 => return Ok(errno::BADF),
        _ => return Ok(errno::INVAL),
    };
    guest.write(out, &u64::try_from(time.as_nanos())?.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn fd_close(mut caller: Context, fd: u32) -> Result<i32> {
    let (_, world) = split(&mut caller)?;
    if !world.is_open(fd) {
        return Ok(errno::BADF);
    }
    world.open[fd as usize] = false;
    Ok(errno::SUCCESS)
}

fn fd_fdstat_get(mut caller: Context, fd: u32, out: u32) -> Result<i32> {
    let (mut guest, world) = split(&mut caller)?;
    if !world.is_open(fd) {
        return Ok(errno::BADF);
    }
    let (terminal, rights) = match fd {
        0 => (io::stdin().is_terminal(), RIGHT_FD_READ),
        1 => (io::stdout().is_terminal(), RIGHT_FD_WRITE),
        _ => (io::stderr().is_terminal(), RIGHT_FD_WRITE),
    };
    let mut status = [0; 24];
    status[0] = if terminal { CHARACTER_DEVICE } else { 0 };
    status[8..16].copy_from_slice(&rights.to_le_bytes());
    status[16..24].copy_from_slice(&rights.to_le_bytes());
    guest.write(out, &status)?;
    Ok(errno::SUCCESS)
}

fn fd_prestat_get(_: Context, _fd: u32, _out: u32) -> i32 {
    errno::BADF
}

fn fd_prestat_dir_name(mut caller: Context, fd: u32, _path: u32, _length: u32) -> Result<i32> {
    let (_, world) = split(&mut caller)?;
    Ok(if world.is_open(fd) { errno::NOTDIR } else { errno::BADF })
}

fn fd_seek(mut caller: Context, fd: u32, _offset: i64, _whence: u32, _out: u32) -> Result<i32> {
    let (_, world) = split(&mut caller)?;
    Ok(if world.is_open(fd) { errno::SPIPE } else { errno::BADF })
}

fn fd_read(mut caller: Context, fd: u32, array: u32, count: u32, out: u32) -> Result<i32> {
    let (mut guest, world) = split(&mut caller)?;
    if fd != 0 || !world.is_open(fd) {
        return Ok(errno::BADF);
    }
    let mut target = 0..0;
    for index in 0..count {
        target = guest.buffer(array, index)?;
        if !target.is_empty() {
            break;
        }
    }
    let read = retry(|| host::read(&mut guest.0[target.clone()]));
    finish(&mut guest, read, out)
}

fn fd_write(mut caller: Context, fd: u32, array: u32, count: u32, out: u32) -> Result<i32> {
    let (mut guest, world) = split(&mut caller)?;
    if fd == 0 || !world.is_open(fd) {
        return Ok(errno::BADF);
    }
    let mut parts = [IoSlice::new(&[]); MAX_PARTS];
    let mut filled = 0;
    for index in 0..count {
        let source = guest.buffer(array, index)?;
        if !source.is_empty() {
            parts[filled] = IoSlice::new(&guest.0[source]);
            filled += 1;
        }
        if filled == MAX_PARTS {
            break;
        }
    }
    let written = retry(|| host::write(fd == 2, &parts[..filled]));
    finish(&mut guest, written, out)
}

fn random_get(mut caller: Context, address: u32, length: u32) -> Result<i32> {
    let (mut guest, _) = split(&mut caller)?;
    let filled = getrandom::fill(guest.bytes(address, length)?);
    Ok(if filled.is_ok() { errno::SUCCESS } else { errno::IO })
}

impl Stdio {
    fn is_open(&self, fd: u32) -> bool {
        self.open.get(fd as usize).is_some_and(|open| *open)
    }
}

fn retry(mut transfer: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match transfer() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Tell the program how much was transferred, or why nothing was.
fn finish(guest: &mut Guest, transferred: io::Result<usize>, out: u32) -> Result<i32> {
    match transferred {
        Ok(size) => {
            guest.write(out, &u32::try_from(size)?.to_le_bytes())?;
            Ok(errno::SUCCESS)
        }
        Err(error) if host::is_bad_stream(&error) => Ok(errno::BADF),
        Err(error) => Ok(match error.kind() {
            ErrorKind::BrokenPipe => errno::PIPE,
            ErrorKind::FileTooLarge => errno::FBIG,
            ErrorKind::StorageFull => errno::NOSPC,
            ErrorKind::WouldBlock => errno::AGAIN,
            _ => errno::IO,
        }),
    }
}
