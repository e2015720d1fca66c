//! Claims, records and document versions as rows.

use super::DocumentVersion;
use crate::model::{ClaimFile, ExchangeId, Json, Record, Timestamp};
use crate::sqlite::{Failure, to_sql};
use crate::{Error, ErrorKind, Result};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

pub(super) fn has_claim(connection: &Connection, claim: &ExchangeId) -> Result<bool, Failure> {
    Ok(connection.query_row("SELECT count(*) FROM claims WHERE id = ?1", [claim.as_str()], |row| {
        row.get::<_, i64>(0).map(|count| count > 0)
    })?)
}

pub(super) fn known_claim(connection: &Connection, claim: &ExchangeId) -> Result<(), Failure> {
    if has_claim(connection, claim)? { Ok(()) } else { Err(unknown_claim(claim).into()) }
}

pub(super) fn unknown_claim(claim: &ExchangeId) -> Error {
    Error::new(ErrorKind::UnknownClaim, format!("claim {claim} is not in the case system"))
}

/// Adds the claim, or replaces the members of its file that belong to no record.
pub(super) fn set_claim(
    connection: &Connection,
    claim: &ExchangeId,
    other: &BTreeMap<String, Json>,
) -> Result<(), Failure> {
    connection.execute(
        "INSERT INTO claims (id, other) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET other = excluded.other",
        params![claim.as_str(), Json::from_serialize(other)?.to_string()],
    )?;
    Ok(())
}

pub(super) fn claims(connection: &Connection) -> Result<Vec<ExchangeId>, Failure> {
    let mut statement = connection.prepare("SELECT id FROM claims ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut claims = Vec::new();
    while let Some(row) = rows.next()? {
        claims.push(text(row, 0)?.parse()?);
    }
    Ok(claims)
}

pub(super) fn claim_file(connection: &Connection, claim: &ExchangeId) -> Result<Option<ClaimFile>, Failure> {
    let other: Option<String> = connection
        .query_row("SELECT other FROM claims WHERE id = ?1", [claim.as_str()], |row| row.get(0))
        .optional()?;
    let Some(other) = other else { return Ok(None) };
    let mut statement = connection.prepare("SELECT body FROM records WHERE claim = ?1 ORDER BY number")?;
    let mut rows = statement.query([claim.as_str()])?;
    let mut records: Vec<Record> = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(from_body(text(row, 0)?)?);
    }
    let mut file = ClaimFile::from_records(records).map_err(|error| {
        Error::new(ErrorKind::StoreDamaged, format!("claim {claim} cannot be read: {error}")).caused_by(error)
    })?;
    file.other = from_body(&other)?;
    Ok(Some(file))
}

/// Refuses what was written of a claim that could not be loaded again.
pub(super) fn stays_readable(connection: &Connection, claim: &ExchangeId) -> Result<(), Failure> {
    match claim_file(connection, claim) {
        Err(Failure::Ours(error)) => Err(Failure::Ours(
            Error::new(
                ErrorKind::InvalidPackage,
                format!("with these changes the claim could not be read again, so none was made: {error}"),
            )
            .caused_by(error),
        )),
        read => read.map(drop),
    }
}

pub(super) fn record_ids(connection: &Connection, claim: &ExchangeId) -> Result<Vec<String>, Failure> {
    let mut statement = connection.prepare("SELECT id FROM records WHERE claim = ?1")?;
    let ids = statement.query_map([claim.as_str()], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The records of one claim, read and written by statements that are prepared once: a claim may have many.
pub(super) struct Records<'c> {
    claim: &'c ExchangeId,
    get: Statement<'c>,
    set: Statement<'c>,
}

impl<'c> Records<'c> {
    pub(super) fn of(connection: &'c Connection, claim: &'c ExchangeId) -> Result<Self, Failure> {
        let get = connection.prepare("SELECT body FROM records WHERE claim = ?1 AND id = ?2")?;
        let set = connection.prepare(
            "INSERT INTO records (claim, id, body) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET body = excluded.body",
        )?;
        Ok(Self { claim, get, set })
    }

    pub(super) fn get(&mut self, id: &ExchangeId) -> Result<Option<Record>, Failure> {
        let mut rows = self.get.query([self.claim.as_str(), id.as_str()])?;
        rows.next()?.map(|row| Ok(from_body(text(row, 0)?)?)).transpose()
    }

    pub(super) fn set(&mut self, record: &Record) -> Result<(), Failure> {
        let body = Json::from_serialize(record)?.to_string();
        self.set.execute(params![self.claim.as_str(), record.id.as_str(), body])?;
        Ok(())
    }
}

pub(super) fn remove_record(connection: &Connection, claim: &ExchangeId, id: &str) -> Result<(), Failure> {
    connection.execute("DELETE FROM records WHERE claim = ?1 AND id = ?2", [claim.as_str(), id])?;
    Ok(())
}

/// The versions of a document's bytes, the first one first.
pub(super) fn versions(
    connection: &Connection,
    claim: &ExchangeId,
    document: &ExchangeId,
) -> Result<Vec<DocumentVersion>, Failure> {
    let mut statement = connection.prepare(
        "SELECT number, sha256, size, name, stored_at, stored_by FROM document_versions
         WHERE claim = ?1 AND document = ?2 ORDER BY number",
    )?;
    let mut rows = statement.query([claim.as_str(), document.as_str()])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(DocumentVersion {
            number: row.get::<_, i64>(0)?.unsigned_abs(),
            sha256: row.get(1)?,
            size: row.get::<_, i64>(2)?.unsigned_abs(),
            name: row.get(3)?,
            stored_at: text(row, 4)?.parse()?,
            stored_by: row.get(5)?,
        });
    }
    Ok(versions)
}

/// Records that a document's bytes are these now; the same bytes again are no new version.
pub(super) fn add_version(
    connection: &Connection,
    claim: &ExchangeId,
    record: &Record,
    (sha256, size): (&str, u64),
    by: &str,
) -> Result<(), Failure> {
    let known = versions(connection, claim, &record.id)?;
    if known.last().is_some_and(|last| last.sha256 == sha256) {
        return Ok(());
    }
    let number = known.last().map_or(0, |last| last.number) + 1;
    let name = record.fields.get("name").and_then(Json::as_str).unwrap_or_default();
    connection.execute(
        "INSERT INTO document_versions (claim, document, number, sha256, size, name, stored_at, stored_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            claim.as_str(),
            record.id.as_str(),
            to_sql(number)?,
            sha256,
            to_sql(size)?,
            name,
            Timestamp::now().to_string(),
            by
        ],
    )?;
    Ok(())
}

/// The digests of all bytes that are named.
pub(super) fn all_bytes(connection: &Connection) -> Result<HashSet<String>, Failure> {
    let mut statement = connection.prepare("SELECT DISTINCT sha256 FROM document_versions")?;
    let digests = statement.query_map([], |row| row.get(0))?;
    Ok(digests.collect::<rusqlite::Result<_>>()?)
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Failure> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn from_body<T: for<'de> Deserialize<'de>>(body: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|error| {
        Error::new(
            ErrorKind::StoreDamaged,
            format!("the case system holds something it cannot read: {error}"),
        )
        .caused_by(error)
    })
}
