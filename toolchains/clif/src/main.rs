//! Compiles CLIF to relocatable objects, one request after the other, for any target.
//!
//! The protocol is that of the other workers, `mochi_rules/workers/protocol.py`. A request is a
//! frame of JSON (`Request`) and a frame of text (`text.rs`); the answer is a frame of JSON,
//! `{"error": null | text}`, and a frame with the object, empty on an error. With the name of a file
//! as its argument, the worker answers the requests in that file.

mod debug;
mod legalize;
mod note;
mod object;
mod text;
mod unwind;

use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What messages and the object call the program.
    name: String,
    target: String,
    /// What the CPU level of the flags is called.
    cpu: String,
    /// Cranelift's flags of the processor, all to be enabled.
    flags: Vec<String>,
    opt_level: String,
    debug_info: bool,
}

fn main() -> ExitCode {
    // A panic is an answer, see `answer`; its place in Cranelift's source tells a user nothing.
    std::panic::set_hook(Box::new(|_| ()));
    let output = &mut io::stdout().lock();
    let done = match std::env::args_os().nth(1) {
        Some(name) => File::open(name).and_then(|mut requests| serve(&mut requests, output)),
        None => serve(&mut io::stdin().lock(), output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: clif-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let version = cranelift_codegen::VERSION;
    let greeting = json!({"protocol": 1, "tool": "clif-worker", "wasmtime": version});
    write_frame(output, greeting.to_string().as_bytes())?;
    output.flush()?;
    while let Some(request) = read_frame(input)? {
        let clif = read_frame(input)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (error, object) = match answer(&request, &clif) {
            Ok(object) => (None, object),
            Err(error) => (Some(error), Vec::new()),
        };
        write_frame(output, json!({ "error": error }).to_string().as_bytes())?;
        write_frame(output, &object)?;
        output.flush()?;
    }
    Ok(())
}

/// Read one frame, or nothing at the end of the input.
fn read_frame(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(4);
    input.take(4).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(None);
    }
    let head = <[u8; 4]>::try_from(head).map_err(|_| io::ErrorKind::UnexpectedEof)?;
    let length = u64::from(u32::from_le_bytes(head));
    // A false length costs no memory: the buffer grows with what arrives.
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

fn write_frame(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(bytes)
}

fn answer(request: &[u8], clif: &[u8]) -> Result<Vec<u8>, String> {
    let request: Request =
        serde_json::from_slice(request).map_err(|error| format!("request: {error}"))?;
    let clif = str::from_utf8(clif).map_err(|error| format!("the text: {error}"))?;
    // Nothing outlives a request, so a panic cannot leave anything broken behind.
    match catch_unwind(AssertUnwindSafe(|| object::compile(&request, clif))) {
        Ok(result) => result.map_err(|error| format!("{error:#}")),
        Err(panic) => Err(format!("Cranelift panicked: {}", panic_text(&*panic))),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
