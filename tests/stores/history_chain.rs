//! What somebody does to the embedded ledger's history behind its back is found, and the entry named.

use claimwire::ledger::{
    Change, Direction, HistoryEntry, HistoryHead, HistoryQuery, Ledger, SqliteLedger, Step, verify_history,
};
use claimwire::model::{PackageId, PackageKind};
use claimwire::{ErrorKind, Result};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use std::path::Path;

const ENTRIES: u64 = 6;

fn entry(said: &str) -> HistoryEntry {
    let (package, partner) = (PackageId::generate(), "CLINIC".parse().unwrap());
    HistoryEntry::new(Direction::Outgoing, Step::Exported, package, PackageKind::Claim, partner, "anna", said)
        .of_claim("ON-INS/C-1".parse().unwrap())
        .of_assessments(["ON-INS/A-1".parse().unwrap(), "ON-INS/A-2".parse().unwrap()])
}

/// A ledger of six entries in `path`, and its head.
fn write_history(path: &Path) -> HistoryHead {
    let ledger = SqliteLedger::open(path).unwrap();
    for number in 1..=ENTRIES {
        ledger.commit(&[Change::Append(entry(&format!("Step {number}: Zoë said \"yes\".")))]).unwrap();
    }
    verify(path).unwrap()
}

fn verify(path: &Path) -> Result<HistoryHead> {
    verify_history(&SqliteLedger::open(path)?.history(&HistoryQuery::new())?, &HistoryHead::start())
}

const TRIGGERS: [&str; 5] = [
    "history_is_appended",
    "history_is_not_changed",
    "history_is_not_deleted",
    "history_assessments_are_not_changed",
    "history_assessments_are_not_deleted",
];

/// The file as someone has it who may write it and knows his way.
fn break_in(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for trigger in TRIGGERS {
        connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    connection
}

fn is_found_at(path: &Path, number: impl std::fmt::Display) {
    let error = verify(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreDamaged, "{error}");
    assert!(error.to_string().contains(&format!("broken at entry {number}:")), "not at {number}: {error}");
}

#[test]
fn the_table_takes_nothing_but_the_next_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let head = write_history(&path);
    let connection = Connection::open(&path).unwrap();
    for statement in [
        "UPDATE history SET body = replace(body, 'anna', 'berta') WHERE number = 2",
        "UPDATE OR REPLACE history SET number = 3 WHERE number = 2",
        "DELETE FROM history WHERE number = 6",
        "INSERT INTO history SELECT number + 20, direction, package, kind, claim, partner, body FROM history",
        "INSERT OR REPLACE INTO history SELECT * FROM history WHERE number = 2",
        "UPDATE history_assessments SET assessment = 'ON-INS/A-3'",
        "DELETE FROM history_assessments",
    ] {
        let error = connection.execute_batch(statement).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
    assert_eq!(verify(&path).unwrap(), head);
}

#[test]
fn handles_that_append_at_once_write_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    write_history(&path);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let ledger = SqliteLedger::open(&path).unwrap();
                for _ in 0..20 {
                    ledger.commit(&[entry("Sent."), entry("Held.")].map(Change::Append)).unwrap();
                }
            });
        }
    });
    assert_eq!(verify(&path).unwrap().number, ENTRIES + 4 * 20 * 2);
}

#[test]
fn another_spelling_of_the_same_entry_is_an_alteration() {
    let folder = tempfile::tempdir().unwrap();
    for (name, change) in [
        ("space", "replace(body, '{\"number\"', '{ \"number\"')"),
        ("member", "replace(body, '\"by\"', '\"to\":\"berta\",\"by\"')"),
        ("escape", "replace(body, 'anna', '\\u0061nna')"),
        ("time", "replace(body, 'Z\",\"direction\"', '+00:00\",\"direction\"')"),
    ] {
        let path = folder.path().join(name);
        write_history(&path);
        let sql = format!("UPDATE history SET body = {change} WHERE number = 4");
        break_in(&path).execute_batch(&sql).unwrap();
        is_found_at(&path, 4);
    }
}

#[test]
fn a_forged_entry_in_between_shows_at_the_one_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    write_history(&path);
    let third = SqliteLedger::open(&path).unwrap().history(&HistoryQuery::new()).unwrap().swap_remove(2);
    let forged = entry("Forged.").chained_after(&third.head()).unwrap();
    let connection = break_in(&path);
    // The entries behind move up one place, in their columns and in their bodies.
    connection
        .execute_batch(
            "UPDATE history SET number = -number - 1 WHERE number > 3; UPDATE history SET number = -number WHERE number < 0;
             UPDATE history SET body = '{\"number\":' || number || substr(body, 12) WHERE number > 4;
             UPDATE history_assessments SET number = -number - 1 WHERE number > 3;
             UPDATE history_assessments SET number = -number WHERE number < 0;
             INSERT INTO history_assessments VALUES ('ON-INS/A-1', 4), ('ON-INS/A-2', 4);",
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO history VALUES (4, 'outgoing', ?1, 'claim', 'ON-INS/C-1', 'CLINIC', ?2)",
            params![forged.package.to_string(), forged.to_json().unwrap()],
        )
        .unwrap();
    is_found_at(&path, 5);
}

