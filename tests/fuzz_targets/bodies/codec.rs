//! Archives and sealed packages: refused, or what they say they are.

use claimwire::codec::{
    AgeIdentity, ArchiveReader, ArchiveWriter, Compression, DesMd5Key, Framing, Limits, OpeningKey,
    PackOptions, decrypt_bytes,
};
use std::io::Cursor;
use std::num::NonZeroU32;
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
        let framings = [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: SALT }];
        let age = AgeIdentity::from_key_file(IDENTITY).expect("a published identity");
        framings.map(|framing| legacy_key(framing).into()).into_iter().chain([age.into()]).collect()
    });
    for key in keys {
        if let Ok(plain) = decrypt_bytes(key, bytes) {
            assert!(plain.len() < bytes.len());
        }
    }
}

/// The salt of the framing that carries none.
pub(crate) const SALT: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// What the target `sealed` opens packages of the suite `des-md5` with. One iteration, since each input is opened with it.
pub(crate) fn legacy_key(framing: Framing) -> DesMd5Key {
    let key = DesMd5Key::new("legacy-Secret1", framing).expect("a good password");
    key.with_iterations(NonZeroU32::MIN).expect("not too many")
}

/// Any bytes as the data of an entry that is compressed with Zstandard: refused, or read to the end within its limits.
pub(crate) fn zstd(bytes: &[u8]) {
    let size = u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
    // Flags, method, time, CRC-32, sizes, length of the name, extra field; the content is rarely what this declares.
    let fields = [&[0, 0, 93, 0, 0, 0, 33, 0, 1, 2, 3, 4][..], &size, &[0, 0, 8, 0, 1, 0, 0, 0]].concat();
    let mut archive_bytes = [b"PK\x03\x04\x3f\0", &fields[..], b"a", bytes].concat();
    let start = u32::try_from(archive_bytes.len()).unwrap_or_default().to_le_bytes();
    archive_bytes.extend([b"PK\x01\x02\x3f\0\x3f\0", &fields[..], &[0; 14], b"a"].concat());
    archive_bytes.extend([b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0", &start[..], &[0; 2]].concat());
    let limits = Limits::default();
    ArchiveReader::open(Cursor::new(&archive_bytes), &limits).expect("an archive whose directory is good");
    archive(&archive_bytes);
}

/// Any bytes into an archive and out again: the same bytes, with the digest that was told. The first byte says into how
/// many entries.
pub(crate) fn deflate(bytes: &[u8]) {
    for compression in [Compression::Deflate, Compression::Zstd] {
        compress(bytes, &PackOptions::default().with_compression(compression));
    }
}

fn compress(bytes: &[u8], options: &PackOptions) {
    let Some((entries, content)) = bytes.split_first() else { return };
    let size = content.len().div_ceil(usize::from(*entries).max(1)).max(1);
    let mut archive = ArchiveWriter::with_options(Vec::new(), options);
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
