//! Any JSON as evidence: nothing is proven but what was signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::evidence(bytes));
