//! The history in the embedded ledger: appended in a chain, and read with an eye on what was altered behind it.
//!
//! A row's `body` is the entry's line, hashes included; its columns and assessments repeat what entries are asked by.

use super::from_body;
use super::schema::{BY, ERROR, HAPPENED_AT, STEP};
use crate::Result;
use crate::ledger::{HistoryEntry, HistoryHead, HistoryQuery, broken_at};
use crate::sqlite::{Failure, to_sql};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use std::collections::BTreeSet;

/// How many entries the upgrade of a ledger holds at once.
const PAGE: u32 = 1000;

pub(super) fn append(transaction: &Transaction<'_>, entry: &HistoryEntry) -> Result<(), Failure> {
    let entry = entry.clone().chained_after(&head(transaction)?)?;
    let number = to_sql(entry.number)?;
    transaction.execute(
        "INSERT INTO history (number, direction, package, kind, claim, partner, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            number,
            entry.direction.name(),
            entry.package.to_string(),
            entry.kind.name(),
            entry.claim.as_ref().map(|claim| claim.as_str()),
            entry.partner.as_str(),
            entry.to_json()?
        ],
    )?;
    let mut statement =
        transaction.prepare("INSERT INTO history_assessments (assessment, number) VALUES (?1, ?2)")?;
    for assessment in &entry.assessments {
        statement.execute(params![assessment.as_str(), number])?;
    }
    Ok(())
}

fn head(connection: &Connection) -> Result<HistoryHead, Failure> {
    let last = connection
        .query_row("SELECT number, body FROM history ORDER BY number DESC LIMIT 1", [], |row| {
            Ok(read_entry(row))
        })
        .optional()?;
    Ok(last.transpose()?.map_or_else(HistoryHead::start, |entry| entry.head()))
}

pub(super) fn list(connection: &Connection, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, Failure> {
    let (sql, values) = listing(query);
    let mut statement = connection.prepare(&sql)?;
    let mut assessments =
        connection.prepare("SELECT CAST(assessment AS BLOB) FROM history_assessments WHERE number = ?1")?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = read_entry(row)?;
        check_columns(row, &entry)?;
        let listed: BTreeSet<Vec<u8>> = assessments
            .query_map([to_sql(entry.number)?], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        if !listed.iter().map(Vec::as_slice).eq(entry.assessments.iter().map(|id| id.as_str().as_bytes())) {
            return Err(broken_at(entry.number, "it is listed under other assessments than it has").into());
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The numbers are chosen first, by an index, so that no body is read but those of the list. Where a filter finds few,
/// the plus sign keeps SQLite, which does not know how many a value has, from the index of another.
pub(super) fn listing(query: &HistoryQuery) -> (String, Vec<Value>) {
    let mut sql = String::from(
        "SELECT number, body, direction, package, kind, claim, partner FROM history WHERE number IN \
         (SELECT history.number FROM history",
    );
    let mut values: Vec<Value> = Vec::new();
    if let Some(assessment) = &query.assessment {
        sql.push_str(
            " JOIN history_assessments ON history_assessments.number = history.number AND assessment = ?",
        );
        values.push(assessment.as_str().to_owned().into());
    }
    sql.push_str(" WHERE 1");
    let few = query.claim.is_some() || query.package.is_some() || query.assessment.is_some();
    let partner = if few { "+partner" } else { "partner" };
    let filters = [
        ("claim", query.claim.as_ref().map(|claim| claim.as_str().to_owned())),
        (partner, query.partner.as_ref().map(|partner| partner.as_str().to_owned())),
        ("kind", query.kind.map(|kind| kind.name().to_owned())),
        ("direction", query.direction.map(|direction| direction.name().to_owned())),
        ("package", query.package.map(|package| package.to_string())),
    ];
    for (filter, value) in filters {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {filter} = ?"));
            values.push(value.into());
        }
    }
    if let Some(person) = &query.by {
        sql.push_str(&format!(" AND {BY} = ?"));
        values.push(person.clone().into());
    }
    if !query.steps.is_empty() {
        sql.push_str(&format!(" AND {STEP} IN ({})", vec!["?"; query.steps.len()].join(", ")));
        values.extend(query.steps.iter().map(|step| step.name().to_owned().into()));
    }
    if query.only_failures {
        sql.push_str(&format!(" AND {ERROR} IS NOT NULL"));
    }
    for (order, moment) in [(">=", query.from), ("<", query.until)] {
        if let Some(moment) = moment {
            sql.push_str(&format!(" AND {HAPPENED_AT} {order} ?"));
            values.push(moment.to_sortable().into());
        }
    }
    if let Some(after) = query.after {
        sql.push_str(if query.newest_first { " AND history.number < ?" } else { " AND history.number > ?" });
        values.push(i64::try_from(after).unwrap_or(i64::MAX).into());
    }
    let order = if query.newest_first { "DESC" } else { "ASC" };
    sql.push_str(&format!(" ORDER BY history.number {order} LIMIT ?) ORDER BY number {order}"));
    values.push(i64::from(query.limit).into());
    (sql, values)
}

/// The entry of a row that begins with its number and its body. Another spelling of the same entry is an alteration
/// too, though the entry's hash would not show it.
fn read_entry(row: &Row<'_>) -> Result<HistoryEntry, Failure> {
    let number: i64 = row.get(0)?;
    let body = row.get_ref(1)?.as_str().map_err(|error| broken_at(number, error))?;
    let entry: HistoryEntry = from_body(body).map_err(|error| broken_at(number, &error).caused_by(error))?;
    if to_sql(entry.number).ok() != Some(number) {
        return Err(broken_at(number, format_args!("its content is that of entry {}", entry.number)).into());
    }
    if entry.to_json()? != body {
        return Err(broken_at(number, "its stored form is not the one that was written").into());
    }
    Ok(entry)
}

fn check_columns(row: &Row<'_>, entry: &HistoryEntry) -> Result<(), Failure> {
    let package = entry.package.to_string();
    let expected = [
        ("direction", Some(entry.direction.name())),
        ("package", Some(package.as_str())),
        ("kind", Some(entry.kind.name())),
        ("claim", entry.claim.as_ref().map(|claim| claim.as_str())),
        ("partner", Some(entry.partner.as_str())),
    ];
    for (column, expected) in expected {
        let listed = row.get_ref(column)?.as_bytes_or_null().map_err(rusqlite::Error::from)?;
        if listed != expected.map(str::as_bytes) {
            return Err(broken_at(entry.number, format_args!("it is listed under another {column}")).into());
        }
    }
    Ok(())
}

/// Chains the entries of a history that was written without hashes.
pub(super) fn chain_unchained(transaction: &Transaction<'_>) -> Result<(), Failure> {
    let mut select =
        transaction.prepare("SELECT number, body FROM history WHERE number > ?1 ORDER BY number LIMIT ?2")?;
    let mut update = transaction.prepare("UPDATE history SET body = ?2 WHERE number = ?1")?;
    let mut head = HistoryHead::start();
    loop {
        let page: Vec<(i64, String)> = select
            .query_map(params![to_sql(head.number)?, PAGE], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        if page.is_empty() {
            return Ok(());
        }
        for (number, body) in page {
            let entry: HistoryEntry = from_body(&body)?;
            // A row that was removed before stays missing: its number is not given anew.
            head.number = number.unsigned_abs() - 1;
            let entry = entry.chained_after(&head)?;
            update.execute(params![number, entry.to_json()?])?;
            head = entry.head();
        }
    }
}
