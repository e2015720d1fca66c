//! Any lines as an exported history: one that verifies is what was chained.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::history(bytes));
