//! Any manifest and claim file in a well-formed archive: refused, or a package whose parts agree.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::package(bytes));
