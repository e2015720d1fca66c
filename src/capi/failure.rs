//! How a function of the host's says why it failed, and how it is believed.

use super::border::call;
use super::code::{CW_OK, kind, known_kind};
use super::error::cw_error;
use super::pointer::{given_text, optional_text, text, unique};
use crate::{Detail, Error, ErrorKind, Result};
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Where a function of the host's says why it failed, see cw_failure_set. Borrowed for the time of that call.
#[derive(Default)]
pub struct cw_failure {
    said: Option<Error>,
    details: Vec<Detail>,
    ambiguous: bool,
    retry_after: Option<Duration>,
}

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
            let fault = Error::new(known_kind(code)?, message);
            failure.said = Some(match retryable {
                0 => fault.retryable(false),
                1 => fault.retryable(true),
                _ => fault,
            });
            Ok(())
        })
    }
}

/// Says a single fault of several, such as a rule of the host's own that a package violates; once for each, beside
/// cw_failure_set. It reaches the error's details, the history, and with CW_ERR_IMPORT_RULES_VIOLATED the sender. `message`
/// is for people. For programs, each NULL where there is none: `code` is a stable name of the host's or one of the
/// library's, `subject` the exchange id of the record it is about, `proposal` what would do instead.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_failure_add_detail(
    failure: *mut cw_failure,
    message: *const c_char,
    message_len: usize,
    code: *const c_char,
    code_len: usize,
    subject: *const c_char,
    subject_len: usize,
    proposal: *const c_char,
    proposal_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_failure_add_detail", error, || {
            let failure = unique("failure", failure)?;
            let mut detail = Detail::new(given_text("message", message, message_len)?);
            detail.code = optional_text("code", code, code_len)?.map(str::to_owned);
            detail.subject = optional_text("subject", subject, subject_len)?.map(str::to_owned);
            detail.proposal = optional_text("proposal", proposal, proposal_len)?.map(str::to_owned);
            failure.details.push(detail);
            Ok(())
        })
    }
}

/// Says that it is not known whether what was asked was done all the same: it was sent, and no answer came. The failure is
/// retryable then.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_failure_set_ambiguous(
    failure: *mut cw_failure,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_failure_set_ambiguous", error, || {
            unique("failure", failure)?.ambiguous = true;
            Ok(())
        })
    }
}

/// Says for how many milliseconds the other side asks to be left alone, as Retry-After of HTTP does.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_failure_set_retry_after_ms(
    failure: *mut cw_failure,
    wait_ms: u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_failure_set_retry_after_ms", error, || {
            unique("failure", failure)?.retry_after = Some(Duration::from_millis(wait_ms));
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
    if code == CW_OK { Ok(()) } else { Err(failure.believed(what, code)) }
}

