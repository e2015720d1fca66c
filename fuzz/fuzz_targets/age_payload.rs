//! Any change to a sealed payload of any length is refused, pulled and pushed in any pieces; without one it opens.
#![no_main]

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::age_payload(bytes));
