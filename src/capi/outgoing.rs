//! Packages on their way out: export, send, and what the recipient said of them.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::package_state;
use super::pointer::{Options, given_text, json_or_default, options, parsed, read_json, shared, tell, text};
use super::watch::{HostWatch, cw_watch};
use crate::exchange::ExportOptions;
use crate::model::{ExchangeId, Timestamp};
use crate::protocol::{Evidence, Receipt, VerifyingKey};
use serde::Serialize;
use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr::null_mut;

/// How one export is made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_export_options {
    /// Set to sizeof(cw_export_options).
    pub struct_size: usize,
    /// Who asks for the export, as this site names people; goes into the history and into the package.
    pub by: *const c_char,
    /// The length of `by` in bytes.
    pub by_len: usize,
    /// The assessments to take along, beside those whose status is forced to export: their exchange ids as a JSON array.
    /// NULL for every assessment that the partner's settings allow.
    pub assessments: *const c_char,
    /// The length of `assessments` in bytes.
    pub assessments_len: usize,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_export_options {
    const FIRST: usize = offset_of!(cw_export_options, assessments_len) + size_of::<usize>();
}

/// Exports a claim to ONE partner: a sealed package in the outbox, ready to be sent, and durable when this returns.
/// `package_id` gets its id and has room for CW_PACKAGE_ID_SIZE bytes; `out` gets the outgoing package as JSON. Both may
/// be NULL. `watch` may be NULL.
///
/// Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_UNKNOWN_CLAIM; CW_ERR_EXPORT_RULES_VIOLATED with one detail for every rule that
/// is violated; CW_ERR_CANCELLED; CW_ERR_CASE_SYSTEM, CW_ERR_LEDGER, CW_ERR_IO, CW_ERR_INVALID_SETTINGS,
/// CW_ERR_INVALID_ARGUMENT. The outbox is as it was after an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_export(
    exchange: *const cw_exchange,
    claim: *const c_char,
    claim_len: usize,
    partner: *const c_char,
    partner_len: usize,
    export_options: *const cw_export_options,
    watch: *const cw_watch,
    package_id: *mut c_char,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_export", error, || {
            let answer = Answer::new(out, null_mut(), package_id);
            let exchange = shared("exchange", exchange)?;
            let claim = parsed("claim", claim, claim_len)?;
            let partner = parsed("partner", partner, partner_len)?;
            let given = options("export_options", export_options)?;
            let watch = HostWatch::new(watch)?;
            let by = given_text("export_options->by", given.by, given.by_len)?;
            let mut how = ExportOptions::by(by).watched_by(&watch);
            if !given.assessments.is_null() {
                let what = "export_options->assessments";
                let chosen = text(what, given.assessments, given.assessments_len)?;
                how = how.with_assessments(read_json::<Vec<ExchangeId>>(what, chosen)?);
            }
            let outgoing = exchange.0.export(&claim, &partner, &how)?;
            answer.give(&outgoing, 0, Some(outgoing.package.id))
        })
    }
}

/// Exports the notes of a claim that ONE partner has not seen: a sealed package in the outbox, ready to be sent; its
/// recipient applies it as it arrives. `by` is who asks for it. `package_id`, with room for CW_PACKAGE_ID_SIZE bytes, and
/// `out`, for the outgoing package as JSON, may be NULL.
///
/// Errors: CW_ERR_EXPORT_RULES_VIOLATED when the claim was never exchanged with the partner, or has no note for it;
/// CW_ERR_SEALED_TOO_LARGE; otherwise as cw_exchange_export.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_export_notes(
    exchange: *const cw_exchange,
    claim: *const c_char,
    claim_len: usize,
    partner: *const c_char,
    partner_len: usize,
    by: *const c_char,
    by_len: usize,
    package_id: *mut c_char,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_export_notes", error, || {
            let answer = Answer::new(out, null_mut(), package_id);
            let exchange = shared("exchange", exchange)?;
            let claim = parsed("claim", claim, claim_len)?;
            let partner = parsed("partner", partner, partner_len)?;
            let outgoing = exchange.0.export_notes(&claim, &partner, given_text("by", by, by_len)?)?;
            answer.give(&outgoing, 0, Some(outgoing.package.id))
        })
    }
}

