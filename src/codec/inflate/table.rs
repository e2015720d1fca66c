//! Prefix codes as tables that are indexed by the next bits of the stream (RFC 1951, 3.2.2).
//!
//! A table has two levels. The first is indexed by a fixed number of bits and answers for every code that is no longer;
//! for a longer code it leads to a part of the second level, which the bits that follow index. In a paired table, a
//! literal and what follows it are one answer wherever their codes fit into the first level's bits together.

use super::canonical::{BadCode, Canonical, LONGEST, Symbol};
use super::entry::{DISTANCE_MEANINGS, Entry, LENGTH_MEANINGS, LITERAL_MEANINGS};

/// A table whose first level is indexed by `FIRST` bits.
///
/// Its levels have `SIZE` entries in all: a power of two, so that an index is bounded by a mask, and enough for any
/// code. A part of the second level with 2ⁿ entries takes up n + 1 symbols or more, so that 288 symbols lead to less
/// than 1,024 entries there behind 11 bits, and 32 to less than 512 behind 9.
#[derive(Debug)]
pub(super) struct Table<const FIRST: u8, const SIZE: usize, const PAIRED: bool> {
    entries: [Entry; SIZE],
    canonical: Canonical,
}

pub(super) type LiteralTable = Table<11, 4096, true>;
pub(super) type DistanceTable = Table<9, 1024, false>;
pub(super) type LengthTable = Table<7, 128, false>;

impl LiteralTable {
    /// Takes the literal/length code of a block from the lengths of its symbols' codes.
    pub(super) fn assign_literals(&mut self, lengths: &[u8]) -> Result<(), BadCode> {
        self.assign(lengths, &LITERAL_MEANINGS)
    }
}

impl DistanceTable {
    /// Takes the distance code of a block from the lengths of its symbols' codes.
    pub(super) fn assign_distances(&mut self, lengths: &[u8]) -> Result<(), BadCode> {
        self.assign(lengths, &DISTANCE_MEANINGS)
    }
}

impl LengthTable {
    /// Takes the code of the code lengths from the lengths of its symbols' codes. This code has to be complete.
    pub(super) fn assign_lengths(&mut self, lengths: &[u8]) -> Result<(), BadCode> {
        self.assign(lengths, &LENGTH_MEANINGS)?;
        if self.canonical.is_complete() { Ok(()) } else { Err(BadCode) }
    }
}

impl<const FIRST: u8, const SIZE: usize, const PAIRED: bool> Table<FIRST, SIZE, PAIRED> {
    /// How many bits index the first level.
    pub(super) const FIRST_BITS: u32 = FIRST as u32;

    const FIRST_MASK: usize = (1 << FIRST) - 1;

    /// The table of a code without symbols.
    pub(super) const fn new() -> Self {
        Self { entries: [Entry::INVALID; SIZE], canonical: Canonical::new() }
    }

    /// The answer of the first level to the next bits.
    #[inline(always)]
    pub(super) fn first(&self, stream: u64) -> Entry {
        self.entries[(stream & 0xffff) as usize & Self::FIRST_MASK & (SIZE - 1)]
    }

    /// The answer of the second level, where `lead` leads to it and `stream` begins behind the bits of the first.
    #[inline(always)]
    pub(super) fn second(&self, lead: Entry, stream: u64) -> Entry {
        self.entries[lead.second_level_index(stream) & (SIZE - 1)]
    }

    /// The first level grows by doubling: with all codes of up to n bits in place it is a table for n bits, and two of
    /// it in a row are one for n + 1 bits that lacks only the codes of that length.
    fn assign(&mut self, lengths: &[u8], meanings: &[Entry]) -> Result<(), BadCode> {
        self.canonical.assign(lengths)?;
        self.entries[0] = Entry::INVALID;
        for bits in 1..=FIRST {
            let half = 1 << (bits - 1);
            self.entries.copy_within(..half, half);
            for symbol in self.canonical.of_length(bits) {
                let entry = meaning(meanings, symbol).coded_in(bits);
                self.entries[usize::from(symbol.code) & (SIZE - 1)] = entry;
            }
            if PAIRED {
                self.pair(bits, meanings);
            }
        }
        self.assign_second_level(meanings);
        Ok(())
    }

