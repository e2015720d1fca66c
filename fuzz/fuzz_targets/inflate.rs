//! Any bytes as a deflate stream, cut anyhow: the verdict and the content are zlib's.
#![no_main]

use claimwire::{Error, ErrorKind, Result};
use inflate::Inflater;

// The decoder is private to the crate: it is compiled into this one again.
#[path = "../../src/codec/inflate/mod.rs"]
mod inflate;
#[path = "../../src/codec/inflate/zlib.rs"]
mod zlib;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zlib::agrees(bytes));
