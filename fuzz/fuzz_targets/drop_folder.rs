//! Any file in a drop folder, as a request and as an answer: answered or refused.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::drop_folder(bytes));
