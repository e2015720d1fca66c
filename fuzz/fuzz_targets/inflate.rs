//! Any bytes as a deflate stream, cut anyhow: the verdict and the content are zlib's.
#![no_main]

use std::cell::RefCell;

use claimwire::{Error, ErrorKind, Result};
use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;

// The decoder is private to the crate: it is compiled into this one again.
#[path = "../../src/codec/inflate/mod.rs"]
mod inflate;

thread_local! {
    static INFLATER: RefCell<inflate::Inflater> = RefCell::new(inflate::Inflater::new());
}

/// The content and the length of the stream, if it is accepted.
type Verdict = Option<(Vec<u8>, usize)>;

fn peer(stream: &[u8]) -> Verdict {
    let mut inflater = Decompress::new(false);
    let mut content = Vec::new();
    loop {
        content.reserve(64 * 1024);
        let before = (inflater.total_in(), content.len());
        let rest = &stream[inflater.total_in() as usize..];
        match inflater.decompress_vec(rest, &mut content, FlushDecompress::None).ok()? {
            Status::StreamEnd => return Some((content, inflater.total_in() as usize)),
            _ if before == (inflater.total_in(), content.len()) => return None,
            _ => {}
        }
    }
}

fn ours(inflater: &mut inflate::Inflater, stream: &[u8], piece: usize) -> Verdict {
    inflater.reset();
    let mut content = Vec::new();
    for (index, input) in stream.chunks(piece).enumerate() {
        let inflated = inflater.inflate(input, &mut |came| {
            content.extend_from_slice(came);
            Ok(())
        });
        let inflated = inflated.ok()?;
        if inflated.ended {
            return Some((content, index * piece + inflated.consumed));
        }
        assert_eq!(inflated.consumed, input.len());
    }
    None
}

fuzz_target!(|bytes: &[u8]| {
    let Some((cut, stream)) = bytes.split_first() else { return };
    let expected = peer(stream);
    INFLATER.with_borrow_mut(|inflater| {
        assert_eq!(ours(inflater, stream, stream.len().max(1)), expected);
        assert_eq!(ours(inflater, stream, usize::from(*cut).max(1)), expected);
    });
});
