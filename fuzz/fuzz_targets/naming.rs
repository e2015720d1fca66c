//! Any naming convention against any name: refused or answered, in bounded time.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::naming(bytes));
