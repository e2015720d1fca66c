//! What zlib says of a stream: what the decoder is compared with, in tests and by the fuzzer.

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
