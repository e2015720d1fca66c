//! Writes a package in one pass: documents as they stream in, then the claim file, then the manifest.

use super::manifest::{Manifest, ManifestEntry};
use super::{CLAIM_FILE, MANIFEST, document_path};
use crate::codec::{ArchiveWriter, EntryDigest, PackOptions, to_nfc};
use crate::model::{ClaimFile, ExchangeId, Json, Package, Record, RecordKind};
use crate::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{Read, Write};

/// Writes one package to any [`Write`], an encryptor for instance.
///
/// Add the documents, then call [`finish`](Self::finish) with the records. **Without `finish` the output is not a
/// package**: the claim file and the manifest are written there.
///
/// Documents are compressed side by side, as [`ArchiveWriter::queue`] does it.
pub struct PackageWriter<W: Write> {
    archive: ArchiveWriter<W>,
    package: Package,
    entries: Vec<ManifestEntry>,
    queued: VecDeque<QueuedDocument>,
    documents: BTreeMap<String, WrittenDocument>,
}

/// A document whose digest is not known yet.
struct QueuedDocument {
    id: ExchangeId,
    name: String,
    stated: Option<String>,
}

struct WrittenDocument {
    name: String,
    digest: EntryDigest,
}

impl<W: Write> PackageWriter<W> {
    /// Starts `package` on `output`, with the default [`PackOptions`].
    pub fn new(output: W, package: Package) -> Self {
        Self::with_options(output, package, &PackOptions::default())
    }

    /// Starts `package` on `output`.
    pub fn with_options(output: W, package: Package, options: &PackOptions) -> Self {
        Self {
            archive: ArchiveWriter::with_options(output, options),
            package,
            entries: Vec::new(),
            queued: VecDeque::new(),
            documents: BTreeMap::new(),
        }
    }

    /// Adds the bytes of `document`, which needs a `name` and may state its `size` and `sha256`. They are read when this
    /// returns; what comes of compressing and writing them may be told by a later call.
    ///
    /// # Errors
    /// [`ErrorKind::HostileName`] when the name cannot travel, [`ErrorKind::StoreDamaged`] when the bytes of this
    /// document, or of one added before, are not those its record states, [`ErrorKind::Io`] from reading or writing.
    pub fn document(&mut self, document: &Record, content: impl Read) -> Result<()> {
        let text = |field: &str| document.fields.get(field).and_then(Json::as_str);
        let name = text("name").map(to_nfc).map(Cow::into_owned).ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("document {} has no name", document.id))
        })?;
        let path = document_path(&document.id, &name)?;
        self.archive
            .queue(&path, content)
            .map_err(|error| error.within(format_args!("document {}", document.id)))?;
        let stated = text("sha256").map(str::to_owned);
        self.queued.push_back(QueuedDocument { id: document.id.clone(), name, stated });
        let written = self.archive.take_settled();
        self.note_documents(written)
    }

    /// Writes the claim file of these records and the manifest, and gives the output back.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPackage`] when the records are no claim file or a document's bytes were not added,
    /// [`ErrorKind::StoreDamaged`] when a document's bytes are not those its record states, [`ErrorKind::Io`] from
    /// writing.
    pub fn finish(mut self, mut records: Vec<Record>) -> Result<(W, Manifest)> {
        let written = self.archive.settle()?;
        self.note_documents(written)?;
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
        let digest = self.archive.add(CLAIM_FILE, file.to_string().as_bytes())?;
        self.note(CLAIM_FILE.into(), digest);

        let manifest = Manifest::new(self.package, self.entries);
        let json = Json::from_serialize(&manifest)?.to_string();
        self.archive.add(MANIFEST, json.as_bytes())?;
        Ok((self.archive.finish()?, manifest))
    }

    /// Notes what was written, which are the documents queued first, and compares it with what their records state.
    fn note_documents(&mut self, written: Vec<(String, EntryDigest)>) -> Result<()> {
        for (path, digest) in written {
            let Some(document) = self.queued.pop_front() else { break };
            if document.stated.is_some_and(|stated| stated != digest.to_hex()) {
                return Err(Error::new(
                    ErrorKind::StoreDamaged,
                    format!(
                        "document {} is not the file its record describes: the SHA-256 differs",
                        document.id
                    ),
                ));
            }
            self.note(path, digest);
            let written = WrittenDocument { name: document.name, digest };
            self.documents.insert(document.id.to_string(), written);
        }
        Ok(())
    }

    fn note(&mut self, path: String, digest: EntryDigest) {
        self.entries.push(ManifestEntry { path, size: digest.size(), sha256: digest.to_hex() });
    }
}

impl<W: Write> fmt::Debug for PackageWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageWriter")
            .field("package", &self.package.id)
            .field("entries", &(self.entries.len() + self.queued.len()))
            .finish_non_exhaustive()
    }
}
