//! Runs the WebAssembly program that is attached to it, compiled ahead of time.
//!
//! To its user it is the program: arguments, environment, standard streams, signals and exit
//! status are the program's. See ../../README.md for what decides the statuses, and `payload` for
//! how a program is attached.

// Rust's own start would ignore SIGPIPE, and spends time on a main thread that runs no program.
#![cfg_attr(unix, no_main)]

mod artifact;
mod files;
mod host;
mod lines;
#[cfg(target_env = "musl")]
mod memmove;
mod payload;
mod program;
mod settings;
mod stdio;
mod unwritten;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use wasmtime::Module;

use payload::Payload;
use settings::Settings;

/// Characters of a line of an error.
const MAX_LINE: usize = 2000;

/// Why there is nothing to run, or why the program was stopped.
#[derive(Debug)]
pub struct Failure {
    message: String,
    /// The functions that were running, innermost first.
    frames: Vec<String>,
    status: i32,
}

impl Failure {
    /// What a shell says of a file that it finds and cannot execute.
    const CANNOT_EXECUTE: i32 = 126;
    /// What Wasmtime's command line says of a trap: on Unix, a process that aborted.
    const TRAP: i32 = if cfg!(windows) { 3 } else { 134 };

    /// The program cannot be started.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), frames: Vec::new(), status: Failure::CANNOT_EXECUTE }
    }
}

#[cfg(unix)]
#[unsafe(no_mangle)]
extern "C" fn main(
    count: std::ffi::c_int,
    arguments: *const *const std::ffi::c_char,
) -> std::ffi::c_int {
    // SAFETY: this is the C library's call of `main`.
    launch(unsafe { host::arguments(count, arguments) })
}

#[cfg(windows)]
fn main() {
    std::process::exit(launch(std::env::args_os().collect()));
}

/// Run the attached program and return the exit status, unless the program exits by itself.
fn launch(mut arguments: Vec<OsString>) -> i32 {
    host::open_standard_streams();
    // The program sees the name by which it was called and not where it lies.
    let path = arguments.first().map(Path::new);
    let name = path.and_then(Path::file_name).unwrap_or("program".as_ref()).to_owned();
    match arguments.first_mut() {
        Some(first) => first.clone_from(&name),
        None => arguments.push(name.clone()),
    }
    match run(arguments, &name) {
        Ok(()) => 0,
        Err(failure) => end(&name, &failure),
    }
}

fn run(arguments: Vec<OsString>, name: &OsStr) -> Result<(), Failure> {
    let file = host::own_file()
        .map_err(|error| Failure::new(format!("the file cannot read itself: {error}")))?;
    let payload = Payload::find(file)?;
    let mut settings = Settings::parse(payload.settings)?;
    if let Some(list) = std::env::var_os("MOCHI_DIRS") {
        settings.grant(&list.to_string_lossy());
    }
    // Never given back: the unwinder forgets functions in time quadratic in their number.
    let module: &Module = Box::leak(Box::new(artifact::load(&payload, &settings)?));
    let name = name.to_owned();
    program::start_deadline(module.engine(), &settings, move |failure| end(&name, &failure));
    let result = if stdio::suffices(module, &settings) {
        ready(stdio::run(module, &settings, arguments))
    } else {
        files::run(module, &settings, arguments)
    };
    result.map_err(|error| program::failure(&error, &settings))
}

/// Run to its end what never waits for anything: the host functions of `stdio` block.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a host function waited"),
    }
}

/// Report a failure and end the process. Of two threads that do so at once, the first wins.
fn end(name: &OsStr, failure: &Failure) -> ! {
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    if IS_ENDING.swap(true, Ordering::Relaxed) {
        loop {
            std::thread::park();
        }
    }
    report(&name.to_string_lossy(), failure);
    std::process::exit(failure.status)
}

fn report(name: &str, failure: &Failure) {
    let mut text = format!("error: `{name}`: {}\n", failure.message);
    for frame in &failure.frames {
        text.push_str(&format!("  at {frame}\n"));
    }
    // If nobody listens, the status still tells.
    let _ = std::io::stderr().write_all(printable(&text).as_bytes());
}

/// Escape what would steer a terminal, but for line breaks, and cut what is endless: names of
/// functions and of sources are whatever somebody has written into the program.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        for character in line.chars().take(MAX_LINE) {
            match u32::from(character) {
                code @ (0x00..=0x1f | 0x7f..=0x9f) => shown.push_str(&format!("\\x{code:02x}")),
                code @ (0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x2069) => {
                    shown.push_str(&format!("\\u{code:04x}"));
                }
                _ => shown.push(character),
            }
        }
        shown.push('\n');
    }
    shown
}
