//! Any text as partner settings, in TOML and in JSON: refused, or settings that survive being written.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claimwire_fuzz::settings(bytes));
