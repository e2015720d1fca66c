//! Any answer to a trial: refused, or read into bounded texts that are written and read alike again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::trial(bytes));
