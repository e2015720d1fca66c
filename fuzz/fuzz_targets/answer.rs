//! Any answer of a partner: an error or a receipt, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::answer(bytes));
