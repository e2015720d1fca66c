//! Any bytes as a deflate stream, cut anyhow: the verdict and the content are zlib's.
#![no_main]

use std::cell::RefCell;

use claimwire::{Error, ErrorKind, Result};
use libfuzzer_sys::fuzz_target;

// The decoder is private to the crate: it is compiled into this one again.
#[path = "../../src/codec/inflate/mod.rs"]
mod inflate;
#[path = "../../src/codec/inflate/zlib.rs"]
mod zlib;

use zlib::{Verdict, peer};

thread_local! {
    static INFLATER: RefCell<inflate::Inflater> = RefCell::new(inflate::Inflater::new());
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
