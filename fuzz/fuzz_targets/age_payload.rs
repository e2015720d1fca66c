//! Any change to a sealed payload of any length is refused, pulled and pushed in any pieces; without one it opens.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::age_payload(bytes));
