//! Any bytes as a sealed package: no suite takes what it did not write for more than garbage.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::sealed(bytes));
