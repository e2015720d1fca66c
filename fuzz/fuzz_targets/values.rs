//! Any text as a value of the model: refused, or written as a text that is read as the same value.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::values(bytes));
