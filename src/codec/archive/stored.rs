//! Deflate's stored blocks, written straight from the content.

/// The most bytes of a stored block (RFC 1951, section 3.2.4).
const STORED: usize = 0xffff;

/// Writes `content` as stored blocks.
pub(super) fn for_each_stored<E>(
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
