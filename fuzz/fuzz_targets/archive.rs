//! Any bytes as an archive: refused, or read to the end within its limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::archive(bytes));
