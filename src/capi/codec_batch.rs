//! The codec on many small packages in memory, for one partner.

use std::ptr::null;

use super::border::{call, quietly};
use super::error::cw_error;
use super::key::cw_sealing_key;
use super::pointer::{Out, bytes, free, items, shared};
use crate::codec::encrypt_bytes_batch;

/// Bytes of the host's.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_bytes {
    /// Where they begin. NULL stands for none where `len` is 0.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

/// Messages that were sealed together.
pub struct cw_sealed_batch(Vec<Vec<u8>>);

/// Encrypts many messages in memory for one partner: each becomes what cw_encrypt_bytes makes of it, with a salt or header of
/// its own. With des-md5 this is several times as fast as one call for each, where messages are small and many; with age
/// it is no faster. `plaintexts` points to `count` of them; NULL stands for none where `count` is 0.
///
/// Errors: CW_ERR_IO when the system has no randomness to give, CW_ERR_INVALID_ARGUMENT. The message says which of the
/// plaintexts it is about, counted from 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encrypt_batch(
    key: *const cw_sealing_key,
    plaintexts: *const cw_bytes,
    count: usize,
    out: *mut *mut cw_sealed_batch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers, as for those of each plaintext.
    unsafe {
        call("cw_encrypt_batch", error, || {
            let out = Out::new("out", out)?;
            let key = shared("key", key)?;
            let given = items("plaintexts", plaintexts, count)?.iter().enumerate();
            let plaintexts = given
                .map(|(index, plaintext)| {
                    bytes(&format!("plaintexts[{index}]"), plaintext.data, plaintext.len)
                })
                .collect::<crate::Result<Vec<_>>>()?;
            out.give(cw_sealed_batch(encrypt_bytes_batch(&key.0, &plaintexts)?));
            Ok(())
        })
    }
}

/// How many messages there are. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealed_batch_count(batch: *const cw_sealed_batch) -> usize {
    // SAFETY: the host vouches for `batch`.
    quietly(0, || unsafe { batch.as_ref() }.map_or(0, |batch| batch.0.len()))
}

/// A sealed message, counted from 0 in the order of the plaintexts. Borrowed from the batch; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealed_batch_data(batch: *const cw_sealed_batch, index: usize) -> *const u8 {
    // SAFETY: the host vouches for `batch`.
    let sealed = || unsafe { batch.as_ref() }?.0.get(index).map(Vec::as_ptr);
    quietly(null(), || sealed().unwrap_or(null()))
}

/// How many bytes a sealed message has, counted as by cw_sealed_batch_data. 0 when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealed_batch_len(batch: *const cw_sealed_batch, index: usize) -> usize {
    // SAFETY: the host vouches for `batch`.
    let sealed = || unsafe { batch.as_ref() }?.0.get(index).map(Vec::len);
    quietly(0, || sealed().unwrap_or(0))
}

/// Ends a batch and what was borrowed from it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_sealed_batch_free(batch: *mut cw_sealed_batch) {
    // SAFETY: the host vouches for `batch`.
    unsafe { free(batch) }
}

#[cfg(test)]
mod tests {
    use super::super::code::CW_ERR_INVALID_ARGUMENT;
    use super::super::error::{cw_error_free, cw_error_message};
    use super::*;
    use crate::codec::{DesMd5Key, Framing, decrypt_bytes};
    use std::ffi::CStr;
    use std::ptr::null_mut;
    use std::slice;

    #[test]
    fn what_is_sealed_in_a_batch_opens_in_its_order() {
        let own = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
        let key = cw_sealing_key(own.clone().into());
        let plaintexts = [&b"a note"[..], b"", b"another"];
        let mut given =
            plaintexts.map(|plaintext| cw_bytes { data: plaintext.as_ptr(), len: plaintext.len() });
        given[1].data = null();
        let mut batch = null_mut();
        // SAFETY: all pointers are good, and what is given out is freed once.
        unsafe {
            assert_eq!(cw_encrypt_batch(&raw const key, given.as_ptr(), 3, &raw mut batch, null_mut()), 0);
            assert_eq!(cw_sealed_batch_count(batch), 3);
            for (index, plaintext) in plaintexts.iter().enumerate() {
                let length = cw_sealed_batch_len(batch, index);
                let sealed = slice::from_raw_parts(cw_sealed_batch_data(batch, index), length);
                assert_eq!(decrypt_bytes(&own.clone().into(), sealed).unwrap(), *plaintext);
            }
            assert!(cw_sealed_batch_data(batch, 3).is_null() && cw_sealed_batch_len(batch, 3) == 0);
            cw_sealed_batch_free(batch);
        }
    }

    #[test]
    fn a_plaintext_that_is_none_is_named_by_its_number() {
        let key = cw_sealing_key(DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap().into());
        let given = [cw_bytes { data: null(), len: 0 }, cw_bytes { data: null(), len: 5 }];
        let (mut batch, mut error) = (null_mut(), null_mut());
        // SAFETY: all pointers are good, and the error is freed once.
        unsafe {
            let came = cw_encrypt_batch(&raw const key, given.as_ptr(), 2, &raw mut batch, &raw mut error);
            assert_eq!((came, batch.is_null()), (CW_ERR_INVALID_ARGUMENT, true));
            let said = CStr::from_ptr(cw_error_message(error)).to_str().unwrap();
            assert!(said.contains("plaintexts[1]"), "{said}");
            cw_error_free(error);
        }
    }
}
