//! Compiles WebAssembly to Wasmtime artifacts, one request after the other, for any target.
//!
//! A frame is a little-endian u32 length and that many bytes. The worker greets with one JSON
//! frame. A request is a frame of JSON (`Request`) and a frame of WebAssembly; the answer is a
//! frame of JSON, `{"error": null | text}`, and a frame with the artifact, empty on an error.
//! The end of the input ends the worker with status 0. With the name of a file as its argument, the
//! worker answers the one request in that file.
//!
//! Wasmtime numbers modules without a name, and the number enters debug information. So that
//! equal requests have equal answers, a request with `debug_info` is the only one of a new process,
//! which the worker starts and which is told so by the argument `FRESH`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode, Stdio};

use serde::Deserialize;
use serde_json::json;
use wasmtime::{Collector, Config, Engine, OptLevel, Result, Strategy, bail};

const FRESH: &str = "--fresh";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    kind: Kind,
    target: String,
    /// Cranelift's flags: a name alone is switched on.
    flags: Vec<(String, Option<String>)>,
    opt_level: Level,
    compiler: Compiler,
    debug_info: bool,
    consume_fuel: bool,
    epoch_interruption: bool,
    memory_reservation: Option<u64>,
    memory_guard_size: Option<u64>,
    signals_based_traps: bool,
    nan_canonicalization: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Module,
    Component,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    None,
    Speed,
    SpeedAndSize,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Compiler {
    Cranelift,
    Winch,
}

#[derive(Deserialize)]
struct Answer {
    error: Option<String>,
}

fn main() -> ExitCode {
    // Wasmtime reads it when it makes a configuration, and it would change the artifacts.
    // SAFETY: no other thread runs yet.
    unsafe { std::env::remove_var("WASMTIME_BACKTRACE_DETAILS") };
    // A panic is an answer, see `answer`; its place in Wasmtime's source tells a user nothing.
    std::panic::set_hook(Box::new(|_| ()));
    let output = &mut io::stdout().lock();
    let done = match std::env::args_os().nth(1) {
        Some(name) if name != FRESH => {
            File::open(name).and_then(|mut request| serve(&mut request, output, true))
        }
        argument => serve(&mut io::stdin().lock(), output, argument.is_some()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: aot-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(input: &mut impl Read, output: &mut impl Write, is_fresh: bool) -> io::Result<()> {
    let version = env!("WASMTIME_VERSION");
    let greeting = json!({"protocol": 1, "tool": "aot-worker", "wasmtime": version});
    write_frame(output, greeting.to_string().as_bytes())?;
    output.flush()?;
    while let Some(request) = read_frame(input)? {
        let wasm = expect_frame(input)?;
        let (error, artifact) = match answer(&request, &wasm, is_fresh) {
            Ok(artifact) => (None, artifact),
            Err(error) => (Some(error), Vec::new()),
        };
        write_frame(output, json!({ "error": error }).to_string().as_bytes())?;
        write_frame(output, &artifact)?;
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

fn expect_frame(input: &mut impl Read) -> io::Result<Vec<u8>> {
    read_frame(input)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn write_frame(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    output.write_all(&(bytes.len() as u32).to_le_bytes())?;
    output.write_all(bytes)
}

fn answer(bytes: &[u8], wasm: &[u8], is_fresh: bool) -> Result<Vec<u8>, String> {
    let request: Request =
        serde_json::from_slice(bytes).map_err(|error| format!("request: {error}"))?;
    if request.debug_info && !is_fresh {
        return answer_afresh(bytes, wasm)
            .unwrap_or_else(|error| Err(format!("the process for debug information: {error}")));
    }
    // Nothing outlives a request, so a panic cannot leave anything broken behind.
    match catch_unwind(AssertUnwindSafe(|| compile(&request, wasm))) {
        Ok(Ok(artifact)) => Ok(artifact),
        // In lines, as the wheel and the command line say it.
        Ok(Err(error)) => Err(format!("{error:?}")),
        Err(panic) => Err(format!("Wasmtime panicked: {}", panic_text(&*panic))),
    }
}

/// Let a new process answer.
fn answer_afresh(request: &[u8], wasm: &[u8]) -> io::Result<Result<Vec<u8>, String>> {
    let mut process = Command::new(std::env::current_exe()?)
        .arg(FRESH)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = process.stdin.take().expect("it is piped");
    let mut output = process.stdout.take().expect("it is piped");
    write_frame(&mut input, request)?;
    write_frame(&mut input, wasm)?;
    drop(input);
    expect_frame(&mut output)?;
    let answer: Answer = serde_json::from_slice(&expect_frame(&mut output)?)?;
    let artifact = expect_frame(&mut output)?;
    process.wait()?;
    Ok(answer.error.map_or(Ok(artifact), Err))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn compile(request: &Request, wasm: &[u8]) -> Result<Vec<u8>> {
    // `precompile_*` take the text format too, when the crate is built with it; we never do.
    let engine = Engine::new(&configuration(request)?)?;
    let artifact = match request.kind {
        Kind::Module => engine.precompile_module(wasm)?,
        Kind::Component => engine.precompile_component(wasm)?,
    };
    if u32::try_from(artifact.len()).is_err() {
        bail!("the artifact has {} bytes; a frame holds at most 4 GiB", artifact.len());
    }
    Ok(artifact)
}

/// Translate a request. Whatever is not in it keeps Wasmtime's default, as in the wheel.
fn configuration(request: &Request) -> Result<Config> {
    let mut config = Config::new();
    config
        .target(&request.target)?
        .strategy(match request.compiler {
            Compiler::Cranelift => Strategy::Cranelift,
            Compiler::Winch => Strategy::Winch,
        })
        .collector(Collector::DeferredReferenceCounting)
        .cranelift_opt_level(match request.opt_level {
            Level::None => OptLevel::None,
            Level::Speed => OptLevel::Speed,
            Level::SpeedAndSize => OptLevel::SpeedAndSize,
        })
        .cranelift_nan_canonicalization(request.nan_canonicalization)
        .debug_info(request.debug_info)
        .consume_fuel(request.consume_fuel)
        .epoch_interruption(request.epoch_interruption)
        .signals_based_traps(request.signals_based_traps);
    for (name, value) in &request.flags {
        // SAFETY: a flag can make code that the target cannot run. Nothing is run here, and the
        // loader compares the flags, which the artifact carries, with its processor.
        match value {
            Some(value) => unsafe { config.cranelift_flag_set(name, value) },
            None => unsafe { config.cranelift_flag_enable(name) },
        };
    }
    if let Some(bytes) = request.memory_reservation {
        config.memory_reservation(bytes);
    }
    if let Some(bytes) = request.memory_guard_size {
        config.memory_guard_size(bytes);
    }
    Ok(config)
}
