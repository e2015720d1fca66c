//! Any JSON as a claim file: what is taken survives the way through text and through records.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::claim_file(bytes));
