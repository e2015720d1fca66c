//! Any text as a value of the model: refused, or written as a text that is read as the same value.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::values(bytes));
