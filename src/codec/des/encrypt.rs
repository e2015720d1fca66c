//! DES-CBC encryption: one chain as fast as one chain can be, and several beside each other.
//!
//! Every block waits for the one before, so the time is that of 16 rounds one after the other. All else is kept off
//! that chain: blocks pass the initial permutation many at a time before their rounds and the final one after them; the
//! chain is carried between the two; round keys are added to a half while the round before is still at work on the
//! other, so a round finds its key in its input. The first round of a block needs only the half that the last round of
//! the block before leaves alone, so those two rounds run side by side.
//!
//! While a round waits for its entries most of the processor stands still, so that the rounds of two or three chains of
//! different messages take little longer than those of one.
//!
//! The tables are read at places that depend on the key and the text: the running time is not constant.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::BLOCK;
use super::expanded::{enter, group_bit, leave};
use super::level::Level;
use super::reference;
#[cfg(target_arch = "x86_64")]
use super::round::{BitFields, Rotations};
use super::round::{Portable, Round};
use super::round_keys::{ROUNDS, round_key};
use crate::wiped_stack::on_wiped_stack;

/// How many blocks pass the permutations together.
const STRIP: usize = 8;

/// Encrypts one chain of blocks; keys and chain are wiped on drop.
///
/// The running time depends on the key and the text, not only on the number of blocks.
pub(in crate::codec) struct CbcEncryptor(Cipher);

/// In a place of its own: where keys were moved from they would not be wiped.
enum Cipher {
    Own(Box<Chained>),
    Reference(Box<reference::Encryptor>),
}

/// This room's own cipher.
pub(super) struct Chained {
    keys: Keys,
    chain: Chain,
    level: Level,
}

/// The round keys, as they are added. K1 to K16 are the keys of the standard, expanded halves have their form.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Keys {
    /// K2, for the left half of a block, which is the input of the second round.
    left: u64,
    /// K1, for the right half, which is the input of the first; and K16, which the chain's right half has in it.
    right: u64,
    /// For the half that a round leaves alone: takes the key out that it has in it, and adds the one of two rounds on.
    changes: [u64; ROUNDS],
}

/// The ciphertext block before, as its last round left it: what the next block is added to.
#[derive(Clone, Copy, Zeroize)]
struct Chain {
    left: u64,
    /// With K16 in it.
    right: u64,
}

/// Blocks to encrypt, where to, and the chain they go on with.
pub(in crate::codec) struct Run<'r> {
    pub(in crate::codec) encryptor: &'r mut CbcEncryptor,
    pub(in crate::codec) plaintext: &'r [[u8; BLOCK]],
    pub(in crate::codec) ciphertext: &'r mut [[u8; BLOCK]],
}

impl CbcEncryptor {
    /// How many chains the processor is busy with.
    pub(in crate::codec) const ABREAST: usize = 3;

    /// `key` may have any parity bits: they are not looked at.
    pub(in crate::codec) fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self::with_level(Level::chosen(), key, iv)
    }

    fn with_level(level: Level, key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self(on_wiped_stack(|| {
            if level.is_reference() {
                Cipher::Reference(Box::new(reference::encryptor(key, iv)))
            } else {
                Cipher::Own(Box::new(Chained::new(level, key, iv)))
            }
        }))
    }

    /// Encrypts blocks into as many of `ciphertext`, and carries the chain to the next call. Where one is longer, what is
    /// beyond the other stays as it is.
    pub(in crate::codec) fn encrypt(&mut self, plaintext: &[[u8; BLOCK]], ciphertext: &mut [[u8; BLOCK]]) {
        Self::encrypt_abreast(&mut [Run { encryptor: self, plaintext, ciphertext }]);
    }

    /// Encrypts of each run as many blocks as the shortest has, as [`encrypt`](Self::encrypt) does, and tells how many.
    /// Up to [`ABREAST`](Self::ABREAST) runs take little longer than one.
    pub(in crate::codec) fn encrypt_abreast(runs: &mut [Run<'_>]) -> usize {
        let blocks = runs.iter().map(|run| run.plaintext.len().min(run.ciphertext.len())).min().unwrap_or(0);
        // Round keys are spilled where registers are too few.
        on_wiped_stack(|| {
            for runs in runs.chunks_mut(Self::ABREAST) {
                let mut lanes = runs.iter_mut().filter_map(|run| run.lane(blocks));
                match (lanes.next(), lanes.next(), lanes.next()) {
                    (Some(first), Some(second), Some(third)) => encrypt([first, second, third]),
                    (Some(first), Some(second), None) => encrypt([first, second]),
                    (Some(alone), None, _) => encrypt([alone]),
                    (None, ..) => {}
                }
            }
        });
        blocks
    }
}

