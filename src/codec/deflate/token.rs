//! What a parse yields: literals and matches, packed so that both are counted and written alike, without a branch.
//!
//! The alphabets are those of RFC 1951, section 3.2.5.

use zeroize::DefaultIsZeroes;

/// The shortest match deflate can express.
pub(super) const MIN_MATCH: usize = 3;
/// The longest match deflate can express.
pub(super) const MAX_MATCH: usize = 258;
/// How far back a match may lie (section 2).
pub(crate) const WINDOW: usize = 32 * 1024;
/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;
/// Literals, the end of the block, lengths.
pub(super) const LITERAL_SYMBOLS: usize = 286;
/// Distances.
pub(super) const DISTANCE_SYMBOLS: usize = 30;

/// First length of each length symbol from 257 on.
const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
/// Extra bits of each length symbol from 257 on.
pub(super) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// A literal or a match.
///
/// Bits 0 to 8: the literal, or 256 plus the length less 3. Bits 9 to 13: the distance symbol, 30 for a literal. Bits
/// 14 to 26: the distance symbol's extra bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Token(u32);

impl DefaultIsZeroes for Token {}

/// Values of [`Token::kind`].
pub(super) const KINDS: usize = 512;
/// Values of [`Token::distance_symbol`]; the last two stand for no distance.
pub(super) const DISTANCE_KINDS: usize = 32;
const NO_DISTANCE: u32 = 30;

impl Token {
    #[inline(always)]
    pub(super) fn literal(byte: u8) -> Self {
        Self(u32::from(byte) | NO_DISTANCE << 9)
    }

    /// A match of 3 to 258 bytes, 1 to 32,768 back.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "both are within their 9 and 15 bits")]
    pub(super) fn found(length: usize, distance: usize) -> Self {
        let far = distance as u32 - 1;
        // From 4 on, two symbols share a power of two: its bit length and the bit below it are the symbol.
        let bits = (far | 2).ilog2();
        let extra = bits - 1;
        let symbol = if far < 2 { far } else { bits * 2 + (far >> extra & 1) };
        let rest = far & ((1 << extra) - 1);
        Self((length - MIN_MATCH + 256) as u32 | symbol << 9 | rest << 14)
    }

    /// The literal, or 256 plus the length less 3.
    #[inline(always)]
    pub(super) fn kind(self) -> usize {
        (self.0 & 0x1FF) as usize
    }

    /// The distance symbol, 30 for none.
    #[inline(always)]
    pub(super) fn distance_symbol(self) -> usize {
        (self.0 >> 9 & 31) as usize
    }

    /// The distance symbol's extra bits.
    #[inline(always)]
    pub(super) fn distance_extra(self) -> u64 {
        u64::from(self.0 >> 14)
    }
}

/// Tokens one after the other, in a buffer that is as large as they may become.
pub(super) struct Tokens<'a> {
    buffer: &'a mut [Token],
    count: usize,
    full: usize,
}

impl<'a> Tokens<'a> {
    /// How many a parse may add to tokens that are full.
    pub(super) const SPARE: usize = 32;

    /// Goes on after the first `count` of the buffer, until `full` are there.
    pub(super) fn after(buffer: &'a mut [Token], count: usize, full: usize) -> Self {
        Self { buffer, count, full }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, token: Token) {
        if let Some(place) = self.buffer.get_mut(self.count) {
            *place = token;
            self.count += 1;
        }
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.count >= self.full
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// Extra bits of a distance symbol.
#[allow(clippy::cast_possible_truncation, reason = "a symbol is below 32")]
pub(super) const fn distance_extra_bits(symbol: usize) -> u8 {
    if symbol < 4 || symbol >= DISTANCE_SYMBOLS { 0 } else { (symbol / 2 - 1) as u8 }
}

/// Length symbol less 257, and the value of its extra bits, by length less 3.
#[allow(clippy::cast_possible_truncation, reason = "both are below 32")]
pub(super) const LENGTHS: [(u8, u8); 256] = {
    let mut table = [(0, 0); 256];
    let mut symbol = 0;
    while symbol < 29 {
        let base = LENGTH_BASE[symbol] as usize;
        let mut extra = 0;
        while extra < 1 << LENGTH_EXTRA[symbol] {
            // 258 has a symbol of its own, which comes last.
            table[base + extra - MIN_MATCH] = (symbol as u8, extra as u8);
            extra += 1;
        }
        symbol += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_its_symbols_first_and_the_extra_bits() {
        for (length, &(symbol, extra)) in (MIN_MATCH..=MAX_MATCH).zip(&LENGTHS) {
            let symbol = usize::from(symbol);
            assert_eq!(usize::from(LENGTH_BASE[symbol]) + usize::from(extra), length);
            assert!(u32::from(extra) < 1 << LENGTH_EXTRA[symbol]);
        }
        assert_eq!(LENGTHS[MAX_MATCH - MIN_MATCH], (28, 0), "258 has a symbol of its own");
    }

    #[test]
    fn every_distance_is_its_symbols_first_and_the_extra_bits() {
        let mut first = 1;
        for symbol in 0..DISTANCE_SYMBOLS {
            let many = 1 << distance_extra_bits(symbol);
            for extra in 0..many {
                let token = Token::found(100, first + extra);
                assert_eq!((token.distance_symbol(), token.distance_extra()), (symbol, extra as u64));
                assert_eq!(token.kind(), 256 + 97);
            }
            first += many;
        }
        assert_eq!(first, WINDOW + 1);
    }

    #[test]
    fn a_literal_has_no_distance() {
        let token = Token::literal(255);
        assert_eq!((token.kind(), token.distance_extra()), (255, 0));
        assert!(token.distance_symbol() >= DISTANCE_SYMBOLS);
    }
}
