//! DES-CBC encryption.

use cbc::cipher::{Array, BlockModeEncrypt, KeyIvInit};
use des::Des;

use super::BLOCK;

/// Encrypts one chain of blocks; keys and chain are wiped on drop.
pub(in crate::codec) struct CbcEncryptor {
    cipher: cbc::Encryptor<Des>,
}

impl CbcEncryptor {
    /// `key` may have any parity bits: they are not looked at.
    pub(in crate::codec) fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self { cipher: cbc::Encryptor::new(&(*key).into(), &(*iv).into()) }
    }

    /// Encrypts the whole blocks of `blocks` in place and carries the chain to the next call; bytes behind the last
    /// whole block are left as they are.
    pub(in crate::codec) fn encrypt(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        self.cipher.encrypt_blocks(blocks);
    }
}
