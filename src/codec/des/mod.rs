//! DES (FIPS 46-3) in CBC mode over whole blocks in place: one file for each direction. And the hashes that lead to its
//! keys, with the same vectors ([`rehash`](mod@self::rehash)).
//!
//! Padding, salts and streams are not known here; `des_md5` has them.
//!
//! Encryption is a chain of blocks and reads tables ([`encrypt`]): its running time tells something about the key and the
//! text to whoever can measure it on the same machine. Decryption is bitsliced ([`decrypt`]): its time depends on the
//! number of blocks alone. The `des` crate is the [`reference`](self::reference) for both.

#[allow(unsafe_code, reason = "vectors are read from and written to slices of bytes")]
mod bitslice;
mod boxes;
mod circuits;
mod decrypt;
#[allow(unsafe_code, reason = "a function that only some processors can run")]
mod encrypt;
mod expanded;
#[allow(unsafe_code, reason = "the processor's own instructions")]
mod lanes;
#[allow(unsafe_code, reason = "functions that only some processors can run")]
mod level;
mod reference;
#[allow(unsafe_code, reason = "vectors are read from and written to numbers")]
mod rehash;
#[allow(unsafe_code, reason = "a round written out in instructions")]
mod round;
mod round_keys;
mod sboxes;
mod schedule;
#[cfg(all(test, target_os = "linux", not(miri)))]
mod wiped_tests;

pub(super) use self::decrypt::CbcDecryptor;
pub(super) use self::encrypt::{CbcEncryptor, Run};
use self::level::Level;
pub(super) use self::rehash::{ABREAST, HASH};

/// The block of DES, in bytes; its key and initialization vector have the same length.
pub(super) const BLOCK: usize = 8;

/// Puts the MD5 hash of each of `hashes` in its place, `times` times. Up to [`ABREAST`] of them take hardly longer than one,
/// where the processor has the vectors.
pub(super) fn rehash(hashes: &mut [[u8; HASH]], times: u32) {
    Level::chosen().rehash(hashes, times);
}
