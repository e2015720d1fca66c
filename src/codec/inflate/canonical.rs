//! The canonical prefix code that a list of code lengths stands for (RFC 1951, 3.2.2).

use super::entry::LITERAL_SYMBOLS;

/// The bits of the longest code (RFC 1951, 3.2.7).
pub(super) const LONGEST: u8 = 15;

/// The lengths give more codes than there are, or fewer than there must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadCode;

/// A symbol and its code, whose first bit is the lowest: the order in which bits come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol {
    pub(super) number: u16,
    pub(super) code: u16,
    pub(super) bits: u8,
}

impl Symbol {
    const NONE: Self = Self { number: 0, code: 0, bits: 0 };
}

/// The symbols that have a code, in the order of their codes: by length, then by number.
#[derive(Debug)]
pub(super) struct Canonical {
    symbols: [Symbol; LITERAL_SYMBOLS],
    /// Where the symbols of each length start, where those of the last end, and what those below 256 end before.
    starts: [usize; LONGEST as usize + 2],
    literal_ends: [usize; LONGEST as usize + 1],
    is_complete: bool,
}

impl Canonical {
    pub(super) const fn new() -> Self {
        Self {
            symbols: [Symbol::NONE; LITERAL_SYMBOLS],
            starts: [0; LONGEST as usize + 2],
            literal_ends: [0; LONGEST as usize + 1],
            is_complete: false,
        }
    }

    /// Takes the code in which symbol `s` has `lengths[s]` bits: 0 for none, at most [`LONGEST`].
    ///
    /// # Errors
    ///
    /// The code is over-subscribed; or it is incomplete and has other symbols than a single one of one bit. (A block
    /// with one distance has such a code, and one without any has a code of no symbols; RFC 1951, 3.2.7.)
    pub(super) fn assign(&mut self, lengths: &[u8]) -> Result<(), BadCode> {
        let mut counts = [0_usize; LONGEST as usize + 1];
        for length in lengths {
            counts[usize::from(length & 15)] += 1;
        }
        let mut unused = 1_usize;
        for count in counts.iter().skip(1) {
            unused = (unused * 2).checked_sub(*count).ok_or(BadCode)?;
        }
        let mut start = 0;
        for (bits, count) in counts.iter().enumerate().skip(1) {
            self.starts[bits] = start;
            start += count;
        }
        self.starts[usize::from(LONGEST) + 1] = start;
        if unused > 0 && start > counts[1] {
            return Err(BadCode);
        }
        self.is_complete = unused == 0;
        self.sort(lengths);
        self.number_codes();
        Ok(())
    }

    fn sort(&mut self, lengths: &[u8]) {
        let mut next = self.starts;
        for (number, bits) in (0_u16..).zip(lengths) {
            if *bits != 0 {
                let place = &mut next[usize::from(bits & 15)];
                if let Some(symbol) = self.symbols.get_mut(*place) {
                    *symbol = Symbol { number, code: 0, bits: *bits };
                }
                *place += 1;
            }
            if number == 255 {
                self.literal_ends.copy_from_slice(&next[..=usize::from(LONGEST)]);
            }
        }
    }

    fn number_codes(&mut self) {
        let end = self.end();
        let mut code = 0_u16;
        for symbol in self.symbols.iter_mut().take(end) {
            symbol.code = code;
            // Adds one where the highest bit is the last: carries run downwards.
            let mut bit = 1_u16.wrapping_shl(u32::from(symbol.bits).wrapping_sub(1));
            while code & bit != 0 {
                code ^= bit;
                bit >>= 1;
            }
            code |= bit;
        }
    }

    /// Whether all bits have a meaning.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The symbols with codes of `bits`.
    pub(super) fn of_length(&self, bits: u8) -> &[Symbol] {
        let bits = usize::from(bits);
        self.symbols.get(self.starts[bits]..self.starts[bits + 1]).unwrap_or_default()
    }

    /// The symbols below 256 with codes of `bits`, in a code of more symbols than these.
    pub(super) fn literals_of_length(&self, bits: u8) -> &[Symbol] {
        let bits = usize::from(bits);
        self.symbols.get(self.starts[bits]..self.literal_ends[bits]).unwrap_or_default()
    }

    /// The symbols with codes of more than `bits`.
    pub(super) fn longer_than(&self, bits: u8) -> &[Symbol] {
        let start = self.starts[usize::from(bits) + 1];
        self.symbols.get(start..self.end()).unwrap_or_default()
    }

    fn end(&self) -> usize {
        self.starts[usize::from(LONGEST) + 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes_of(lengths: &[u8]) -> Result<Vec<(u16, String)>, BadCode> {
        let mut canonical = Canonical::new();
        canonical.assign(lengths)?;
        let text = |symbol: &Symbol| {
            (0..symbol.bits).map(|bit| if symbol.code >> bit & 1 == 1 { '1' } else { '0' }).collect()
        };
        Ok((1..=LONGEST)
            .flat_map(|bits| canonical.of_length(bits))
            .map(|symbol| (symbol.number, text(symbol)))
            .collect())
    }

    #[test]
    fn the_example_of_the_rfc_gets_its_codes() {
        let codes = codes_of(&[3, 3, 3, 3, 3, 2, 4, 4]).unwrap();
        let expected =
            [(5, "00"), (0, "010"), (1, "011"), (2, "100"), (3, "101"), (4, "110"), (6, "1110"), (7, "1111")];
        assert_eq!(codes, expected.map(|(number, code)| (number, code.to_owned())));
    }

    #[test]
    fn more_codes_than_there_are_is_refused() {
        assert_eq!(codes_of(&[1, 1, 1]), Err(BadCode));
        assert_eq!(codes_of(&[1, 2, 2, 15]), Err(BadCode));
    }

    #[test]
    fn an_incomplete_code_is_refused_unless_it_is_one_code_of_one_bit() {
        assert_eq!(codes_of(&[1, 2]), Err(BadCode));
        assert_eq!(codes_of(&[0, 2]), Err(BadCode));
        assert_eq!(codes_of(&[0, 0, 1]).unwrap(), [(2, "0".to_owned())]);
        assert_eq!(codes_of(&[0, 0, 0]).unwrap(), []);
    }
}
