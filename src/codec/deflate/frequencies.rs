//! How often symbols occur, what that costs in a code, and whether a text has changed so much that new codes pay.

use super::huffman::MAX_SYMBOLS;
use super::token::{
    DISTANCE_KINDS, DISTANCE_SYMBOLS, KINDS, LENGTH_EXTRA, LENGTHS, Token, distance_extra_bits,
};

/// How often each symbol of the two alphabets occurs.
#[derive(Clone)]
pub(super) struct Frequencies {
    pub(super) literals: [u32; MAX_SYMBOLS],
    pub(super) distances: [u32; DISTANCE_KINDS],
}

impl Frequencies {
    pub(super) const NONE: Self = Self { literals: [0; MAX_SYMBOLS], distances: [0; DISTANCE_KINDS] };

    /// Counts the symbols of these tokens, without the end of the block.
    ///
    /// Four tokens that follow each other are counted apart: most have the symbol of the one before, whose count would have to
    /// be there first.
    pub(super) fn of(tokens: &[Token]) -> Self {
        let mut kinds = [[0u32; KINDS]; ABREAST];
        let mut distances = [[0u32; DISTANCE_KINDS]; ABREAST];
        let mut count = |tokens: &[Token]| {
            for ((token, kinds), distances) in tokens.iter().zip(&mut kinds).zip(&mut distances) {
                kinds[token.kind()] += 1;
                distances[token.distance_symbol()] += 1;
            }
        };
        let (together, rest) = tokens.as_chunks::<ABREAST>();
        together.iter().for_each(|tokens| count(tokens));
        count(rest);
        let kinds: [u32; KINDS] = sum(&kinds);
        let mut frequencies = Self { literals: [0; MAX_SYMBOLS], distances: sum(&distances) };
        frequencies.distances[DISTANCE_SYMBOLS..].fill(0);
        let (literals, lengths) = kinds.split_at(256);
        frequencies.literals[..256].copy_from_slice(literals);
        for (&(symbol, _), &count) in LENGTHS.iter().zip(lengths) {
            frequencies.literals[257 + usize::from(symbol)] += count;
        }
        frequencies
    }

    /// Adds those of what follows.
    pub(super) fn add(&mut self, other: &Self) {
        let all = self.literals.iter_mut().chain(&mut self.distances);
        for (own, other) in all.zip(other.literals.iter().chain(&other.distances)) {
            *own += other;
        }
    }

    /// Bits of all symbols and of their extra bits.
    pub(super) fn cost(&self, literals: &[u8; MAX_SYMBOLS], distances: &[u8; DISTANCE_KINDS]) -> u64 {
        let extra =
            |symbol: usize| symbol.checked_sub(257).and_then(|length| LENGTH_EXTRA.get(length)).copied();
        let literal_bits =
            (0..).zip(self.literals.iter().zip(literals)).map(|(symbol, (&frequency, &bits))| {
                u64::from(frequency) * u64::from(bits + extra(symbol).unwrap_or(0))
            });
        let distance_bits =
            (0..).zip(self.distances.iter().zip(distances)).map(|(symbol, (&frequency, &bits))| {
                u64::from(frequency) * u64::from(bits + distance_extra_bits(symbol))
            });
        literal_bits.sum::<u64>() + distance_bits.sum::<u64>()
    }

    /// Whether these tokens and those of `other`, which follow, are probably shorter with a code for each.
    pub(super) fn differ_from(&self, other: &Self) -> bool {
        let mut both = self.clone();
        both.add(other);
        self.entropy() + other.entropy() + PREAMBLE < both.entropy()
    }

    /// The least these symbols can take (Shannon 1948), in 1/256 bits.
    fn entropy(&self) -> u64 {
        let of = |frequencies: &[u32]| {
            let weighted = |frequency: u32| u64::from(frequency) * u64::from(log2(frequency));
            weighted(frequencies.iter().sum()).saturating_sub(frequencies.iter().copied().map(weighted).sum())
        };
        of(&self.literals) + of(&self.distances)
    }
}

/// Tokens that are counted beside each other.
const ABREAST: usize = 4;

fn sum<const N: usize>(counts: &[[u32; N]; ABREAST]) -> [u32; N] {
    std::array::from_fn(|symbol| counts.iter().map(|counts| counts[symbol]).sum())
}

/// What another block costs to tell its codes: about 70 bytes, in 1/256 bits.
const PREAMBLE: u64 = 70 * 8 * 256;

/// The logarithm in 1/256, rounded down; 0 of 0.
fn log2(number: u32) -> u32 {
    let Some(whole) = number.checked_ilog2() else { return 0 };
    // The highest bit and the seven below it.
    let leading = if whole > 7 { number >> (whole - 7) } else { number << (7 - whole) };
    whole * 256 + u32::from(FRACTIONS[(leading & 0x7F) as usize])
}

/// The logarithm of 1 + n/128, in 1/256.
const FRACTIONS: [u8; 128] = {
    let mut fractions = [0; 128];
    let mut n = 0;
    while n < 128 {
        // Squaring doubles the logarithm: each time the square passes 2, its next bit is 1.
        let mut power = (128 + n as u64) << 24;
        let mut bit = 0x80;
        while bit > 0 {
            power = (power * power) >> 31;
            if power >= 2 << 31 {
                power >>= 1;
                fractions[n] |= bit;
            }
            bit >>= 1;
        }
        n += 1;
    }
    fractions
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_within_two_parts_of_its_256() {
        assert_eq!((log2(0), log2(1), log2(2), log2(1 << 22)), (0, 0, 256, 22 * 256));
        for number in (1..300).chain((300..4_000_000).step_by(997)) {
            let exact = f64::from(number).log2() * 256.0;
            let ours = f64::from(log2(number));
            assert!(ours <= exact + 1e-9 && exact - ours < 4.0, "{number}: {ours} for {exact}");
        }
    }

    #[test]
    fn tokens_of_another_kind_pay_for_their_own_codes() {
        let letters: Vec<Token> =
            (0..4096u32).map(|n| Token::literal(b'a' + n.to_le_bytes()[0] % 16)).collect();
        let digits: Vec<Token> =
            (0..4096u32).map(|n| Token::literal(b'0' + n.to_le_bytes()[0] % 10)).collect();
        let (letters, digits) = (Frequencies::of(&letters), Frequencies::of(&digits));
        assert!(letters.differ_from(&digits));
        assert!(!letters.differ_from(&letters));
        assert!(!digits.differ_from(&Frequencies::NONE));
    }

    #[test]
    fn lengths_are_counted_under_their_symbols() {
        let frequencies =
            Frequencies::of(&[Token::found(258, 1), Token::found(3, 32_768), Token::literal(0)]);
        assert_eq!(
            (frequencies.literals[285], frequencies.literals[257], frequencies.literals[0]),
            (1, 1, 1)
        );
        assert_eq!((frequencies.distances[0], frequencies.distances[29]), (1, 1));
        assert_eq!(frequencies.literals.iter().sum::<u32>(), 3);
        assert_eq!(frequencies.distances.iter().sum::<u32>(), 2);
    }
}
