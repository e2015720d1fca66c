//! The key schedule of DES (FIPS 46-3) for bitsliced rounds: a mask over all lanes for every key bit.
//!
//! The right half is kept with the round's key bits already in it, so that most inputs of the S-boxes need no XOR of
//! their own. Each bit of a half enters exactly one box as one of its middle four inputs, and is kept masked for that;
//! the sixteen bits that enter a second box at its edge are corrected there. What a half is masked with changes while
//! the round's output is added to it.

use std::sync::Arc;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::BLOCK;
use super::lanes::Mask;
use super::round_keys::{ROUNDS, round_key};

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
    /// The rounds in the order of decryption, filled in where they stay.
    pub(super) fn for_decryption(key: &[u8; BLOCK]) -> Arc<Self> {
        let mut shared = Arc::<Self>::default();
        let schedule = Arc::make_mut(&mut shared);
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
        shared
    }
}

#[cfg(test)]
impl Schedule {
    /// The masks of a round, as they stand in memory.
    pub(super) fn bytes_of_a_round(&self) -> Vec<u8> {
        let round = &self.rounds[1];
        let masks = round.edges.as_flattened().iter().chain(&round.changes);
        masks.flat_map(|mask| mask.0).flat_map(u64::to_ne_bytes).collect()
    }
}

fn mask(bit: bool) -> Mask {
    Mask([0_u64.wrapping_sub(u64::from(bit)); 2])
}
