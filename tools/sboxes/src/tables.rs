//! The truth tables of the S-boxes and of their inputs: bit x of a table is the value in pattern x.

use crate::sboxes;

/// The tables of the six inputs, the first of which is the highest bit of a pattern.
#[must_use]
pub fn inputs() -> [u64; 6] {
    std::array::from_fn(|input| table(|pattern| pattern >> (5 - input) & 1))
}

/// The tables of the four outputs of a box, the highest bit first.
#[must_use]
pub fn outputs(number: usize) -> [u64; 4] {
    std::array::from_fn(|output| {
        table(|pattern| usize::from(sboxes::value(number, pattern)) >> (3 - output) & 1)
    })
}

fn table(value: impl Fn(usize) -> usize) -> u64 {
    (0..64).fold(0, |table, pattern| table | (value(pattern) as u64) << pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_box_is_a_permutation() {
        for number in 0..8 {
            for row in [0, 1, 32, 33] {
                let seen =
                    (0..16).fold(0, |seen, column| seen | 1_u32 << sboxes::value(number, row + 2 * column));
                assert_eq!(seen, 0xffff);
            }
        }
    }
}
