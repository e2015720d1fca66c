//! Writes a package in one pass: documents as they stream in, then the claim file, then the manifest.

use super::manifest::{Manifest, ManifestEntry};
use super::{CLAIM_FILE, MANIFEST, document_path};
use crate::codec::{ArchiveWriter, EntryDigest, to_nfc};
use crate::model::{ClaimFile, Json, Package, Record, RecordKind};
use crate::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};

/// Writes one package to any [`Write`], an encryptor for instance.
///
/// Add the documents, then call [`finish`](Self::finish) with the records. **Without `finish` the output is not a
/// package**: the claim file and the manifest are written there.
pub struct PackageWriter<W: Write> {
    archive: ArchiveWriter<W>,
    package: Package,
    entries: Vec<ManifestEntry>,
    documents: BTreeMap<String, WrittenDocument>,
}

struct WrittenDocument {
    name: String,
    digest: EntryDigest,
}

impl<W: Write> PackageWriter<W> {
    /// Starts `package` on `output`.
    pub fn new(output: W, package: Package) -> Self {
        Self { archive: ArchiveWriter::new(output), package, entries: Vec::new(), documents: BTreeMap::new() }
    }

    /// Adds the bytes of `document`, which needs a `name` and may state its `size` and `sha256`.
    ///
    /// # Errors
    /// [`ErrorKind::HostileName`] when the name cannot travel, [`ErrorKind::StoreDamaged`] when the bytes are not
    /// those the record states, [`ErrorKind::Io`] from reading or writing.
    pub fn document(&mut self, document: &Record, content: impl Read) -> Result<()> {
        let text = |field: &str| document.fields.get(field).and_then(Json::as_str);
        let name = text("name").map(to_nfc).map(Cow::into_owned).ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("document {} has no name", document.id))
        })?;
        let digest = self
            .add(document_path(&document.id, &name)?, content)
            .map_err(|error| error.within(format_args!("document {}", document.id)))?;
        if let Some(stated) = text("sha256")
            && stated != digest.to_hex()
        {
            return Err(Error::new(
                ErrorKind::StoreDamaged,
                format!("document {} is not the file its record describes: the SHA-256 differs", document.id),
            ));
        }
        self.documents.insert(document.id.to_string(), WrittenDocument { name, digest });
        Ok(())
    }

    /// Writes the claim file of these records and the manifest, and gives the output back.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPackage`] when the records are no claim file or a document's bytes were not added,
    /// [`ErrorKind::Io`] from writing.
    pub fn finish(mut self, mut records: Vec<Record>) -> Result<(W, Manifest)> {
        for record in records.iter_mut().filter(|record| record.kind == RecordKind::Document) {
            let written = self.documents.get(record.id.as_str()).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidPackage,
                    format!("the bytes of document {} were not added", record.id),
                )
            })?;
            record.fields.insert("name".into(), written.name.as_str().into());
            record.fields.insert("size".into(), Json(written.digest.size().into()));
            record.fields.insert("sha256".into(), written.digest.to_hex().into());
        }
        let file = ClaimFile::json_of_records(records)?;
        self.add(CLAIM_FILE.into(), file.to_string().as_bytes())?;

        let manifest = Manifest::new(self.package, self.entries);
        let json = Json::from_serialize(&manifest)?.to_string();
        self.archive.add(MANIFEST, json.as_bytes())?;
        Ok((self.archive.finish()?, manifest))
    }

    fn add(&mut self, path: String, content: impl Read) -> Result<EntryDigest> {
        let digest = self.archive.add(&path, content)?;
        self.entries.push(ManifestEntry { path, size: digest.size(), sha256: digest.to_hex() });
        Ok(digest)
    }
}

impl<W: Write> fmt::Debug for PackageWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageWriter")
            .field("package", &self.package.id)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}