/// Posts a package of the outbox to its partner. `*state` is where it stands afterwards: CW_OUTGOING_DELIVERED with the
/// partner's receipt, CW_OUTGOING_UNPACKED for notes, or CW_OUTGOING_SENT over a transport whose answer comes later (send
/// again to collect it). `out` gets the outgoing package as JSON. `state`, `out` and `watch` may be NULL.
///
/// This sends it now, whatever is queued before it; cw_exchange_send_due keeps order and time. Sending a delivered package
/// again posts nothing and tells its state. The package's id makes a retry harmless. Where it is not known what became of
/// the last try, the partner is asked first, and the package is posted only when the partner does not hold it.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_WRONG_STATE, retryable, while the partner is paused; CW_ERR_UNREACHABLE,
/// CW_ERR_TIMED_OUT, CW_ERR_BAD_CERTIFICATE and others of the transport; CW_ERR_NO_RECEIPT when the answer does not prove
/// that the partner holds exactly these bytes; the partner's own refusal by its code; CW_ERR_CANCELLED,
/// CW_ERR_INVALID_ARGUMENT. After a retryable one the package is queued; after one that is ambiguous too it is
/// CW_OUTGOING_SENT; after another, or after the last try that the partner's settings allow, it is failed. It can be sent
/// again in each case.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_send(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    watch: *const cw_watch,
    state: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_send", error, || {
            let answer = Answer::new(out, state, null_mut());
            let exchange = shared("exchange", exchange)?;
            let package = parsed("package", package, package_len)?;
            let outgoing = exchange.0.send(package, &HostWatch::new(watch)?)?;
            answer.give(&outgoing, package_state::outgoing(outgoing.state), None)
        })
    }
}

/// Sends everything that is queued to a partner, whenever it were due, in the order of the exports. While a package is not
/// settled, the later ones of its claim are held back; other claims go on. Where the partner cannot be reached, or asks to be
/// left alone, all the others are. `*not_sent` is how many are still to be sent, failed or held back: 0 when all went. `out`
/// gets JSON: the outgoing packages in "sent"; the "package" and its "error" in "failed"; the ids in "held_back".
/// `not_sent`, `out` and `watch` may be NULL.
///
/// Errors: CW_ERR_UNKNOWN_PARTNER; CW_ERR_WRONG_STATE, retryable, while the partner is paused; CW_ERR_LEDGER,
/// CW_ERR_INVALID_ARGUMENT. Why a single package could not be sent is in the answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_send_queued(
    exchange: *const cw_exchange,
    partner: *const c_char,
    partner_len: usize,
    watch: *const cw_watch,
    not_sent: *mut usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_send_queued", error, || {
            tell(not_sent, 0);
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let partner = parsed("partner", partner, partner_len)?;
            let run = exchange.0.send_queued(&partner, &HostWatch::new(watch)?)?;
            answer.give_json(&run)?;
            tell(not_sent, run.failed.len() + run.held_back.len());
            Ok(())
        })
    }
}

/// Asks the recipient what became of a package, and records its answer. `state` and `out` are as with cw_exchange_send.
///
/// Errors: as cw_exchange_send.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_poll(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    state: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_poll", error, || {
            let answer = Answer::new(out, state, null_mut());
            let exchange = shared("exchange", exchange)?;
            let outgoing = exchange.0.poll(parsed("package", package, package_len)?)?;
            answer.give(&outgoing, package_state::outgoing(outgoing.state), None)
        })
    }
}

