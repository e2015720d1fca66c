//! Any request of a partner: no envelope out of nothing, and no signature for what was not signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::request(bytes));
