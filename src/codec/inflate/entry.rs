//! What a decoding table answers: up to two symbols, packed into 32 bits with all that decoding needs.
//!
//! | bits | of literals and lengths | of a distance | of an exception |
//! |---|---|---|---|
//! | 0 to 5 | bits of codes and extra bits | bits of code and extra bits | bits of the code; second level: of its index |
//! | 6 and 7 | how many literals: 0 to 2 | 0 | 0 |
//! | 8 to 12 | bits of the codes | bits of the code | |
//! | 13 | 0 | 0 | whether it leads to the second level |
//! | 14 | whether there is a length | 0 | 0 |
//! | 15 | 0 | 0 | 1 |
//! | 16 to 23 | first literal | base | second level: where; otherwise 1 if the block ends |
//! | 24 to 31 | second literal; or base of the length, less 3 | base, continued | continued |
//!
//! Two literals, or a literal and a length, are one answer where their codes are short enough. In text, most matches
//! come right after another or after one literal: a processor that need not guess which is not held up by wrong guesses.

/// How many literal/length symbols a code may have, the two that never occur included (RFC 1951, 3.2.6).
pub(super) const LITERAL_SYMBOLS: usize = 288;

/// How many distance symbols a code may have, the two that never occur included (RFC 1951, 3.2.6).
pub(super) const DISTANCE_SYMBOLS: usize = 32;

/// How many symbols the code of the code lengths has (RFC 1951, 3.2.7).
pub(super) const LENGTH_SYMBOLS: usize = 19;

/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;

const LITERALS_SHIFT: u32 = 6;
const CODE_SHIFT: u32 = 8;
const SECOND_LEVEL: u32 = 1 << 13;
const LENGTH: u32 = 1 << 14;
const EXCEPTION: u32 = 1 << 15;
const VALUE_SHIFT: u32 = 16;
const SECOND_SHIFT: u32 = 24;

/// The shortest match (RFC 1951, 3.2.5).
const LEAST_LENGTH: u32 = 3;

/// What the next bits mean. See the module for the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    /// No code begins with these bits; one of them is enough to know.
    pub(super) const INVALID: Self = Self(EXCEPTION | 1);

    /// A symbol that no stream has.
    pub(super) const UNUSED: Self = Self(EXCEPTION);

    const END_OF_BLOCK: Self = Self(EXCEPTION | 1 << VALUE_SHIFT);

    const fn literal(byte: u8) -> Self {
        Self(1 << LITERALS_SHIFT | (byte as u32) << VALUE_SHIFT)
    }

    const fn length(base: u16, extra_bits: u8) -> Self {
        Self(LENGTH | (base as u32 - LEAST_LENGTH) << SECOND_SHIFT | extra_bits as u32)
    }

    const fn distance(base: u16, extra_bits: u8) -> Self {
        Self((base as u32) << VALUE_SHIFT | extra_bits as u32)
    }

    /// A literal and then `second`, which is another or a length.
    pub(super) fn then(self, second: Self) -> Self {
        let literal = if second.is_length() { 0 } else { (second.0 >> VALUE_SHIFT & 0xff) << SECOND_SHIFT };
        let second = if second.is_length() { second.0 } else { second.0 & 0xffff };
        Self(self.0 + second + literal)
    }

    /// What leads to the part of the second level at `start` that is indexed by `index_bits`.
    pub(super) fn second_level(index_bits: u8, start: u16) -> Self {
        Self(EXCEPTION | SECOND_LEVEL | u32::from(start) << VALUE_SHIFT | u32::from(index_bits))
    }

    /// The same with a code of `bits`.
    pub(super) fn coded_in(self, bits: u8) -> Self {
        Self(self.0 + u32::from(bits) + (u32::from(bits) << CODE_SHIFT))
    }

    /// How many bits it takes up, in the lowest 6 bits; those above, which shifts disregard, mean something else.
    #[inline(always)]
    pub(super) fn bits_unmasked(self) -> u32 {
        self.0
    }

    /// How many bits it takes up.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0 & 63
    }

    /// Whether there is a length, behind a literal or not.
    #[inline(always)]
    pub(super) fn is_length(self) -> bool {
        self.0 & LENGTH != 0
    }

    /// Whether there are literals and no length.
    #[inline(always)]
    pub(super) fn is_literals_only(self) -> bool {
        self.0 & (LENGTH | EXCEPTION) == 0
    }

    /// How many literals it holds.
    #[inline(always)]
    pub(super) fn literal_count(self) -> usize {
        ((self.0 >> LITERALS_SHIFT) & 3) as usize
    }

    /// Its literals: the first [`literal_count`](Self::literal_count) of these.
    #[inline(always)]
    pub(super) fn literals(self) -> [u8; 4] {
        (self.0 >> VALUE_SHIFT).to_le_bytes()
    }

    /// Whether it leads to the second level, ends the block or is an error.
    #[inline(always)]
    pub(super) fn is_exception(self) -> bool {
        self.0 & EXCEPTION != 0
    }

    #[inline(always)]
    pub(super) fn is_second_level(self) -> bool {
        self.0 & SECOND_LEVEL != 0
    }

    /// Whether it is the exception that ends the block.
    pub(super) fn is_end_of_block(self) -> bool {
        self.0 >> VALUE_SHIFT == 1
    }

    /// The length, where `stream` begins with its code or that of the literal before it.
    #[inline(always)]
    pub(super) fn length_in(self, stream: u64) -> usize {
        (self.0 >> SECOND_SHIFT) as usize + LEAST_LENGTH as usize + self.extra(stream)
    }

    /// The distance, where `stream` begins with its code.
    #[inline(always)]
    pub(super) fn distance_in(self, stream: u64) -> usize {
        (self.0 >> VALUE_SHIFT) as usize + self.extra(stream)
    }

    #[inline(always)]
    fn extra(self, stream: u64) -> usize {
        let codes_and_extra = stream & !(u64::MAX.wrapping_shl(self.0));
        usize::try_from(codes_and_extra.wrapping_shr(self.0 >> CODE_SHIFT)).unwrap_or_default()
    }

    /// Where in the second level the answer to `stream` is.
    #[inline(always)]
    pub(super) fn second_level_index(self, stream: u64) -> usize {
        let index = stream & !(u64::MAX.wrapping_shl(self.0));
        (self.0 >> VALUE_SHIFT) as usize + (index & 0xffff) as usize
    }
}

