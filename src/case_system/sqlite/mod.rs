//! The embedded case system: claims in one SQLite file, the bytes of documents beside it.

mod edit;
mod files;
mod rows;
mod schema;
mod update;

use super::{CaseSystem, StagedDocuments};
use crate::durable_file::create_private_folder;
use crate::failpoint::failpoint;
use crate::merge::ChangeSet;
use crate::model::{ClaimFile, ExchangeId, Json, Timestamp};
use crate::rules::Catalogue;
use crate::sqlite::{Database, private};
use crate::{Error, ErrorKind, Result};
use files::{Files, Written};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::Path;

/// A case system for hosts without one (feature `sqlite`): a folder with `cases.sqlite3` and `documents/`.
///
/// The folder is made on first use, for this user alone. What a call changed is on stable storage when it returns.
/// Earlier bytes of a document are kept as versions. Any number of threads, handles and processes on one machine may
/// use the same folder; it must not lie on a network file system.
///
/// ```
/// use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
/// use claimwire::model::{Claim, ClaimFile, Document};
///
/// # let folder = tempfile::tempdir()?;
/// let cases = SqliteCaseSystem::open(folder.path().join("cases"))?;
/// let file = ClaimFile::new(Claim::new("ON-INS/C-1".parse()?));
/// cases.put(&file)?;
/// let mut report = Document::new("ON-INS/D-1".parse()?);
/// report.name = Some("report.txt".into());
/// let report = cases.add_document(&file.claim.id, report, "seen".as_bytes())?;
/// assert_eq!(report.size, Some(4));
/// assert_eq!(cases.load(&file.claim.id)?.map(|file| file.documents), Some(vec![report]));
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Debug)]
pub struct SqliteCaseSystem {
    database: Database,
    files: Files,
    catalogue: Catalogue,
    // Held as long as this handle may be writing files, so that no other handle sweeps them away.
    _in_use: File,
}

/// The bytes a document had at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DocumentVersion {
    /// The version's number, from 1.
    pub number: u64,
    /// The SHA-256 of the bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
    /// The document's name at that time.
    pub name: String,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// Who stored it.
    pub stored_by: String,
}

impl SqliteCaseSystem {
    /// Opens the case system in this folder; makes it when it is not there (but not the folders above it).
    ///
    /// Files that a crash left behind are removed, when no other handle is open.
    ///
    /// # Errors
    /// [`ErrorKind::CaseSystem`] when the database cannot be made or opened, belongs to another program or was
    /// written by a later version of the schema; [`ErrorKind::StoreDamaged`] when it is no sound database;
    /// [`ErrorKind::Io`] when the folder cannot be made or read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        create_private_folder(folder)?;
        let in_use = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(folder.join("cases.lock"))?;
        let alone = match in_use.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        };
        let database = Database::open(&folder.join("cases.sqlite3"), &schema::SCHEMA)?;
        let files = Files::open(folder.join("documents"))?;
        if alone {
            files.sweep(&database.read(rows::all_bytes)?)?;
            in_use.unlock()?;
        }
        in_use.lock_shared()?;
        Ok(Self { database, files, catalogue: Catalogue::new(), _in_use: in_use })
    }

    /// The same case system with this catalogue of known types.
    #[must_use]
    pub fn with_catalogue(mut self, catalogue: Catalogue) -> Self {
        self.catalogue = catalogue;
        self
    }
}

impl CaseSystem for SqliteCaseSystem {
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>> {
        self.database.read(|connection| rows::claim_file(connection, claim))
    }

    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>> {
        let versions = self.document_versions(claim, document)?;
        let current = versions.last().ok_or_else(|| {
            let text = format!("document {document} of claim {claim} is not in the case system");
            Error::new(ErrorKind::UnknownClaim, text)
        })?;
        let file = self.files.read(&current.sha256);
        Ok(Box::new(
            file.map_err(|error| error.within(format_args!("document {document} of claim {claim}")))?,
        ))
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()> {
        changes.unless_blocked()?;
        let mut written = self.write_documents(changes, documents)?;
        self.database.write(|transaction| {
            if changes.adds_claim && !rows::has_claim(transaction, &changes.claim)? {
                rows::set_claim(transaction, &changes.claim, &BTreeMap::new())?;
            }
            rows::known_claim(transaction, &changes.claim)?;
            let mut placed = self.files.placing();
            let mut records = rows::Records::of(transaction, &changes.claim)?;
            for change in &changes.records {
                let before = records.get(&change.after.id)?;
                let Some(after) = change.apply_to(before.clone())? else { continue };
                if before.as_ref() != Some(&after) {
                    records.set(&after)?;
                }
                if let Some(bytes) = written.remove(&after.id) {
                    let named = (bytes.sha256.clone(), bytes.size);
                    placed.place(bytes)?;
                    rows::add_version(transaction, &changes.claim, &after, (&named.0, named.1), by)?;
                }
            }
            rows::stays_readable(transaction, &changes.claim)?;
            placed.sync()?;
            failpoint!("case-written", ErrorKind::CaseSystem);
            placed.keep();
            Ok(())
        })?;
        failpoint!("case-committed", ErrorKind::CaseSystem);
        Ok(())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        Ok(self.catalogue.clone())
    }
}

impl SqliteCaseSystem {
    /// Copies the bytes of every document whose bytes change, and checks them against what the change says.
    fn write_documents(
        &self,
        changes: &ChangeSet,
        documents: &StagedDocuments,
    ) -> Result<BTreeMap<ExchangeId, Written>> {
        let mut written = BTreeMap::new();
        for change in changes.records.iter().filter(|change| change.brings_bytes()) {
            let id = &change.after.id;
            let sha256 = change.after.fields.get("sha256").and_then(Json::as_str).unwrap_or_default();
            let bytes = self.files.write(&mut documents.open(id)?)?;
            let size = change.after.fields.get("size").map(Json::to_string);
            if bytes.sha256 != sha256 || size.is_some_and(|size| size != bytes.size.to_string()) {
                return Err(Error::new(
                    ErrorKind::Altered,
                    format!(
                        "document {id} of claim {}: the staged file has {} bytes with SHA-256 {}, not those the package names",
                        changes.claim, bytes.size, bytes.sha256
                    ),
                ));
            }
            written.insert(id.clone(), bytes);
        }
        Ok(written)
    }
}
