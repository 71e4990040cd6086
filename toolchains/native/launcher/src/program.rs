//! What is common to all programs: the store, the start, the ways to end.

use std::time::Duration;

use wasmtime::{Engine, Instance, Result, Store, StoreLimits, Trap, WasmBacktrace};

use crate::Failure;
use crate::settings::Settings;

/// The host's side of a program, with its world `W`.
pub struct State<W> {
    pub world: W,
    limits: StoreLimits,
}

pub fn store<W>(engine: &Engine, settings: &Settings, world: W) -> Result<Store<State<W>>> {
    let mut store = Store::new(engine, State { world, limits: settings.limits() });
    store.limiter(|state| &mut state.limits);
    if let Some(fuel) = settings.fuel {
        store.set_fuel(fuel)?;
    }
    if settings.deadline_ms.is_some() {
        store.set_epoch_deadline(1);
    }
    Ok(store)
}

/// Run the program to its end. Only a failure returns.
pub async fn call_start<W: Send>(store: &mut Store<State<W>>, instance: Instance) -> Result<()> {
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
    start.call_async(store, ()).await?;
    // The system takes everything back faster than we would give it back.
    std::process::exit(0)
}

/// `proc_exit`. It does not return, which a host function cannot say.
pub fn exit(status: i32) {
    std::process::exit(status);
}

/// From now on the clock runs, if there is a deadline.
pub fn start_deadline(engine: &Engine, settings: &Settings) {
    let Some(ms @ 1..) = settings.deadline_ms else {
        return;
    };
    let engine = engine.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(ms));
        engine.increment_epoch();
    });
}

/// Say how a program failed.
pub fn failure(error: &wasmtime::Error, settings: &Settings) -> Failure {
    let trap = error.downcast_ref::<Trap>();
    let trace = error.downcast_ref::<WasmBacktrace>();
    if trap.is_none() && trace.is_none() {
        return Failure::new(format!("the program cannot start: {error:#}"));
    }
    let message = match (trap, settings.fuel, settings.deadline_ms) {
        (Some(Trap::OutOfFuel), Some(fuel), _) => format!("out of fuel, which was {fuel}"),
        (Some(Trap::Interrupt), _, Some(ms)) => format!("not done within {ms} ms"),
        _ => error.root_cause().to_string(),
    };
    let frames = trace.map_or(&[][..], WasmBacktrace::frames);
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => name.to_owned(),
        None => format!("function {}", frame.func_index()),
    };
    Failure { message, frames: frames.iter().map(name).collect(), status: Failure::TRAP }
}
