//! What went wrong, as C reads it.

use super::border::quietly;
use super::code;
use super::pointer::free;
use crate::{Detail, Error};
use std::ffi::{CString, c_char};
use std::ptr::null;
use std::time::Duration;

/// What went wrong: a code for programs, a sentence for people, and a line for each single fault.
pub struct cw_error {
    code: i32,
    message: CString,
    retryable: bool,
    ambiguous: bool,
    retry_after: Option<Duration>,
    details: Vec<Fault>,
}

/// One single fault.
struct Fault {
    message: CString,
    code: Option<CString>,
    subject: Option<CString>,
    proposal: Option<CString>,
}

impl From<&Detail> for Fault {
    fn from(detail: &Detail) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(c_text);
        Self {
            message: c_text(&detail.message),
            code: text(&detail.code),
            subject: text(&detail.subject),
            proposal: text(&detail.proposal),
        }
    }
}

impl cw_error {
    pub(super) fn new(error: &Error) -> Self {
        Self {
            code: i32::from(error.kind().code()),
            message: c_text(&error.to_string()),
            retryable: error.is_retryable(),
            ambiguous: error.is_ambiguous(),
            retry_after: error.retry_after(),
            details: error.details().iter().map(Fault::from).collect(),
        }
    }
}

/// The text as C has it. A NUL inside, which only hostile input brings, would end it early.
pub(super) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// The error's code, one of CW_ERR_*: the same that the function returned. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_code(error: *const cw_error) -> i32 {
    // SAFETY: the host vouches for `error`.
    quietly(0, || unsafe { error.as_ref() }.map_or(0, |error| error.code))
}

/// The name of the error's code, such as "wrong-key". Static; "ok" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_name(error: *const cw_error) -> *const c_char {
    // SAFETY: the host vouches for `error`.
    code::name(unsafe { cw_error_code(error) }).as_ptr()
}

/// What happened, to which claim, document or partner, and what to do: UTF-8 for people, without any key or content.
/// Borrowed from the error; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_message(error: *const cw_error) -> *const c_char {
    // SAFETY: the host vouches for `error`.
    quietly(c"".as_ptr(), || unsafe { error.as_ref() }.map_or(c"", |error| error.message.as_c_str()).as_ptr())
}

/// Whether the same call may succeed later with nothing changed by a person: 1 if so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_is_retryable(error: *const cw_error) -> i32 {
    // SAFETY: the host vouches for `error`.
    quietly(0, || i32::from(unsafe { error.as_ref() }.is_some_and(|error| error.retryable)))
}

/// Whether what was asked may have been done all the same, because it was sent and no answer came: 1 if so. Then the call
/// is retryable too; cw_exchange_send asks the partner before it sends the package again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_is_ambiguous(error: *const cw_error) -> i32 {
    // SAFETY: the host vouches for `error`.
    quietly(0, || i32::from(unsafe { error.as_ref() }.is_some_and(|error| error.ambiguous)))
}

/// For how many milliseconds the partner asks to be left alone (Retry-After); 0 where it does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_retry_after_ms(error: *const cw_error) -> i64 {
    // SAFETY: the host vouches for `error`.
    let asked = || unsafe { error.as_ref() }.and_then(|error| error.retry_after);
    quietly(0, || asked().map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
}

/// How many single faults the error sums up: violated rules, mistakes in settings. Mostly 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_detail_count(error: *const cw_error) -> usize {
    // SAFETY: the host vouches for `error`.
    quietly(0, || unsafe { error.as_ref() }.map_or(0, |error| error.details.len()))
}

/// The sentence on one single fault, counted from 0. Borrowed from the error; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_detail(error: *const cw_error, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `error`.
    unsafe { of_fault(error, index, |fault| Some(&fault.message)) }
}

/// The stable code of one single fault, such as "document-name" for a violated rule. Borrowed from the error; NULL when
/// it has none or there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_detail_code(error: *const cw_error, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `error`.
    unsafe { of_fault(error, index, |fault| fault.code.as_ref()) }
}

/// What one single fault is about: the exchange id of a record, or the place in the settings. Borrowed from the error;
/// NULL when it is not known or there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_detail_subject(error: *const cw_error, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `error`.
    unsafe { of_fault(error, index, |fault| fault.subject.as_ref()) }
}

/// What to put in the place of what is wrong, such as a document's name that would do. Borrowed from the error; NULL when
/// there is no proposal or there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_detail_proposal(error: *const cw_error, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `error`.
    unsafe { of_fault(error, index, |fault| fault.proposal.as_ref()) }
}

/// # Safety
/// `error` is NULL or a live error.
unsafe fn of_fault(
    error: *const cw_error,
    index: usize,
    text: impl Fn(&Fault) -> Option<&CString>,
) -> *const c_char {
    // SAFETY: the caller vouches for `error`.
    let found = || Some(text(unsafe { error.as_ref() }?.details.get(index)?)?.as_ptr());
    quietly(null(), || found().unwrap_or(null()))
}

/// Ends an error and all texts borrowed from it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_error_free(error: *mut cw_error) {
    // SAFETY: the host vouches for `error`.
    unsafe { free(error) }
}