/// What each literal/length symbol means (RFC 1951, 3.2.5).
pub(super) const LITERAL_MEANINGS: [Entry; LITERAL_SYMBOLS] = {
    let mut meanings = [Entry::UNUSED; LITERAL_SYMBOLS];
    let mut literal = 0_u8;
    loop {
        meanings[literal as usize] = Entry::literal(literal);
        match literal.checked_add(1) {
            Some(next) => literal = next,
            None => break,
        }
    }
    meanings[END_OF_BLOCK] = Entry::END_OF_BLOCK;
    let mut base = 3;
    let mut step = 0;
    while step < 28 {
        let extra_bits = if step < 8 { 0 } else { step / 4 - 1 };
        meanings[END_OF_BLOCK + 1 + step as usize] = Entry::length(base, extra_bits);
        base += 1 << extra_bits;
        step += 1;
    }
    meanings[285] = Entry::length(258, 0);
    meanings
};

/// What each distance symbol means (RFC 1951, 3.2.5).
pub(super) const DISTANCE_MEANINGS: [Entry; DISTANCE_SYMBOLS] = {
    let mut meanings = [Entry::UNUSED; DISTANCE_SYMBOLS];
    let mut base = 1;
    let mut step = 0;
    while step < 30 {
        let extra_bits = if step < 4 { 0 } else { step / 2 - 1 };
        meanings[step as usize] = Entry::distance(base, extra_bits);
        base += 1 << extra_bits;
        step += 1;
    }
    meanings
};

/// The code of the code lengths gives plain numbers (RFC 1951, 3.2.7).
pub(super) const LENGTH_MEANINGS: [Entry; LENGTH_SYMBOLS] = {
    let mut meanings = [Entry::UNUSED; LENGTH_SYMBOLS];
    let mut number = 0_u8;
    while (number as usize) < LENGTH_SYMBOLS {
        meanings[number as usize] = Entry::literal(number);
        number += 1;
    }
    meanings
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_distances_reach_as_far_as_the_rfc_says() {
        let length = |symbol: usize, extra: u64| {
            let entry = LITERAL_MEANINGS[symbol].coded_in(4);
            (entry.length_in(extra << 4 | 0b1010), entry.bits())
        };
        assert_eq!(length(257, 0), (3, 4));
        assert_eq!(length(264, 0), (10, 4));
        assert_eq!(length(265, 1), (12, 5));
        assert_eq!(length(284, 31), (258, 9));
        assert_eq!(length(285, 31), (258, 4));
        let distance = |symbol: usize, extra: u64| {
            let entry = DISTANCE_MEANINGS[symbol].coded_in(4);
            (entry.distance_in(extra << 4 | 0b1010), entry.bits())
        };
        assert_eq!(distance(3, 7), (4, 4));
        assert_eq!(distance(4, 1), (6, 5));
        assert_eq!(distance(29, 8191), (32768, 17));
    }

    #[test]
    fn a_pair_says_what_both_say() {
        let first = LITERAL_MEANINGS[0x41].coded_in(5);
        let pair = first.then(LITERAL_MEANINGS[0xff].coded_in(6));
        assert!(!pair.is_length() && !pair.is_exception());
        assert_eq!((pair.literal_count(), pair.literals(), pair.bits()), (2, [0x41, 0xff, 0, 0], 11));

        let pair = first.then(LITERAL_MEANINGS[269].coded_in(4));
        assert!(pair.is_length() && !pair.is_exception());
        assert_eq!((pair.literal_count(), pair.literals()[0], pair.bits()), (1, 0x41, 11));
        assert_eq!(pair.length_in(0b101_1110_0000), 21);
    }
}
