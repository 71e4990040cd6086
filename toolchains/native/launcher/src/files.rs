//! The world of a program that may ask for anything in WASI preview 1.

use std::ffi::OsString;

use wasmtime::{Linker, Module, Result, error::Context};
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_async};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::program::{self, State, call_start, store};
use crate::settings::Settings;

pub fn run(module: &Module, settings: &Settings, arguments: Vec<OsString>) -> Result<()> {
    // One thread: Wasmtime's own default would start one for every processor.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut linker = Linker::new(module.engine());
    linker.allow_shadowing(true);
    add_to_linker_async(&mut linker, |state: &mut State<WasiP1Ctx>| &mut state.world)?;
    // Wasmtime's own accepts no status above 125.
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", program::exit)?;
    runtime.block_on(async {
        let mut store = store(module.engine(), settings, world(settings, arguments)?)?;
        let instance = linker.instantiate_async(&mut store, module).await?;
        call_start(&mut store, instance, settings).await
    })
}

fn world(settings: &Settings, arguments: Vec<OsString>) -> Result<WasiP1Ctx> {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_stdio().allow_blocking_current_thread(true);
    for argument in arguments {
        builder.arg(argument.to_string_lossy());
    }
    for (name, value) in std::env::vars_os() {
        builder.env(name.to_string_lossy(), value.to_string_lossy());
    }
    for directory in &settings.directories {
        let access = if directory.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        builder
            .preopened_dir(&directory.host, &directory.guest, access)
            .with_context(|| format!("cannot open the directory `{}`", directory.host))?;
    }
    Ok(builder.build_p1())
}