/// A package of the outbox: where it stands in `*state`, one of CW_OUTGOING_*, and all of it as JSON in `out`, "receipt"
/// and "last_receipt" among it, which cw_exchange_word and cw_receipt_verify read. `state` and `out` may be NULL.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE when this site never exported it; CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_outgoing(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    state: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_outgoing", error, || {
            let answer = Answer::new(out, state, null_mut());
            let exchange = shared("exchange", exchange)?;
            let outgoing = exchange.0.outgoing(parsed("package", package, package_len)?)?;
            answer.give(&outgoing, package_state::outgoing(outgoing.state), None)
        })
    }
}

/// Takes back a package that is queued or has failed: one for the wrong partner, or with a document that must not leave. `by`
/// asks for it and `reason` says why; both go into the history. It is never sent, its sealed bytes are removed, and what it
/// carries does not count as seen. Doing it again changes nothing. `out` gets the package as JSON and may be NULL.
///
/// Errors: CW_ERR_WRONG_STATE when the partner holds it or may hold it; CW_ERR_UNKNOWN_PACKAGE; CW_ERR_LEDGER,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_withdraw(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    by: *const c_char,
    by_len: usize,
    reason: *const c_char,
    reason_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_withdraw", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let package = parsed("package", package, package_len)?;
            let (by, reason) = (given_text("by", by, by_len)?, given_text("reason", reason, reason_len)?);
            answer.give_json(&exchange.0.withdraw(package, by, reason)?)
        })
    }
}

/// What the recipient last said of a package, as JSON: "state" ("received", "unpacked", "rejected"), "/disposition/type"
/// ("accepted", "accepted-with-changes", or "rejected" with "/disposition/code"), "detail", a sentence for people,
/// "details" and "findings", one for each single fault, and the receipt's other members. "null" before its first receipt.
/// Its signature was verified before it was stored; cw_receipt_verify does so again.
///
/// Errors: CW_ERR_UNKNOWN_PACKAGE when this site never exported it; CW_ERR_STORE_DAMAGED when the stored receipt is none;
/// CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_word(
    exchange: *const cw_exchange,
    package: *const c_char,
    package_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_word", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            answer.give_json(&exchange.0.outgoing(parsed("package", package, package_len)?)?.word()?)
        })
    }
}

/// The packages that were exported, oldest first, as a JSON array. `query` says which, as a JSON object; its members all
/// may be left out: "claim", "partner", "kind" ("claim", "notes"), "outgoing_states" (an array of names), "from", "until",
/// "newest_first", "limit" (1000 unless it is said), and "after", the id of the last package of the page before. NULL for
/// all.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_outgoing_packages(
    exchange: *const cw_exchange,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_outgoing_packages", error, || {
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            answer.give_json(&exchange.0.outgoing_packages(&json_or_default("query", query, query_len)?)?)
        })
    }
}

/// Checks a receipt that was kept as evidence, "receipt" or "last_receipt" of an outgoing package, with the partner's
/// verifying key, whatever the time. `key_id` is the key's name, `key` its text, "ed25519-public:…". `out` gets JSON: what
/// was said in "receipt", when it was signed in "signed_at". It may be NULL.
///
/// Errors: CW_ERR_BAD_SIGNATURE or CW_ERR_DIGEST_MISMATCH when this is not what the key's owner signed;
/// CW_ERR_NO_RECEIPT or CW_ERR_BAD_MESSAGE when it is, but is no receipt; CW_ERR_UNSUPPORTED_FORMAT_VERSION for evidence
/// of a later version; CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_receipt_verify(
    evidence: *const c_char,
    evidence_len: usize,
    key_id: *const c_char,
    key_id_len: usize,
    key: *const c_char,
    key_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    #[derive(Serialize)]
    struct Said {
        receipt: Receipt,
        signed_at: Timestamp,
    }
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_receipt_verify", error, || {
            let answer = Answer::json_alone(out);
            let evidence: Evidence = read_json("evidence", given_text("evidence", evidence, evidence_len)?)?;
            let id = given_text("key_id", key_id, key_id_len)?;
            let key = VerifyingKey::from_text(id, given_text("key", key, key_len)?)?;
            let (receipt, signed_at) = evidence.verify(&key)?;
            answer.give_json(&Said { receipt, signed_at })
        })
    }
}
