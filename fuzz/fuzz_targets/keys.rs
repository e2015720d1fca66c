//! Any text as a key or a secret: read and written alike again, or refused without being repeated.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::keys(bytes));
