//! Any header fields about an upload: written and read again, they say the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::upload(bytes));
