//! Any bytes as an archive: refused, or read to the end within its limits.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::archive(bytes));
