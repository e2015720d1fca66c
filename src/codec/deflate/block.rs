//! One block: what each of the three kinds costs, bit for bit, and the cheapest one written (RFC 1951, section 3.2.3).

use std::ops::Range;

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
        // How many bits a literal or length takes, and above these 8 bits its code with its extra bits.
        let mut kinds = [0u32; KINDS];
        for (byte, kind) in kinds[..256].iter_mut().enumerate() {
            *kind = u32::from(self.literals.codes[byte]) << 8 | u32::from(self.literals.lengths[byte]);
        }
        for (kind, &(symbol, extra)) in kinds[256..].iter_mut().zip(&LENGTHS) {
            let symbol = usize::from(symbol);
            let bits = self.literals.lengths[257 + symbol];
            let code = u32::from(self.literals.codes[257 + symbol]) | u32::from(extra) << bits;
            *kind = code << 8 | u32::from(bits + LENGTH_EXTRA[symbol]);
        }
        // A distance's extra bits differ from token to token: the bits of both, those of the code, the code.
        let mut distances = [0u32; DISTANCE_KINDS];
        for (symbol, distance) in distances[..DISTANCE_SYMBOLS].iter_mut().enumerate() {
            let bits = self.distances.lengths[symbol];
            let both = bits + distance_extra_bits(symbol);
            *distance =
                u32::from(self.distances.codes[symbol]) << 16 | u32::from(bits) << 8 | u32::from(both);
        }
        writer.put_each(tokens, |token| {
            let kind = kinds[token.kind()];
            let distance = distances[token.distance_symbol()];
            let far = u64::from(distance >> 16) | token.distance_extra() << (distance >> 8 & 63);
            let bits = u64::from(kind >> 8) | far << (kind & 63);
            (bits, (kind + distance) & 63)
        });
        writer.put(
            u64::from(self.literals.codes[END_OF_BLOCK]),
            u32::from(self.literals.lengths[END_OF_BLOCK]),
        );
        writer.flush();
    }
}

/// Bytes a stored block can hold (RFC 1951, section 3.2.4).
pub(crate) const STORED: usize = 65_535;

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

/// Writes a block as the kind that takes the fewest bits.
///
/// Stored content waits for what follows, since one stored block is shorter than two.
pub(super) struct BlockWriter<'a> {
    bits: BitWriter<'a>,
    text: &'a [u8],
    waiting: Range<usize>,
}

impl<'a> BlockWriter<'a> {
    /// Writes blocks of consecutive parts of `text`, the first of which starts at `at`, after what is in `output`.
    pub(super) fn new(text: &'a [u8], at: usize, output: &'a mut Vec<u8>) -> Self {
        Self { bits: BitWriter::new(output), text, waiting: at..at }
    }

    /// Writes the text up to `to`, which these tokens stand for.
    pub(super) fn write(&mut self, to: usize, tokens: &[Token], frequencies: &Frequencies, is_final: bool) {
        let mut frequencies = frequencies.clone();
        frequencies.literals[END_OF_BLOCK] = 1;
        let optimal = Codes::optimal(&frequencies);
        let preamble = Preamble::of(&optimal);
        let optimal_cost =
            preamble.cost() + frequencies.cost(&optimal.literals.lengths, &optimal.distances.lengths);
        let fixed_cost = frequencies.cost(&FIXED_LITERALS, &FIXED_DISTANCES);
        let coded_cost = 3 + optimal_cost.min(fixed_cost);
        if self.stored_cost(to) <= coded_cost {
            return self.store(to, is_final);
        }
        self.flush(false);
        self.waiting = to..to;
        self.bits.reserve(coded_cost);
        self.bits.put(u64::from(is_final), 1);
        if fixed_cost <= optimal_cost {
            self.bits.put(1, 2);
            Codes::fixed().put_tokens(&mut self.bits, tokens);
        } else {
            self.bits.put(2, 2);
            preamble.put(&mut self.bits);
            optimal.put_tokens(&mut self.bits, tokens);
        }
    }

    /// Stores the text up to `to`.
    pub(super) fn store(&mut self, to: usize, is_final: bool) {
        self.waiting.end = to;
        if is_final {
            self.flush(true);
        }
    }

    /// Ends on a byte boundary, with an empty stored block unless the last block was final.
    pub(super) fn finish(mut self, is_last: bool) {
        if !is_last {
            self.flush(false);
            self.put_stored(&[], false);
        }
        self.bits.finish();
    }

    /// Bits that the text up to `to` takes when it is stored after what waits.
    fn stored_cost(&self, to: usize) -> u64 {
        let blocks = |bytes: usize| bytes.div_ceil(STORED) as u64;
        let content = to - self.waiting.end;
        if self.waiting.is_empty() {
            // After the first, all start on a byte boundary: 3 bits and 5 to fill the byte.
            let first = 3 + u64::from((self.bits.padding() + 5) % 8) + 32;
            content as u64 * 8 + first + blocks(content).saturating_sub(1) * 40
        } else {
            content as u64 * 8 + (blocks(to - self.waiting.start) - blocks(self.waiting.len())) * 40
        }
    }

    /// Writes what waits.
    fn flush(&mut self, is_final: bool) {
        if !self.waiting.is_empty() || is_final {
            let text = self.text;
            self.put_stored(&text[self.waiting.clone()], is_final);
            self.waiting.start = self.waiting.end;
        }
    }

