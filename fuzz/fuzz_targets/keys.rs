//! Any text as a key or a secret: read and written alike again, or refused without being repeated.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::keys(bytes));
