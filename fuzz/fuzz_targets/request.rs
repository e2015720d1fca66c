//! Any request of a partner: no envelope out of nothing, and no signature for what was not signed.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::request(bytes));