    /// Writes `content` in stored blocks, at least one. Ends on a byte boundary.
    fn put_stored(&mut self, content: &[u8], is_final: bool) {
        let mut rest = content;
        loop {
            let (block, after) = rest.split_at(rest.len().min(STORED));
            rest = after;
            self.bits.reserve(16);
            self.bits.put(u64::from(is_final && rest.is_empty()), 3);
            self.bits.align();
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            self.bits.bytes(&length.to_le_bytes());
            self.bits.bytes(&(!length).to_le_bytes());
            self.bits.bytes(block);
            if rest.is_empty() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Deflater;
    use super::*;

    fn codes(tokens: &[Token]) -> (Codes, Frequencies) {
        let mut frequencies = Frequencies::of(tokens);
        frequencies.literals[END_OF_BLOCK] = 1;
        (Codes::optimal(&frequencies), frequencies)
    }

    /// The bits that `put` puts.
    fn bits(put: impl Fn(&mut BitWriter<'_>)) -> u64 {
        let mut output = Vec::new();
        let mut writer = BitWriter::new(&mut output);
        writer.reserve(80_000);
        put(&mut writer);
        let padding = writer.padding();
        writer.finish();
        output.len() as u64 * 8 - u64::from(padding)
    }

    fn samples() -> [Vec<Token>; 3] {
        let letters = (0..=255).map(|n| Token::literal(b'a' + n % 16)).collect();
        let all = (0..=255).map(Token::literal).collect();
        let far = (3..=258).zip(1..).map(|(length, n)| Token::found(length, n * 128)).collect();
        [letters, all, far]
    }

    #[test]
    fn a_block_takes_the_bits_that_it_was_said_to_cost() {
        for tokens in samples() {
            let (codes, frequencies) = codes(&tokens);
            let preamble = Preamble::of(&codes);
            assert_eq!(bits(|writer| preamble.put(writer)), preamble.cost());
            let cost = frequencies.cost(&codes.literals.lengths, &codes.distances.lengths);
            assert_eq!(bits(|writer| codes.put_tokens(writer, &tokens)), cost);
        }
    }

    /// Bytes in one order whose own codes cost a few bits more than they save.
    fn hardly_worth_codes(count: usize) -> Vec<u8> {
        let with_zeros = |zeros: usize| -> Vec<u8> {
            (0..count).map(|n| if n < zeros { 0 } else { n.to_le_bytes()[0] }).collect()
        };
        let is_so = |text: &Vec<u8>| {
            let tokens: Vec<Token> = text.iter().copied().map(Token::literal).collect();
            let (codes, frequencies) = codes(&tokens);
            let told = frequencies.cost(&codes.literals.lengths, &codes.distances.lengths);
            let cost = 3 + Preamble::of(&codes).cost() + told;
            (8 * count as u64 + 8..8 * count as u64 + 35).contains(&cost)
        };
        (0..count).map(with_zeros).find(is_so).unwrap()
    }

    #[test]
    fn blocks_that_each_gain_nothing_have_room_together() {
        let block = hardly_worth_codes(super::super::PIECE);
        let tokens: Vec<Token> = block.iter().copied().map(Token::literal).collect();
        let text = block.repeat(64);
        let mut output = Vec::with_capacity(Deflater::room(text.len()));
        let room = output.capacity();
        let mut blocks = BlockWriter::new(&text, 0, &mut output);
        for number in 1..=64 {
            blocks.write(number * block.len(), &tokens, &Frequencies::of(&tokens), false);
        }
        blocks.finish(false);
        assert!(output.len() > text.len() + 64, "each was written with codes");
        assert_eq!(output.capacity(), room);
    }

    #[test]
    fn stored_text_takes_the_bits_that_it_was_said_to_cost() {
        let (text, start) = (vec![7; 300_000], 70_000);
        for (before, waiting) in
            (0..8).flat_map(|before| [0, 1, 65_535, 70_000].map(|waiting| (before, waiting)))
        {
            let store = |to| {
                let mut output = Vec::new();
                let mut blocks = BlockWriter::new(&text, start, &mut output);
                blocks.bits.reserve(8);
                blocks.bits.put(0, before);
                if waiting > 0 {
                    blocks.store(start + waiting, false);
                }
                let cost = blocks.stored_cost(to);
                blocks.store(to, true);
                blocks.bits.finish();
                (output.len() as u64 * 8, cost)
            };
            let without = if waiting > 0 { store(start + waiting).0 } else { before.into() };
            for more in [1, 100, 65_535, 65_536, 130_000] {
                let (bits, cost) = store(start + waiting + more);
                assert_eq!(bits - without, cost, "{more} after {waiting} and {before} bits");
            }
        }
    }

    #[test]
    fn no_more_lengths_of_codes_are_told_than_are_used() {
        let [letters, _, far] = samples();
        let preamble = Preamble::of(&codes(&letters).0);
        assert_eq!((preamble.literals, preamble.distances), (257, 2));
        let preamble = Preamble::of(&codes(&far).0);
        assert_eq!((preamble.literals, preamble.distances), (286, 30));
        let last = ORDER[preamble.lengths - 1];
        assert!(preamble.lengths == 4 || preamble.code.lengths[last] > 0);
    }
}
