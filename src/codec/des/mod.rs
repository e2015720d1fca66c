//! DES (FIPS 46-3) in CBC mode over whole blocks in place: one file for each direction.
//!
//! Padding, salts and streams are not known here; `des_md5` has them.

#[allow(unsafe_code, reason = "vectors are read from and written to slices of bytes")]
mod bitslice;
mod circuits;
mod decrypt;
mod encrypt;
#[allow(unsafe_code, reason = "the processor's own instructions")]
mod lanes;
#[allow(unsafe_code, reason = "functions that only some processors can run")]
mod level;
#[cfg(test)]
mod sboxes;
mod schedule;

pub(super) use self::decrypt::CbcDecryptor;
pub(super) use self::encrypt::CbcEncryptor;

/// The block of DES, in bytes; its key and initialization vector have the same length.
pub(super) const BLOCK: usize = 8;
