//! Any JSON as a claim file: what is taken survives the way through text and through records.
#![no_main]

use claimwire::model::ClaimFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(file) = ClaimFile::from_json(json) else { return };
    let text = file.to_json().expect("what was read can be written");
    assert_eq!(ClaimFile::from_json(&text).ok().as_ref(), Some(&file));
    if let Ok(records) = file.to_records() {
        assert!(ClaimFile::from_records(records).is_ok());
    }
});