impl Run<'_> {
    /// The first blocks for this room's own cipher; the reference encrypts them at once.
    fn lane(&mut self, blocks: usize) -> Option<Lane<'_>> {
        let (plaintext, ciphertext) = (&self.plaintext[..blocks], &mut self.ciphertext[..blocks]);
        match &mut self.encryptor.0 {
            Cipher::Own(own) => {
                let Chained { keys, chain, level } = &mut **own;
                Some(Lane { keys, chain, level: *level, plaintext, ciphertext })
            }
            Cipher::Reference(encryptor) => {
                reference::encrypt(encryptor, plaintext, ciphertext);
                None
            }
        }
    }
}

impl Chained {
    fn new(level: Level, key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        let mut round_keys: [u64; ROUNDS] = std::array::from_fn(|round| expanded_key(key, round));
        let [first, second, .., last] = round_keys;
        let changes = std::array::from_fn(|round| {
            round_keys[round] ^ round_keys.get(round + 2).copied().unwrap_or_default()
        });
        round_keys.zeroize();
        let (left, right) = enter(*iv);
        Self {
            keys: Keys { left: second, right: first ^ last, changes },
            chain: Chain { left, right: right ^ last },
            level,
        }
    }
}

#[cfg(test)]
impl Chained {
    /// What is kept of a key and where a chain begins, as it stands in memory.
    pub(super) fn words_of(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Vec<u64> {
        let Self { keys, chain, .. } = &Self::new(Level::chosen(), key, iv);
        let round_keys = (0..ROUNDS).map(|round| expanded_key(key, round));
        [keys.left, keys.right, chain.right].into_iter().chain(keys.changes).chain(round_keys).collect()
    }

    /// What is kept of a chain behind this block of ciphertext, with the last round key in it.
    pub(super) fn end_of_chain(key: &[u8; BLOCK], ciphertext: &[u8; BLOCK]) -> u64 {
        Self::new(Level::chosen(), key, ciphertext).chain.right
    }
}

/// One of the chains that are encrypted beside each other.
struct Lane<'r> {
    keys: &'r Keys,
    chain: &'r mut Chain,
    level: Level,
    plaintext: &'r [[u8; BLOCK]],
    ciphertext: &'r mut [[u8; BLOCK]],
}

