//! The one way through the border: every export runs inside [`call`], which no panic leaves.

use super::code::{CW_ERR_INTERNAL, CW_OK};
use super::error::cw_error;
use crate::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what `function` does, and tells C how it ended: 0, or the error's code and, where asked for, its detail.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(super) unsafe fn call(
    function: &'static str,
    error: *mut *mut cw_error,
    work: impl FnOnce() -> Result<()>,
) -> i32 {
    if !error.is_null() {
        // SAFETY: not NULL, so the caller vouches for it.
        unsafe { error.write_unaligned(std::ptr::null_mut()) };
    }
    let fault = match guarded(function, work) {
        Ok(()) => return CW_OK,
        Err(fault) => fault,
    };
    let code = i32::from(fault.kind().code());
    if !error.is_null() {
        let told = Box::into_raw(Box::new(cw_error::new(&fault)));
        // SAFETY: not NULL, so the caller vouches for it.
        unsafe { error.write_unaligned(told) };
    }
    code
}

/// Runs what cannot fail by itself, and gives `otherwise` where it panics: getters and frees.
pub(super) fn quietly<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}

fn guarded(function: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let outcome = catch_unwind(AssertUnwindSafe(work));
    outcome
        .unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Internal,
                "a fault of this library stopped the call; free the handles it was given and report it",
            ))
        })
        .map_err(|error| error.within(function))
}

const _: () = assert!(CW_ERR_INTERNAL == 1, "a panic has the code of an internal fault");
