//! Any manifest and claim file in a well-formed archive: refused, or a package whose parts agree.
#![no_main]

use claimwire::codec::{DesMd5Key, Framing, Limits, compress_bytes, encrypt_bytes};
use claimwire::package::{PackageLimits, read_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|parts: (&str, &str, &str, &[u8])| {
    let (manifest, claim, name, document) = parts;
    let path = format!("documents/{name}");
    let entries = [(path.as_str(), document), ("claim.json", claim.as_bytes()), ("manifest.json", manifest.as_bytes())];
    let Ok(archive) = compress_bytes(entries) else { return };
    // The framing with one iteration: the cheapest to derive.
    let Ok(key) = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl) else { return };
    let Ok(sealed) = encrypt_bytes(&key.clone().into(), &archive) else { return };
    let Ok(folder) = tempfile::tempdir() else { return };
    let limits = PackageLimits::default().with_archive(Limits::default().with_inflated_size(1 << 20));
    if let Ok(contents) = read_bytes(&sealed, &key.into(), folder.path(), &limits) {
        assert_eq!(contents.manifest.entries.len(), contents.documents.len() + 1);
    }
});
