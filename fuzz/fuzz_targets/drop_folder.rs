//! Any file in a drop folder, as a request and as an answer: answered or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::drop_folder(bytes));
