//! DES-CBC decryption: every block needs only the ciphertext block before it, so all are decrypted at once, and from
//! wherever one likes.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::BLOCK;
use super::level::Level;
use super::reference;
use super::schedule::Schedule;
use crate::wiped_stack::on_wiped_stack;

/// Decrypts one chain of blocks; keys and chain are wiped on drop.
///
/// The running time depends on the number of blocks alone. Hundreds of blocks take as long as one, so give it many.
pub(in crate::codec) struct CbcDecryptor {
    cipher: Cipher,
    chain: Box<Zeroizing<[u8; BLOCK]>>,
}

/// In a place of its own, which all share: where keys were moved from they would not be wiped.
#[derive(Clone)]
enum Cipher {
    Own(Arc<Schedule>, Level),
    Reference(Arc<reference::Decryptor>),
}

impl CbcDecryptor {
    /// `key` may have any parity bits: they are not looked at.
    pub(in crate::codec) fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self::with_level(Level::chosen(), key, iv)
    }

    fn with_level(level: Level, key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        let cipher = on_wiped_stack(|| {
            if level.is_reference() {
                Cipher::Reference(Arc::new(reference::Decryptor::new(key)))
            } else {
                Cipher::Own(Schedule::for_decryption(key), level)
            }
        });
        Self { cipher, chain: begun(iv) }
    }

    /// The same key at another place of the chain: `before` is the ciphertext block before the first to be decrypted,
    /// or the initialization vector. The key schedule is shared, so this costs next to nothing.
    pub(in crate::codec) fn at(&self, before: &[u8; BLOCK]) -> Self {
        Self { cipher: self.cipher.clone(), chain: begun(before) }
    }

    /// Decrypts the whole blocks of `blocks` in place and carries the chain to the next call; bytes behind the last
    /// whole block are left as they are.
    pub(in crate::codec) fn decrypt(&mut self, blocks: &mut [u8]) {
        let whole = blocks.len() - blocks.len() % BLOCK;
        let (blocks, _) = blocks.split_at_mut(whole);
        match &self.cipher {
            Cipher::Own(schedule, level) => level.decrypt(schedule, &mut self.chain, blocks),
            Cipher::Reference(cipher) => cipher.decrypt(&mut self.chain, blocks),
        }
    }
}

fn begun(before: &[u8; BLOCK]) -> Box<Zeroizing<[u8; BLOCK]>> {
    let mut chain = Box::<Zeroizing<[u8; BLOCK]>>::default();
    chain.copy_from_slice(before);
    chain
}

#[cfg(test)]
mod tests {
    use cbc::cipher::{Array, BlockModeDecrypt, KeyIvInit};
    use proptest::prelude::*;

    use super::*;

    /// Blocks of the longest property test: more than two of the widest batches.
    const MOST: usize = if cfg!(miri) { 70 } else { 1100 };

    /// What the `des` and `cbc` crates say.
    fn reference(key: [u8; 8], iv: [u8; 8], sealed: &[u8]) -> Vec<u8> {
        let mut opened = sealed.to_vec();
        let (blocks, _) = Array::slice_as_chunks_mut(&mut opened);
        cbc::Decryptor::<des::Des>::new(&key.into(), &iv.into()).decrypt_blocks(blocks);
        opened
    }

    /// Every level this processor has. Says which it has not, so that nobody believes them tested.
    fn levels() -> Vec<Level> {
        let available = Level::available();
        let missing = Level::NAMES.iter().filter(|name| available.iter().all(|level| level.name() != **name));
        println!("not on this machine: {:?}", missing.collect::<Vec<_>>());
        available
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 64 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_level_decrypts_bit_for_bit_as_the_reference_does(
            key: [u8; 8],
            iv: [u8; 8],
            sealed in (0..=MOST).prop_flat_map(|blocks| prop::collection::vec(any::<u8>(), 8 * blocks)),
            splits: [prop::sample::Index; 3],
        ) {
            let expected = reference(key, iv, &sealed);
            for level in levels() {
                let mut opened = sealed.clone();
                let mut ends = splits.map(|split| split.index(sealed.len() / 8 + 1) * 8);
                ends.sort_unstable();
                let mut decryptor = CbcDecryptor::with_level(level, &key, &iv);
                let mut rest = opened.as_mut_slice();
                let mut start = 0;
                for end in ends.into_iter().chain([sealed.len()]) {
                    let (part, behind) = rest.split_at_mut(end - start);
                    decryptor.decrypt(part);
                    (rest, start) = (behind, end);
                }
                prop_assert!(opened == expected, "level {}", level.name());
            }
        }

        #[test]
        fn any_part_is_decrypted_alone_from_the_block_before_it(
            key: [u8; 8],
            sealed in (2..=MOST).prop_flat_map(|blocks| prop::collection::vec(any::<u8>(), 8 * blocks)),
            start: prop::sample::Index,
        ) {
            let start = 8 + 8 * start.index(sealed.len() / 8 - 1);
            let expected = reference(key, [0; 8], &sealed);
            let decryptor = CbcDecryptor::new(&key, &[0; 8]);
            let before = sealed[start - 8..start].try_into().unwrap();
            let mut part = sealed[start..].to_vec();
            decryptor.at(&before).decrypt(&mut part);
            prop_assert!(part == expected[start..]);
        }
    }

    #[test]
    fn a_published_vector_is_decrypted_by_every_level() {
        // The worked example of J. Orlin Grabbe, "The DES algorithm illustrated".
        let key = 0x1334_5779_9bbc_dff1_u64.to_be_bytes();
        for level in levels() {
            let mut block = 0x85e8_1354_0f0a_b405_u64.to_be_bytes();
            CbcDecryptor::with_level(level, &key, &[0; 8]).decrypt(&mut block);
            assert_eq!(u64::from_be_bytes(block), 0x0123_4567_89ab_cdef);
        }
    }

    #[test]
    fn bytes_behind_the_last_whole_block_are_left_as_they_are() {
        for level in levels() {
            let mut bytes = [7; 13];
            CbcDecryptor::with_level(level, &[1; 8], &[2; 8]).decrypt(&mut bytes);
            assert_eq!(bytes[..8], reference([1; 8], [2; 8], &[7; 8]));
            assert_eq!(bytes[8..], [7; 5]);
        }
    }
}
