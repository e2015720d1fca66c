//! Deflate (RFC 1951) in pieces that can be made apart from each other and joined.

use flate2::{Compress, CompressError, Compression, FlushCompress, Status};

/// How far back a match may lie (RFC 1951, section 2).
pub(super) const WINDOW: usize = 32 * 1024;

/// The most bytes of a stored block (RFC 1951, section 3.2.4).
const STORED: usize = 0xffff;

/// Deflates piece by piece; its tables are used again.
pub(super) struct Deflater(Compress);

impl Deflater {
    /// `level` from 1, the fastest, to 9, the smallest.
    pub(super) fn new(level: u8) -> Self {
        Self(Compress::new(Compression::new(level.clamp(1, 9).into()), false))
    }

    /// Deflates `buffer[start..]`, which follows upon `buffer[..start]`, and puts it in place of `output`. It ends on a
    /// byte boundary: with a final block where it `is_last`, else with an empty stored block.
    pub(super) fn deflate(
        &mut self,
        buffer: &[u8],
        start: usize,
        is_last: bool,
        output: &mut Vec<u8>,
    ) -> Result<(), CompressError> {
        let (before, content) = buffer.split_at_checked(start).unwrap_or((&[], buffer));
        let window = before.get(before.len().saturating_sub(WINDOW)..).unwrap_or_default();
        self.0.reset();
        if !window.is_empty() {
            self.0.set_dictionary(window)?;
        }
        output.clear();
        let flush = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
        loop {
            let consumed = usize::try_from(self.0.total_in()).unwrap_or(usize::MAX);
            let rest = content.get(consumed..).unwrap_or_default();
            let status = self.0.compress_vec(rest, output, flush)?;
            // Room that is left over says that the flush is complete.
            if status == Status::StreamEnd || !is_last && output.len() < output.capacity() {
                return Ok(());
            }
            output.reserve(rest.len() / 8 + 1024);
        }
    }
}

/// Writes `content` as stored blocks.
pub(super) fn for_each_stored<E>(
    content: &[u8],
    is_last: bool,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
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
    use super::*;
    use std::io::Read;

    fn inflate(bytes: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut content).unwrap();
        content
    }

    #[test]
    fn pieces_made_apart_join_into_one_stream() {
        let content: Vec<u8> =
            (0..40_000_u32).flat_map(|n| format!("{};{}\n", n % 777, n).into_bytes()).collect();
        for piece in [1, 1_000, 100_000, content.len()] {
            let (mut joined, mut output) = (Vec::new(), Vec::new());
            let limit = content.len().min(piece * 50);
            for start in (0..limit).step_by(piece) {
                let end = limit.min(start + piece);
                // A deflater of its own for each piece, as on another thread.
                Deflater::new(6).deflate(&content[..end], start, end == limit, &mut output).unwrap();
                joined.extend_from_slice(&output);
            }
            assert!(inflate(&joined) == content[..limit], "{piece}");
        }
    }

    #[test]
    fn stored_blocks_join_with_deflated_ones() {
        let content = b"windscreen ".repeat(20_000);
        let (mut joined, mut output) = (Vec::new(), Vec::new());
        let mut deflater = Deflater::new(6);
        deflater.deflate(&content[..70_000], 0, false, &mut output).unwrap();
        joined.extend_from_slice(&output);
        for_each_stored(&content[70_000..], true, |bytes| {
            joined.extend_from_slice(bytes);
            Ok::<_, ()>(())
        })
        .unwrap();
        assert!(inflate(&joined) == content);
    }
}
