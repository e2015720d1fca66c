//! Frames as bytes (RFC 8878, section 3.1), as far as they are written or judged here.

use std::io::{self, Write};
use std::mem;

/// What every frame begins with (3.1.1).
pub(super) const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// A whole frame without content: a single segment of 0 bytes, and one last block of 0 bytes (3.1.1.1 and 3.1.1.2).
pub(crate) const EMPTY: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];

/// The most bytes of a block (3.1.1.2.4).
const BLOCK: usize = 128 * 1024;

/// The header of a frame of unknown size: no flags, and a window of 128 KiB, which is 2 to the 10 + 7 (3.1.1.1.2).
const HEADER: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];

/// The header of a block that is the last one, raw, and empty.
const LAST_OF_NOTHING: [u8; 3] = [1, 0, 0];

/// Whether a frame that begins so holds bytes that are no content (3.1.2).
pub(super) fn is_skippable(magic: [u8; 4]) -> bool {
    u32::from_le_bytes(magic) & 0xffff_fff0 == 0x184d_2a50
}

/// Content as it is, in the raw blocks of one frame, which grows as long as it is open.
#[derive(Default)]
pub(crate) struct RawFrame {
    is_open: bool,
}

impl RawFrame {
    /// How many bytes end it.
    pub(crate) const END: u64 = LAST_OF_NOTHING.len() as u64;

    /// Writes `content` into the frame, which begins with it if it is not open.
    pub(crate) fn write(&mut self, content: &[u8], output: &mut impl Write) -> io::Result<()> {
        for block in content.chunks(BLOCK) {
            if !self.is_open {
                self.is_open = true;
                output.write_all(&HEADER)?;
            }
            let [low, middle, high, _] = u32::try_from(block.len() << 3).unwrap_or(u32::MAX).to_le_bytes();
            output.write_all(&[low, middle, high])?;
            output.write_all(block)?;
        }
        Ok(())
    }

    /// Puts bytes without meaning, an empty block, into the frame if it is open.
    pub(crate) fn pad(&self, output: &mut impl Write) -> io::Result<()> {
        if self.is_open { output.write_all(&[0; 3]) } else { Ok(()) }
    }

    /// Ends the frame if it is open.
    pub(crate) fn end(&mut self, output: &mut impl Write) -> io::Result<()> {
        if mem::take(&mut self.is_open) { output.write_all(&LAST_OF_NOTHING) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decompressor;
    use super::*;

    fn raw(contents: &[&[u8]]) -> Vec<u8> {
        let (mut frames, mut frame) = (Vec::new(), RawFrame::default());
        contents.iter().try_for_each(|content| frame.write(content, &mut frames)).unwrap();
        frame.end(&mut frames).unwrap();
        frame.end(&mut frames).unwrap();
        frames
    }

    fn read(frames: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        let mut decompressor = Decompressor::new().unwrap();
        let mut take = |piece: &[u8]| {
            content.extend_from_slice(piece);
            Ok(())
        };
        decompressor.decompress(frames, &mut take).unwrap();
        decompressor.finish().unwrap();
        content
    }

    #[test]
    fn raw_frames_are_read_whatever_their_length() {
        let content: Vec<u8> = (0..3 * BLOCK + 5).map(|n| (n ^ n >> 8).to_le_bytes()[0]).collect();
        for length in [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5] {
            let frames = raw(&[&content[..length]]);
            assert!(read(&frames) == content[..length], "{length}");
            assert_eq!(frames.len(), length + 9 + 3 * length.div_ceil(131_072));
        }
    }

    #[test]
    fn padding_is_no_content() {
        let (mut frames, mut frame) = (Vec::new(), RawFrame::default());
        frame.pad(&mut frames).unwrap();
        assert!(frames.is_empty());
        for content in [&b"wind"[..], b"screen"] {
            frame.write(content, &mut frames).unwrap();
            frame.pad(&mut frames).unwrap();
        }
        frame.end(&mut frames).unwrap();
        assert_eq!(read(&frames), b"windscreen");
    }

    #[test]
    fn pieces_of_one_frame_are_joined_and_nothing_makes_no_frame() {
        assert!(raw(&[]).is_empty() && raw(&[b"", b""]).is_empty());
        assert_eq!(read(&raw(&[b"wind", b"", b"screen"])), b"windscreen");
        assert_eq!(read(&EMPTY), b"");
        assert_eq!(read(&[&raw(&[b"knee"])[..], &EMPTY].concat()), b"knee");
    }
}
