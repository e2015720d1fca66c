//! Any row of requests of a partner: what a receipt says was received lies there, and stays.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::endpoint(bytes));
