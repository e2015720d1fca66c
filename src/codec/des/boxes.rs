//! The S-boxes of DES (FIPS 46-3) for serial rounds: each entry is expanded, with the permutation P already applied.
//!
//! Eight tables of 64 words, 4 KiB in all, and four of them once more with their entries 256 bytes apart. Which entries are
//! read depends on the key and the text, so whoever can watch the caches of the processor learns something about both.

use super::expanded::{BYTE_OF_GROUP, expand};
use super::sboxes;

/// A line of the first-level cache holds eight entries; all tables together fill whole lines.
#[repr(C, align(64))]
pub(super) struct Boxes {
    /// The tables, by [`place`].
    pub(super) tables: [[u64; 64]; 8],
    /// The entries of the bytes 1, 2, 5 and 7 at the beginning of rows of 256 bytes: there, a group that stands in the
    /// second byte of a word is the distance to its row as it is.
    pub(super) rows: [[u64; 32]; 64],
}

pub(super) static BOXES: Boxes = Boxes { tables: TABLES, rows: rows() };

const TABLES: [[u64; 64]; 8] = boxes();

/// The bytes that have a column of the rows.
const COLUMNS: [usize; 4] = [1, 2, 5, 7];

/// Where the table stands for the group in this byte of an expanded half.
///
/// The one of the highest byte stands first, so that the two lowest bytes and the highest one lead to an entry of some
/// table whatever they are, also beyond the 64 entries of their own.
pub(super) const fn place(byte: usize) -> usize {
    (byte + 1) % 8
}

/// The permutation P: output bit i is input bit `PERMUTATION[i]`, numbered from 1, the highest.
#[rustfmt::skip]
const PERMUTATION: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

const fn boxes() -> [[u64; 64]; 8] {
    let mut boxes = [[0; 64]; 8];
    let mut group = 0;
    while group < 8 {
        let mut input = 0;
        while input < 64 {
            let output = (sboxes::value(group, input) as u64) << (28 - 4 * group);
            boxes[place(BYTE_OF_GROUP[group])][input] = expand(permute(output));
            input += 1;
        }
        group += 1;
    }
    boxes
}

const fn rows() -> [[u64; 32]; 64] {
    let mut rows = [[0; 32]; 64];
    let mut input = 0;
    while input < 64 {
        let mut column = 0;
        while column < COLUMNS.len() {
            rows[input][column] = TABLES[place(COLUMNS[column])][input];
            column += 1;
        }
        input += 1;
    }
    rows
}

const fn permute(half: u64) -> u64 {
    let mut permuted = 0;
    let mut bit = 0;
    while bit < 32 {
        permuted = permuted << 1 | half >> (32 - PERMUTATION[bit]) & 1;
        bit += 1;
    }
    permuted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_the_entries_of_four_tables_whatever_processor_reads_them() {
        for (input, row) in BOXES.rows.iter().enumerate() {
            assert_eq!(row[..4], [1, 2, 5, 7].map(|byte| BOXES.tables[place(byte)][input]));
        }
    }
}
