//! The few things that every system does in its own way.

use std::io;
#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

#[cfg(unix)]
mod unix {
    use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
    use std::io::{self, IoSlice};
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;
    use std::ptr::{self, null_mut};
    use std::sync::atomic::{AtomicPtr, Ordering};

    use rustix::fs::{Mode, OFlags, open};
    use rustix::io::Errno;
    use rustix::stdio::{stderr, stdin, stdout};

    use crate::unwritten;

    /// Copy the arguments of `main`.
    ///
    /// # Safety
    ///
    /// `arguments` must hold `count` C strings.
    pub unsafe fn arguments(count: c_int, arguments: *const *const c_char) -> Vec<OsString> {
        (0..usize::try_from(count).unwrap_or(0))
            // SAFETY: the caller promises it.
            .map(|index| unsafe { CStr::from_ptr(*arguments.add(index)) })
            .map(|argument| OsStr::from_bytes(argument.to_bytes()).to_owned())
            .collect()
    }

    /// Open what the parent has closed, or the next file that is opened, even by Wasmtime, would
    /// be a standard stream of the program.
    pub fn open_standard_streams() {
        for stream in [stdin(), stdout(), stderr()] {
            if rustix::io::fcntl_getfd(stream) == Err(Errno::BADF)
                && let Ok(null) = open("/dev/null", OFlags::RDWR, Mode::empty())
            {
                // The lowest free number is that of the stream, and it shall stay open.
                std::mem::forget(null);
            }
        }
    }

    pub fn read(buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(stdin(), buffer)?)
    }

    /// Write to standard output, or to standard error.
    pub fn write(error: bool, parts: &[IoSlice]) -> io::Result<usize> {
        let stream = if error { stderr() } else { stdout() };
        Ok(rustix::io::writev(stream, parts)?)
    }

    pub fn is_bad_stream(error: &io::Error) -> bool {
        error.raw_os_error() == Some(Errno::BADF.raw_os_error())
    }

    /// A memory, and where in it `unwritten` looks.
    static MEMORY: AtomicPtr<u8> = AtomicPtr::new(null_mut());
    static PLACE: AtomicPtr<u8> = AtomicPtr::new(null_mut());

    /// Let signals that end the process write before what a program has not written, unless they
    /// are ignored.
    pub fn on_interrupts(memory: *mut u8, place: *mut u8) {
        MEMORY.store(memory, Ordering::Relaxed);
        PLACE.store(place, Ordering::Relaxed);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            // SAFETY: the structures are valid, and `interrupted` calls what a handler may call.
            unsafe {
                let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                libc::sigaction(signal, ptr::null(), &mut action);
                if action.sa_sigaction == libc::SIG_DFL {
                    action.sa_sigaction = interrupted as *const () as libc::sighandler_t;
                    action.sa_flags = libc::SA_ONSTACK | libc::SA_RESETHAND | libc::SA_NODEFER;
                    libc::sigaction(signal, &action, null_mut());
                }
            }
        }
    }

    /// Write what the reader takes, then die of the signal. A second one does that at once.
    extern "C" fn interrupted(signal: c_int) {
        /// Bytes that a ready pipe takes without a wait.
        const PIECE: usize = 4096;
        const PATIENCE: c_int = 100; // milliseconds
        let memory = MEMORY.load(Ordering::Relaxed);
        // SAFETY: the memory lives as long as the process, and does not move. Where the program
        // has written nonsense, `write` refuses the address.
        unsafe {
            let place: [u8; unwritten::SIZE] =
                ptr::read_volatile(PLACE.load(Ordering::Relaxed).cast());
            let (mut start, mut size) = unwritten::buffer(&place);
            let mut stdout = libc::pollfd { fd: 1, events: libc::POLLOUT, revents: 0 };
            while size > 0 && libc::poll(&mut stdout, 1, PATIENCE) > 0 {
                let written = libc::write(1, memory.wrapping_add(start).cast(), size.min(PIECE));
                let Ok(written @ 1..) = usize::try_from(written) else {
                    break;
                };
                start += written;
                size -= written;
            }
            libc::raise(signal);
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io::{self, IoSlice, Read, Write};

    pub fn open_standard_streams() {}

    pub fn read(buffer: &mut [u8]) -> io::Result<usize> {
        io::stdin().lock().read(buffer)
    }

    /// Write to standard output, or to standard error. On a console Rust translates to UTF-16.
    pub fn write(error: bool, parts: &[IoSlice]) -> io::Result<usize> {
        fn all(mut stream: impl Write, parts: &[IoSlice]) -> io::Result<usize> {
            for part in parts {
                stream.write_all(part)?;
            }
            stream.flush()?;
            Ok(parts.iter().map(|part| part.len()).sum())
        }
        if error { all(io::stderr().lock(), parts) } else { all(io::stdout().lock(), parts) }
    }

    pub fn is_bad_stream(_: &io::Error) -> bool {
        false
    }

    /// Windows calls handlers in another thread, while the program goes on.
    pub fn on_interrupts(_: *mut u8, _: *mut u8) {}
}

/// The bytes of the running file.
///
/// They are mapped and not copied: a program may be large, and is mostly never touched. Linux
/// refuses to write to a file that is being executed, so what was hashed is what will run.
#[cfg(target_os = "linux")]
pub fn own_file() -> io::Result<&'static [u8]> {
    use rustix::mm::{MapFlags, ProtFlags, mmap};

    let file = std::fs::File::open("/proc/self/exe")?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    // SAFETY: a new private mapping, which nothing unmaps; see above for its content.
    unsafe {
        let start =
            mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE, &file, 0)?;
        Ok(std::slice::from_raw_parts(start.cast(), length))
    }
}

/// The payload's section, or the bytes of the running file.
///
/// The signature of a Mach-O file covers its segments and nothing may follow it, so a program is
/// attached as the section `__payload` of a segment `__MOCHI`. Without one it may be at the end.
#[cfg(target_os = "macos")]
pub fn own_file() -> io::Result<&'static [u8]> {
    unsafe extern "C" {
        static _mh_execute_header: u8;
        fn getsectiondata(
            header: *const u8,
            segment: *const std::ffi::c_char,
            section: *const std::ffi::c_char,
            size: *mut std::ffi::c_ulong,
        ) -> *const u8;
    }
    let mut size = 0;
    // SAFETY: the linker defines the header; the section is mapped as long as the process lives.
    unsafe {
        let start = getsectiondata(
            &raw const _mh_execute_header,
            c"__MOCHI".as_ptr(),
            c"__payload".as_ptr(),
            &raw mut size,
        );
        if !start.is_null() {
            return Ok(std::slice::from_raw_parts(start, size as usize));
        }
    }
    read_own_file()
}

#[cfg(windows)]
pub fn own_file() -> io::Result<&'static [u8]> {
    read_own_file()
}

#[cfg(not(target_os = "linux"))]
fn read_own_file() -> io::Result<&'static [u8]> {
    Ok(std::fs::read(std::env::current_exe()?)?.leak())
}
