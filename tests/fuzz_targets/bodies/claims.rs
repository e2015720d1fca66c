//! Claim files, packages of them and the names of their documents.

use claimwire::codec::{DesMd5Key, Framing, Limits, compress_bytes, encrypt_bytes};
use claimwire::model::ClaimFile;
use claimwire::package::{PackageLimits, read_bytes};
use claimwire::rules::{NamingConvention, NamingFacts};

/// Any JSON as a claim file: what is taken survives the way through text and through records.
pub(crate) fn claim_file(json: &[u8]) {
    let Ok(file) = ClaimFile::from_json(json) else { return };
    let text = file.to_json().expect("what was read can be written");
    assert_eq!(ClaimFile::from_json(&text).ok().as_ref(), Some(&file));
    if let Ok(records) = file.to_records() {
        assert!(ClaimFile::from_records(records).is_ok());
    }
}

/// Any manifest and claim file in a well-formed archive: refused, or a package whose parts agree.
///
/// The name of a document, the manifest, the claim file and the document, with a NUL byte behind each of the first three.
pub(crate) fn package(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (name, manifest, claim, document) = (part(), part(), part(), part());
    let Ok(name) = std::str::from_utf8(name) else { return };
    let path = format!("documents/{name}");
    let entries = [(path.as_str(), document), ("claim.json", claim), ("manifest.json", manifest)];
    let Ok(archive) = compress_bytes(entries) else { return };
    // The framing with one iteration: the cheapest to derive.
    let key = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).expect("a good password");
    let sealed = encrypt_bytes(&key.clone().into(), &archive).expect("bytes in memory");
    let folder = super::folder();
    let limits = PackageLimits::default().with_archive(Limits::default().with_inflated_size(1 << 20));
    if let Ok(contents) = read_bytes(&sealed, &key.into(), folder.path(), &limits) {
        assert_eq!(contents.manifest.entries.len(), contents.documents.len() + 1);
    }
}

/// Any naming convention, the first line, against any name, the rest: refused or answered, in bounded time.
pub(crate) fn naming(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (pattern, name) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(convention) = pattern.parse::<NamingConvention>() else { return };
    if let Err(fault) = convention.check(name, &NamingFacts::new()) {
        assert!(!fault.to_string().is_empty());
    }
}
