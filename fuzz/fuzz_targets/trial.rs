//! Any answer to a trial: refused, or read into bounded texts that are written and read alike again.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::trial(bytes));
