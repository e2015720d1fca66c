//! The suite `age`: the age v1 file format (<https://age-encryption.org/v1>, <https://c2sp.org/age>) with X25519
//! recipients and nothing else: no passphrases, no plugins, no armour.
//!
//! A file is a header, which wraps its file key for each recipient and authenticates itself, a nonce, and the payload
//! in chunks that are sealed one by one. The `age` crate makes and reads headers ([`file_key`]); how long one may be
//! is decided before it parses anything ([`header`]). The payload is done here ([`payload`]), over `ring`: by writing
//! ([`seal`]), by reading ([`open`]), and from any place ([`random_access`]).

#[cfg(test)]
mod conformance;
mod file_key;
mod header;
mod keys;
mod open;
mod payload;
mod random_access;
mod seal;

pub(super) use self::header::HeaderScan;
pub use self::keys::{AgeIdentity, AgeRecipient, AgeRecipients, AgeSecret};
pub(super) use self::open::Decryptor;
pub(super) use self::random_access::RandomAccess;
pub(super) use self::seal::Encryptor;

use crate::{Error, ErrorKind};

/// The nonce of the payload, between the header and the first chunk, in bytes.
const NONCE: usize = 16;

fn cut_short() -> Error {
    Error::new(ErrorKind::Truncated, "the encrypted bytes end too early")
}
