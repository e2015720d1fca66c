//! Any bytes into an archive and out again: the same bytes, with the digest that was told.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::deflate(bytes));
