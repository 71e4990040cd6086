//! What is common to all programs: the store, the start, the ways to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::{Engine, FrameInfo, Instance, ResourceLimiter, Result, Store, Trap, WasmBacktrace};

use crate::settings::Settings;
use crate::{Failure, lines, unwritten};

/// The host's side of a program, with its world `W`.
pub struct State<W> {
    pub world: W,
    limits: Limits,
}

/// What a program may use of memory, in bytes.
struct Limits {
    memory: usize,
}

/// Whether a program wanted more memory than its limit.
static IS_SHORT_OF_MEMORY: AtomicBool = AtomicBool::new(false);

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let fits = desired <= self.memory;
        IS_SHORT_OF_MEMORY.fetch_or(!fits, Ordering::Relaxed);
        Ok(fits)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

pub fn store<W>(engine: &Engine, settings: &Settings, world: W) -> Result<Store<State<W>>> {
    let limits = Limits { memory: settings.memory_limit.unwrap_or(usize::MAX) };
    let mut store = Store::new(engine, State { world, limits });
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
pub async fn call_start<W: Send>(
    store: &mut Store<State<W>>,
    instance: Instance,
    settings: &Settings,
) -> Result<()> {
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
    let memory = unwritten::memory(store, instance);
    if let Some(memory) = memory
        && settings.memory_reservation.is_none()
    {
        unwritten::write_on_signals(store, memory);
    }
    let ended = start.call_async(&mut *store, ()).await;
    if ended.is_ok() {
        // The system takes everything back faster than we would give it back.
        std::process::exit(0)
    }
    if let Some(memory) = memory {
        unwritten::write(store, memory);
    }
    ended
}

/// `proc_exit`. It does not return, which a host function cannot say.
pub fn exit(status: i32) {
    std::process::exit(status);
}

/// How long a program whose time is up may take to its next look at the clock. In a call of the
/// host, such as a read, it never looks.
const GRACE: Duration = Duration::from_millis(500);

/// From now on the clock runs, if there is a deadline. `end` stops a program that does not look.
pub fn start_deadline(
    engine: &Engine,
    settings: &Settings,
    end: impl FnOnce(Failure) + Send + 'static,
) {
    let Some(ms @ 1..) = settings.deadline_ms else {
        return;
    };
    let engine = engine.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(ms));
        engine.increment_epoch();
        std::thread::sleep(GRACE);
        end(Failure { message: too_late(ms), frames: Vec::new(), status: Failure::TRAP });
    });
}

fn too_late(ms: u64) -> String {
    format!("not done within {ms} ms")
}

/// Say how a program failed.
pub fn failure(error: &wasmtime::Error, settings: &Settings) -> Failure {
    let trap = error.downcast_ref::<Trap>();
    let trace = error.downcast_ref::<WasmBacktrace>();
    if trap.is_none() && trace.is_none() {
        return Failure::new(format!("the program cannot start: {error:#}"));
    }
    let message = limit(trap, settings).unwrap_or_else(|| error.root_cause().to_string());
    let frames = trace.map_or(&[][..], WasmBacktrace::frames);
    Failure { message, frames: describe(frames, settings.lines), status: Failure::TRAP }
}

/// Say which limit a program has met, if it was one.
fn limit(trap: Option<&Trap>, settings: &Settings) -> Option<String> {
    match trap? {
        Trap::OutOfFuel => settings.fuel.map(|fuel| format!("out of fuel, which was {fuel}")),
        Trap::Interrupt => settings.deadline_ms.map(too_late),
        // How a program ends that is given no memory.
        Trap::UnreachableCodeReached if IS_SHORT_OF_MEMORY.load(Ordering::Relaxed) => settings
            .memory_limit
            .map(|limit| format!("out of memory, which is limited to {limit} bytes")),
        _ => None,
    }
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
