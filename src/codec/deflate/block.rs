//! One block: what each of the three kinds costs, bit for bit, and the cheapest one written (RFC 1951, section 3.2.3).

use super::bits::BitWriter;
use super::frequencies::Frequencies;
use super::huffman::{Code, MAX_SYMBOLS};
use super::token::{
    DISTANCE_KINDS, DISTANCE_SYMBOLS, END_OF_BLOCK, KINDS, LENGTH_EXTRA, LENGTHS, LITERAL_SYMBOLS, Token,
    distance_extra_bits,
};

/// Code lengths that need not be told (RFC 1951, section 3.2.6).
const FIXED_LITERALS: [u8; MAX_SYMBOLS] = {
    let mut lengths = [8; MAX_SYMBOLS];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};
const FIXED_DISTANCES: [u8; DISTANCE_KINDS] = [5; DISTANCE_KINDS];

/// Codes of both alphabets, and how they are told to the reader.
struct Codes {
    literals: Code<MAX_SYMBOLS>,
    distances: Code<DISTANCE_KINDS>,
}

impl Codes {
    fn optimal(frequencies: &Frequencies) -> Self {
        Self {
            literals: Code::optimal(&frequencies.literals, 15),
            distances: Code::optimal(&frequencies.distances, 15),
        }
    }

    /// The codes that need not be told.
    fn fixed() -> Self {
        Self { literals: Code::canonical(FIXED_LITERALS), distances: Code::canonical(FIXED_DISTANCES) }
    }

    fn put_tokens(&self, writer: &mut BitWriter<'_>, tokens: &[Token]) {
        // Code and extra bits of a literal or length in one, its bit count above them.
        let mut kinds = [0u32; KINDS];
        for (byte, kind) in kinds[..256].iter_mut().enumerate() {
            *kind = u32::from(self.literals.codes[byte]) | u32::from(self.literals.lengths[byte]) << 24;
        }
        for (kind, &(symbol, extra)) in kinds[256..].iter_mut().zip(&LENGTHS) {
            let symbol = usize::from(symbol);
            let bits = self.literals.lengths[257 + symbol];
            let code = u32::from(self.literals.codes[257 + symbol]) | u32::from(extra) << bits;
            *kind = code | u32::from(bits + LENGTH_EXTRA[symbol]) << 24;
        }
        // A distance's extra bits differ from token to token: code, its bit count, the bit count of both.
        let mut distances = [0u32; DISTANCE_KINDS];
        for (symbol, distance) in distances[..DISTANCE_SYMBOLS].iter_mut().enumerate() {
            let bits = self.distances.lengths[symbol];
            let both = bits + distance_extra_bits(symbol);
            *distance =
                u32::from(self.distances.codes[symbol]) | u32::from(bits) << 16 | u32::from(both) << 24;
        }
        writer.put_each(tokens, |token| {
            let kind = kinds[token.kind()];
            let distance = distances[token.distance_symbol()];
            let far = u64::from(distance & 0xFFFF) | token.distance_extra() << (distance >> 16 & 0xFF);
            let length = kind >> 24;
            (u64::from(kind & 0xFF_FFFF) | far << length, length + (distance >> 24))
        });
        writer.put(
            u64::from(self.literals.codes[END_OF_BLOCK]),
            u32::from(self.literals.lengths[END_OF_BLOCK]),
        );
        writer.flush();
    }
}

/// In which order the lengths of the code for code lengths are sent.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// How a block tells its codes (RFC 1951, section 3.2.7): code lengths, runs of them folded, in a code of their own.
struct Preamble {
    /// Symbol, extra bits and their count.
    folded: [(u8, u8, u8); LITERAL_SYMBOLS + DISTANCE_SYMBOLS],
    count: usize,
    code: Code<19>,
    literals: usize,
    distances: usize,
    lengths: usize,
}

