//! Any row of requests of a partner: what a receipt says was received lies there, and stays.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::endpoint(bytes));