    /// Puts every literal and what follows it in place where their codes have `bits` together.
    fn pair(&mut self, bits: u8, meanings: &[Entry]) {
        for first_bits in 1..bits {
            let firsts = self.canonical.literals_of_length(first_bits);
            let seconds = self.canonical.of_length(bits - first_bits);
            for second in seconds {
                let second_entry = meaning(meanings, second).coded_in(bits - first_bits);
                if second_entry.is_exception() {
                    continue;
                }
                for first in firsts {
                    let code = usize::from(first.code) | usize::from(second.code) << first_bits;
                    let pair = meaning(meanings, first).coded_in(first_bits).then(second_entry);
                    self.entries[code & (SIZE - 1)] = pair;
                }
            }
        }
    }

    /// Appends a part of the second level for each first `FIRST` bits of longer codes, as small as those codes allow.
    fn assign_second_level(&mut self, meanings: &[Entry]) {
        let mut end = 1_u16 << FIRST;
        let mut symbols = self.canonical.longer_than(FIRST);
        while let Some(lead) = symbols.first().map(|first| first.code & ((1 << FIRST) - 1)) {
            let (group, rest) = symbols.split_at(group_length(symbols, FIRST));
            symbols = rest;
            let index_bits = group.last().map_or(0, |last| last.bits - FIRST);
            let start = end;
            end += 1 << index_bits;
            self.entries[usize::from(lead) & (SIZE - 1)] = Entry::second_level(index_bits, start);
            for symbol in group {
                let bits = symbol.bits - FIRST;
                let entry = meaning(meanings, symbol).coded_in(bits);
                for index in (start + (symbol.code >> FIRST)..end).step_by(1 << bits) {
                    self.entries[usize::from(index) & (SIZE - 1)] = entry;
                }
            }
        }
    }
}

fn meaning(meanings: &[Entry], symbol: &Symbol) -> Entry {
    meanings.get(usize::from(symbol.number)).copied().unwrap_or(Entry::UNUSED)
}

/// How many of these symbols, which are in the order of their codes and longer than `shared` bits, share the first
/// `shared` bits of the first one's code: as many as fill all that begins so.
fn group_length(symbols: &[Symbol], shared: u8) -> usize {
    let mut unfilled = 1_usize << (LONGEST - shared);
    let fills = |symbol: &Symbol| {
        unfilled = unfilled.saturating_sub(1 << (LONGEST - symbol.bits));
        unfilled == 0
    };
    symbols.iter().position(fills).map_or(symbols.len(), |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_short_codes_are_one_answer_and_two_long_ones_are_not() {
        // `a`, `b`, a length of 3 and the end in 2 bits each: one after another they fill the first level.
        let mut lengths = [0; 258];
        for symbol in [97, 98, 256, 257] {
            lengths[symbol] = 2;
        }
        let mut table = Box::new(LiteralTable::new());
        table.assign_literals(&lengths).unwrap();
        let answer = |table: &LiteralTable, stream: u64| {
            let entry = table.first(stream);
            (entry.literal_count(), entry.literals(), entry.is_length(), entry.bits())
        };
        assert_eq!(answer(&table, 0b10_00), (2, *b"ab\0\0", false, 4));
        assert_eq!(answer(&table, 0b00_10), (2, *b"ba\0\0", false, 4));
        assert_eq!(answer(&table, 0b11_10), (1, *b"b\0\0\0", true, 4));
        assert_eq!(answer(&table, 0b01_10), (1, *b"b\0\0\0", false, 2));

        let mut lengths = [8; 257];
        lengths[0] = 0;
        table.assign_literals(&lengths).unwrap();
        assert_eq!(answer(&table, 0), (1, *b"\x01\0\0\0", false, 8));
    }

    #[test]
    fn the_code_of_the_code_lengths_has_to_be_complete() {
        let mut table = LengthTable::new();
        assert_eq!(table.assign_lengths(&[1]), Err(BadCode));
        assert_eq!(table.assign_lengths(&[1, 1]), Ok(()));
    }
}
