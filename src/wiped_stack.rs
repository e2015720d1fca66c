//! Work that leaves nothing on the stack: what it moved and spilled there, and the libraries below it, is written over.
//!
//! A value that is moved stays where it was, and a library keeps its intermediate values in frames that nobody wipes. Where
//! work is done on a secret, what is below the caller's frame is overwritten when it is done. What comes of it must not be
//! the secret itself, which would be moved again, but a box or a vector of it.

use std::hint::black_box;

/// How far below the caller's frame is overwritten, in bytes. Without optimisation, frames are larger.
const DEPTH: usize = if cfg!(debug_assertions) { 256 << 10 } else { 16 << 10 };

/// Does `work`, and overwrites what it left on the stack.
pub(crate) fn on_wiped_stack<T>(work: impl FnOnce() -> T) -> T {
    let done = apart(work);
    overwrite();
    done
}

/// Has a frame of its own, so that what is inlined into it is below the caller's.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Its frame begins where that of [`apart`] began.
#[inline(never)]
fn overwrite() {
    // Mutable, so that it is no constant somewhere else.
    let mut below = [0_u64; DEPTH / size_of::<u64>()];
    black_box(&mut below);
}
