//! The codec on bytes in memory, for packages that are small.

use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::key::{cw_opening_key, cw_sealing_key};
use super::pointer::{Out, bytes, shared};
use crate::codec::{decrypt_bytes, encrypt_bytes};

/// Encrypts bytes in memory.
///
/// Errors: CW_ERR_IO when the system has no randomness to give, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encrypt_bytes(
    key: *const cw_sealing_key,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encrypt_bytes", error, || {
            let out = Out::new("out", out)?;
            let key = shared("key", key)?;
            out.give(cw_buffer::new(encrypt_bytes(&key.0, bytes("plaintext", plaintext, plaintext_len)?)?));
            Ok(())
        })
    }
}

/// Decrypts bytes in memory. Nothing is given out unless all of it was found good; with des-md5 that means the padding
/// alone, so check a digest or a signature as well.
///
/// Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decrypt_bytes(
    key: *const cw_opening_key,
    sealed: *const u8,
    sealed_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decrypt_bytes", error, || {
            let out = Out::new("out", out)?;
            let key = shared("key", key)?;
            out.give(cw_buffer::new(decrypt_bytes(&key.0, bytes("sealed", sealed, sealed_len)?)?));
            Ok(())
        })
    }
}
