//! The tables of the embedded ledger.
//!
//! What is queried has a column; the rest of a value stands in `body` as JSON. Version 2 chains the history and
//! lets it only grow. Version 4 adds indexes on what stands in a body alone: an index cannot say
//! anything else than the body it is made of. Version 5 adds which notes were sent to whom; from it on, faults in bodies
//! may have findings, which earlier versions would drop. Version 6 changes no table; from it on, outgoing packages say in
//! their bodies since when they are tried and whether an answer is missing, and incoming ones that they are being applied,
//! which earlier versions would drop. Version 7 adds indexes on what is open with one partner; from it on, incoming packages
//! say in their bodies that their senders are still to be told, packages that their sealed bytes were removed, and links
//! which packages were taken over before the last, which earlier versions would drop.

use super::{notes, trail};
use crate::ErrorKind;
use crate::sqlite::{Failure, Schema};
use rusqlite::Transaction;

/// A time of a body in UTC to the millisecond, as `Timestamp::to_sortable` writes it.
macro_rules! moment {
    ($path:literal) => {
        concat!("CASE WHEN json_valid(body) THEN strftime('%Y-%m-%dT%H:%M:%fZ', body ->> '", $path, "') END")
    };
}

pub(super) const SCHEMA: Schema = Schema {
    what: "ledger",
    kind: ErrorKind::Ledger,
    // "CWLG"
    application_id: 0x4357_4c47,
    version: 7,
    upgrades: &[
        chain_history,
        add_pauses_and_notes,
        index_filters,
        notes::add_table,
        |_| Ok(()),
        index_what_is_open,
    ],
    sql: "
CREATE TABLE packages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    direction TEXT NOT NULL,
    id TEXT NOT NULL,
    partner TEXT NOT NULL,
    claim TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    is_new INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (direction, id)
) STRICT;
CREATE INDEX packages_by_claim ON packages (direction, claim, number);
CREATE INDEX packages_by_partner ON packages (direction, partner, number);
CREATE INDEX packages_by_state ON packages (direction, state, number);
CREATE INDEX packages_by_mark ON packages (direction, number) WHERE is_new = 1;

CREATE TABLE links (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (claim, partner)
) STRICT, WITHOUT ROWID;

CREATE TABLE base (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (claim, partner, id)
) STRICT;

CREATE TABLE snapshots (
    claim TEXT NOT NULL,
    partner TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (claim, partner, sequence)
) STRICT;

CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    direction TEXT NOT NULL,
    package TEXT NOT NULL,
    kind TEXT NOT NULL,
    claim TEXT,
    partner TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX history_by_claim ON history (claim, number);
CREATE INDEX history_by_partner ON history (partner, number);
CREATE INDEX history_by_package ON history (package, number);

CREATE TABLE history_assessments (
    assessment TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES history (number),
    PRIMARY KEY (assessment, number)
) STRICT, WITHOUT ROWID;
",
};

