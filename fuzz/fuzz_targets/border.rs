//! Any sequence of calls through the C border over live handles: each gives a code that is one, and what it says it gives.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::border(bytes));
