//! A host for the unit tests of the codec's border: its functions, good, failing and panicking, and its keys.

use super::code::CW_OK;
use super::error::cw_error;
use super::key::{cw_opening_key, cw_sealing_key};
use super::trial::{Failed, outcome};
use crate::codec::{AgeIdentity, DesMd5Key, Framing};
use std::ffi::c_void;
use std::ptr::from_mut;
use std::slice;

/// What a host's function returns that is no code at all.
pub(super) const NONSENSE: i32 = -7;

#[track_caller]
pub(super) fn works(work: impl FnOnce(*mut *mut cw_error) -> i32) {
    outcome(work).unwrap();
}

/// Makes a call that fails with this code and a message that has these words.
#[track_caller]
pub(super) fn fails(expected: i32, words: &str, work: impl FnOnce(*mut *mut cw_error) -> i32) {
    let Failed { code, message, .. } = outcome(work).unwrap_err();
    assert!(code == expected && message.contains(words), "{code}: {message}");
}

/// The keys of both suites.
pub(super) fn keys() -> [(cw_sealing_key, cw_opening_key); 2] {
    let identity = AgeIdentity::generate();
    let password = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).unwrap();
    [
        (cw_sealing_key(identity.recipient().into()), cw_opening_key(identity.into())),
        (cw_sealing_key(password.clone().into()), cw_opening_key(password.into())),
    ]
}

/// User data of any kind.
pub(super) fn data<T>(of: &mut T) -> *mut c_void {
    from_mut(of).cast()
}

/// Appends to the `Vec<u8>` that is the user data.
pub(super) unsafe extern "C-unwind" fn collect(user_data: *mut c_void, bytes: *const u8, len: usize) -> i32 {
    // SAFETY: the tests give a `Vec<u8>`, and the library `len` bytes.
    unsafe { (*user_data.cast::<Vec<u8>>()).extend_from_slice(slice::from_raw_parts(bytes, len)) };
    CW_OK
}

/// Refuses with the code that is the user data.
pub(super) unsafe extern "C-unwind" fn refuse(user_data: *mut c_void, _bytes: *const u8, _len: usize) -> i32 {
    // SAFETY: the tests give an `i32`.
    unsafe { *user_data.cast::<i32>() }
}

pub(super) unsafe extern "C-unwind" fn panic(_user_data: *mut c_void, _bytes: *const u8, _len: usize) -> i32 {
    panic!("a function of the host's panics")
}

/// Gives at most 100 bytes of the `&[u8]` that is the user data.
pub(super) unsafe extern "C-unwind" fn give(
    user_data: *mut c_void,
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    // SAFETY: the tests give a `&[u8]`, and the library room for `capacity` bytes and a length.
    unsafe {
        let rest = &mut *user_data.cast::<&[u8]>();
        let (now, later) = rest.split_at(rest.len().min(capacity).min(100));
        slice::from_raw_parts_mut(buffer, now.len()).copy_from_slice(now);
        *rest = later;
        *len = now.len();
    }
    CW_OK
}

pub(super) unsafe extern "C-unwind" fn refuse_to_give(
    user_data: *mut c_void,
    _buffer: *mut u8,
    _capacity: usize,
    _len: *mut usize,
) -> i32 {
    // SAFETY: the tests give an `i32`.
    unsafe { *user_data.cast::<i32>() }
}

pub(super) unsafe extern "C-unwind" fn give_more_than_asked(
    _user_data: *mut c_void,
    _buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    // SAFETY: the library gives room for a length.
    unsafe { *len = capacity + 1 };
    CW_OK
}

pub(super) unsafe extern "C-unwind" fn panic_instead_of_giving(
    _user_data: *mut c_void,
    _buffer: *mut u8,
    _capacity: usize,
    _len: *mut usize,
) -> i32 {
    panic!("a function of the host's panics")
}

/// Counts in the `usize` that is the user data.
pub(super) unsafe extern "C-unwind" fn count(user_data: *mut c_void) {
    // SAFETY: the tests give a `usize`.
    unsafe { *user_data.cast::<usize>() += 1 };
}

/// Stops at once.
pub(super) unsafe extern "C-unwind" fn stop(_user_data: *mut c_void, _bytes: u64) -> i32 {
    1
}
