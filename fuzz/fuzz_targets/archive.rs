//! Any bytes as an archive: refused, or read to the end within its limits.
#![no_main]

use claimwire::codec::{ArchiveReader, Limits};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
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
});
