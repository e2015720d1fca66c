//! How the unit tests of this room call its exports as C would.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::buffer::{cw_buffer, cw_buffer_data, cw_buffer_free, cw_buffer_len};
use super::code::CW_OK;
use super::error::{
    cw_error, cw_error_code, cw_error_detail, cw_error_detail_count, cw_error_free, cw_error_message,
};
use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

pub(super) fn ptr(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

pub(super) fn len(text: &str) -> usize {
    text.len()
}

/// The text at a borrowed pointer.
///
/// # Safety
/// `text` is a live C string.
pub(super) unsafe fn read_text(text: *const c_char) -> String {
    assert!(!text.is_null());
    // SAFETY: the caller vouches for it.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

/// A call as an error came out of it.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) details: Vec<String>,
}

/// Makes a call, and takes apart the error of one that failed.
#[track_caller]
pub(super) fn outcome(work: impl FnOnce(*mut *mut cw_error) -> i32) -> Result<(), Failed> {
    let mut error = null_mut();
    let code = work(&raw mut error);
    if code == CW_OK {
        assert!(error.is_null(), "an error was given out by a call that worked");
        return Ok(());
    }
    // SAFETY: the error is one of this library's, ended once.
    unsafe {
        assert_eq!(cw_error_code(error), code);
        let details = (0..cw_error_detail_count(error)).map(|index| read_text(cw_error_detail(error, index)));
        let failed = Failed { code, message: read_text(cw_error_message(error)), details: details.collect() };
        cw_error_free(error);
        Err(failed)
    }
}

/// The handle a call that must work gives out.
#[track_caller]
pub(super) fn handle<T>(work: impl FnOnce(*mut *mut T, *mut *mut cw_error) -> i32) -> *mut T {
    let mut out = null_mut();
    outcome(|error| work(&raw mut out, error)).unwrap();
    assert!(!out.is_null());
    out
}

/// The text that a call which must work gives out in a buffer.
#[track_caller]
pub(super) fn taken(work: impl FnOnce(*mut *mut cw_buffer, *mut *mut cw_error) -> i32) -> String {
    let buffer = handle(work);
    // SAFETY: the buffer is alive and ended once.
    unsafe {
        let bytes = std::slice::from_raw_parts(cw_buffer_data(buffer), cw_buffer_len(buffer)).to_vec();
        cw_buffer_free(buffer);
        String::from_utf8(bytes).unwrap()
    }
}

/// How a call that must fail did; it gives nothing out.
#[track_caller]
pub(super) fn failed<T>(work: impl FnOnce(*mut *mut T, *mut *mut cw_error) -> i32) -> Failed {
    let mut out = std::ptr::dangling_mut();
    let failed = outcome(|error| work(&raw mut out, error)).unwrap_err();
    assert!(out.is_null(), "something was given out after a failure");
    failed
}

/// A call without an `out` that must work.
#[track_caller]
pub(super) fn works(work: impl FnOnce(*mut *mut cw_error) -> i32) {
    outcome(work).unwrap();
}

/// A call without an `out` that must fail.
#[track_caller]
pub(super) fn fails(work: impl FnOnce(*mut *mut cw_error) -> i32) -> Failed {
    outcome(work).unwrap_err()
}
