//! Archives and sealed packages: refused, or what they say they are.

use claimwire::codec::{
    AgeIdentity, ArchiveReader, ArchiveWriter, DesMd5Key, Framing, Limits, OpeningKey, decrypt_bytes,
};
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
    /// Whom the age files of the corpus are sealed for: an identity of public test vectors (<https://c2sp.org/CCTV/age>).
    const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
    static KEYS: OnceLock<Vec<OpeningKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let framings =
            [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: [1, 2, 3, 4, 5, 6, 7, 8] }];
        let legacy =
            framings.into_iter().filter_map(|framing| DesMd5Key::new("legacy-Secret1", framing).ok());
        let age = AgeIdentity::from_key_file(IDENTITY).expect("a published identity");
        legacy.map(OpeningKey::from).chain([OpeningKey::from(age)]).collect()
    });
    for key in keys {
        if let Ok(plain) = decrypt_bytes(key, bytes) {
            assert!(plain.len() < bytes.len());
        }
    }
}

/// Any bytes into an archive and out again: the same bytes, with the digest that was told. The first byte says into how
/// many entries.
pub(crate) fn deflate(bytes: &[u8]) {
    let Some((entries, content)) = bytes.split_first() else { return };
    let size = content.len().div_ceil(usize::from(*entries).max(1)).max(1);
    let mut archive = ArchiveWriter::new(Vec::new());
    let written: Vec<_> = content
        .chunks(size)
        .enumerate()
        .map(|(index, content)| archive.add(&format!("{index}.txt"), content).expect("bytes in memory"))
        .collect();
    let archive = archive.finish().expect("a vector takes all");
    let mut archive = ArchiveReader::open(Cursor::new(archive), &Limits::default()).expect("our own archive");
    for (index, (content, written)) in content.chunks(size).zip(written).enumerate() {
        let mut read = Vec::new();
        assert_eq!(archive.read(&format!("{index}.txt"), &mut read).expect("our own entry"), written);
        assert_eq!(read, content);
    }
}
