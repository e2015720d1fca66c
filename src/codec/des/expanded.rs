//! The halves of a DES block (FIPS 46-3) in the form that serial rounds keep them in: expanded.
//!
//! The expansion E turns a half into eight groups of six bits, the inputs of the S-boxes. A round's output, its key and
//! the half it is added to are all kept expanded, since an XOR of expanded words is the expansion of the XOR: a round
//! then is eight lookups and nothing else. Blocks enter and leave this form many at a time, in loops that compilers turn
//! into vector instructions.

/// The byte of an expanded half that holds group `i`: the even groups are a rotation of the half under a mask, and so
/// are the odd ones.
pub(super) const BYTE_OF_GROUP: [usize; 8] = [7, 3, 6, 2, 5, 1, 4, 0];

/// Where bit `bit` of group `group` stands in an expanded half, counted from the lowest; the standard counts the bits of
/// a group from 0, the highest, to 5.
pub(super) const fn group_bit(group: usize, bit: usize) -> usize {
    8 * BYTE_OF_GROUP[group] + 5 - bit
}

/// The bits of a byte that its group has: the lowest six.
const GROUPS: u64 = 0x3f3f_3f3f;

/// A block after the initial permutation, each half expanded.
#[inline(always)]
pub(super) fn enter(block: [u8; 8]) -> (u64, u64) {
    let halves = initial_permutation(block);
    (expand(halves << 32 >> 32), expand(halves >> 32))
}

/// The block that has these expanded halves before the final permutation, the first half on the left.
#[inline(always)]
pub(super) fn leave(left: u64, right: u64) -> [u8; 8] {
    final_permutation(reduce(right) << 32 | reduce(left))
}

/// The expansion E of the half in the lower 32 bits; the upper ones are zero.
#[inline(always)]
pub(super) const fn expand(half: u64) -> u64 {
    let twice = half << 32 | half;
    (twice << 29) & (GROUPS << 32) | (twice >> 31) & GROUPS
}

/// The half in the lower 32 bits whose expansion this is: the middle four bits of each group.
#[inline(always)]
fn reduce(expanded: u64) -> u64 {
    (expanded >> 29) & 0xf0f0_f0f0 | (expanded >> 1) & 0x0f0f_0f0f
}

/// The initial permutation, with the right half above the left one.
///
/// With the bytes reversed it is the transposition of an 8 by 8 matrix of bits, and its odd columns make the right
/// half, the even ones the left.
#[inline(always)]
fn initial_permutation(block: [u8; 8]) -> u64 {
    let rows = u64::from_le_bytes(block);
    let rows = exchange(rows, 7, 0x00aa_00aa_00aa_00aa);
    let rows = exchange(rows, 14, 0x0000_cccc_0000_cccc);
    let columns = exchange(rows, 28, 0x0000_0000_f0f0_f0f0);
    let columns = exchange(columns, 8, 0x0000_ff00_0000_ff00);
    exchange(columns, 16, 0x0000_0000_ffff_0000)
}

/// The inverse of [`initial_permutation`].
#[inline(always)]
fn final_permutation(halves: u64) -> [u8; 8] {
    let columns = exchange(halves, 16, 0x0000_0000_ffff_0000);
    let columns = exchange(columns, 8, 0x0000_ff00_0000_ff00);
    let rows = exchange(columns, 28, 0x0000_0000_f0f0_f0f0);
    let rows = exchange(rows, 14, 0x0000_cccc_0000_cccc);
    exchange(rows, 7, 0x00aa_00aa_00aa_00aa).to_le_bytes()
}

/// Exchanges the bits under `mask` with those `distance` above them.
#[inline(always)]
fn exchange(bits: u64, distance: u32, mask: u64) -> u64 {
    let difference = (bits >> distance ^ bits) & mask;
    bits ^ difference ^ difference << distance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first rows of the tables of FIPS 46-3 say how the rest goes on: every row starts 2 further in IP, and the
    /// second four rows are one less; rows of E overlap by two.
    #[test]
    fn the_permutations_are_those_of_the_standard() {
        for place in 0..64 {
            let block = (1_u64 << (63 - place)).to_be_bytes();
            let (left, right) = enter(block);
            let output: Vec<usize> = (0..64)
                .filter(|output| {
                    let row = output / 8;
                    let column = output % 8;
                    58 + 2 * (row % 4) - row / 4 - 8 * column == place + 1
                })
                .collect();
            let [output] = output[..] else { panic!("IP is a permutation") };
            let half = 1_u64 << (31 - output % 32);
            let expected = if output < 32 { (by_the_table(half), 0) } else { (0, by_the_table(half)) };
            assert_eq!((left, right), expected, "bit {place}");
            assert_eq!(leave(left, right), block, "bit {place}");
        }
    }

    fn by_the_table(half: u64) -> u64 {
        let mut expanded = 0;
        for group in 0..8 {
            for bit in 0..6 {
                let place = (4 * group + bit + 31) % 32;
                expanded |= (half >> (31 - place) & 1) << group_bit(group, bit);
            }
        }
        expanded
    }

    #[test]
    fn blocks_leave_as_they_entered() {
        for block in [*b"claim123", [0; 8], [0xff; 8], [1, 2, 4, 8, 16, 32, 64, 128]] {
            let (left, right) = enter(block);
            assert_eq!(leave(left, right), block);
        }
    }
}
