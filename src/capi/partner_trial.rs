//! A trial exchange: a new partner is tried with a sample before production.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::pointer::{given_text, optional_text, parsed, shared, tell};
use crate::exchange::TrialOptions;
use crate::model::ClaimFile;
use std::ffi::c_char;

/// Sends a new partner a sample and says, check by check, what is wrong at either side with keys, certificates, clocks,
/// limits and names, and what to do. Nothing of it is kept but an entry of the history at both sides.
///
/// `claim_file` is the claim file to try with, as JSON, or NULL for a sample of a fictional person. Over a transport
/// whose answer comes later the report is pending: call again with the "package" it names as `collecting`, which is else
/// NULL. `*passed` is 1 when nothing failed; warnings do not count. `out` gets the report as JSON. Both may be NULL.
///
/// What is wrong stands in the report. Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_try_partner(
    exchange: *const cw_exchange,
    partner: *const c_char,
    partner_len: usize,
    by: *const c_char,
    by_len: usize,
    claim_file: *const c_char,
    claim_file_len: usize,
    collecting: *const c_char,
    collecting_len: usize,
    passed: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_try_partner", error, || {
            tell(passed, 0);
            let answer = Answer::json_alone(out);
            let exchange = shared("exchange", exchange)?;
            let partner = parsed("partner", partner, partner_len)?;
            let mut options = TrialOptions::by(given_text("by", by, by_len)?);
            if let Some(json) = optional_text("claim_file", claim_file, claim_file_len)? {
                options = options.with_claim(ClaimFile::from_json(json.as_bytes())?);
            }
            if !collecting.is_null() {
                options = options.collecting(parsed("collecting", collecting, collecting_len)?);
            }
            let report = exchange.0.try_partner(&partner, &options)?;
            answer.give_json(&report)?;
            tell(passed, i32::from(report.passed()));
            Ok(())
        })
    }
}
