//! What a host or a person does with the embedded case system besides the exchange.

use super::{DocumentVersion, SqliteCaseSystem, rows};
use crate::model::{Claim, ClaimFile, Document, ExchangeId, Json, Note, Record, RecordKind};
use crate::sqlite::Failure;
use crate::{Error, ErrorKind, Result};
use rusqlite::Connection;
use std::collections::HashSet;
use std::io::Read;

impl SqliteCaseSystem {
    /// The ids of all claims, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::CaseSystem`] when the store cannot be read.
    pub fn claims(&self) -> Result<Vec<ExchangeId>> {
        self.database.read(rows::claims)
    }

    /// Stores a claim file as it is: records it no longer has are removed, those among them that came in since it was
    /// loaded. A claim that is exchanged is changed by [`update`](Self::update) instead.
    ///
    /// A document's bytes come by [`add_document`](Self::add_document); a new document in `file` is refused, and the
    /// size and digest of a known one are filled in where they are not given.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when a document's bytes are not here or are others than `file` says, or an id
    /// stands twice; [`ErrorKind::CaseSystem`] when the store cannot be written. Nothing is changed then.
    pub fn put(&self, file: &ClaimFile) -> Result<()> {
        let claim = &file.claim.id;
        let records = records_of(file)?;
        let ids: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
        self.database.write(|transaction| {
            rows::set_claim(transaction, claim, &file.other)?;
            for id in rows::record_ids(transaction, claim)?.iter().filter(|id| !ids.contains(id.as_str())) {
                rows::remove_record(transaction, claim, id)?;
            }
            let mut stored = rows::Records::of(transaction, claim)?;
            for mut record in records.iter().cloned() {
                if record.kind == RecordKind::Document {
                    fill_in_bytes(transaction, claim, &mut record)?;
                }
                stored.set(&record)?;
            }
            Ok(())
        })
    }

    /// Adds a document with its bytes, or gives a document new bytes; earlier ones are kept as versions.
    ///
    /// Gives the document with the size and digest of its bytes. Its author is noted as who stored the version.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownClaim`] when the claim is not here; [`ErrorKind::InvalidArgument`] when another kind of
    /// record has the document's id; when `bytes` cannot be read or the store cannot be written. Nothing is changed
    /// then.
    pub fn add_document(&self, claim: &ExchangeId, document: Document, bytes: impl Read) -> Result<Document> {
        let mut bytes = bytes;
        let written = self.files.write(&mut bytes)?;
        let mut document = document;
        document.sha256 = Some(written.sha256.clone());
        document.size = Some(written.size);
        let mut file = ClaimFile::new(Claim::new(claim.clone()));
        file.documents.push(document.clone());
        let record = record_beside_claim(&file)?;
        let by = document.author.clone().unwrap_or_default();
        self.database.write(|transaction| {
            add_record(transaction, claim, &record)?;
            let mut placed = self.files.placing();
            let named = (written.sha256.clone(), written.size);
            placed.place(written)?;
            rows::add_version(transaction, claim, &record, (&named.0, named.1), &by)?;
            placed.sync()?;
            placed.keep();
            Ok(())
        })?;
        Ok(document)
    }

    /// Adds a note, or replaces the one with the same id.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownClaim`] when the claim is not here; [`ErrorKind::InvalidArgument`] when another kind of
    /// record has the note's id; [`ErrorKind::CaseSystem`] when the store cannot be written.
    pub fn add_note(&self, claim: &ExchangeId, note: &Note) -> Result<()> {
        let mut file = ClaimFile::new(Claim::new(claim.clone()));
        file.notes.push(note.clone());
        let record = record_beside_claim(&file)?;
        self.database.write(|transaction| add_record(transaction, claim, &record))
    }

    /// The versions of a document's bytes, the first one first; empty when it is not here.
    ///
    /// # Errors
    /// [`ErrorKind::CaseSystem`] when the store cannot be read.
    pub fn document_versions(
        &self,
        claim: &ExchangeId,
        document: &ExchangeId,
    ) -> Result<Vec<DocumentVersion>> {
        self.database.read(|connection| rows::versions(connection, claim, document))
    }

    /// The bytes of one version.
    ///
    /// # Errors
    /// [`ErrorKind::StoreDamaged`] when they are lost; [`ErrorKind::Io`] when they cannot be read.
    pub fn open_version(&self, version: &DocumentVersion) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.files.read(&version.sha256)?))
    }
}

/// The records of a claim file, each with an id of its own.
pub(super) fn records_of(file: &ClaimFile) -> Result<Vec<Record>> {
    let records = file.to_records()?;
    let ids: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    if ids.len() != records.len() {
        return Err(invalid(&file.claim.id, "an id stands twice in the claim file"));
    }
    Ok(records)
}

/// The one record that a claim file has besides its claim.
fn record_beside_claim(file: &ClaimFile) -> Result<Record> {
    file.to_records()?.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "a claim file without records"))
}

fn add_record(connection: &Connection, claim: &ExchangeId, record: &Record) -> Result<(), Failure> {
    rows::known_claim(connection, claim)?;
    let mut stored = rows::Records::of(connection, claim)?;
    if let Some(known) = stored.get(&record.id)?
        && known.kind != record.kind
    {
        let what = format!("{} {} is of kind {} here", record.kind, record.id, known.kind);
        return Err(invalid(claim, &what).into());
    }
    stored.set(record)
}

/// Gives the document the size and digest of the bytes that are here.
pub(super) fn fill_in_bytes(
    connection: &Connection,
    claim: &ExchangeId,
    record: &mut Record,
) -> Result<(), Failure> {
    let versions = rows::versions(connection, claim, &record.id)?;
    let Some(current) = versions.last() else {
        let what = format!("document {} has no bytes here; add it with them", record.id);
        return Err(invalid(claim, &what).into());
    };
    let stored =
        [("sha256", Json::from(current.sha256.as_str())), ("size", Json::from_serialize(&current.size)?)];
    for (name, value) in stored {
        if record.fields.get(name).is_some_and(|given| *given != value) {
            let what =
                format!("document {}: `{name}` is not that of the bytes here; add the new bytes", record.id);
            return Err(invalid(claim, &what).into());
        }
        record.fields.insert(name.to_owned(), value);
    }
    Ok(())
}

pub(super) fn invalid(claim: &ExchangeId, what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("claim {claim}: {what}"))
}
