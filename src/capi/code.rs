//! The stable codes that functions return: one for each [`ErrorKind`](crate::ErrorKind), with the same number.
//!
//! Numbers are never reused. The ranges have gaps for later codes: 1 general, 100 codec, 200 package, 300 exchange,
//! 400 wire, 500 storage.

use super::border::quietly;
use super::pointer::{misuse, text};
use crate::{ErrorKind, Result};
use std::ffi::{CStr, c_char};

/// It worked.
pub const CW_OK: i32 = 0;
/// A fault of this library, or of a host's callback that broke its contract.
pub const CW_ERR_INTERNAL: i32 = 1;
/// A call was made with a value it does not take.
pub const CW_ERR_INVALID_ARGUMENT: i32 = 2;
/// The operating system refused a read or a write.
pub const CW_ERR_IO: i32 = 3;
/// The caller stopped the work through its progress hook.
pub const CW_ERR_CANCELLED: i32 = 4;
/// The key does not open this; or, where a suite cannot tell, the bytes are not what was encrypted.
pub const CW_ERR_WRONG_KEY: i32 = 100;
/// Sealed under a key version that is not known here: the key was rotated on one side only.
pub const CW_ERR_UNKNOWN_KEY_VERSION: i32 = 101;
/// The bytes end too early.
pub const CW_ERR_TRUNCATED: i32 = 102;
/// The bytes were changed after they were written.
pub const CW_ERR_ALTERED: i32 = 103;
/// A key, password, recipient or identity is not one the suite can use.
pub const CW_ERR_INVALID_KEY: i32 = 104;
/// The suite or framing is not the one agreed, or not built in.
pub const CW_ERR_UNSUPPORTED_SUITE: i32 = 105;
/// The key is the right one, but not for this time: its validity has ended, or not begun yet.
pub const CW_ERR_KEY_NOT_VALID: i32 = 106;
/// Not a zip archive: with a suite that cannot tell, most likely the wrong key.
pub const CW_ERR_NOT_AN_ARCHIVE: i32 = 120;
/// The archive uses a compression method or a zip feature that packages never use.
pub const CW_ERR_UNSUPPORTED_ARCHIVE: i32 = 121;
/// An entry's name is not one that may be written to a file system.
pub const CW_ERR_HOSTILE_NAME: i32 = 122;
/// The archive contradicts itself: overlapping entries, headers that differ, bytes that belong to nothing.
pub const CW_ERR_INCONSISTENT_ARCHIVE: i32 = 123;
/// The archive inflates to more than the limit, or by a higher ratio than the limit.
pub const CW_ERR_INFLATED_TOO_LARGE: i32 = 124;
/// The archive has more entries than the limit.
pub const CW_ERR_TOO_MANY_ENTRIES: i32 = 125;
/// An archive, but without a manifest: not a claimwire package.
pub const CW_ERR_NOT_A_PACKAGE: i32 = 200;
/// Written in a format version that this version does not read.
pub const CW_ERR_UNSUPPORTED_FORMAT_VERSION: i32 = 201;
/// The manifest or the claim file is not valid.
pub const CW_ERR_INVALID_PACKAGE: i32 = 202;
/// The sealed package is larger than the limit.
pub const CW_ERR_SEALED_TOO_LARGE: i32 = 203;
/// A package, but addressed to another site.
pub const CW_ERR_WRONG_RECIPIENT: i32 = 204;
/// What the package says of itself differs from what its sender announced.
pub const CW_ERR_ENVELOPE_MISMATCH: i32 = 205;
/// A scanner found malware in a document of the package.
pub const CW_ERR_INFECTED_DOCUMENT: i32 = 206;
/// No such claim in the case system.
pub const CW_ERR_UNKNOWN_CLAIM: i32 = 300;
/// No such partner in the settings.
pub const CW_ERR_UNKNOWN_PARTNER: i32 = 301;
/// No such package in the ledger.
pub const CW_ERR_UNKNOWN_PACKAGE: i32 = 302;
/// A setting is not valid.
pub const CW_ERR_INVALID_SETTINGS: i32 = 303;
/// Rules of the partner forbid this export.
pub const CW_ERR_EXPORT_RULES_VIOLATED: i32 = 310;
/// Rules of this site forbid what the package brings.
pub const CW_ERR_IMPORT_RULES_VIOLATED: i32 = 311;
/// Both sides changed the same field, and the partner's policy is to stop.
pub const CW_ERR_CONFLICT: i32 = 312;
/// The package was already dealt with, or is not yet where this step needs it.
pub const CW_ERR_WRONG_STATE: i32 = 313;
/// No partner has this sender's id, or the sender did not prove to be that partner.
pub const CW_ERR_UNKNOWN_SENDER: i32 = 400;
/// The signature does not match what was sent.
pub const CW_ERR_BAD_SIGNATURE: i32 = 401;
/// The body's digest differs from the one announced.
pub const CW_ERR_DIGEST_MISMATCH: i32 = 402;
/// The other side's certificate is not one that is trusted here.
pub const CW_ERR_BAD_CERTIFICATE: i32 = 403;
/// An address without TLS that is not this machine's own.
pub const CW_ERR_PLAIN_HTTP: i32 = 404;
/// The request or the answer is not one the protocol knows.
pub const CW_ERR_BAD_MESSAGE: i32 = 405;
/// The same package id was used before for other bytes.
pub const CW_ERR_ID_REUSED: i32 = 406;
/// The signature is too old, from the future, or was seen before.
pub const CW_ERR_REPLAYED: i32 = 407;
/// The partner could not be reached, or the connection broke.
pub const CW_ERR_UNREACHABLE: i32 = 410;
/// The partner took longer than a timeout allows.
pub const CW_ERR_TIMED_OUT: i32 = 411;
/// The partner answered, but with nothing that proves it holds the package.
pub const CW_ERR_NO_RECEIPT: i32 = 412;
/// The partner refused: its reason is in the message.
pub const CW_ERR_REFUSED: i32 = 413;
/// This transport cannot carry the request.
pub const CW_ERR_UNSUPPORTED_TRANSPORT: i32 = 414;
/// The ledger could not be read or written.
pub const CW_ERR_LEDGER: i32 = 500;
/// The case system could not be read or written.
pub const CW_ERR_CASE_SYSTEM: i32 = 501;
/// A file the ledger promises is not there or is damaged.
pub const CW_ERR_STORE_DAMAGED: i32 = 502;
/// The malware scanner gave no verdict on a document.
pub const CW_ERR_SCAN_FAILED: i32 = 510;

