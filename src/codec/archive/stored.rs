//! The data of a long entry: compressed blocks as they are, and between them stored ones, straight from the content.

use std::io::{self, Write};

use super::super::deflate::STORED;
use super::super::pump::Counted;
#[cfg(feature = "zstd")]
use super::super::zstd::{EMPTY, RawFrame};
#[cfg(feature = "zstd")]
use super::frames::seems_last;
use super::record::Method;

/// What is being written of a long entry's data.
pub(super) enum LongData {
    Deflate,
    #[cfg(feature = "zstd")]
    Zstd(RawFrame),
}

impl LongData {
    /// The data of an entry that is kept so.
    pub(super) fn new(method: Method) -> Self {
        match method {
            Method::Stored | Method::Deflated => Self::Deflate,
            #[cfg(feature = "zstd")]
            Method::Zstd => Self::Zstd(RawFrame::default()),
        }
    }

    /// Writes a block of the data to the archive: what it was compressed to, or the content where it is to be stored.
    pub(super) fn write(
        &mut self,
        block: &[u8],
        is_stored: bool,
        is_last: bool,
        archive: &mut Counted<impl Write>,
    ) -> io::Result<()> {
        match self {
            Self::Deflate if is_stored => for_each_stored(block, is_last, |bytes| archive.write_all(bytes)),
            Self::Deflate => archive.write_all(block),
            #[cfg(feature = "zstd")]
            Self::Zstd(raw) => write_frames(raw, block, is_stored, is_last, archive),
        }
    }
}

/// Writes a block as a frame of its own, or into the raw frame that is open; after the last one, an empty frame.
#[cfg(feature = "zstd")]
fn write_frames(
    raw: &mut RawFrame,
    block: &[u8],
    is_stored: bool,
    is_last: bool,
    archive: &mut Counted<impl Write>,
) -> io::Result<()> {
    if is_stored {
        raw.write(block, archive)?;
    } else {
        end_raw(raw, archive)?;
        if seems_last(archive.bytes + block.len() as u64) {
            archive.write_all(&EMPTY)?;
        }
        archive.write_all(block)?;
    }
    if is_last {
        end_raw(raw, archive)?;
        archive.write_all(&EMPTY)?;
    }
    Ok(())
}

#[cfg(feature = "zstd")]
fn end_raw(raw: &mut RawFrame, archive: &mut Counted<impl Write>) -> io::Result<()> {
    if seems_last(archive.bytes + RawFrame::END) {
        raw.pad(archive)?;
    }
    raw.end(archive)
}

/// Writes `content` as stored blocks.
fn for_each_stored<E>(
    content: &[u8],
    is_last: bool,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    if content.is_empty() && is_last {
        return write(&[1, 0, 0, 0xff, 0xff]);
    }
    let mut blocks = content.chunks(STORED).peekable();
    while let Some(block) = blocks.next() {
        let is_final = is_last && blocks.peek().is_none();
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        let [low, high] = length.to_le_bytes();
        write(&[u8::from(is_final), low, high, !low, !high])?;
        write(block)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::deflate::Deflater;
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn stored_blocks_join_with_deflated_ones() {
        let content = b"windscreen ".repeat(40_000);
        let (start, rest) = content.split_at(70_000);
        let (stored, end) = rest.split_at(200_000);
        let mut joined = Vec::new();
        let mut deflater = Deflater::new(6);
        deflater.deflate(start, 0, false, &mut joined);
        let mut store = |content, is_last| {
            for_each_stored(content, is_last, |bytes| {
                joined.extend_from_slice(bytes);
                Ok::<_, ()>(())
            })
            .unwrap();
        };
        store(stored, false);
        store(end, true);
        let mut inflated = Vec::new();
        flate2::read::DeflateDecoder::new(&joined[..]).read_to_end(&mut inflated).unwrap();
        assert!(inflated == content);
    }

    /// Frames as [`LongData`] writes them behind `before` bytes of an archive.
    #[cfg(feature = "zstd")]
    fn frames(before: usize, blocks: &[(&[u8], bool)]) -> Vec<u8> {
        let mut archive = Counted::new(Vec::new());
        archive.write_all(&vec![0; before]).unwrap();
        let mut data = LongData::new(Method::Zstd);
        for (number, (block, is_stored)) in (1..).zip(blocks) {
            data.write(block, *is_stored, number == blocks.len(), &mut archive).unwrap();
        }
        archive.inner.split_off(before)
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn a_frame_that_would_seem_the_last_is_moved_on() {
        let compressed = b"a frame".to_vec();
        let length = compressed.len();
        let blocks = [(&compressed[..], false), (&compressed, false)];
        let as_it_is = [&compressed[..], &compressed, &EMPTY].concat();
        assert_eq!(frames(4096 - length - 1, &blocks), as_it_is);
        let behind_an_empty_one = [&EMPTY[..], &as_it_is].concat();
        assert_eq!(frames(4096 - length, &blocks), behind_an_empty_one);

        // A raw frame: header and one block of a byte, which the next frame ends.
        let blocks = [(&b"7"[..], true), (&compressed, false)];
        let end_at = 6 + 3 + 1 + 3;
        let raw = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 56, 8, 0, 0, b'7'][..], &[1, 0, 0]].concat();
        assert_eq!(frames(4096 - end_at - 1, &blocks), [&raw[..], &compressed, &EMPTY].concat());
        let padded = [&raw[..10], &[0, 0, 0], &raw[10..]].concat();
        assert_eq!(frames(4096 - end_at, &blocks), [&padded[..], &compressed, &EMPTY].concat());
    }

    #[test]
    fn a_last_block_of_nothing_ends_the_stream() {
        let mut stored = Vec::new();
        for (content, is_last) in [(&b"windscreen"[..], false), (b"", false), (b"", true)] {
            for_each_stored(content, is_last, |bytes| stored.write_all(bytes)).unwrap();
        }
        let mut inflated = Vec::new();
        flate2::read::DeflateDecoder::new(&stored[..]).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, b"windscreen");
    }
}
