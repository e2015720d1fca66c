//! Looking after keys: what this site signs with, which keys it has with a partner, and what ends soon.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::partner::cw_partner;
use super::pointer::shared;
use super::signing_key::cw_signing_key;
use crate::model::Timestamp;

/// Adds a key that a running exchange signs with, or puts it in the place of the one with the same id. Of the keys that are
/// valid at a moment, see cw_signing_key_set_validity, the one whose validity began last signs; of those that began
/// together, the one that was added last. The key remains the caller's to free.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_set_signing_key(
    exchange: *const cw_exchange,
    key: *const cw_signing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_set_signing_key", error, || {
            shared("exchange", exchange)?.0.set_signing_key(shared("key", key)?.0.clone());
            Ok(())
        })
    }
}

/// The keys that the exchange signs with, as a JSON array, see docs/schemas/known-keys.schema.json. There is nothing secret
/// in it.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_signing_keys(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_signing_keys", error, || {
            let answer = Answer::json_alone(out);
            answer.give_json(&shared("exchange", exchange)?.0.signing_keys())
        })
    }
}

/// The keys that this site has with a partner, as a JSON array, see docs/schemas/known-keys.schema.json: what seals, opens
/// and verifies, by version or id, when it is valid and whether it is now, the public parts and their fingerprints. There
/// is nothing secret in it. For a screen on which two administrators compare what they have.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_partner_keys(
    partner: *const cw_partner,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_partner_keys", error, || {
            let answer = Answer::json_alone(out);
            answer.give_json(&shared("partner", partner)?.0.keys(Timestamp::now()))
        })
    }
}

/// What an administrator should look at now, as a JSON array, see docs/schemas/warnings.schema.json: keys that end soon and
/// have no successor, keys that are missing, and des-md5 whose review is due or overdue. Empty when there is nothing. Ask it
/// in a health check, or once a day; the log says the same at each package.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_warnings(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_warnings", error, || {
            let answer = Answer::json_alone(out);
            answer.give_json(&shared("exchange", exchange)?.0.warnings())
        })
    }
}
