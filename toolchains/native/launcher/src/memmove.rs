//! A faster `memmove` than musl's, for `memory.copy` between overlapping places.
//!
//! Where the target lies behind the source musl moves word by word: measured 20 times slower than
//! glibc, and it is what inserting into the front of a list does. Here pieces go through a buffer.

use core::ffi::c_void;
use core::hint::black_box;
use core::mem::MaybeUninit;

unsafe extern "C" {
    fn memcpy(target: *mut c_void, source: *const c_void, size: usize) -> *mut c_void;
}

const PIECE: usize = 2048;

/// # Safety
///
/// As in C: both places have `size` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(
    target: *mut c_void,
    source: *const c_void,
    size: usize,
) -> *mut c_void {
    let distance = target.addr().wrapping_sub(source.addr());
    // SAFETY: the caller promises the places; the buffer is ours. A piece is saved before what
    // it covers is overwritten, and what was overwritten has been moved before.
    unsafe {
        if distance >= size && distance.wrapping_neg() >= size {
            return memcpy(target, source, size);
        }
        let mut buffer = MaybeUninit::<[u8; PIECE]>::uninit();
        let mut done = 0;
        while done < size {
            let piece = PIECE.min(size - done);
            let at = if distance < size { size - done - piece } else { done };
            // Or the compiler would see a memmove in the two copies.
            let saved = black_box(buffer.as_mut_ptr()).cast();
            memcpy(saved, source.add(at), piece);
            memcpy(target.add(at), black_box(saved), piece);
            done += piece;
        }
    }
    target
}
