//! Which notes each partner was sent of a claim: counted as packages are added, rejected and tried again, so that an
//! export asks one index and not every earlier package.

use crate::ledger::{Outgoing, OutgoingState};
use crate::model::{ExchangeId, SiteId};
use crate::sqlite::Failure;
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeSet;

/// What version 5 adds: how many packages that count carry a note. What is damaged in a body is told by the list that
/// meets it.
const NOTES_SENT: &str = "
CREATE TABLE notes_sent (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    note TEXT NOT NULL,
    packages INTEGER NOT NULL,
    PRIMARY KEY (claim, partner, note)
) STRICT, WITHOUT ROWID;
INSERT INTO notes_sent (claim, partner, note, packages)
SELECT packages.claim, packages.partner, note.value, count(*)
FROM packages, json_each(CASE WHEN json_valid(body) THEN body ELSE '{}' END, '$.notes') AS note
WHERE direction = 'outgoing' AND packages.claim IS NOT NULL
    AND state <> 'rejected' AND NOT (kind = 'notes' AND state = 'failed')
GROUP BY 1, 2, 3;
";

pub(super) fn add_table(transaction: &Transaction<'_>) -> Result<(), Failure> {
    Ok(transaction.execute_batch(NOTES_SENT)?)
}

/// Takes in a package as it stands now; it was in the state `before`, or is new.
pub(super) fn take_in(
    transaction: &Transaction<'_>,
    package: &Outgoing,
    before: Option<OutgoingState>,
) -> Result<(), Failure> {
    let counted = before.is_some_and(|state| state.counts_as_seen(package.package.kind));
    let statements: &[&str] = match (counted, package.counts_as_seen()) {
        (false, true) => &["INSERT INTO notes_sent (claim, partner, note, packages) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET packages = packages + 1"],
        (true, false) => &[
            "UPDATE notes_sent SET packages = packages - 1 WHERE claim = ?1 AND partner = ?2 AND note = ?3",
            "DELETE FROM notes_sent WHERE claim = ?1 AND partner = ?2 AND note = ?3 AND packages < 1",
        ],
        _ => &[],
    };
    let (claim, partner) = (package.package.claim.as_str(), package.partner.as_str());
    for statement in statements {
        let mut statement = transaction.prepare(statement)?;
        for note in &package.notes {
            statement.execute(params![claim, partner, note.as_str()])?;
        }
    }
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    partner: &SiteId,
    claim: &ExchangeId,
) -> Result<BTreeSet<ExchangeId>, Failure> {
    let mut statement =
        connection.prepare("SELECT note FROM notes_sent WHERE claim = ?1 AND partner = ?2")?;
    let mut rows = statement.query([claim.as_str(), partner.as_str()])?;
    let mut notes = BTreeSet::new();
    while let Some(row) = rows.next()? {
        notes.insert(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?.parse()?);
    }
    Ok(notes)
}