/// Encrypts chains of the same number of blocks.
fn encrypt<const N: usize>(lanes: [Lane<'_>; N]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(rotations) = lanes[0].level.rotations().filter(|rotations| rotations.are_faster(N)) {
        // SAFETY: the value proves that the processor has AVX2 and BMI2.
        return unsafe { encrypt_with_rotations(rotations, lanes) };
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(bit_fields) = lanes[0].level.bit_fields() {
        // SAFETY: the value proves that the processor has AVX2 and BMI1.
        return unsafe { encrypt_with_bit_fields(bit_fields, lanes) };
    }
    encrypt_by(Portable, lanes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1")]
fn encrypt_with_bit_fields<const N: usize>(bit_fields: BitFields, lanes: [Lane<'_>; N]) {
    encrypt_by(bit_fields, lanes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn encrypt_with_rotations<const N: usize>(rotations: Rotations, lanes: [Lane<'_>; N]) {
    encrypt_by(rotations, lanes);
}

// Loops, and no closures given to functions of the library: one that is not inlined is compiled without the instructions of
// its caller.
#[inline(always)]
fn encrypt_by<const N: usize>(rounds: impl Round, mut lanes: [Lane<'_>; N]) {
    let keys = lanes.each_ref().map(|lane| lane.keys);
    let plaintexts = lanes.each_ref().map(|lane| lane.plaintext.as_chunks::<STRIP>());
    let mut chains = lanes.each_ref().map(|lane| *lane.chain);
    let (strips, rest) = (plaintexts[0].0.len(), plaintexts[0].1.len());
    let mut ciphertexts = lanes.each_mut().map(|lane| lane.ciphertext.as_chunks_mut::<STRIP>());
    let mut coming = [Strip::EMPTY; N];
    if strips > 0 {
        for lane in 0..N {
            coming[lane] = keys[lane].enter(&plaintexts[lane].0[0]);
        }
    }
    for number in 0..strips {
        let strip = coming;
        // A strip enters before the rounds of the one before, so that the processor can do both at once.
        if number + 1 < strips {
            for lane in 0..N {
                coming[lane] = keys[lane].enter(&plaintexts[lane].0[number + 1]);
            }
        }
        let places = ciphertexts.each_mut().map(|(strips, _)| &mut strips[number]);
        encrypt_strips(rounds, keys, &mut chains, strip, places);
    }
    for number in 0..rest {
        let mut block = [Strip::EMPTY; N];
        for lane in 0..N {
            block[lane] = keys[lane].enter(std::array::from_ref(&plaintexts[lane].1[number]));
        }
        let places = ciphertexts.each_mut().map(|(_, rest)| std::array::from_mut(&mut rest[number]));
        encrypt_strips(rounds, keys, &mut chains, block, places);
    }
    for (lane, chain) in lanes.iter_mut().zip(chains) {
        *lane.chain = chain;
    }
}

/// A strip of each chain.
#[inline(always)]
fn encrypt_strips<const N: usize, const BLOCKS: usize>(
    rounds: impl Round,
    keys: [&Keys; N],
    chains: &mut [Chain; N],
    mut strips: [Strip<BLOCKS>; N],
    ciphertexts: [&mut [[u8; BLOCK]; BLOCKS]; N],
) {
    for number in 0..BLOCKS {
        let block = strips.each_ref().map(|strip| (strip.lefts[number], strip.rights[number]));
        *chains = next(rounds, keys, *chains, block);
        for (strip, chain) in strips.iter_mut().zip(chains.iter()) {
            (strip.lefts[number], strip.rights[number]) = (chain.left, chain.right);
        }
    }
    for ((strip, keys), ciphertext) in strips.iter().zip(keys).zip(ciphertexts) {
        let [.., last] = keys.changes;
        for ((block, left), right) in ciphertext.iter_mut().zip(&strip.lefts).zip(&strip.rights) {
            *block = leave(*left, *right ^ last);
        }
    }
}

/// The chains after a block of each, whose halves come with the keys of the first two rounds.
#[inline(always)]
fn next<const N: usize>(
    rounds: impl Round,
    keys: [&Keys; N],
    chains: [Chain; N],
    blocks: [(u64, u64); N],
) -> [Chain; N] {
    let mut lefts = blocks.map(|(left, _)| left);
    let mut rights = blocks.map(|(_, right)| right);
    for lane in 0..N {
        rights[lane] ^= chains[lane].right;
        // Added last, because the round before takes longer to make it than this one takes to make the other.
        lefts[lane] = rounds.round(lefts[lane], rights[lane]) ^ chains[lane].left;
    }
    for round in (0..14).step_by(2) {
        for lane in 0..N {
            rights[lane] = rounds.round(rights[lane] ^ keys[lane].changes[round], lefts[lane]);
        }
        for lane in 0..N {
            lefts[lane] = rounds.round(lefts[lane] ^ keys[lane].changes[round + 1], rights[lane]);
        }
    }
    for lane in 0..N {
        rights[lane] = rounds.round(rights[lane] ^ keys[lane].changes[14], lefts[lane]);
    }
    std::array::from_fn(|lane| Chain { left: rights[lane], right: lefts[lane] })
}

/// The expanded halves of blocks that pass the permutations together.
#[derive(Clone, Copy)]
struct Strip<const N: usize> {
    lefts: [u64; N],
    rights: [u64; N],
}

impl<const N: usize> Strip<N> {
    const EMPTY: Self = Self { lefts: [0; N], rights: [0; N] };
}

impl Keys {
    /// Blocks before their rounds, with the keys of the first two in them.
    #[inline(always)]
    fn enter<const N: usize>(&self, strip: &[[u8; BLOCK]; N]) -> Strip<N> {
        let (mut lefts, mut rights) = ([0; N], [0; N]);
        for ((block, left), right) in strip.iter().zip(&mut lefts).zip(&mut rights) {
            (*left, *right) = enter(*block);
            *left ^= self.left;
            *right ^= self.right;
        }
        Strip { lefts, rights }
    }
}

/// The key of a round in the form of an expanded half.
fn expanded_key(key: &[u8; BLOCK], round: usize) -> u64 {
    let bits = round_key(key, round);
    bits.iter().enumerate().map(|(number, bit)| u64::from(*bit) << group_bit(number / 6, number % 6)).sum()
}

impl Drop for Chained {
    fn drop(&mut self) {
        self.chain.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use cbc::cipher::{Array, BlockModeEncrypt, KeyIvInit};
    use proptest::prelude::*;

    use super::*;

    /// What every level makes of `plaintext`, given to it in two calls.
    fn encrypted(key: u64, iv: u64, plaintext: &[u8], split: usize) -> Vec<u8> {
        let all = Level::available().into_iter().map(|level| {
            let (plaintext, _) = plaintext.as_chunks();
            let mut ciphertext = vec![[0; BLOCK]; plaintext.len()];
            let mut encryptor = CbcEncryptor::with_level(level, &key.to_be_bytes(), &iv.to_be_bytes());
            let (first, second) = plaintext.split_at(split);
            let (first_out, second_out) = ciphertext.split_at_mut(split);
            encryptor.encrypt(first, first_out);
            encryptor.encrypt(second, second_out);
            ciphertext.as_flattened().to_vec()
        });
        all.reduce(|one, other| {
            assert_eq!(one, other, "the levels differ");
            one
        })
        .unwrap()
    }

    /// Each of `messages` under its key, all of them beside each other: where one ends, the others go on.
    fn encrypted_abreast(level: Level, keys: &[(u64, u64)], messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let new =
            |(key, iv): &(u64, u64)| CbcEncryptor::with_level(level, &key.to_be_bytes(), &iv.to_be_bytes());
        let mut encryptors: Vec<_> = keys.iter().map(new).collect();
        let mut sealed: Vec<Vec<[u8; BLOCK]>> =
            messages[..keys.len()].iter().map(|message| vec![[0; BLOCK]; message.len() / BLOCK]).collect();
        let mut done = 0;
        loop {
            let each = encryptors.iter_mut().zip(messages).zip(&mut sealed);
            let runs = each.map(|((encryptor, message), sealed)| {
                let plaintext = message.as_chunks().0.get(done..).unwrap_or_default();
                Run { encryptor, plaintext, ciphertext: sealed.get_mut(done..).unwrap_or_default() }
            });
            let mut runs: Vec<_> = runs.filter(|run| !run.plaintext.is_empty()).collect();
            if runs.is_empty() {
                return sealed.iter().map(|sealed| sealed.as_flattened().to_vec()).collect();
            }
            done += CbcEncryptor::encrypt_abreast(&mut runs);
        }
    }

    /// One block, without a chain.
    fn block(key: u64, plaintext: u64) -> u64 {
        let ciphertext = encrypted(key, 0, &plaintext.to_be_bytes(), 0);
        u64::from_be_bytes(ciphertext.try_into().unwrap())
    }

    fn reference(key: u64, iv: u64, plaintext: &[u8]) -> Vec<u8> {
        let whole = plaintext.len() / BLOCK * BLOCK;
        let mut ciphertext = plaintext[..whole].to_vec();
        let mut cipher = cbc::Encryptor::<des::Des>::new(&key.to_be_bytes().into(), &iv.to_be_bytes().into());
        cipher.encrypt_blocks(Array::slice_as_chunks_mut(&mut ciphertext).0);
        ciphertext
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 64 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_level_agrees_with_the_des_crate_wherever_the_calls_are_split(
            key: u64,
            iv: u64,
            plaintext in proptest::collection::vec(any::<u8>(), 0..3 * STRIP * BLOCK),
            split in 0.0..1.0,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a small number")]
            let split = ((plaintext.len() / BLOCK) as f64 * split) as usize;
            prop_assert_eq!(encrypted(key, iv, &plaintext, split), reference(key, iv, &plaintext));
        }

        #[test]
        fn chains_beside_each_other_are_what_each_is_alone(
            keys in proptest::collection::vec(any::<(u64, u64)>(), 0..6),
            blocks in proptest::collection::vec(0..3 * STRIP, 6),
        ) {
            let messages: Vec<Vec<u8>> = blocks.iter().zip(1..).map(|(blocks, seed)| {
                (0..blocks * BLOCK).map(|at| at.wrapping_mul(37).to_le_bytes()[0] ^ seed).collect()
            }).collect();
            let expected: Vec<_> =
                keys.iter().zip(&messages).map(|((key, iv), message)| reference(*key, *iv, message)).collect();
            for level in Level::available() {
                prop_assert_eq!(&encrypted_abreast(level, &keys, &messages), &expected, "{}", level.name());
            }
        }

        #[test]
        fn parity_bits_of_the_key_change_nothing(key: u64, plaintext: u64) {
            const PARITY: u64 = 0x0101_0101_0101_0101;
            prop_assert_eq!(block(key & !PARITY, plaintext), block(key | PARITY, plaintext));
        }

        #[test]
        fn a_weak_key_undoes_itself(plaintext: u64) {
            for key in [0x0101_0101_0101_0101, 0xfefe_fefe_fefe_fefe, 0xe0e0_e0e0_f1f1_f1f1, 0x1f1f_1f1f_0e0e_0e0e] {
                prop_assert_eq!(block(key, block(key, plaintext)), plaintext);
            }
        }
    }

    /// NIST SP 800-17, tables A.1 to A.4: one of each, and its last.
    #[test]
    fn known_answers_of_the_standard_come_out() {
        for (key, plaintext, ciphertext) in [
            (0x0101_0101_0101_0101, 0x8000_0000_0000_0000, 0x95f8_a5e5_dd31_d900),
            (0x0101_0101_0101_0101, 0x0000_0000_0000_0001, 0x166b_40b4_4aba_4bd6),
            (0x8001_0101_0101_0101, 0x0000_0000_0000_0000, 0x95a8_d728_13da_a94d),
            (0x0101_0101_0101_0102, 0x0000_0000_0000_0000, 0x869e_fd7f_9f26_5a09),
            (0x1046_9134_8998_0131, 0x0000_0000_0000_0000, 0x88d5_5e54_f54c_97b4),
            (0x7ca1_1045_4a1a_6e57, 0x01a1_d6d0_3977_6742, 0x690f_5b0d_9a26_939b),
            (0x1c58_7f1c_1392_4fef, 0x3055_3228_6d6f_295a, 0x63fa_c0d0_34d9_f793),
        ] {
            assert_eq!(block(key, plaintext), ciphertext, "{key:016x} {plaintext:016x}");
        }
    }

    /// FIPS 81, table C1.
    #[test]
    fn the_chain_example_of_fips_81_comes_out() {
        let ciphertext =
            encrypted(0x0123_4567_89ab_cdef, 0x1234_5678_90ab_cdef, b"Now is the time for all ", 1);
        let expected = [0xe5c7_cdde_872b_f27c_u64, 0x43e9_3400_8c38_9c0f, 0x6837_8849_9a7c_05f6];
        assert_eq!(ciphertext, expected.map(u64::to_be_bytes).as_flattened());
    }

    #[test]
    fn blocks_without_a_place_are_not_encrypted_and_places_without_a_block_stay() {
        let plaintext = [[7; BLOCK]; 2 * STRIP + 1];
        let expected = reference(0x0101_0101_0101_0101, 0x0202_0202_0202_0202, plaintext.as_flattened());
        for level in Level::available() {
            for (blocks, places) in [(3, 5), (5, 3), (3, 2 * STRIP), (STRIP, STRIP + 1), (2 * STRIP + 1, 0)] {
                let mut ciphertext = [[9; BLOCK]; 2 * STRIP + 1];
                let mut encryptor = CbcEncryptor::with_level(level, &[1; 8], &[2; 8]);
                encryptor.encrypt(&plaintext[..blocks], &mut ciphertext[..places]);
                let done = blocks.min(places);
                assert_eq!(ciphertext[..done].as_flattened(), &expected[..done * BLOCK]);
                assert!(ciphertext[done..].iter().all(|block| *block == [9; BLOCK]));
            }
        }
    }
}
