//! DES-CBC decryption.

use cbc::cipher::{Array, BlockModeDecrypt, KeyIvInit};
use des::Des;

use super::BLOCK;

/// Decrypts one chain of blocks; keys and chain are wiped on drop.
pub(in crate::codec) struct CbcDecryptor {
    cipher: cbc::Decryptor<Des>,
}

impl CbcDecryptor {
    /// `key` may have any parity bits: they are not looked at.
    pub(in crate::codec) fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self { cipher: cbc::Decryptor::new(&(*key).into(), &(*iv).into()) }
    }

    /// Decrypts the whole blocks of `blocks` in place and carries the chain to the next call; bytes behind the last
    /// whole block are left as they are.
    pub(in crate::codec) fn decrypt(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        self.cipher.decrypt_blocks(blocks);
    }
}
