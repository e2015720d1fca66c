//! Any manifest and claim file in a well-formed archive: refused, or a package whose parts agree.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::package(bytes));
