//! Any lines as an exported history: one that verifies is what was chained.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::history(bytes));