impl Preamble {
    fn of(codes: &Codes) -> Self {
        let used = |lengths: &[u8], least: usize| {
            lengths.iter().rposition(|&length| length > 0).map_or(least, |last| least.max(last + 1))
        };
        let literals = used(&codes.literals.lengths[..LITERAL_SYMBOLS], 257);
        let distances = used(&codes.distances.lengths[..DISTANCE_SYMBOLS], 1);
        let mut all = [0; LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
        all[..literals].copy_from_slice(&codes.literals.lengths[..literals]);
        all[literals..literals + distances].copy_from_slice(&codes.distances.lengths[..distances]);

        let mut folded = [(0, 0, 0); LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
        let mut count = 0;
        let mut frequencies = [0; 19];
        let mut put = |symbol: u8, extra: usize, bits: u8| {
            folded[count] = (symbol, u8::try_from(extra).unwrap_or_default(), bits);
            frequencies[usize::from(symbol)] += 1;
            count += 1;
        };
        for run in all[..literals + distances].chunk_by(|a, b| a == b) {
            let length = run[0];
            let mut left = run.len();
            if length == 0 {
                while left >= 11 {
                    let part = left.min(138);
                    put(18, part - 11, 7);
                    left -= part;
                }
                if left >= 3 {
                    put(17, left - 3, 3);
                    left = 0;
                }
            } else {
                put(length, 0, 0);
                left -= 1;
                while left >= 3 {
                    let part = left.min(6);
                    put(16, part - 3, 2);
                    left -= part;
                }
            }
            for _ in 0..left {
                put(length, 0, 0);
            }
        }
        let code = Code::optimal(&frequencies, 7);
        let lengths =
            ORDER.iter().rposition(|&symbol| code.lengths[symbol] > 0).map_or(4, |last| 4.max(last + 1));
        Self { folded, count, code, literals, distances, lengths }
    }

    fn cost(&self) -> u64 {
        let folded = self.folded[..self.count].iter();
        let bits = folded.map(|&(symbol, _, bits)| u64::from(self.code.lengths[usize::from(symbol)] + bits));
        14 + 3 * self.lengths as u64 + bits.sum::<u64>()
    }

    fn put(&self, writer: &mut BitWriter<'_>) {
        writer.put(self.literals as u64 - 257, 5);
        writer.put(self.distances as u64 - 1, 5);
        writer.put(self.lengths as u64 - 4, 4);
        writer.flush();
        for &symbol in &ORDER[..self.lengths] {
            writer.put(u64::from(self.code.lengths[symbol]), 3);
            writer.flush();
        }
        for &(symbol, extra, bits) in &self.folded[..self.count] {
            let symbol = usize::from(symbol);
            writer.put(u64::from(self.code.codes[symbol]), u32::from(self.code.lengths[symbol]));
            writer.put(u64::from(extra), u32::from(bits));
            writer.flush();
        }
    }
}

/// Writes `content`, whose tokens have these frequencies, as the kind of block that takes the fewest bits.
pub(super) fn write(
    writer: &mut BitWriter<'_>,
    content: &[u8],
    tokens: &[Token],
    frequencies: &Frequencies,
    is_final: bool,
) {
    let mut frequencies = frequencies.clone();
    frequencies.literals[END_OF_BLOCK] = 1;
    let optimal = Codes::optimal(&frequencies);
    let preamble = Preamble::of(&optimal);
    let optimal_cost =
        preamble.cost() + frequencies.cost(&optimal.literals.lengths, &optimal.distances.lengths);
    let fixed_cost = frequencies.cost(&FIXED_LITERALS, &FIXED_DISTANCES);
    let coded_cost = optimal_cost.min(fixed_cost);
    if stored_cost(writer, content) <= coded_cost + 3 {
        return write_stored(writer, content, is_final);
    }
    writer.reserve(coded_cost + 3);
    writer.put(u64::from(is_final), 1);
    if fixed_cost <= optimal_cost {
        writer.put(1, 2);
        Codes::fixed().put_tokens(writer, tokens);
    } else {
        writer.put(2, 2);
        preamble.put(writer);
        optimal.put_tokens(writer, tokens);
    }
}

/// Bytes a stored block can hold.
const STORED: usize = 65_535;

fn stored_cost(writer: &BitWriter<'_>, content: &[u8]) -> u64 {
    let blocks = content.len().div_ceil(STORED).max(1) as u64;
    // After the first, all start on a byte boundary: 3 bits and 5 to fill the byte.
    let first = 3 + u64::from((writer.padding() + 5) % 8);
    content.len() as u64 * 8 + first + 32 + (blocks - 1) * 40
}

/// Writes `content` in stored blocks, at least one. Ends on a byte boundary.
pub(super) fn write_stored(writer: &mut BitWriter<'_>, content: &[u8], is_final: bool) {
    let mut rest = content;
    loop {
        let (block, after) = rest.split_at(rest.len().min(STORED));
        rest = after;
        writer.reserve(16);
        writer.put(u64::from(is_final && rest.is_empty()), 3);
        writer.align();
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        writer.bytes(&length.to_le_bytes());
        writer.bytes(&(!length).to_le_bytes());
        writer.bytes(block);
        if rest.is_empty() {
            return;
        }
    }
}
