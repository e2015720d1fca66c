//! What the fuzz targets that take plain bytes do with them: run by libFuzzer, and by `tests/hostile_kit.rs` with the kit
//! and with what it changes of it.

#![allow(dead_code, reason = "each target runs one of them")]
#![allow(clippy::expect_used, reason = "a broken promise is what is looked for")]

use claimwire::codec::{AgeIdentity, ArchiveReader, DesMd5Key, Framing, Limits, OpeningKey, decrypt_bytes};
use claimwire::model::ClaimFile;
use claimwire::protocol::{TrialAnswer, TrialCheck};
use std::io::Cursor;
use std::sync::OnceLock;

/// Any bytes as an archive: refused, or read to the end within its limits.
pub(crate) fn archive(bytes: &[u8]) {
    let limits = Limits::default().with_inflated_size(1 << 20).with_entries(64);
    let Ok(mut archive) = ArchiveReader::open(Cursor::new(bytes), &limits) else { return };
    let names: Vec<String> = archive.entries().map(|entry| entry.name().to_owned()).collect();
    for name in names {
        let mut content = Vec::new();
        if let Ok(digest) = archive.read(&name, &mut content) {
            assert_eq!(digest.size(), content.len() as u64);
        }
        assert!(content.len() <= 1 << 20);
    }
}

/// Any bytes as a sealed package: no suite takes what it did not write for more than garbage.
pub(crate) fn sealed(bytes: &[u8]) {
    static KEYS: OnceLock<Vec<OpeningKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let framings = [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: [7; 8] }];
        let legacy =
            framings.into_iter().filter_map(|framing| DesMd5Key::new("legacy-Secret1", framing).ok());
        legacy.map(OpeningKey::from).chain([OpeningKey::from(AgeIdentity::generate())]).collect()
    });
    for key in keys {
        if let Ok(plain) = decrypt_bytes(key, bytes) {
            assert!(plain.len() < bytes.len());
        }
    }
}

/// Any JSON as a claim file: what is taken survives the way through text and through records.
pub(crate) fn claim_file(json: &[u8]) {
    let Ok(file) = ClaimFile::from_json(json) else { return };
    let text = file.to_json().expect("what was read can be written");
    assert_eq!(ClaimFile::from_json(&text).ok().as_ref(), Some(&file));
    if let Ok(records) = file.to_records() {
        assert!(ClaimFile::from_records(records).is_ok());
    }
}

/// Any answer to a trial: refused, or read into bounded texts that are written and read alike again.
pub(crate) fn trial(json: &[u8]) {
    let Ok(answer) = TrialAnswer::from_json(json) else { return };
    assert!(answer.checks.len() <= TrialAnswer::MAX_CHECKS);
    for check in &answer.checks {
        assert!(check.message.chars().count() <= TrialCheck::MAX_TEXT);
        assert!(!check.message.chars().any(char::is_control));
    }
    let again = answer.to_json().expect("what was read can be written");
    let again = TrialAnswer::from_json(&again).expect("what was written can be read");
    assert_eq!((again.package_id, again.way_back), (answer.package_id, answer.way_back));
}
