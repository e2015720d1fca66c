//! Packages that came in: looked at, unpacked, acknowledged, and marked as viewed.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::package_state;
use super::pointer::{given_text, json_or_default, parsed, shared, tell};
use super::watch::{HostWatch, cw_watch};
use crate::ledger::IncomingState;
use std::ffi::c_char;
use std::ptr::null_mut;

/// A package of the inbox: where it stands in `*state`, one of CW_INCOMING_*, and all of it as JSON in `out`. Both may be
/// NULL.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE when it never came in; CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_incoming(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    state: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_incoming", error, || {
            let answer = Answer::new(out, state, null_mut());
            let exchange = shared("exchange", exchange)?;
            let incoming = exchange.0.incoming(parsed("package", package, package_len)?)?;
            answer.give(&incoming, package_state::incoming(incoming.state), None)
        })
    }
}

/// The packages that came in, oldest first, as a JSON array. `query` is as with cw_exchange_outgoing_packages, with
/// "incoming_states" (an array of names), "only_new" and "only_untold" (whose senders are still to be told what became of
/// them) in place of "outgoing_states". NULL for all.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_incoming_packages(
    exchange: *const cw_exchange,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_incoming_packages", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            answer.give_json(&exchange.0.incoming_packages(&json_or_default("query", query, query_len)?)?)
        })
    }
}

/// What cw_exchange_unpack would change, without changing anything: the change set as JSON in `out`. `*blocked` is 1 when
/// both sides changed the same field and the partner's policy is to stop, so that an unpack would fail with
/// CW_ERR_CONFLICT. `blocked`, `out` and `watch` may be NULL.
///
/// Errors: as cw_exchange_unpack, but for a conflict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_preview(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    watch: *const cw_watch,
    blocked: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_preview", error, || {
            let answer = Answer::new(out, blocked, null_mut());
            let exchange = shared("exchange", exchange)?;
            let package = parsed("package", package, package_len)?;
            let changes = exchange.0.preview(package, &HostWatch::new(watch)?)?;
            answer.give(&changes, i32::from(changes.blocked()), None)
        })
    }
}

/// Unpacks a received package: the claim is added or updated in the case system, and the sender is told. `by` is who asks
/// for it. `*state` is CW_INCOMING_UNPACKED, or CW_INCOMING_SUPERSEDED when a later package of the claim had been applied
/// before and this one changed nothing. `*acknowledgement` is whether the sender was told, one of CW_ACKNOWLEDGEMENT_*.
/// `out` gets JSON: "claim", "superseded", "acknowledgement", and the change set in "changes". `state`, `acknowledgement`,
/// `out` and `watch` may be NULL.
///
/// Nothing of the package is released before all of it is verified, and the case system takes all of it or nothing. A
/// package that fails stays in the inbox and can be unpacked again; unpacking one that is unpacked already changes
/// nothing, and tells a sender that could not be told.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_UNKNOWN_KEY_VERSION, CW_ERR_UNSUPPORTED_SUITE, CW_ERR_WRONG_KEY,
/// CW_ERR_TRUNCATED, CW_ERR_ALTERED and other codes of the codec when it cannot be opened; CW_ERR_NOT_A_PACKAGE,
/// CW_ERR_UNSUPPORTED_FORMAT_VERSION, CW_ERR_INVALID_PACKAGE, CW_ERR_ENVELOPE_MISMATCH, CW_ERR_WRONG_RECIPIENT when it is
/// not what was announced; CW_ERR_IMPORT_RULES_VIOLATED with one detail each; CW_ERR_CONFLICT; CW_ERR_CANCELLED;
/// CW_ERR_CASE_SYSTEM, CW_ERR_LEDGER, CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_unpack(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    by: *const c_char,
    by_len: usize,
    watch: *const cw_watch,
    state: *mut i32,
    acknowledgement: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_unpack", error, || {
            tell(acknowledgement, 0);
            let answer = Answer::new(out, state, null_mut());
            let exchange = shared("exchange", exchange)?;
            let package = parsed("package", package, package_len)?;
            let by = given_text("by", by, by_len)?;
            let unpacked = exchange.0.unpack(package, by, &HostWatch::new(watch)?)?;
            let stands = match unpacked.superseded {
                true => IncomingState::Superseded,
                false => IncomingState::Unpacked,
            };
            answer.give(&unpacked, package_state::incoming(stands), None)?;
            tell(acknowledgement, package_state::acknowledgement(&unpacked.acknowledgement));
            Ok(())
        })
    }
}

