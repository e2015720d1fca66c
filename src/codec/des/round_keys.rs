//! The key schedule of DES (FIPS 46-3): which bits of the key each round has.

use super::BLOCK;

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

/// The 48 bits of a round of encryption, six for each S-box; decryption has the rounds in reverse. `round` is below
/// [`ROUNDS`].
pub(super) fn round_key(key: &[u8; BLOCK], round: usize) -> [bool; 48] {
    let bits = u64::from_be_bytes(*key);
    CHOICE_2.map(|choice| {
        let place = usize::from(choice) - 1;
        let rotated = place / 28 * 28 + (place % 28 + ROTATED[round]) % 28;
        bits >> (64 - CHOICE_1[rotated]) & 1 == 1
    })
}
