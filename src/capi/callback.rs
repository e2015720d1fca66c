//! Functions of the host's: how they are kept, called, and believed.

use super::border::{call, quietly};
use super::code::{CW_OK, kind};
use super::error::cw_error;
use super::pointer::{misuse, text, unique};
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Ends the host's `user_data`: called exactly once, when the library needs it no more, on any thread. A call that takes
/// a `cw_drop_fn` takes the data also when it fails. NULL where nothing is to be done.
pub type cw_drop_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void)>;

/// Takes the next `len` bytes, which are borrowed for the time of the call. Returns CW_OK, or another code to stop.
pub type cw_write_fn =
    Option<unsafe extern "C-unwind" fn(user_data: *mut c_void, data: *const u8, len: usize) -> i32>;

/// Puts up to `capacity` bytes into `buffer` and their number into `*len`; 0 is the end. Returns CW_OK, or another code
/// to stop.
pub type cw_read_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        buffer: *mut u8,
        capacity: usize,
        len: *mut usize,
    ) -> i32,
>;

/// Where a function of the host's says why it failed, see cw_failure_set. Borrowed for the time of that call.
#[derive(Default)]
pub struct cw_failure(Option<Error>);

/// Says why a function of the host's fails; that function then returns `code`. `code` is one of CW_ERR_*, and the
/// message is for people: what happened and what to do, without secrets. With `retryable` 1 the same work may succeed
/// later, with 0 a person has to do something first, and with -1 the code's usual word holds.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_failure_set(
    failure: *mut cw_failure,
    code: i32,
    message: *const c_char,
    message_len: usize,
    retryable: i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_failure_set", error, || {
            let failure = unique("failure", failure)?;
            let message = text("message", message, message_len)?;
            let kind =
                kind(code).ok_or_else(|| misuse(format!("{code} is no error code; take one of CW_ERR_*")))?;
            let fault = Error::new(kind, message);
            failure.0 = Some(match retryable {
                0 => fault.retryable(false),
                1 => fault.retryable(true),
                _ => fault,
            });
            Ok(())
        })
    }
}

/// Calls a function of the host's that reports its failures in a [`cw_failure`].
pub(super) fn ask(what: &str, work: impl FnOnce(*mut cw_failure) -> i32) -> Result<()> {
    let mut failure = cw_failure::default();
    let code = catch_unwind(AssertUnwindSafe(|| work(&raw mut failure)));
    let code = code.map_err(|_| {
        let said = format!("the host's function `{what}` panicked; it must return a code instead");
        Error::new(ErrorKind::Internal, said)
    })?;
    believe(what, code, failure.0)
}

/// What a code returned by a host's function means.
pub(super) fn believe(what: &str, code: i32, said: Option<Error>) -> Result<()> {
    if code == CW_OK {
        return Ok(());
    }
    Err(match (said, kind(code)) {
        (Some(error), _) => error,
        (None, Some(kind)) => Error::new(kind, format!("the host's function `{what}` failed without a word")),
        (None, None) => Error::new(
            ErrorKind::Internal,
            format!("the host's function `{what}` returned {code}, which is no code of CW_ERR_*"),
        ),
    })
}

/// The host's data and how it is ended.
pub(super) struct UserData {
    data: *mut c_void,
    drop: cw_drop_fn,
}

// SAFETY: the contract says that functions which are kept may be called from any thread, one at a time or at once as
// their comment says, and that their data may be ended on any thread.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    pub(super) fn new(data: *mut c_void, drop: cw_drop_fn) -> Self {
        Self { data, drop }
    }

    pub(super) fn get(&self) -> *mut c_void {
        self.data
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(end) = self.drop {
            // SAFETY: the host gave this function for this data; it is called once.
            quietly((), || unsafe { end(self.data) });
        }
    }
}
