//! Any claim files merged: what is not blocked applies, and applied again changes nothing.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::merging(bytes));
