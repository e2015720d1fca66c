//! The suite `des-md5`: PKCS #5 v1.5 `pbeWithMD5AndDES-CBC`, what legacy claim systems speak.
//!
//! One file for the key ([`key`]), one for each direction, one for many messages ([`batch`]), and one for decryption at any
//! place. The scheme is RFC 8018 section 6.1.1: PBKDF1 (section 5.1)
//! with MD5 gives 16 bytes, 8 of key and 8 of initialization vector; DES in CBC mode; padding of 1 to 8 bytes that
//! each hold their number.

mod batch;
mod decrypt;
mod encrypt;
mod key;
mod random_access;

pub(super) use self::batch::encrypt_batch;
pub(super) use self::decrypt::{Decryptor, header_length};
pub(super) use self::encrypt::Encryptor;
pub use self::key::{DesMd5Key, Framing};
pub(super) use self::random_access::RandomAccess;
use super::des::BLOCK;

/// What `openssl enc` writes before the salt.
const OPENSSL_MAGIC: [u8; BLOCK] = *b"Salted__";
