//! Prefix codes: Huffman's code lengths (1952) held to a limit, and the canonical codes of RFC 1951, section 3.2.2.

/// No alphabet of deflate is larger.
pub(super) const MAX_SYMBOLS: usize = 288;

/// One code per symbol.
#[derive(Clone)]
pub(super) struct Code<const N: usize> {
    /// Bits of each code, 0 for a symbol that has none.
    pub(super) lengths: [u8; N],
    /// The codes, reversed: deflate sends a code's highest bit first, all else lowest first.
    pub(super) codes: [u16; N],
}

impl<const N: usize> Code<N> {
    /// The code with the fewest bits for these frequencies (at most 2^22 in all) of which none is longer than `limit`;
    /// nearly so where the limit is reached.
    ///
    /// At least two symbols get a code, since decoders differ on codes of one.
    pub(super) fn optimal(frequencies: &[u32; N], limit: u8) -> Self {
        let mut leaves = [0u32; MAX_SYMBOLS];
        let mut count = 0;
        for (symbol, &frequency) in (0u32..).zip(frequencies) {
            if frequency > 0 {
                leaves[count] = frequency << 9 | symbol;
                count += 1;
            }
        }
        // Fill up to two with the first symbols that do not occur.
        for (symbol, _) in (0u32..).zip(frequencies).filter(|(_, frequency)| **frequency == 0) {
            if count >= 2 {
                break;
            }
            leaves[count] = symbol;
            count += 1;
        }
        let leaves = &mut leaves[..count];
        leaves.sort_unstable();
        let mut by_length = lengths_of(leaves);
        hold_to(&mut by_length, limit);

        let mut lengths = [0; N];
        let mut rest = leaves.iter();
        // The rarest symbols get the longest codes.
        for length in (1..=limit).rev() {
            for leaf in rest.by_ref().take(usize::from(by_length[usize::from(length)])) {
                lengths[(leaf & 0x1FF) as usize] = length;
            }
        }
        Self::canonical(lengths)
    }

    /// The codes that belong to these lengths.
    pub(super) fn canonical(lengths: [u8; N]) -> Self {
        let mut by_length = [0u16; 17];
        for &length in &lengths {
            by_length[usize::from(length.min(16))] += 1;
        }
        by_length[0] = 0;
        let mut next = [0u16; 17];
        for length in 1..16 {
            next[length + 1] = (next[length] + by_length[length]) << 1;
        }
        let mut codes = [0; N];
        for (code, &length) in codes.iter_mut().zip(&lengths) {
            if length > 0 {
                let next = &mut next[usize::from(length.min(16))];
                *code = next.reverse_bits() >> (16 - length);
                *next += 1;
            }
        }
        Self { lengths, codes }
    }
}

/// How many of these leaves (frequencies above 9 bits of symbol, ascending; at least two) have a code of each length,
/// in Huffman's tree.
///
/// Both queues of the construction are ascending: the leaves by sorting, the nodes because their sums only grow.
fn lengths_of(leaves: &[u32]) -> [u16; MAX_SYMBOLS] {
    let mut weights = [0u32; MAX_SYMBOLS];
    let mut parents = [0u16; MAX_SYMBOLS];
    let mut leaf_parents = [0u16; MAX_SYMBOLS];
    let (mut leaf, mut node) = (0, 0);
    let nodes = leaves.len() - 1;
    for made in 0..nodes {
        let mut sum = 0;
        for _ in 0..2 {
            let weight = leaves.get(leaf).map_or(u32::MAX, |leaf| leaf >> 9);
            let parent = u16::try_from(made).unwrap_or_default();
            if node < made && weights[node] < weight {
                sum += weights[node];
                parents[node] = parent;
                node += 1;
            } else {
                sum += weight;
                leaf_parents[leaf] = parent;
                leaf += 1;
            }
        }
        weights[made] = sum;
    }
    // The root is the last node; weights serve for the depths now.
    let depths = &mut weights;
    depths[nodes - 1] = 0;
    for made in (0..nodes - 1).rev() {
        depths[made] = depths[usize::from(parents[made])] + 1;
    }
    let mut by_length = [0; MAX_SYMBOLS];
    for parent in &leaf_parents[..leaves.len()] {
        by_length[depths[usize::from(*parent)] as usize + 1] += 1;
    }
    by_length
}

