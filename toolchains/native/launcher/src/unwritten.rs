//! What a program has printed, and still has in its buffer when it is ended by force.
//!
//! The runtime library of Mochi says in memory where the buffer is. At `PLACE` there are a mark of
//! 8 bytes and four words: the address of the buffer, how much of it is in use, and while texts are
//! made, how much was in use before, and the number of these texts.

use std::io::IoSlice;

use wasmtime::{Instance, Memory, Store};

use crate::host;

const PLACE: usize = 992;
const MARK: &[u8] = b"mochiout";
pub const SIZE: usize = 24;

/// The memory of a program, where there is one.
pub fn memory<T>(store: &mut Store<T>, instance: Instance) -> Option<Memory> {
    let memory = instance.get_memory(&mut *store, "memory")?;
    (memory.data_size(&*store) >= PLACE + SIZE).then_some(memory)
}

/// Write the buffer of a program that has trapped.
pub fn write<T>(store: &Store<T>, memory: Memory) {
    let memory = memory.data(store);
    let (start, size) = buffer(&memory[PLACE..PLACE + SIZE]);
    let mut rest = memory.get(start..start + size).unwrap_or_default();
    while !rest.is_empty() {
        match host::write(false, &[IoSlice::new(rest)]) {
            Ok(written) => rest = &rest[written..],
            // If nobody reads, the status still tells.
            Err(_) => return,
        }
    }
}

/// Write the buffer when a signal ends the process. The memory must not move.
pub fn write_on_signals<T>(store: &Store<T>, memory: Memory) {
    let memory = memory.data_ptr(store);
    host::on_interrupts(memory, memory.wrapping_add(PLACE));
}

/// Where in the memory the buffer is, and its size, which is 0 in programs that are not of Mochi.
pub fn buffer(place: &[u8]) -> (usize, usize) {
    let word = |at: usize| {
        let bytes = [place[at], place[at + 1], place[at + 2], place[at + 3]];
        u32::from_le_bytes(bytes) as usize
    };
    if !place.starts_with(MARK) {
        return (0, 0);
    }
    (word(8), if word(20) == 0 { word(12) } else { word(16) })
}
