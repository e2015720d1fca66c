//! Any JSON as a claim file: what is taken survives the way through text and through records.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::claim_file(bytes));
