//! Any claim files merged: what is not blocked applies, and applied again changes nothing.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::merging(bytes));
