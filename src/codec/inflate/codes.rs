//! The two codes of a block: the fixed ones, or those that its header describes (RFC 1951, 3.2.6 and 3.2.7).

use std::sync::LazyLock;

use super::bits::Bits;
use super::canonical::BadCode;
use super::entry::{DISTANCE_SYMBOLS, END_OF_BLOCK, LENGTH_SYMBOLS, LITERAL_SYMBOLS};
use super::table::{DistanceTable, LengthTable, LiteralTable};

/// The order in which the header has the lengths of the codes of the code lengths.
const LENGTH_ORDER: [u8; LENGTH_SYMBOLS] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// How many literal/length and distance symbols a header may describe.
const MOST_LITERALS: usize = 286;
const MOST_DISTANCES: usize = 30;

/// The codes of a block.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) literals: LiteralTable,
    pub(super) distances: DistanceTable,
}

impl Codes {
    pub(super) const fn new() -> Self {
        Self { literals: LiteralTable::new(), distances: DistanceTable::new() }
    }

    /// The fixed codes.
    pub(super) fn fixed() -> &'static Self {
        static FIXED: LazyLock<Box<Codes>> = LazyLock::new(|| {
            let mut lengths = [8; LITERAL_SYMBOLS];
            lengths[144..256].fill(9);
            lengths[256..280].fill(7);
            let mut codes = Box::new(Codes::new());
            // Cannot fail, since both codes are complete.
            codes.assign(&lengths, &[5; DISTANCE_SYMBOLS]).unwrap_or_default();
            codes
        });
        &FIXED
    }

    fn assign(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), BadCode> {
        self.literals.assign_literals(literals)?;
        self.distances.assign_distances(distances)
    }
}

/// What came of reading a header further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There are too few bits.
    NeedsInput,
    /// The codes are there.
    Complete,
    /// It describes no codes that a block can have.
    Damaged,
}

/// The header of a block with codes of its own, as far as it was read.
#[derive(Debug)]
pub(super) struct Header {
    part: Part,
    literal_count: usize,
    distance_count: usize,
    length_count: usize,
    /// How many lengths of the part are known.
    known: usize,
    lengths: [u8; MOST_LITERALS + MOST_DISTANCES],
    length_table: LengthTable,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Counts,
    LengthCode,
    Lengths,
}

impl Header {
    pub(super) const fn new() -> Self {
        Self {
            part: Part::Counts,
            literal_count: 0,
            distance_count: 0,
            length_count: 0,
            known: 0,
            lengths: [0; MOST_LITERALS + MOST_DISTANCES],
            length_table: LengthTable::new(),
        }
    }

    /// Starts over with the next header.
    pub(super) fn reset(&mut self) {
        self.part = Part::Counts;
        self.known = 0;
    }

    /// Reads as much as there is, and at the end assigns `codes`. A part whose bits are not all there stays unread.
    pub(super) fn read(&mut self, codes: &mut Codes, bits: &mut Bits, input: &mut &[u8]) -> Progress {
        loop {
            let progress = match self.part {
                Part::Counts => self.read_counts(bits, input),
                Part::LengthCode => self.read_length_code(bits, input),
                Part::Lengths => self.read_lengths(bits, input),
            };
            match (progress, self.part) {
                (Progress::Complete, Part::Counts) => self.part = Part::LengthCode,
                (Progress::Complete, Part::LengthCode) => self.part = Part::Lengths,
                (Progress::Complete, Part::Lengths) => return self.assign(codes),
                (progress, _) => return progress,
            }
            self.known = 0;
        }
    }

    fn read_counts(&mut self, bits: &mut Bits, input: &mut &[u8]) -> Progress {
        bits.fill(input);
        let Some(counts) = bits.take(14) else { return Progress::NeedsInput };
        self.literal_count = (counts & 31) as usize + 257;
        self.distance_count = (counts >> 5 & 31) as usize + 1;
        self.length_count = (counts >> 10 & 15) as usize + 4;
        self.lengths.fill(0);
        match self.literal_count <= MOST_LITERALS && self.distance_count <= MOST_DISTANCES {
            true => Progress::Complete,
            false => Progress::Damaged,
        }
    }

    fn read_length_code(&mut self, bits: &mut Bits, input: &mut &[u8]) -> Progress {
        for symbol in LENGTH_ORDER.iter().take(self.length_count).skip(self.known) {
            bits.fill(input);
            let Some(length) = bits.take(3) else { return Progress::NeedsInput };
            self.lengths[usize::from(*symbol)] = (length & 7) as u8;
            self.known += 1;
        }
        let lengths = self.lengths.get(..LENGTH_SYMBOLS).unwrap_or_default();
        match self.length_table.assign_lengths(lengths) {
            Ok(()) => Progress::Complete,
            Err(BadCode) => Progress::Damaged,
        }
    }

    /// The lengths of both codes are one list: a repetition may run over from the one into the other.
    fn read_lengths(&mut self, bits: &mut Bits, input: &mut &[u8]) -> Progress {
        let total = self.literal_count + self.distance_count;
        while self.known < total {
            bits.fill(input);
            let mut ahead = *bits;
            let entry = self.length_table.first(ahead.buffer);
            if ahead.take(entry.bits()).is_none() {
                return Progress::NeedsInput;
            }
            let [symbol, ..] = entry.literals();
            let (extra_bits, least) = match symbol {
                16 => (2, 3),
                17 => (3, 3),
                18 => (7, 11),
                _ => (0, 1),
            };
            let Some(extra) = ahead.take(extra_bits) else { return Progress::NeedsInput };
            let length = match symbol {
                16 => match self.known.checked_sub(1).and_then(|last| self.lengths.get(last)) {
                    Some(last) => *last,
                    None => return Progress::Damaged,
                },
                17 | 18 => 0,
                length => length,
            };
            let end = self.known + least + extra as usize;
            match self.lengths.get_mut(self.known..end).filter(|_| end <= total) {
                Some(lengths) => lengths.fill(length),
                None => return Progress::Damaged,
            }
            self.known = end;
            *bits = ahead;
        }
        Progress::Complete
    }

    fn assign(&self, codes: &mut Codes) -> Progress {
        let described = self.lengths.split_at_checked(self.literal_count);
        let described =
            described.and_then(|(literals, rest)| Some((literals, rest.get(..self.distance_count)?)));
        match described {
            Some((literals, distances)) if literals.get(END_OF_BLOCK).is_some_and(|length| *length > 0) => {
                match codes.assign(literals, distances) {
                    Ok(()) => Progress::Complete,
                    Err(BadCode) => Progress::Damaged,
                }
            }
            _ => Progress::Damaged,
        }
    }
}
