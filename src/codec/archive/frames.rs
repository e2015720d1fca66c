//! Content into Zstandard frames that readers of archives take, our own among them.
//!
//! A whole document is one frame, since Python's `zipfile` takes only the first. What else is written here goes around a
//! fault of libarchive (3.6.2): its zip reader knows the end of an entry by a frame that ends with its input used up and its
//! output, 128 KiB, not full. It sees none where the last frame fills the output, and takes one for the last that is not,
//! where it ends with what was read at once.

use super::super::wiped::Wiped;
use super::super::zstd::{Compressor, EMPTY, RawFrame};
use crate::Result;

/// What libarchive's output holds.
const OUTPUT: usize = 128 * 1024;

/// What the lengths of libzstd's blocks are multiples of, for the most part.
const BLOCK_UNIT: usize = 8 * 1024;

/// What libarchive reads at once is a multiple of this.
const READ: u64 = 4096;

/// How many times a frame's content may be as long as the frame: half of what our own limits take for a bomb.
const MOST_RATIO: usize = 500;

/// Makes frames, and keeps what is needed for that.
pub(super) struct Frames {
    compressor: Compressor,
}

impl Frames {
    pub(super) fn new(level: u8) -> Result<Self> {
        Ok(Self { compressor: Compressor::new(level)? })
    }

    /// The longest that content of `length` bytes becomes.
    pub(super) fn longest(length: usize) -> usize {
        Compressor::longest(length) + EMPTY.len()
    }

    /// Replaces what is in `output` by whole content. Tells whether it may stand so: what is compressed too far would be
    /// taken for a bomb.
    pub(super) fn whole(&mut self, content: &[u8], output: &mut Vec<u8>) -> Result<bool> {
        self.compressor.compress(content, output)?;
        if content.len() >= OUTPUT && content.len().is_multiple_of(BLOCK_UNIT) {
            output.extend(EMPTY);
        }
        Ok(is_within_ratio(content, output))
    }

    /// Replaces what is in `output` by a block of content that has others after it or before. Of what would be compressed
    /// too far, as much stays as it is that it would not be taken for a bomb.
    pub(super) fn block(&mut self, content: &[u8], output: &mut Vec<u8>) -> Result<()> {
        self.compressor.compress(content, output)?;
        if is_within_ratio(content, output) {
            return Ok(());
        }
        let (start, rest) = content.split_at(content.len() / MOST_RATIO);
        self.compressor.compress(rest, output)?;
        let (mut raw, mut frame) = (Wiped::new(Vec::with_capacity(start.len() + 16)), RawFrame::default());
        frame.write(start, &mut *raw)?;
        frame.end(&mut *raw)?;
        output.splice(..0, raw.iter().copied());
        Ok(())
    }
}

fn is_within_ratio(content: &[u8], output: &[u8]) -> bool {
    content.len() <= output.len().saturating_mul(MOST_RATIO)
}

/// Whether libarchive may take a frame that ends at this place in the archive for the last one.
pub(super) fn seems_last(end: u64) -> bool {
    end.is_multiple_of(READ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_an_empty_frame_behind_the_longest() {
        assert_eq!(Frames::longest(1 << 20), Compressor::longest(1 << 20) + 9);
    }

    #[test]
    fn an_empty_frame_follows_where_the_last_would_fill_the_output() {
        let mut frames = Frames::new(3).unwrap();
        let bill: String = (0..20_000).map(|line| format!("{line};412.50\n")).collect();
        for (length, is_followed) in
            [(OUTPUT, true), (OUTPUT + BLOCK_UNIT, true), (OUTPUT + 1, false), (OUTPUT - BLOCK_UNIT, false)]
        {
            let mut output = Vec::with_capacity(Frames::longest(length));
            assert!(frames.whole(&bill.as_bytes()[..length], &mut output).unwrap());
            assert_eq!(output.ends_with(&EMPTY), is_followed, "{length}");
        }
    }
}
