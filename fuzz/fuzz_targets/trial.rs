//! Any answer to a trial: refused, or read into bounded texts that are written and read alike again.
#![no_main]

use claimwire::protocol::{TrialAnswer, TrialCheck};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let Ok(answer) = TrialAnswer::from_json(json) else { return };
    assert!(answer.checks.len() <= TrialAnswer::MAX_CHECKS);
    for check in &answer.checks {
        assert!(check.message.chars().count() <= TrialCheck::MAX_TEXT);
        assert!(!check.message.chars().any(char::is_control));
    }
    let again = answer.to_json().expect("what was read can be written");
    let again = TrialAnswer::from_json(&again).expect("what was written can be read");
    assert_eq!((again.package_id, again.way_back), (answer.package_id, answer.way_back));
});
