//! The parts of a package archive, put together by hand so that a test can make one of them lie.

use super::{examiner_site, id, insurer_site};
use claimwire::codec::ArchiveWriter;
use claimwire::model::{Package, PackageId, PackageKind};
use claimwire::protocol::Digest;
use serde_json::{Value, json};

/// A package of claim `ON-INS/C-1` with one note and one document, before it is put into an archive.
pub(crate) struct Parts {
    pub(crate) package: Package,
    pub(crate) claim_file: Value,
    /// Every entry but `claim.json` and `manifest.json`.
    pub(crate) documents: Vec<(String, Vec<u8>)>,
    /// Changes the finished manifest.
    pub(crate) lie: Box<dyn FnOnce(&mut Value)>,
}

pub(crate) const REPORT: &str = "documents/ON-INS/D-7/second report.txt";

impl Parts {
    /// An honest package.
    pub(crate) fn new() -> Self {
        let mut package = Package::new(PackageKind::Claim, insurer_site(), examiner_site(), id("ON-INS/C-1"));
        // After all that the insurer really sent.
        package.sequence = 1 << 43;
        package.created_by = "dana".into();
        let claim_file = json!({
            "claim": {"id": "ON-INS/C-1", "claim_number": "C-1", "status": "forged"},
            "notes": [{"id": "ON-INS/N-7", "body": "Please look again."}],
            "documents": [{"id": "ON-INS/D-7", "name": "second report.txt"}],
        });
        let documents = vec![(REPORT.to_owned(), b"Left knee: healed.\n".to_vec())];
        Self { package, claim_file, documents, lie: Box::new(|_| {}) }
    }

    /// These parts with some of them changed; the manifest will speak of the changed ones.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// These parts under a manifest that says something else.
    pub(crate) fn lying(mut self, lie: impl FnOnce(&mut Value) + 'static) -> Self {
        self.lie = Box::new(lie);
        self
    }

    pub(crate) fn id(&self) -> PackageId {
        self.package.id
    }

    /// The entries of the archive, in order. The first document's record gets the size and digest of its bytes, unless
    /// the test states others.
    pub(crate) fn entries(mut self) -> Vec<(String, Vec<u8>)> {
        let record = self.claim_file.pointer_mut("/documents/0").and_then(Value::as_object_mut);
        if let (Some((_, bytes)), Some(record)) = (self.documents.first(), record) {
            record.entry("size").or_insert(json!(bytes.len()));
            record.entry("sha256").or_insert(json!(Digest::of(bytes).to_hex()));
        }
        let claim_file = self.claim_file.to_string().into_bytes();
        self.entries_around(claim_file)
    }

    /// The entries around these bytes as `claim.json`.
    pub(crate) fn entries_around(self, claim_file: Vec<u8>) -> Vec<(String, Vec<u8>)> {
        let mut entries = self.documents;
        entries.push(("claim.json".to_owned(), claim_file));
        let listed: Vec<Value> = entries
            .iter()
            .map(|(path, bytes)| json!({"path": path, "size": bytes.len(), "sha256": Digest::of(bytes).to_hex()}))
            .collect();
        let mut manifest = json!({"format_version": 1, "package": self.package, "entries": listed});
        (self.lie)(&mut manifest);
        entries.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        entries
    }

    pub(crate) fn archive(self) -> Vec<u8> {
        archive_of(&self.entries())
    }
}

/// An archive of these entries, as the crate itself writes it.
pub(crate) fn archive_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (name, bytes) in entries {
        archive.add(name, bytes.as_slice()).unwrap();
    }
    archive.finish().unwrap()
}
