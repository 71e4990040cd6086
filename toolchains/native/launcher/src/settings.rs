//! The settings of a program: how its engine must be made, what it may use and for how long.
//!
//! One setting a line, a key and its values with tabs between them. What is absent keeps its
//! default. Whoever attaches a program writes them; an unknown key is refused, because whatever it
//! means would be ignored.

use std::fmt::Display;
use std::str::FromStr;

use wasmtime::{Collector, Config};

use crate::Failure;

/// What the compiled code may have on the stack: 10^5 frames of 1.3 KB. Only what is used is taken.
const STACK: usize = 128 << 20;
/// What the functions of the host may need beyond that.
const HOST_STACK: usize = 1 << 20;

#[derive(Debug, PartialEq)]
pub struct Directory {
    pub host: String,
    pub guest: String,
    pub writable: bool,
}

#[derive(Debug, Default)]
pub struct Settings {
    pub winch: bool,
    pub debug_info: bool,
    pub fuel: Option<u64>,
    /// 0 is no deadline, in code that could have one.
    pub deadline_ms: Option<u64>,
    pub memory_reservation: Option<u64>,
    pub memory_guard_size: Option<u64>,
    pub no_signals: bool,
    pub memory_limit: Option<usize>,
    pub stack: Option<usize>,
    pub directories: Vec<Directory>,
    /// What `lines` reads, in base64.
    pub lines: &'static str,
}

impl Settings {
    pub fn parse(text: &'static str) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["compiler", "cranelift"] => settings.winch = false,
                ["compiler", "winch"] => settings.winch = true,
                ["debug_info", value] => settings.debug_info = switch(line, value)?,
                ["fuel", value] => settings.fuel = Some(number(line, value)?),
                ["deadline_ms", value] => settings.deadline_ms = Some(number(line, value)?),
                ["memory_reservation", value] => {
                    settings.memory_reservation = Some(number(line, value)?);
                }
                ["memory_guard_size", value] => {
                    settings.memory_guard_size = Some(number(line, value)?);
                }
                ["signals_based_traps", value] => settings.no_signals = !switch(line, value)?,
                ["memory_limit", value] => settings.memory_limit = Some(number(line, value)?),
                ["stack", value] => settings.stack = Some(number(line, value)?),
                ["lines", value] => settings.lines = value,
                ["dir", access @ ("r" | "rw"), host, guest] => {
                    settings.directories.push(Directory {
                        host: host.into(),
                        guest: guest.into(),
                        writable: access == "rw",
                    });
                }
                _ => return Err(unknown(line)),
            }
        }
        Ok(settings)
    }

    /// Add the directories of `MOCHI_DIRS`: `HOST` or `HOST=GUEST`, separated as in `PATH`.
    pub fn grant(&mut self, list: &str) {
        let separator = if cfg!(windows) { ';' } else { ':' };
        for entry in list.split(separator).filter(|entry| !entry.is_empty()) {
            let (host, guest) = entry.rsplit_once('=').unwrap_or((entry, entry));
            let (host, guest) = (host.into(), guest.into());
            self.directories.push(Directory { host, guest, writable: true });
        }
    }

    /// The configuration under which the artifact was compiled.
    pub fn engine(&self) -> Config {
        let stack = self.stack.unwrap_or(STACK);
        let mut config = Config::new();
        config
            .collector(Collector::DeferredReferenceCounting)
            .debug_info(self.debug_info)
            .consume_fuel(self.fuel.is_some())
            .epoch_interruption(self.deadline_ms.is_some())
            .signals_based_traps(!self.no_signals)
            .max_wasm_stack(stack)
            .async_stack_size(stack.saturating_add(HOST_STACK));
        if let Some(bytes) = self.memory_reservation {
            config.memory_reservation(bytes);
        }
        if let Some(bytes) = self.memory_guard_size {
            config.memory_guard_size(bytes);
        }
        config
    }
}

fn number<T: FromStr>(line: &str, value: &str) -> Result<T, Failure> {
    value.parse().map_err(|_| unknown(line))
}

fn switch(line: &str, value: &str) -> Result<bool, Failure> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(unknown(line)),
    }
}

fn unknown(line: impl Display) -> Failure {
    Failure::new(format!(
        "the program was attached with `{line}`, which this launcher does not know"
    ))
}
