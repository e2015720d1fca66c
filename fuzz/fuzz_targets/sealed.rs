//! Any bytes as a sealed package: no suite takes what it did not write for more than garbage.
#![no_main]

use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, OpeningKey, decrypt_bytes};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

fuzz_target!(|bytes: &[u8]| {
    static KEYS: OnceLock<Vec<OpeningKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let framings = [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: [7; 8] }];
        let legacy = framings.into_iter().filter_map(|framing| DesMd5Key::new("legacy-Secret1", framing).ok());
        legacy.map(OpeningKey::from).chain([OpeningKey::from(AgeIdentity::generate())]).collect()
    });
    for key in keys {
        if let Ok(plain) = decrypt_bytes(key, bytes) {
            assert!(plain.len() < bytes.len());
        }
    }
});
