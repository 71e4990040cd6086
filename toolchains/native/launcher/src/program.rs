//! What is common to all programs: the store, the start, the ways to end.

use std::time::Duration;

use wasmtime::{Engine, FrameInfo, Instance, Result, Store, StoreLimits, Trap, WasmBacktrace};

use crate::settings::Settings;
use crate::{Failure, lines};

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
    Failure { message, frames: describe(frames, settings.lines), status: Failure::TRAP }
}

/// Say where a program was: a function's name, its place, or both. A function of which neither is
/// known, such as one of the runtime library, tells something only where no place is known at all.
fn describe(frames: &[FrameInfo], lines: &str) -> Vec<String> {
    let section = lines::unpack(lines).unwrap_or_default();
    let place = |frame: &FrameInfo| lines::find(&section, frame.module_offset()? as u64);
    let places: Vec<Option<String>> = frames.iter().map(place).collect();
    let is_known = places.iter().any(Option::is_some);
    let describe = |(frame, place): (&FrameInfo, Option<String>)| match (frame.func_name(), place) {
        (Some(name), Some(place)) => Some(format!("{name} ({place})")),
        (Some(name), None) => Some(name.to_owned()),
        (None, None) if is_known => None,
        (None, None) => Some(format!("function {}", frame.func_index())),
        (None, place) => place,
    };
    frames.iter().zip(places).filter_map(describe).collect()
}
