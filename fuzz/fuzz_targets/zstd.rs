//! Any bytes as the data of an entry that is compressed with Zstandard: refused, or read within its limits.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::zstd(bytes));
