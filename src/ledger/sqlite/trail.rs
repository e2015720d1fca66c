//! The history in the embedded ledger.

use super::{from_body, to_body};
use crate::ledger::{HistoryEntry, HistoryQuery};
use crate::sqlite::Failure;
use rusqlite::{Connection, Transaction, params, params_from_iter};

pub(super) fn append(transaction: &Transaction<'_>, entry: &HistoryEntry) -> Result<(), Failure> {
    transaction.execute(
        "INSERT INTO history (direction, package, kind, claim, partner, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            entry.direction.name(),
            entry.package.to_string(),
            entry.kind.name(),
            entry.claim.as_ref().map(|claim| claim.as_str()),
            entry.partner.as_str(),
            to_body(entry)?
        ],
    )?;
    let number = transaction.last_insert_rowid();
    let mut statement =
        transaction.prepare("INSERT INTO history_assessments (assessment, number) VALUES (?1, ?2)")?;
    for assessment in &entry.assessments {
        statement.execute(params![assessment.as_str(), number])?;
    }
    Ok(())
}

pub(super) fn list(connection: &Connection, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, Failure> {
    let mut sql = String::from("SELECT history.number, body FROM history");
    let mut values: Vec<rusqlite::types::Value> = Vec::new();
    if let Some(assessment) = &query.assessment {
        sql.push_str(
            " JOIN history_assessments ON history_assessments.number = history.number AND assessment = ?",
        );
        values.push(assessment.as_str().to_owned().into());
    }
    sql.push_str(" WHERE 1");
    let filters = [
        (" AND claim = ?", query.claim.as_ref().map(|claim| claim.as_str().to_owned())),
        (" AND partner = ?", query.partner.as_ref().map(|partner| partner.as_str().to_owned())),
        (" AND kind = ?", query.kind.map(|kind| kind.name().to_owned())),
        (" AND direction = ?", query.direction.map(|direction| direction.name().to_owned())),
        (" AND package = ?", query.package.map(|package| package.to_string())),
    ];
    for (filter, value) in filters {
        if let Some(value) = value {
            sql.push_str(filter);
            values.push(value.into());
        }
    }
    if let Some(after) = query.after {
        sql.push_str(if query.newest_first { " AND history.number < ?" } else { " AND history.number > ?" });
        values.push(i64::try_from(after).unwrap_or(i64::MAX).into());
    }
    sql.push_str(if query.newest_first {
        " ORDER BY history.number DESC"
    } else {
        " ORDER BY history.number"
    });
    sql.push_str(" LIMIT ?");
    values.push(i64::from(query.limit).into());

    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let mut entry: HistoryEntry = from_body(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        entry.number = row.get::<_, i64>(0)?.unsigned_abs();
        entries.push(entry);
    }
    Ok(entries)
}
