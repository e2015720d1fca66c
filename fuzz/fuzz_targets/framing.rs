//! Any bytes as what a client sends to the receiver, cut anyhow: one request at most, and none whose length is in doubt.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::framing(bytes));
