//! Any bytes as the data of an entry that is compressed with Zstandard: refused, or read within its limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::zstd(bytes));
