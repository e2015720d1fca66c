//! The history: listed, exported, and proven to be whole.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_write_fn};
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::pointer::{given_text, json_or_default, optional_text, read_json, shared, tell};
use super::stream::HostWrite;
use crate::ledger::{HistoryEntry, HistoryHead, verify_history};
use std::ffi::{c_char, c_void};

/// What happened, oldest first, as a JSON array: every step of every package, both directions, with who, when and what
/// came of it. `query` says what of it, as a JSON object; its members all may be left out: "claim", "assessment",
/// "partner", "kind" ("claim", "notes", "trial"), "direction" ("outgoing", "incoming"), "package", "by", "steps",
/// "only_failures", "from", "until", "newest_first", "limit" (1000 unless it is said), and "after", the number of the last
/// entry of the page before. NULL for all. docs/schemas/history-query.schema.json describes them.
///
/// Errors: CW_ERR_STORE_DAMAGED when one of the entries was altered in the ledger; CW_ERR_LEDGER,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_history(
    exchange: *const cw_exchange,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_history", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            answer.give_json(&exchange.0.history(&json_or_default("query", query, query_len)?)?)
        })
    }
}

/// The error log of incoming packages, as cw_exchange_history gives the history: what failed or was rejected here, unless
/// the query names other steps. A delivery that was refused before it was a package leaves no entry.
///
/// Errors: as cw_exchange_history.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_incoming_errors(
    exchange: *const cw_exchange,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_incoming_errors", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            answer.give_json(&exchange.0.incoming_errors(&json_or_default("query", query, query_len)?)?)
        })
    }
}

/// Writes the entries that `query` asks for, as with cw_exchange_history, as JSON Lines: one entry a line, its hashes
/// included, each line ended by a line feed. The query's limit does not apply: an export is whole. `write` is called on
/// the calling thread; `*entries` is the number of entries, and may be NULL.
///
/// Errors: what `write` returned; CW_ERR_STORE_DAMAGED, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. What was written stays
/// written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_export_history(
    exchange: *const cw_exchange,
    query: *const c_char,
    query_len: usize,
    write: cw_write_fn,
    user_data: *mut c_void,
    entries: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_export_history", error, || {
            tell(entries, 0);
            let exchange = shared("exchange", exchange)?;
            let query = json_or_default("query", query, query_len)?;
            let lines = HostWrite::new(write, UserData::new(user_data, None))?;
            tell(entries, exchange.0.export_history(&query, lines)?);
            Ok(())
        })
    }
}

/// Checks the whole history: that no entry was altered, removed, moved or put in between. `out` gets its head, the number
/// and hash of its last entry, as JSON; it may be NULL.
///
/// Entries cut off at the end and a history rewritten as a whole do not show by themselves: note the head where this
/// machine's administrator cannot change it, and check later with cw_exchange_verify_history_from.
///
/// Errors: CW_ERR_STORE_DAMAGED with the number of the first entry at which the history is broken; CW_ERR_LEDGER,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_verify_history(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_verify_history", error, || {
            let answer = Answer::json_alone(out);
            answer.give_json(&shared("exchange", exchange)?.0.verify_history()?)
        })
    }
}

/// Checks that the history still holds the entry that was its last when the head `noted` was noted, as JSON, and all
/// entries since. `out` gets its head of now, and may be NULL. Entries before the noted one are not read again.
///
/// Errors: as cw_exchange_verify_history, with the number of the noted entry when it is gone or another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_verify_history_from(
    exchange: *const cw_exchange,
    noted: *const c_char,
    noted_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_verify_history_from", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let noted: HistoryHead = read_json("noted", given_text("noted", noted, noted_len)?)?;
            answer.give_json(&exchange.0.verify_history_from(&noted)?)
        })
    }
}

/// Checks an exported history by itself, without the exchange it came from: that `lines`, whole lines as
/// cw_exchange_export_history writes them without filters, follow `start`, each the one before it, and that none was
/// altered. `start` is a head as JSON, NULL for the beginning. `out`, which may be NULL, gets the head they lead to, so that
/// a long history is checked piece by piece.
///
/// Entries cut off at the end do not show, nor does a history that was rewritten as a whole: compare the head with one that
/// was noted elsewhere.
///
/// Errors: CW_ERR_STORE_DAMAGED with the number of the first entry at which the history is broken; CW_ERR_INVALID_ARGUMENT
/// for a line that is no entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_history_verify(
    lines: *const c_char,
    lines_len: usize,
    start: *const c_char,
    start_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_history_verify", error, || {
            let answer = Answer::json_alone(out);
            let lines = given_text("lines", lines, lines_len)?;
            let mut head = match optional_text("start", start, start_len)? {
                Some(start) => read_json("start", start)?,
                None => HistoryHead::start(),
            };
            for line in lines.lines() {
                let entry: HistoryEntry = read_json("lines", line)?;
                head = verify_history([&entry], &head)?;
            }
            answer.give_json(&head)
        })
    }
}
