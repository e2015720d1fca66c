//! Any bytes as a sealed package: no suite takes what it did not write for more than garbage.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::sealed(bytes));
