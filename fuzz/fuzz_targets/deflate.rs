//! Any bytes into an archive and out again: the same bytes, with the digest that was told.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::deflate(bytes));
