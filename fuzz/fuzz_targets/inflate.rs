//! Any bytes as a deflate stream, cut anyhow: the verdict and the content are zlib's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::inflate(bytes));
