//! The `des` and `cbc` crates in the place of this room: what it is checked against, and what `CLAIMWIRE_SIMD=reference`
//! falls back to.

use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use des::Des;

use super::BLOCK;
use crate::wiped_stack::on_wiped_stack;

/// One chain of blocks being encrypted.
pub(super) type Encryptor = cbc::Encryptor<Des>;

/// A key, to decrypt from any place of a chain. Wiped on drop by the crate it comes from.
pub(super) struct Decryptor(Des);

/// Encrypts from `iv` on.
pub(super) fn encryptor(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Encryptor {
    Encryptor::inner_iv_init(Des::new(&(*key).into()), &(*iv).into())
}

/// Encrypts blocks into as many of `ciphertext`.
pub(super) fn encrypt(encryptor: &mut Encryptor, plaintext: &[[u8; BLOCK]], ciphertext: &mut [[u8; BLOCK]]) {
    for (block, place) in plaintext.iter().zip(ciphertext) {
        encryptor.encrypt_block_b2b(block.into(), place.into());
    }
}

impl Decryptor {
    pub(super) fn new(key: &[u8; BLOCK]) -> Self {
        Self(Des::new(&(*key).into()))
    }

    /// Decrypts the whole blocks of `blocks` in place; `chain` is the ciphertext block before, then the last one.
    pub(super) fn decrypt(&self, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
        let before = *chain;
        if let Some(last) = blocks.as_chunks().0.last() {
            *chain = *last;
        }
        on_wiped_stack(|| {
            let mut decryptor = cbc::Decryptor::inner_iv_init(self.0.clone(), &before.into());
            decryptor.decrypt_blocks(Array::slice_as_chunks_mut(blocks).0);
        });
    }
}

/// The round keys, as the crate keeps them in memory.
#[cfg(test)]
#[allow(unsafe_code, reason = "the crate does not show them")]
pub(super) fn schedule_of(key: &[u8; BLOCK]) -> Vec<u8> {
    let cipher = Des::new(&(*key).into());
    // SAFETY: the bytes of a value that lives longer; it is made of numbers alone.
    unsafe { std::slice::from_raw_parts((&raw const cipher).cast::<u8>(), size_of::<Des>()) }.to_vec()
}