/// Shortens codes to `limit`, and lengthens the fewest others until all have room again.
fn hold_to(by_length: &mut [u16; MAX_SYMBOLS], limit: u8) {
    let limit = usize::from(limit);
    let beyond: u16 = by_length[limit + 1..].iter().sum();
    if beyond == 0 {
        return;
    }
    by_length[limit + 1..].fill(0);
    by_length[limit] += beyond;
    // A code of n bits takes 2^(limit - n) of the 2^limit places.
    let taken =
        |by_length: &[u16]| -> u32 { (1..=limit).map(|n| u32::from(by_length[n]) << (limit - n)).sum() };
    let mut excess = taken(by_length) - (1 << limit);
    while excess > 0 {
        // A leaf one level up becomes a node with itself and one of the longest codes below: one place is won.
        let Some(shorter) = (1..limit).rev().find(|&n| by_length[n] > 0) else { return };
        by_length[shorter] -= 1;
        by_length[shorter + 1] += 2;
        by_length[limit] -= 1;
        excess -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether the codes fill all places there are, which is 1 in 2^15 parts.
    fn is_complete(lengths: &[u8]) -> bool {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 1u32 << (15 - length)).sum::<u32>()
            == 1 << 15
    }

    fn cost(frequencies: &[u32], lengths: &[u8]) -> u32 {
        frequencies.iter().zip(lengths).map(|(frequency, &length)| frequency * u32::from(length)).sum()
    }

    #[test]
    fn the_example_of_the_format_comes_out() {
        // RFC 1951, section 3.2.2: lengths 3, 3, 3, 3, 3, 2, 4, 4 for A to H.
        let code = Code::canonical([3, 3, 3, 3, 3, 2, 4, 4]);
        let reversed = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111];
        assert_eq!(code.codes, reversed);
    }

    #[test]
    fn rare_symbols_get_long_codes() {
        assert_eq!(Code::optimal(&[45, 13, 12, 16, 9, 5], 15).lengths, [1, 3, 3, 3, 4, 4]);
    }

    #[test]
    fn of_codes_that_cost_the_same_the_one_without_long_ones_is_taken() {
        assert_eq!(Code::optimal(&[1, 1, 2, 2], 15).lengths, [2, 2, 2, 2]);
    }

    #[test]
    fn two_symbols_have_a_code_where_fewer_occur() {
        assert_eq!(Code::optimal(&[0; 5], 7).lengths, [1, 1, 0, 0, 0]);
        assert_eq!(Code::optimal(&[0, 0, 9, 0], 7).lengths, [1, 0, 1, 0]);
        assert_eq!(Code::optimal(&[9, 0, 0, 0], 7).lengths, [1, 1, 0, 0]);
    }

    #[test]
    fn the_deepest_tree_is_held_to_the_limit() {
        let mut frequencies = [1; 28];
        (2..28).for_each(|n| frequencies[n] = frequencies[n - 1] + frequencies[n - 2]);
        for limit in [5, 7, 15] {
            let code = Code::optimal(&frequencies, limit);
            assert_eq!(code.lengths.iter().max(), Some(&limit));
            assert!(is_complete(&code.lengths));
        }
        assert_eq!(
            Code::<16>::optimal(&frequencies[..16].try_into().unwrap(), 15).lengths.iter().max(),
            Some(&15)
        );
    }

    /// The least bits any code of at most `limit` takes: package-merge (Larmore and Hirschberg 1990).
    fn least_cost(frequencies: &[u32], limit: u8) -> u32 {
        let mut leaves: Vec<u32> = frequencies.iter().copied().filter(|&frequency| frequency > 0).collect();
        leaves.sort_unstable();
        let mut packages: Vec<u32> = Vec::new();
        for _ in 0..limit {
            let mut level = [&leaves[..], &packages[..]].concat();
            level.sort_unstable();
            packages = level.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
        }
        packages.iter().take(leaves.len() - 1).sum()
    }

    proptest! {
        #[test]
        fn codes_are_complete_and_as_short_as_can_be(
            frequencies in proptest::collection::vec(prop_oneof![Just(0u32), 1..9u32, 1..9_999u32], 19),
        ) {
            let frequencies: [u32; 19] = frequencies.try_into().unwrap();
            prop_assume!(frequencies.iter().filter(|frequency| **frequency > 0).count() >= 2);
            let free = Code::optimal(&frequencies, 15);
            prop_assert!(is_complete(&free.lengths));
            if free.lengths.iter().all(|&length| length < 15) {
                prop_assert_eq!(cost(&frequencies, &free.lengths), least_cost(&frequencies, 15));
            }
            let held = Code::optimal(&frequencies, 7);
            prop_assert!(is_complete(&held.lengths));
            prop_assert!(held.lengths.iter().all(|&length| length <= 7));
            let least = least_cost(&frequencies, 7);
            prop_assert!(cost(&frequencies, &held.lengths) <= least + least / 4);
        }
    }
}