/// The name of a code, such as "wrong-key", as it stands in logs, receipts and problem types; "ok" for CW_OK; "unknown"
/// for a number that this version does not know. Static; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cw_code_name(code: i32) -> *const c_char {
    quietly(c"unknown".as_ptr(), || name(code).as_ptr())
}

/// The code of a name as JSON and histories have it, such as "wrong-key" or "unreachable"; 0 for a name that this version
/// does not know, and for what is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_code_of_name(name: *const c_char, name_len: usize) -> i32 {
    // SAFETY: the host vouches for `name`.
    unsafe {
        number_of_name(name, name_len, |name| ErrorKind::from_name(name).map(|kind| kind.code().into()))
    }
}

/// The number of what has this name; 0 where there is none, and for what is no name.
///
/// # Safety
/// `name` is NULL or has `name_len` bytes.
pub(super) unsafe fn number_of_name(
    name: *const c_char,
    name_len: usize,
    number: impl FnOnce(&str) -> Option<i32>,
) -> i32 {
    // SAFETY: the caller says so.
    quietly(0, || unsafe { text("name", name, name_len) }.ok().and_then(number).unwrap_or(0))
}

/// Whether the same call may succeed later with nothing changed by a person: 1 if so. An error's own word,
/// cw_error_is_retryable, goes before this general one.
#[unsafe(no_mangle)]
pub extern "C" fn cw_code_is_retryable(code: i32) -> i32 {
    quietly(0, || i32::from(kind(code).is_some_and(ErrorKind::is_retryable)))
}

/// The kind that a host names by its code.
pub(super) fn known_kind(code: i32) -> Result<ErrorKind> {
    kind(code).ok_or_else(|| misuse(format!("{code} is no error code; take one of CW_ERR_*")))
}

pub(super) fn kind(code: i32) -> Option<ErrorKind> {
    ErrorKind::ALL.iter().copied().find(|kind| i32::from(kind.code()) == code)
}

