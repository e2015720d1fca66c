//! The key schedule of DES (FIPS 46-3) for bitsliced rounds: a mask over all lanes for every key bit.
//!
//! The right half is kept with the round's key bits already in it, so that most inputs of the S-boxes need no XOR of
//! their own. Each bit of a half enters exactly one box as one of its middle four inputs, and is kept masked for that;
//! the sixteen bits that enter a second box at its edge are corrected there. What a half is masked with changes while
//! the round's output is added to it.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::BLOCK;
use super::lanes::Mask;

pub(super) const ROUNDS: usize = 16;

/// Permuted choice 1 without the parity bits, and permuted choice 2; bits are numbered from 1, the highest.
#[rustfmt::skip]
const CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];
#[rustfmt::skip]
const CHOICE_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/// How far the halves of the key have been rotated by each round.
const ROTATED: [usize; ROUNDS] = [1, 2, 4, 6, 8, 10, 12, 14, 15, 17, 19, 21, 23, 25, 27, 28];

/// The masks of one round.
#[derive(Clone, Default, Zeroize)]
pub(super) struct Round {
    /// For the first and last input of each box.
    pub(super) edges: [[Mask; 2]; 8],
    /// What is added to each bit of the half that the round changes.
    pub(super) changes: [Mask; 32],
}

/// The masks of a whole decryption.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub(super) struct Schedule {
    /// The right half before the first round.
    pub(super) first: [Mask; 32],
    pub(super) rounds: [Round; ROUNDS],
    /// The half that the last round did not change.
    pub(super) last: [Mask; 32],
}

impl Schedule {
    /// The rounds in the order of decryption.
    pub(super) fn for_decryption(key: &[u8; BLOCK]) -> Self {
        let mut schedule = Self::default();
        let mut keys = [[false; 48]; ROUNDS];
        for (round, bits) in keys.iter_mut().enumerate() {
            *bits = round_key(key, ROUNDS - 1 - round);
        }
        let middle =
            |round: usize, bit: usize| keys.get(round).is_some_and(|key| key[6 * (bit / 4) + 1 + bit % 4]);
        for bit in 0..32 {
            schedule.first[bit] = mask(middle(0, bit));
            schedule.last[bit] = mask(middle(ROUNDS - 1, bit));
        }
        for (number, round) in schedule.rounds.iter_mut().enumerate() {
            for (j, edges) in round.edges.iter_mut().enumerate() {
                edges[0] = mask(keys[number][6 * j] ^ middle(number, (4 * j + 31) % 32));
                edges[1] = mask(keys[number][6 * j + 5] ^ middle(number, (4 * j + 4) % 32));
            }
            for (bit, change) in round.changes.iter_mut().enumerate() {
                *change = mask((number > 0 && middle(number - 1, bit)) ^ middle(number + 1, bit));
            }
        }
        keys.zeroize();
        schedule
    }
}

/// The 48 bits of a round of encryption.
fn round_key(key: &[u8; BLOCK], round: usize) -> [bool; 48] {
    let bits = u64::from_be_bytes(*key);
    CHOICE_2.map(|choice| {
        let place = usize::from(choice) - 1;
        let rotated = place / 28 * 28 + (place % 28 + ROTATED[round]) % 28;
        bits >> (64 - CHOICE_1[rotated]) & 1 == 1
    })
}

fn mask(bit: bool) -> Mask {
    Mask([0_u64.wrapping_sub(u64::from(bit)); 2])
}
