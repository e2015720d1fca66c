//! Any naming convention against any name: refused or answered, in bounded time.
#![no_main]

use claimwire::rules::{NamingConvention, NamingFacts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parts: (&str, &str)| {
    let (pattern, name) = parts;
    let Ok(convention) = pattern.parse::<NamingConvention>() else { return };
    if let Err(fault) = convention.check(name, &NamingFacts::new()) {
        assert!(!fault.to_string().is_empty());
    }
});
