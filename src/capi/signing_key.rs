//! Keys that sign what this site says.

use super::border::{call, quietly};
use super::buffer::cw_buffer;
use super::error::{c_text, cw_error};
use super::pointer::{Out, free, given_text, optional_text, shared, unique};
use crate::Result;
use crate::model::Timestamp;
use crate::protocol::{Algorithm, SigningKey, Validity, fingerprint_of};
use std::ffi::{CString, c_char};
use std::ptr::null;

/// What this site signs its requests and receipts with, and the id under which partners find the key that checks it.
/// May be shared between threads. Wiped when freed.
pub struct cw_signing_key(pub(super) SigningKey, CString);

impl cw_signing_key {
    pub(super) fn new(key: SigningKey) -> Self {
        let id = c_text(key.id());
        Self(key, id)
    }
}

/// A new Ed25519 key. `id` is 1 to 128 characters of printable ASCII without spaces, such as "ON-INS/2026", and is
/// never given to another key.
///
/// Errors: CW_ERR_INVALID_KEY for an id that is none, CW_ERR_IO when the system has no randomness to give,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_generate(
    id: *const c_char,
    id_len: usize,
    out: *mut *mut cw_signing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_signing_key_generate", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_signing_key::new(SigningKey::generate(given_text("id", id, id_len)?)?));
            Ok(())
        })
    }
}

/// A new HMAC-SHA-256 secret, for a partner that can sign with nothing better: both sides hold it, so that a receipt
/// proves nothing to a third party. `id` is as for cw_signing_key_generate.
///
/// Errors: as cw_signing_key_generate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_generate_shared(
    id: *const c_char,
    id_len: usize,
    out: *mut *mut cw_signing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_signing_key_generate_shared", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_signing_key::new(SigningKey::generate_shared(given_text("id", id, id_len)?)?));
            Ok(())
        })
    }
}

/// The key that cw_signing_key_to_text wrote: "ed25519-secret:..." or "hmac-sha256-secret:...". Spaces and line ends
/// around it are passed over.
///
/// Errors: CW_ERR_INVALID_KEY for another text or an id that is none, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_from_text(
    id: *const c_char,
    id_len: usize,
    text: *const c_char,
    text_len: usize,
    out: *mut *mut cw_signing_key,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_signing_key_from_text", error, || {
            let out = Out::new("out", out)?;
            let (id, text) = (given_text("id", id, id_len)?, given_text("text", text, text_len)?);
            out.give(cw_signing_key::new(SigningKey::from_secret_text(id, text)?));
            Ok(())
        })
    }
}

/// The key as text, to be stored where only this site reads. The buffer holds the secret; it is wiped when freed.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_to_text(
    key: *const cw_signing_key,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_signing_key_to_text", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_buffer::new(shared("key", key)?.0.to_secret_text().as_str()));
            Ok(())
        })
    }
}

/// What partners check signatures of this key with, for their `keys.verifying`. Of an Ed25519 key it is
/// "ed25519-public:...", which may be shown to anybody; of a shared secret it is "hmac-sha256-secret:...", the secret
/// itself, which only this one partner may see.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_verifying_text(
    key: *const cw_signing_key,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_signing_key_verifying_text", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_buffer::new(shared("key", key)?.0.verifying_key().to_text().as_str()));
            Ok(())
        })
    }
}

/// The time that a key may sign at: from `valid_from` on, that second included, and before `valid_until`; both as RFC 3339
/// has them ("2026-06-01T00:00:00Z"), and NULL for no bound. A new key may sign at any time. Tell it before the key is given
/// to an exchange; one that has it already is given it anew with cw_exchange_set_signing_key.
///
/// Errors: CW_ERR_INVALID_ARGUMENT, also when it ends before it begins.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_set_validity(
    key: *mut cw_signing_key,
    valid_from: *const c_char,
    valid_from_len: usize,
    valid_until: *const c_char,
    valid_until_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    let moment = |text: Option<&str>| -> Result<Option<Timestamp>> { text.map(str::parse).transpose() };
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_signing_key_set_validity", error, || {
            let key = unique("key", key)?;
            let from = moment(optional_text("valid_from", valid_from, valid_from_len)?)?;
            let until = moment(optional_text("valid_until", valid_until, valid_until_len)?)?;
            key.0 = key.0.clone().valid_during(Validity::new(from, until)?);
            Ok(())
        })
    }
}

/// The fingerprint of a public key by its text, "age1..." or "ed25519-public:...": eight groups of four hexadecimal digits
/// that two people read to each other over the phone, to know that the key that arrived is the one that was handed out.
///
/// Errors: CW_ERR_INVALID_KEY for another text, a secret among them: a fingerprint of that would help who guesses;
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_key_fingerprint(
    public_text: *const c_char,
    public_text_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_key_fingerprint", error, || {
            let out = Out::new("out", out)?;
            let text = given_text("public_text", public_text, public_text_len)?;
            out.give(cw_buffer::new(fingerprint_of(text)?.to_string()));
            Ok(())
        })
    }
}