pub(super) fn name(code: i32) -> &'static CStr {
    match code {
        CW_OK => c"ok",
        CW_ERR_INTERNAL => c"internal",
        CW_ERR_INVALID_ARGUMENT => c"invalid-argument",
        CW_ERR_IO => c"io",
        CW_ERR_CANCELLED => c"cancelled",
        CW_ERR_WRONG_KEY => c"wrong-key",
        CW_ERR_UNKNOWN_KEY_VERSION => c"unknown-key-version",
        CW_ERR_TRUNCATED => c"truncated",
        CW_ERR_ALTERED => c"altered",
        CW_ERR_INVALID_KEY => c"invalid-key",
        CW_ERR_UNSUPPORTED_SUITE => c"unsupported-suite",
        CW_ERR_KEY_NOT_VALID => c"key-not-valid",
        CW_ERR_NOT_AN_ARCHIVE => c"not-an-archive",
        CW_ERR_UNSUPPORTED_ARCHIVE => c"unsupported-archive",
        CW_ERR_HOSTILE_NAME => c"hostile-name",
        CW_ERR_INCONSISTENT_ARCHIVE => c"inconsistent-archive",
        CW_ERR_INFLATED_TOO_LARGE => c"inflated-too-large",
        CW_ERR_TOO_MANY_ENTRIES => c"too-many-entries",
        CW_ERR_NOT_A_PACKAGE => c"not-a-package",
        CW_ERR_UNSUPPORTED_FORMAT_VERSION => c"unsupported-format-version",
        CW_ERR_INVALID_PACKAGE => c"invalid-package",
        CW_ERR_SEALED_TOO_LARGE => c"sealed-too-large",
        CW_ERR_WRONG_RECIPIENT => c"wrong-recipient",
        CW_ERR_ENVELOPE_MISMATCH => c"envelope-mismatch",
        CW_ERR_INFECTED_DOCUMENT => c"infected-document",
        CW_ERR_UNKNOWN_CLAIM => c"unknown-claim",
        CW_ERR_UNKNOWN_PARTNER => c"unknown-partner",
        CW_ERR_UNKNOWN_PACKAGE => c"unknown-package",
        CW_ERR_INVALID_SETTINGS => c"invalid-settings",
        CW_ERR_EXPORT_RULES_VIOLATED => c"export-rules-violated",
        CW_ERR_IMPORT_RULES_VIOLATED => c"import-rules-violated",
        CW_ERR_CONFLICT => c"conflict",
        CW_ERR_WRONG_STATE => c"wrong-state",
        CW_ERR_UNKNOWN_SENDER => c"unknown-sender",
        CW_ERR_BAD_SIGNATURE => c"bad-signature",
        CW_ERR_DIGEST_MISMATCH => c"digest-mismatch",
        CW_ERR_BAD_CERTIFICATE => c"bad-certificate",
        CW_ERR_PLAIN_HTTP => c"plain-http",
        CW_ERR_BAD_MESSAGE => c"bad-message",
        CW_ERR_ID_REUSED => c"id-reused",
        CW_ERR_REPLAYED => c"replayed",
        CW_ERR_UNREACHABLE => c"unreachable",
        CW_ERR_TIMED_OUT => c"timed-out",
        CW_ERR_NO_RECEIPT => c"no-receipt",
        CW_ERR_REFUSED => c"refused",
        CW_ERR_UNSUPPORTED_TRANSPORT => c"unsupported-transport",
        CW_ERR_LEDGER => c"ledger",
        CW_ERR_CASE_SYSTEM => c"case-system",
        CW_ERR_STORE_DAMAGED => c"store-damaged",
        CW_ERR_SCAN_FAILED => c"scan-failed",
        _ => c"unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code_and_its_name() {
        for kind in ErrorKind::ALL {
            assert_eq!(name(i32::from(kind.code())).to_str().unwrap(), kind.name());
        }
    }

    #[test]
    fn a_name_has_its_code_and_what_is_no_name_has_none() {
        // SAFETY: the pointers are good, or NULL, which is refused.
        let code = |name: &[u8]| unsafe { cw_code_of_name(name.as_ptr().cast(), name.len()) };
        for kind in ErrorKind::ALL {
            assert_eq!(code(kind.name().as_bytes()), i32::from(kind.code()));
        }
        for none in [&b"ok"[..], b"unknown", b"Wrong-Key", b"", b"\xff"] {
            assert_eq!(code(none), CW_OK, "{none:?}");
        }
        // SAFETY: as above.
        assert_eq!(unsafe { cw_code_of_name(std::ptr::null(), 3) }, CW_OK);
    }
}