#[test]
fn an_entry_before_the_first_shows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    write_history(&path);
    break_in(&path)
        .execute_batch(
            "INSERT INTO history SELECT -7, direction, package, kind, claim, partner, body FROM history LIMIT 1",
        )
        .unwrap();
    is_found_at(&path, -7);
}

/// What is done to a row.
#[derive(Clone, Debug)]
enum Tampering {
    /// One byte of a column becomes another.
    Alter {
        column: &'static str,
        place: prop::sample::Index,
        difference: u8,
    },
    /// The row goes.
    Remove,
    /// The row and another one change places.
    Swap {
        other: u64,
    },
    /// The row gets another number.
    Renumber {
        to: i64,
    },
    /// The row says the same in another row's words.
    CopyFrom {
        other: u64,
    },
    /// One of its assessments is no longer listed, is another one, or one is added.
    Unlist,
    Relist,
    ListMore,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let column =
        prop::sample::select(vec!["body", "body", "direction", "package", "kind", "claim", "partner"]);
    let other = 1..=ENTRIES;
    prop_oneof![
        6 => (column, any::<prop::sample::Index>(), 1..=255u8)
            .prop_map(|(column, place, difference)| Tampering::Alter { column, place, difference }),
        1 => Just(Tampering::Remove),
        1 => other.clone().prop_map(|other| Tampering::Swap { other }),
        1 => prop_oneof![-3..=0i64, 7..=20i64].prop_map(|to| Tampering::Renumber { to }),
        1 => other.prop_map(|other| Tampering::CopyFrom { other }),
        1 => Just(Tampering::Unlist),
        1 => Just(Tampering::Relist),
        1 => Just(Tampering::ListMore),
    ]
}

/// Does it to the row, and gives the number at which it must show by itself.
fn tamper(connection: &Connection, row: u64, tampering: &Tampering) -> Option<i64> {
    let at = i64::try_from(row).unwrap();
    let run = |sql: &str, other: i64| connection.execute(sql, params![at, other]).unwrap();
    match tampering {
        Tampering::Alter { column, place, difference } => {
            let select = format!("SELECT CAST({column} AS BLOB) FROM history WHERE number = ?1");
            let mut bytes: Vec<u8> = connection.query_row(&select, [at], |row| row.get(0)).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= difference;
            let update = format!("UPDATE history SET {column} = CAST(?2 AS TEXT) WHERE number = ?1");
            connection.execute(&update, params![at, bytes]).unwrap();
            Some(at)
        }
        Tampering::Remove => {
            run("DELETE FROM history WHERE number = ?1 OR number = ?2", at);
            (row < ENTRIES).then_some(at)
        }
        Tampering::Swap { other } | Tampering::CopyFrom { other } if *other == row => None,
        Tampering::Swap { other } => {
            let other = i64::try_from(*other).unwrap();
            run("UPDATE history SET number = -1000 - ?2 WHERE number = ?1", other);
            run("UPDATE history SET number = ?1 WHERE number = ?2", other);
            run("UPDATE history SET number = ?2 WHERE number = -1000 - ?2 AND ?1 > 0", other);
            Some(at.min(other))
        }
        Tampering::Renumber { to } => {
            run("UPDATE history SET number = ?2 WHERE number = ?1", *to);
            Some(*to)
        }
        Tampering::CopyFrom { other } => {
            let copy = "UPDATE history SET (direction, package, kind, claim, partner, body) =
                (SELECT direction, package, kind, claim, partner, body FROM history WHERE number = ?2)
                WHERE number = ?1";
            run(copy, i64::try_from(*other).unwrap());
            Some(at)
        }
        Tampering::Unlist => {
            run("DELETE FROM history_assessments WHERE number = ?1 AND assessment = 'ON-INS/A-' || ?2", 2);
            Some(at)
        }
        Tampering::Relist => {
            let relist = "UPDATE history_assessments SET assessment = 'ON-INS/B' WHERE number = ?1 AND assessment = 'ON-INS/A-' || ?2";
            run(relist, 1);
            Some(at)
        }
        Tampering::ListMore => {
            run("INSERT INTO history_assessments VALUES ('ON-INS/A-' || ?2, ?1)", 3);
            Some(at)
        }
    }
}

#[test]
fn every_tampering_is_found_at_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    let head = write_history(&original);
    let copy = folder.path().join("copy");
    proptest!(ProptestConfig::with_cases(400), |(row in 1..=ENTRIES, tampering in tampering())| {
        std::fs::copy(&original, &copy).unwrap();
        let connection = break_in(&copy);
        let shows_at = tamper(&connection, row, &tampering);
        drop(connection);
        match shows_at {
            Some(number) => is_found_at(&copy, number),
            // A cut tail shows against the head that was noted; the others have changed nothing.
            None => prop_assert_eq!(verify(&copy).unwrap() == head, !matches!(tampering, Tampering::Remove)),
        }
    });
}
