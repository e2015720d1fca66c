//! What zlib says of a stream: what the decoder is compared with, in tests and by the fuzzer.

use super::Inflater;
use flate2::{Decompress, FlushDecompress, Status};

/// The content and the length of the stream, if it is accepted.
pub(crate) type Verdict = Option<(Vec<u8>, usize)>;

/// zlib's verdict.
pub(crate) fn peer(stream: &[u8]) -> Verdict {
    let mut inflater = Decompress::new(false);
    let mut content = Vec::new();
    loop {
        content.reserve(64 * 1024);
        let before = (inflater.total_in(), content.len());
        let rest = &stream[usize::try_from(inflater.total_in()).unwrap()..];
        match inflater.decompress_vec(rest, &mut content, FlushDecompress::None).ok()? {
            Status::StreamEnd => return Some((content, usize::try_from(inflater.total_in()).unwrap())),
            _ if before == (inflater.total_in(), content.len()) => return None,
            _ => {}
        }
    }
}

/// Inflates the stream in pieces of these lengths, over and over.
pub(crate) fn ours(inflater: &mut Inflater, stream: &[u8], pieces: &[usize]) -> Verdict {
    inflater.reset();
    let mut content = Vec::new();
    let mut rest = stream;
    for length in pieces.iter().cycle() {
        let (piece, behind) = rest.split_at((*length).clamp(1, rest.len().max(1)).min(rest.len()));
        let inflated = inflater.inflate(piece, &mut |piece| {
            content.extend_from_slice(piece);
            Ok(())
        });
        let inflated = inflated.ok()?;
        if inflated.ended {
            return Some((content, stream.len() - rest.len() + inflated.consumed));
        }
        assert_eq!(inflated.consumed, piece.len(), "bytes were neither consumed nor left over");
        if behind.is_empty() {
            return None;
        }
        rest = behind;
    }
    None
}

/// What the fuzz target `inflate` holds the decoder to. The first byte is the length of the pieces.
pub(crate) fn agrees(bytes: &[u8]) {
    let Some((piece, stream)) = bytes.split_first() else { return };
    let expected = peer(stream);
    let mut inflater = Inflater::new();
    assert_eq!(ours(&mut inflater, stream, &[usize::MAX]), expected);
    assert_eq!(ours(&mut inflater, stream, &[usize::from(*piece)]), expected);
}
