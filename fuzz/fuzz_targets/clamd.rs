//! Any bytes as the reply of a malware scanner: a document is clean only by a reply that says so.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::clamd(bytes));
