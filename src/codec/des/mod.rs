//! DES (FIPS 46-3) in CBC mode over whole blocks in place: one file for each direction.
//!
//! Padding, salts and streams are not known here; `des_md5` has them.

mod decrypt;
mod encrypt;

pub(super) use self::decrypt::CbcDecryptor;
pub(super) use self::encrypt::CbcEncryptor;

/// The block of DES, in bytes; its key and initialization vector have the same length.
pub(super) const BLOCK: usize = 8;