/// What version 3 adds.
const PAUSES_AND_NOTES: &str = "
CREATE TABLE pauses (
    partner TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE sent_notes (
    package TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
";

fn add_pauses_and_notes(transaction: &Transaction<'_>) -> Result<(), Failure> {
    Ok(transaction.execute_batch(PAUSES_AND_NOTES)?)
}

/// Parts of a body that are asked by. A body that is no JSON was altered behind the ledger; the list that meets it says
/// so, not the index.
pub(super) const BY: &str = "CASE WHEN json_valid(body) THEN body ->> '$.by' END";
pub(super) const STEP: &str = "CASE WHEN json_valid(body) THEN body ->> '$.step' END";
pub(super) const ERROR: &str = "CASE WHEN json_valid(body) THEN body -> '$.error' END";
pub(super) const UNTOLD: &str = "CASE WHEN json_valid(body) THEN body -> '$.untold' END";
pub(super) const HAPPENED_AT: &str = moment!("$.at");
pub(super) const EXPORTED_AT: &str = moment!("$.package.created_at");
pub(super) const ARRIVED_AT: &str = moment!("$.received_at");

fn index_filters(transaction: &Transaction<'_>) -> Result<(), Failure> {
    Ok(transaction.execute_batch(&format!(
        "CREATE INDEX history_by_person ON history ({BY});
         CREATE INDEX history_by_step ON history ({STEP});
         CREATE INDEX history_by_time ON history ({HAPPENED_AT});
         CREATE INDEX history_of_failures ON history (number) WHERE {ERROR} IS NOT NULL;
         CREATE INDEX packages_by_export ON packages (direction, {EXPORTED_AT});
         CREATE INDEX packages_by_arrival ON packages (direction, {ARRIVED_AT});"
    ))?)
}

/// What each pass over the outbox asks, however much was exchanged before.
fn index_what_is_open(transaction: &Transaction<'_>) -> Result<(), Failure> {
    Ok(transaction.execute_batch(&format!(
        "CREATE INDEX packages_by_partner_and_state ON packages (direction, partner, state, number);
         CREATE INDEX packages_untold ON packages (direction, number) WHERE {UNTOLD} IS NOT NULL;"
    ))?)
}

/// The order in an INSERT also stops INSERT OR REPLACE, which runs no trigger for the row that it deletes.
const APPEND_ONLY: &str = "
CREATE INDEX history_assessments_by_number ON history_assessments (number);
CREATE TRIGGER history_is_appended BEFORE INSERT ON history
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM history)
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER history_is_not_changed BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER history_is_not_deleted BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER history_assessments_are_not_changed BEFORE UPDATE ON history_assessments
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER history_assessments_are_not_deleted BEFORE DELETE ON history_assessments
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
";

fn chain_history(transaction: &Transaction<'_>) -> Result<(), Failure> {
    trail::chain_unchained(transaction)?;
    transaction.execute_batch(APPEND_ONLY)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::packages;
    use super::*;
    use crate::ledger::{
        Change, Direction, HistoryEntry, HistoryHead, HistoryQuery, Incoming, Ledger, Outgoing,
        OutgoingState, PackageQuery, SqliteLedger, Step, verify_history,
    };
    use crate::model::{ExchangeId, Package, PackageId, PackageKind, SiteId};
    use rusqlite::{Connection, params, params_from_iter};
    use std::path::Path;

    fn entry(by: &str) -> HistoryEntry {
        let (package, partner) = (PackageId::generate(), "CLINIC".parse().unwrap());
        HistoryEntry::new(
            Direction::Incoming,
            Step::Received,
            package,
            PackageKind::Claim,
            partner,
            by,
            "Held.",
        )
        .of_assessments(["ON-INS/A-1".parse().unwrap()])
    }

    /// A ledger as version 1 wrote it.
    fn version_1(path: &Path, entries: &[HistoryEntry]) -> Connection {
        let mut connection = Connection::open(path).unwrap();
        let transaction = connection.transaction().unwrap();
        transaction.execute_batch(SCHEMA.sql).unwrap();
        transaction.pragma_update(None, "application_id", SCHEMA.application_id).unwrap();
        transaction.pragma_update(None, "user_version", 1).unwrap();
        for entry in entries {
            let columns = "direction, package, kind, claim, partner, body";
            let row = params![entry.package.to_string(), entry.to_json().unwrap()];
            transaction
                .execute(
                    &format!(
                        "INSERT INTO history ({columns}) VALUES ('incoming', ?1, 'claim', NULL, 'CLINIC', ?2)"
                    ),
                    row,
                )
                .unwrap();
            let row = params!["ON-INS/A-1", transaction.last_insert_rowid()];
            transaction.execute("INSERT INTO history_assessments VALUES (?1, ?2)", row).unwrap();
        }
        transaction.commit().unwrap();
        connection
    }

    #[test]
    fn a_history_of_version_1_is_chained_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let written: Vec<HistoryEntry> = (0..2100).map(|number| entry(&format!("anna {number}"))).collect();
        drop(version_1(&path, &written));

        let ledger = SqliteLedger::open(&path).unwrap();
        let read = ledger.history(&HistoryQuery::new().limit(3000)).unwrap();
        let plain = |entry: &HistoryEntry| HistoryEntry {
            number: 0,
            previous: String::new(),
            hash: String::new(),
            ..entry.clone()
        };
        assert_eq!(read.iter().map(plain).collect::<Vec<_>>(), written);
        let head = verify_history(&read, &HistoryHead::start()).unwrap();
        assert_eq!(head.number, 2100);

        // It stays as it is chained, and goes on.
        drop(ledger);
        let ledger = SqliteLedger::open(&path).unwrap();
        ledger.commit(&[Change::Append(entry("berta"))]).unwrap();
        let next = ledger.history(&HistoryQuery::new().after(2100)).unwrap();
        assert_eq!(verify_history(&next, &head).unwrap().number, 2101);
        let connection = Connection::open(&path).unwrap();
        assert!(connection.execute("DELETE FROM history_assessments", []).is_err());
        assert!(connection.execute("DELETE FROM history", []).is_err());
    }

    #[test]
    fn an_entry_removed_from_version_1_stays_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let connection = version_1(&path, &[entry("anna"), entry("berta"), entry("carl")]);
        connection
            .execute_batch(
                "DELETE FROM history_assessments WHERE number = 2; DELETE FROM history WHERE number = 2",
            )
            .unwrap();
        drop(connection);
        let read = SqliteLedger::open(&path).unwrap().history(&HistoryQuery::new()).unwrap();
        let error = verify_history(&read, &HistoryHead::start()).unwrap_err();
        assert!(error.to_string().contains("at entry 2: entry 3 stands in its place"), "{error}");
    }

    #[test]
    fn an_upgrade_that_fails_leaves_version_1_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let connection = version_1(&path, &[entry("anna"), entry("berta")]);
        connection.execute("UPDATE history SET body = '{' WHERE number = 2", []).unwrap();
        drop(connection);
        assert_eq!(SqliteLedger::open(&path).unwrap_err().kind(), ErrorKind::StoreDamaged);
        let connection = Connection::open(&path).unwrap();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let first: String =
            connection.query_row("SELECT body FROM history WHERE number = 1", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 1);
        assert!(!first.contains("hash"), "{first}");
    }

    #[test]
    fn version_5_knows_the_notes_that_version_4_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let ledger = SqliteLedger::open(&path).unwrap();
        let (clinic, claim): (SiteId, ExchangeId) =
            ("CLINIC".parse().unwrap(), "ON-INS/C-1".parse().unwrap());
        let sent = |kind, state, notes: &[&str]| {
            let package = Package::new(kind, "ON-INS".parse().unwrap(), clinic.clone(), claim.clone());
            let mut outgoing = Outgoing::new(package, "age", 1, "ab".repeat(32), "file");
            outgoing.state = state;
            outgoing.notes.extend(notes.iter().map(|note| note.parse::<ExchangeId>().unwrap()));
            Change::AddOutgoing(outgoing)
        };
        ledger
            .commit(&[
                sent(PackageKind::Claim, OutgoingState::Delivered, &["A/1", "A/2"]),
                sent(PackageKind::Claim, OutgoingState::Failed, &["A/2", "A/3"]),
                sent(PackageKind::Claim, OutgoingState::Rejected, &["A/4"]),
                sent(PackageKind::Notes, OutgoingState::Failed, &["A/5"]),
                sent(PackageKind::Notes, OutgoingState::Unpacked, &["A/6"]),
            ])
            .unwrap();
        let known = ledger.notes_sent(&clinic, &claim).unwrap();
        let ids: Vec<&str> = known.iter().map(|note| note.as_str()).collect();
        assert_eq!(ids, ["A/1", "A/2", "A/3", "A/6"]);
        let counted = |connection: &Connection| -> Vec<(String, i64)> {
            let mut rows = connection.prepare("SELECT note, packages FROM notes_sent ORDER BY note").unwrap();
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
        };
        drop(ledger);
        let connection = Connection::open(&path).unwrap();
        let written = counted(&connection);
        // As version 4 left it, with a package that was damaged since.
        connection
            .execute_batch(
                "DROP TABLE notes_sent; DROP INDEX packages_by_partner_and_state; DROP INDEX packages_untold;
                 PRAGMA user_version = 4;
                 INSERT INTO packages (direction, id, partner, claim, kind, state, is_new, body)
                 VALUES ('outgoing', 'x', 'CLINIC', 'ON-INS/C-1', 'claim', 'sent', 0, '{');",
            )
            .unwrap();
        drop(connection);
        let ledger = SqliteLedger::open(&path).unwrap();
        assert_eq!(ledger.notes_sent(&clinic, &claim).unwrap(), known);
        drop(ledger);
        assert_eq!(counted(&Connection::open(&path).unwrap()), written);
    }

    #[test]
    fn what_version_5_was_sending_is_still_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let ledger = SqliteLedger::open(&path).unwrap();
        let (here, clinic) = ("ON-INS".parse().unwrap(), "CLINIC".parse().unwrap());
        let package = Package::new(PackageKind::Claim, here, clinic, "ON-INS/C-1".parse().unwrap());
        let mut outgoing = Outgoing::new(package, "age", 1, "ab".repeat(32), "file");
        outgoing.state = OutgoingState::Sending;
        ledger.commit(&[Change::AddOutgoing(outgoing.clone())]).unwrap();
        drop(ledger);
        let connection = Connection::open(&path).unwrap();
        let body: String = connection.query_row("SELECT body FROM packages", [], |row| row.get(0)).unwrap();
        for new in ["tried_since", "unanswered", "untold_failure"] {
            assert!(!body.contains(new), "{body}");
        }
        let before =
            "DROP INDEX packages_by_partner_and_state; DROP INDEX packages_untold; PRAGMA user_version = 5";
        connection.execute_batch(before).unwrap();
        drop(connection);
        let open = PackageQuery::new().outgoing_in(OutgoingState::OPEN);
        assert_eq!(SqliteLedger::open(&path).unwrap().outgoing_list(&open).unwrap(), [outgoing]);
        let connection = Connection::open(&path).unwrap();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 7);
    }

    #[test]
    fn each_filter_has_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        drop(SqliteLedger::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        for (table, filter, index) in [
            ("history", format!("{BY} = 'anna'"), "history_by_person"),
            ("history", format!("{STEP} IN ('failed', 'rejected')"), "history_by_step"),
            ("history", format!("{ERROR} IS NOT NULL"), "history_of_failures"),
            ("history", format!("{HAPPENED_AT} >= '2026'"), "history_by_time"),
            ("packages", format!("direction = 'incoming' AND {ARRIVED_AT} < '2026'"), "packages_by_arrival"),
            ("packages", format!("direction = 'outgoing' AND {EXPORTED_AT} < '2026'"), "packages_by_export"),
        ] {
            let plan = format!("EXPLAIN QUERY PLAN SELECT body FROM {table} WHERE {filter}");
            let plan: String = connection.query_row(&plan, [], |row| row.get("detail")).unwrap();
            assert!(plan.contains(index), "{plan}");
        }
    }

    #[test]
    fn what_is_asked_together_is_found_by_the_index_that_finds_the_fewest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        drop(SqliteLedger::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        let (clinic, claim): (SiteId, ExchangeId) =
            ("CLINIC".parse().unwrap(), "ON-INS/C-1".parse().unwrap());
        let (since, package) = ("2026-01-01T00:00:00Z".parse().unwrap(), PackageId::generate());
        let outgoing = |query: PackageQuery| packages::listing::<Outgoing>(&query, None);
        let incoming = |query: PackageQuery| packages::listing::<Incoming>(&query, None);
        let (of, history) = (PackageQuery::new, HistoryQuery::new);
        let done = [OutgoingState::Delivered, OutgoingState::Unpacked];
        for ((sql, values), index) in [
            (
                outgoing(of().partner(clinic.clone()).outgoing_in(OutgoingState::OPEN)),
                "packages_by_partner_and_state (direction=? AND partner=? AND state=?)",
            ),
            (outgoing(of().outgoing_in(done).newest_first()), "packages_by_state (direction=? AND state=?)"),
            (
                outgoing(of().claim(claim.clone()).partner(clinic.clone()).outgoing_in(done).from(since)),
                "packages_by_claim (direction=? AND claim=?)",
            ),
            (outgoing(of().from(since).limit(50)), "packages_by_export (direction=? AND <expr>>?)"),
            (outgoing(of()), "SCAN packages"),
            (incoming(of().partner(clinic.clone()).only_untold()), "packages_untold"),
            (trail::listing(&history().claim(claim.clone()).partner(clinic.clone())), "history_by_claim"),
            (trail::listing(&history().package(package).partner(clinic)), "history_by_package"),
            (trail::listing(&history().from(since).until(since).newest_first()), "history_by_time"),
            (trail::listing(&history()), "SCAN history"),
        ] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = plan.query_map(params_from_iter(values), |row| row.get("detail")).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            // Bodies are read by their numbers, once these are chosen.
            assert!(steps[0].contains("USING INTEGER PRIMARY KEY (rowid=?)"), "{steps:?}");
            assert!(steps.iter().any(|step| step.contains(index)), "no {index}: {steps:?}");
        }
    }
}
