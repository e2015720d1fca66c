//! The text in reach: a ring of 64 KiB, so that 16 bits are a position and no access can miss it.

use zeroize::Zeroize;

use super::bucket::on_heap;
use super::token::WINDOW;

/// Positions of the ring: the range of the 16-bit positions that the tables keep.
const LAP: usize = 1 << 16;
/// How far beyond a position others read: two loads of eight bytes from the position after it.
const BEYOND: usize = 24;
/// How far ahead of the parse the ring is filled: what a match may reach stays whole behind it.
const AHEAD: usize = LAP - WINDOW - 4 * BEYOND;

/// The last 32 KiB of the text and what comes next.
pub(super) struct Window {
    /// The first bytes stand behind the last ones once more, so that a load need not wrap.
    ring: Box<[u8; LAP + 8]>,
    filled: usize,
    /// How far the ring was ever filled.
    used: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { ring: on_heap(), filled: 0, used: 0 }
    }

    /// Forgets the text.
    pub(super) fn reset(&mut self) {
        self.filled = 0;
    }

    /// Overwrites the text.
    pub(super) fn wipe(&mut self) {
        self.ring[..self.used].zeroize();
        self.ring[LAP..].zeroize();
    }

    /// Takes in `text` as far as it may while a parse stands at `at`; gives up to where positions can be searched.
    pub(super) fn fill(&mut self, text: &[u8], at: usize) -> usize {
        let end = text.len().min(at + AHEAD);
        let mut from = self.filled;
        while from < end {
            let place = from % LAP;
            let count = (end - from).min(LAP - place);
            self.ring[place..place + count].copy_from_slice(&text[from..from + count]);
            from += count;
        }
        self.filled = end;
        self.used = self.used.max(end.min(LAP));
        let is_whole = end == text.len();
        if is_whole {
            // What is read beyond the end is the same whatever stood there before.
            (end..end + BEYOND).for_each(|beyond| self.ring[beyond % LAP] = 0);
        }
        self.ring.copy_within(..8, LAP);
        if is_whole { end } else { end - BEYOND }
    }

    pub(super) fn ring(&self) -> Ring<'_> {
        Ring(&self.ring)
    }
}

/// The bytes of a [`Window`].
#[derive(Clone, Copy)]
pub(super) struct Ring<'a>(&'a [u8; LAP + 8]);

impl Ring<'_> {
    /// The eight bytes at a position, the first one lowest.
    #[inline(always)]
    pub(super) fn load(self, at: u16) -> u64 {
        let at = usize::from(at);
        // The compiler sees that this is always within: no check remains.
        self.0[at..at + 8].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_window_holds_nothing_of_any_text() {
        let mut window = Window::new();
        for text in [&[7; 3 * LAP][..], &[9; 100]] {
            window.reset();
            let mut at = 0;
            while at < text.len() {
                at = window.fill(text, at);
            }
        }
        window.wipe();
        assert!(window.ring.iter().all(|byte| *byte == 0));
    }
}
