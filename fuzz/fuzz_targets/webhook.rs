//! Any message to a webhook: none is taken but what was signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::webhook(bytes));
