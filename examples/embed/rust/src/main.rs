//! Runs the WebAssembly program that is linked into it, as an object that mochi-rules made.

use wasmtime::{Collector, Config, Engine, Linker, Module, Result, Store};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder, p1};

unsafe extern "C" {
    // Defined by the object: where the artifact begins, and where it ends.
    static program_start: u8;
    static program_end: u8;
}

fn program() -> &'static [u8] {
    let (start, end) = (&raw const program_start, &raw const program_end);
    // SAFETY: the object's symbols span its data, which nothing changes.
    unsafe { std::slice::from_raw_parts(start, end.offset_from_unsigned(start)) }
}

fn main() -> Result<()> {
    println!("host: {} bytes of machine code and data", program().len());

    // The engine's settings must be those of the artifact, or it is refused here.
    let engine = Engine::new(Config::new().collector(Collector::DeferredReferenceCounting))?;
    // SAFETY: the bytes are of a compiler, checked when they were built, and part of this program.
    let module = unsafe { Module::deserialize(&engine, program()) }?;

    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    let wasi = WasiCtxBuilder::new().inherit_stdio().inherit_args().build_p1();
    let mut store = Store::new(&engine, wasi);
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    if let Err(error) = start.call(&mut store, ()) {
        match error.downcast_ref::<I32Exit>() {
            Some(exit) => std::process::exit(exit.0),
            None => return Err(error),
        }
    }
    println!("host: the program has ended");
    Ok(())
}
