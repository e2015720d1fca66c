//! The outbox: what is due is sent, on the host's schedule or by the library's threads; what was sent is sent again.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::package_state;
use super::pointer::{Out, free, given_text, parsed, shared, tell, tell_wait};
use super::watch::{HostWatch, cw_watch};
use crate::exchange::OutboxWorker;
use crate::model::Timestamp;
use std::ffi::c_char;
use std::ptr::null_mut;

/// Threads of the library's that send what is due. May be shared between threads.
pub struct cw_outbox(#[expect(dead_code, reason = "it works until it is dropped")] OutboxWorker);

/// Starts threads that send what is due, as cw_exchange_send_due does, and wake when something is exported, resumed,
/// replayed, or due again. They keep the exchange open until they end. What becomes of packages is told as events, on those
/// threads and on several at once, and stands in the history.
///
/// Partners are served side by side, as many at once as cw_exchange_settings_set_sends_at_once says, so that a large package
/// on a slow line, or a partner that stalls, holds up no other. To one partner one package goes after the other. Where more
/// partners wait, they take turns package by package.
///
/// Errors: CW_ERR_IO when the system gives no thread; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_outbox_start(
    exchange: *const cw_exchange,
    out: *mut *mut cw_outbox,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_outbox_start", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_outbox(shared("exchange", exchange)?.0.start_outbox()?));
            Ok(())
        })
    }
}

/// Stops the threads and waits for their end: a body that is being sent is broken off and stays queued, an answer that is
/// under way is waited for. Called by a callback on one of them, it waits for none. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_outbox_free(outbox: *mut cw_outbox) {
    // SAFETY: the host vouches for `outbox`.
    unsafe { free(outbox) }
}

/// Sends what is due now, to all partners, in the order of the exports and one after the other, for a host with a scheduler
/// of its own. `*next_ms`
/// is in how many milliseconds to call it again, -1 when nothing waits; what is exported, resumed or replayed meanwhile is
/// due at once. `out` gets JSON as with cw_exchange_send_queued, and in "next_due" the moment. `next_ms`, `out` and `watch`
/// may be NULL.
///
/// What could not be delivered is due again as the partner's settings say ("retry"), and not before the partner asks for
/// it. Where it is not known whether the last try arrived, the partner is asked first. When the tries or the time of the
/// settings have run out the package is failed, and CW_EVENT_FAILED tells so.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. Why a single package could not be sent is in the answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_send_due(
    exchange: *const cw_exchange,
    watch: *const cw_watch,
    next_ms: *mut i64,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_send_due", error, || {
            tell(next_ms, -1);
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let run = exchange.0.send_due(Timestamp::now(), &HostWatch::new(watch)?)?;
            answer.give_json(&run)?;
            tell_wait(next_ms, run.next_due);
            Ok(())
        })
    }
}

/// Queues a package that was delivered, or that failed, to be sent again under the same id, as asked for by `by`: for a
/// partner that lost it. A partner that still holds it says so, and changes nothing. `state` and `out` are as with
/// cw_exchange_send.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_WRONG_STATE for one that is still to be delivered, or that the partner rejected;
/// CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_replay(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    by: *const c_char,
    by_len: usize,
    state: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_replay", error, || {
            let answer = Answer::new(out, state, null_mut());
            let exchange = shared("exchange", exchange)?;
            let package = parsed("package", package, package_len)?;
            let outgoing = exchange.0.replay(package, given_text("by", by, by_len)?)?;
            answer.give(&outgoing, package_state::outgoing(outgoing.state), None)
        })
    }
}

/// Removes the sealed bytes of packages that were dealt with before `before`, a moment as in RFC 3339, in both directions:
/// those that their recipient has unpacked or rejected. `by` asks for it and goes into the history. Receipts, history and
/// the entries of the packages stay; such a package cannot be replayed or previewed any more, so keep them for as long as a
/// partner may have to restore a backup. `*count` is how many were removed; it may be NULL.
///
/// Errors: CW_ERR_LEDGER: some may be removed then, and the call can be repeated; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_remove_sealed(
    exchange: *const cw_exchange,
    before: *const c_char,
    before_len: usize,
    by: *const c_char,
    by_len: usize,
    count: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_remove_sealed", error, || {
            tell(count, 0);
            let exchange = shared("exchange", exchange)?;
            let by = given_text("by", by, by_len)?;
            tell(count, exchange.0.remove_sealed(parsed("before", before, before_len)?, by)?);
            Ok(())
        })
    }
}

/// Queues again all packages to a partner of which it became known at `since` or later that they were delivered, unpacked
/// or failed: for a partner that restored a backup of that time. `since` is a moment as in RFC 3339, such as
/// "2026-03-02T14:30:00Z". `*count` is how many are queued, `out` gets their ids as a JSON array; both may be NULL.
///
/// Errors: CW_ERR_UNKNOWN_PARTNER; CW_ERR_LEDGER: some may be queued then, and the call can be repeated;
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_replay_since(
    exchange: *const cw_exchange,
    partner: *const c_char,
    partner_len: usize,
    since: *const c_char,
    since_len: usize,
    by: *const c_char,
    by_len: usize,
    count: *mut usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_replay_since", error, || {
            tell(count, 0);
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let partner = parsed("partner", partner, partner_len)?;
            let since = parsed("since", since, since_len)?;
            let queued = exchange.0.replay_since(&partner, since, given_text("by", by, by_len)?)?;
            answer.give_json(&queued)?;
            tell(count, queued.len());
            Ok(())
        })
    }
}