impl cw_failure {
    /// What it means that a function of the host's returned this code, with what it said before.
    fn believed(self, what: &str, code: i32) -> Error {
        let mut error = match (self.said, kind(code)) {
            (Some(error), _) => error,
            (None, Some(kind)) if self.details.is_empty() => {
                Error::new(kind, format!("the host's function `{what}` failed without a word"))
            }
            (None, Some(kind)) => Error::new(kind, Detail::joined(&self.details, " ")),
            (None, None) => Error::new(
                ErrorKind::Internal,
                format!("the host's function `{what}` returned {code}, which is no code of CW_ERR_*"),
            ),
        };
        if !self.details.is_empty() {
            error = error.with_details(self.details);
        }
        if let Some(wait) = self.retry_after {
            error = error.with_retry_after(wait);
        }
        if self.ambiguous { error.ambiguous() } else { error }
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::{
        CW_ERR_IMPORT_RULES_VIOLATED, CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT, CW_ERR_TIMED_OUT,
    };
    use super::super::host_for_tests::{fails, works};
    use super::*;
    use std::ptr::{null, null_mut};

    /// What comes of a function that says this and returns `code`.
    fn said(code: i32, say: impl FnOnce(*mut cw_failure)) -> Error {
        ask("check", |failure| {
            say(failure);
            code
        })
        .unwrap_err()
    }

    fn set(failure: *mut cw_failure, code: i32, message: &str) {
        // SAFETY: all pointers are good.
        works(|error| unsafe {
            cw_failure_set(failure, code, message.as_ptr().cast(), message.len(), -1, error)
        });
    }

    /// Adds a detail; an empty text stands for NULL.
    fn add(
        failure: *mut cw_failure,
        [message, code, subject, proposal]: [&str; 4],
        error: *mut *mut cw_error,
    ) -> i32 {
        let given = |text: &str| (if text.is_empty() { null() } else { text.as_ptr().cast() }, text.len());
        let (message, code, subject, proposal) =
            (given(message), given(code), given(subject), given(proposal));
        // SAFETY: all pointers are good, or NULL.
        unsafe {
            cw_failure_add_detail(
                failure, message.0, message.1, code.0, code.1, subject.0, subject.1, proposal.0, proposal.1,
                error,
            )
        }
    }

    #[test]
    fn a_hosts_own_rules_are_told_one_by_one() {
        let closed = ["The period is closed.", "closed-period", "ON-INS/B-7", "2026-04"];
        let details =
            || [Detail::new(closed[0]).coded(closed[1]).about(closed[2]).proposing(closed[3]), "Ask.".into()];
        let add_both = |failure| {
            works(|error| add(failure, closed, error));
            works(|error| add(failure, ["Ask.", "", "", ""], error));
        };
        let error = said(CW_ERR_IMPORT_RULES_VIOLATED, |failure| {
            add_both(failure);
            set(failure, CW_ERR_IMPORT_RULES_VIOLATED, "The ledger refuses it.");
        });
        assert_eq!((error.to_string().as_str(), error.details()), ("The ledger refuses it.", &details()[..]));
        let error = said(CW_ERR_IMPORT_RULES_VIOLATED, add_both);
        assert_eq!(error.kind(), ErrorKind::ImportRulesViolated);
        assert_eq!(
            (error.to_string().as_str(), error.details()),
            ("The period is closed. Ask.", &details()[..])
        );
    }

    #[test]
    fn what_is_not_known_and_how_long_to_wait_are_believed() {
        let error = said(CW_ERR_TIMED_OUT, |failure| {
            // SAFETY: all pointers are good.
            unsafe {
                works(|error| cw_failure_set_retry_after_ms(failure, 90_000, error));
                works(|error| cw_failure_set_ambiguous(failure, error));
            }
            set(failure, CW_ERR_TIMED_OUT, "no answer");
        });
        assert!(error.is_ambiguous() && error.is_retryable());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
        let silent = said(CW_ERR_TIMED_OUT, |_| ());
        assert!(silent.to_string().contains("without a word") && !silent.is_ambiguous());
        assert_eq!(i32::from(said(77_777, |_| ()).kind().code()), CW_ERR_INTERNAL);
    }

    #[test]
    fn a_detail_without_a_sentence_is_refused() {
        let mut failure = cw_failure::default();
        let failure = &raw mut failure;
        fails(CW_ERR_INVALID_ARGUMENT, "`message`", |error| add(failure, ["", "code", "", ""], error));
        fails(CW_ERR_INVALID_ARGUMENT, "`failure`", |error| add(null_mut(), ["x", "", "", ""], error));
        // SAFETY: NULL is checked.
        unsafe {
            fails(CW_ERR_INVALID_ARGUMENT, "`failure`", |error| cw_failure_set_ambiguous(null_mut(), error));
            fails(CW_ERR_INVALID_ARGUMENT, "`failure`", |error| {
                cw_failure_set_retry_after_ms(null_mut(), 1, error)
            });
            assert!((*failure).details.is_empty());
        }
    }
}