/// The key's id. Borrowed from the key; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_id(key: *const cw_signing_key) -> *const c_char {
    // SAFETY: the host vouches for `key`.
    quietly(null(), || unsafe { key.as_ref() }.map_or(null(), |key| key.1.as_ptr()))
}

/// How the key signs: "ed25519" or "hmac-sha256", as RFC 9421 names them. Static; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_algorithm(key: *const cw_signing_key) -> *const c_char {
    let name = |key: &cw_signing_key| match key.0.algorithm() {
        Algorithm::Ed25519 => c"ed25519".as_ptr(),
        Algorithm::HmacSha256 => c"hmac-sha256".as_ptr(),
    };
    // SAFETY: the host vouches for `key`.
    quietly(null(), || unsafe { key.as_ref() }.map_or(null(), name))
}

/// Wipes and ends a signing key; an exchange that was given it keeps it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_signing_key_free(key: *mut cw_signing_key) {
    // SAFETY: the host vouches for `key`.
    unsafe { free(key) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_ERR_INVALID_KEY};
    use super::super::trial::{Failed, failed, handle, len, ptr, read_text, taken};
    use super::*;
    use std::ptr::null_mut;

    type Make =
        unsafe extern "C" fn(*const c_char, usize, *mut *mut cw_signing_key, *mut *mut cw_error) -> i32;

    #[test]
    fn both_kinds_of_key_survive_their_text() {
        let kinds: [(Make, &str, &str); 2] = [
            (cw_signing_key_generate, "ed25519", "ed25519-public:"),
            (cw_signing_key_generate_shared, "hmac-sha256", "hmac-sha256-secret:"),
        ];
        for (generate, algorithm, public) in kinds {
            let key = handle(|out, error| unsafe { generate(ptr("A/1"), len("A/1"), out, error) });
            let secret = taken(|out, error| unsafe { cw_signing_key_to_text(key, out, error) });
            let shown = taken(|out, error| unsafe { cw_signing_key_verifying_text(key, out, error) });
            assert!(shown.starts_with(public), "{shown}");
            let again = handle(|out, error| unsafe {
                cw_signing_key_from_text(ptr("A/1"), 3, ptr(&secret), secret.len(), out, error)
            });
            assert_eq!(
                taken(|out, error| unsafe { cw_signing_key_verifying_text(again, out, error) }),
                shown
            );
            unsafe {
                assert_eq!(read_text(cw_signing_key_id(again)), "A/1");
                assert_eq!(read_text(cw_signing_key_algorithm(again)), algorithm);
                cw_signing_key_free(key);
                cw_signing_key_free(again);
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let from = |id: &str, text: &str| {
            failed(|out, error| unsafe {
                cw_signing_key_from_text(ptr(id), id.len(), ptr(text), text.len(), out, error)
            })
        };
        let Failed { code, message, .. } = from("A/1", "ed25519-secret:hunter2");
        assert_eq!(code, CW_ERR_INVALID_KEY);
        assert!(!message.contains("hunter2"), "{message}");
        assert_eq!(from("no id", "ed25519-secret:AA==").code, CW_ERR_INVALID_KEY);
        assert_eq!(from("", "x").code, CW_ERR_INVALID_ARGUMENT);
        assert_eq!(from("A/1", "").code, CW_ERR_INVALID_ARGUMENT);
        let not_utf8 = b"\xff".as_ptr().cast();
        for generate in [cw_signing_key_generate as Make, cw_signing_key_generate_shared] {
            let of = |id, len| failed(|out, error| unsafe { generate(id, len, out, error) }).code;
            assert_eq!(of(null(), 0), CW_ERR_INVALID_ARGUMENT);
            assert_eq!(of(null(), 3), CW_ERR_INVALID_ARGUMENT);
            assert_eq!(of(not_utf8, 1), CW_ERR_INVALID_ARGUMENT);
            assert_eq!(of(ptr("a b"), 3), CW_ERR_INVALID_KEY);
            let code = unsafe { generate(ptr("A"), 1, null_mut(), null_mut()) };
            assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
        }
    }

    #[test]
    fn null_is_told_and_freed() {
        let get = |read: unsafe extern "C" fn(
            *const cw_signing_key,
            *mut *mut cw_buffer,
            *mut *mut cw_error,
        ) -> i32| { failed(|out, error| unsafe { read(null(), out, error) }).code };
        assert_eq!(get(cw_signing_key_to_text), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(get(cw_signing_key_verifying_text), CW_ERR_INVALID_ARGUMENT);
        unsafe {
            assert!(cw_signing_key_id(null()).is_null());
            assert!(cw_signing_key_algorithm(null()).is_null());
            cw_signing_key_free(null_mut());
        }
    }
}