/// Applies the notes that were received and, because of a crash or a passing fault, not applied, and tells their senders.
/// `*count` is the number of these packages, `out` gets their ids as a JSON array. Both may be NULL. Opening an exchange
/// does the same, but leaves it to the outbox to tell the senders.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. Why a package cannot be applied is in its history.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_apply_pending_notes(
    exchange: *const cw_exchange,
    count: *mut usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_apply_pending_notes", error, || {
            tell(count, 0);
            let answer = Answer::json_alone(out);
            let applied = shared("exchange", exchange)?.0.apply_pending_notes()?;
            answer.give_json(&applied)?;
            tell(count, applied.len());
            Ok(())
        })
    }
}

/// Tells the sender of an unpacked package so once more, with a signed receipt. `*acknowledgement` is what came of it, one
/// of CW_ACKNOWLEDGEMENT_*; `out` gets it as JSON, with the error where the sender could not be told, which is no failure
/// of this call. Both may be NULL.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_acknowledge(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    acknowledgement: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_acknowledge", error, || {
            let answer = Answer::new(out, acknowledgement, null_mut());
            let exchange = shared("exchange", exchange)?;
            let told = exchange.0.acknowledge(parsed("package", package, package_len)?)?;
            answer.give(&told, package_state::acknowledgement(&told), None)
        })
    }
}

/// Refuses a package that came in and was not unpacked, for good, and tells its sender `reason`, 1 to 1,000 characters:
/// what is wrong with it and what to do. `by` is who rejects it, which the sender is not told. Its sealed bytes stay;
/// unpacking it is refused from now on. Rejecting it again keeps the first reason and tells the sender again.
/// `acknowledgement` and `out` as with cw_exchange_acknowledge.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_WRONG_STATE when it was unpacked already; CW_ERR_LEDGER,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_reject(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    by: *const c_char,
    by_len: usize,
    reason: *const c_char,
    reason_len: usize,
    acknowledgement: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_reject", error, || {
            let answer = Answer::new(out, acknowledgement, null_mut());
            let exchange = shared("exchange", exchange)?;
            let package = parsed("package", package, package_len)?;
            let (by, reason) = (given_text("by", by, by_len)?, given_text("reason", reason, reason_len)?);
            let told = exchange.0.reject(package, by, reason)?;
            answer.give(&told, package_state::acknowledgement(&told), None)
        })
    }
}

/// Fills in on the claims what partners said of our packages, where their settings name a "feedback_field" and the case
/// system could not take it then. `*count` is the number of these packages, `out` gets their ids as a JSON array. Both may
/// be NULL. Opening an exchange does so for the last 1,000 unpacked packages.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. Why a field cannot be filled is in the package's history.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_fill_pending_feedback(
    exchange: *const cw_exchange,
    count: *mut usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_fill_pending_feedback", error, || {
            tell(count, 0);
            let answer = Answer::json_alone(out);
            let filled = shared("exchange", exchange)?.0.fill_pending_feedback()?;
            answer.give_json(&filled)?;
            tell(count, filled.len());
            Ok(())
        })
    }
}

/// Takes the mark of the new off everything that came in for a claim, as somebody looked at it: `by` is who. `*count` is
/// the number of packages that carried it, `out` gets their ids as a JSON array. Both may be NULL.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_mark_viewed(
    exchange: *const cw_exchange,
    claim: *const c_char,
    claim_len: usize,
    by: *const c_char,
    by_len: usize,
    count: *mut usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_mark_viewed", error, || {
            tell(count, 0);
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let claim = parsed("claim", claim, claim_len)?;
            let viewed = exchange.0.mark_viewed(&claim, given_text("by", by, by_len)?)?;
            answer.give_json(&viewed)?;
            tell(count, viewed.len());
            Ok(())
        })
    }
}
