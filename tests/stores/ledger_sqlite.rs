//! The embedded ledger: it conforms, it is durable and private, and several handles share it.

use claimwire::ErrorKind;
use claimwire::ledger::{
    Change, Direction, HistoryEntry, HistoryQuery, Incoming, IncomingState, Ledger, Link, PackageQuery,
    SqliteLedger, Step, conformance,
};
use claimwire::model::{ExchangeId, PackageId, PackageKind, SiteId};
use std::path::Path;
use std::sync::{Arc, Barrier};

fn partner() -> SiteId {
    "CLINIC".parse().unwrap()
}

fn claim() -> ExchangeId {
    "ON-INS/C-1".parse().unwrap()
}

fn entry() -> Change {
    let package = PackageId::generate();
    Change::Append(HistoryEntry::new(
        Direction::Outgoing,
        Step::Exported,
        package,
        PackageKind::Claim,
        partner(),
        "anna",
        "Sealed.",
    ))
}

fn incoming() -> Incoming {
    Incoming::new(PackageId::generate(), PackageKind::Claim, partner(), 1, "00".repeat(32), "in/1")
}

#[test]
fn it_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conformance::check(|| SqliteLedger::open(folder.path().join("ledger.sqlite3"))).unwrap();
}

#[test]
fn what_is_committed_is_in_the_files_while_the_ledger_is_still_open() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(folder.path().join("ledger")).unwrap();
    let link = Link::new(partner(), claim());
    ledger.commit(&[Change::SetLink(link.clone()), entry()]).unwrap();
    // What a crash leaves: the database and its log, without the closing checkpoint.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["ledger", "ledger-wal"] {
        std::fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let recovered = SqliteLedger::open(crashed.path().join("ledger")).unwrap();
    assert_eq!(recovered.link(&partner(), &claim()).unwrap(), Some(link));
    assert_eq!(recovered.history(&HistoryQuery::new()).unwrap().len(), 1);
}

#[test]
fn handles_on_one_file_opened_at_once_lose_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = Arc::new(folder.path().join("ledger"));
    let (handles, commits) = (4, 25);
    let start = Arc::new(Barrier::new(handles));
    let threads: Vec<_> = (0..handles)
        .map(|_| {
            let (path, start) = (Arc::clone(&path), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                let ledger = SqliteLedger::open(path.as_path()).unwrap();
                for _ in 0..commits {
                    ledger.commit(&[entry(), Change::SetLink(Link::new(partner(), claim()))]).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let history = SqliteLedger::open(path.as_path()).unwrap().history(&HistoryQuery::new()).unwrap();
    assert_eq!(history.len(), handles * commits);
}

#[test]
fn of_two_that_unpack_the_same_package_only_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let package = incoming();
    SqliteLedger::open(&path).unwrap().commit(&[Change::AddIncoming(package.clone())]).unwrap();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let unpack = || {
            let mut package = package.clone();
            package.state = IncomingState::Unpacked;
            SqliteLedger::open(&path)
                .unwrap()
                .commit(&[entry(), Change::SetIncoming { package, was: Some(IncomingState::Received) }])
        };
        let threads = [scope.spawn(unpack), scope.spawn(unpack)];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.into_iter().find_map(Result::err).unwrap();
    assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::WrongState, false));
    assert_eq!(SqliteLedger::open(&path).unwrap().history(&HistoryQuery::new()).unwrap().len(), 1);
}

fn run_sql(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_later_schema_is_refused_with_both_versions_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    drop(SqliteLedger::open(&path).unwrap());
    run_sql(&path, "PRAGMA user_version = 8");
    let error = SqliteLedger::open(&path).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Ledger, false));
    let message = error.to_string();
    assert!(message.contains("version 8") && message.contains("knows 7"), "{message}");
}

#[test]
fn a_ledger_of_the_second_schema_keeps_what_it_has_and_gets_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let link = Link::new(partner(), claim());
    SqliteLedger::open(&path).unwrap().commit(&[Change::SetLink(link.clone()), entry()]).unwrap();
    run_sql(
        &path,
        &format!("{WITHOUT_FILTERS} DROP TABLE pauses; DROP TABLE sent_notes; PRAGMA user_version = 2"),
    );

    let upgraded = SqliteLedger::open(&path).unwrap();
    assert_eq!(upgraded.link(&partner(), &claim()).unwrap(), Some(link));
    assert_eq!(upgraded.history(&HistoryQuery::new()).unwrap().len(), 1);
    upgraded.commit(&[Change::Pause(partner())]).unwrap();
    drop(upgraded);
    assert!(SqliteLedger::open(&path).unwrap().paused().unwrap().contains(&partner()));
}

/// Takes off what the fourth, the fifth and the seventh schema added.
const WITHOUT_FILTERS: &str =
    "DROP INDEX history_by_person; DROP INDEX history_by_step; DROP INDEX history_by_time;
    DROP INDEX history_of_failures; DROP INDEX packages_by_export; DROP INDEX packages_by_arrival;
    DROP TABLE notes_sent; DROP INDEX packages_by_partner_and_state; DROP INDEX packages_untold;";

#[test]
fn a_ledger_of_the_third_schema_finds_what_it_has_by_the_new_filters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let package = incoming();
    let ledger = SqliteLedger::open(&path).unwrap();
    ledger.commit(&[Change::AddIncoming(package.clone()), entry()]).unwrap();
    let whole = ledger.history(&HistoryQuery::new()).unwrap();
    drop(ledger);
    run_sql(&path, &format!("{WITHOUT_FILTERS} PRAGMA user_version = 3"));

    let upgraded = SqliteLedger::open(&path).unwrap();
    let found = HistoryQuery::new().by("anna").steps([Step::Exported]).from(whole[0].at);
    assert_eq!(upgraded.history(&found).unwrap(), whole);
    assert!(upgraded.history(&found.until(whole[0].at)).unwrap().is_empty());
    assert_eq!(upgraded.incoming_list(&PackageQuery::new().from(package.received_at)).unwrap(), [package]);
    run_sql(&path, WITHOUT_FILTERS);
}

#[test]
fn another_programs_file_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    run_sql(&path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    let before = std::fs::read(&path).unwrap();
    let error = SqliteLedger::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ledger);
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let text = folder.path().join("text");
    std::fs::write(&text, "This is not a database, it is a letter to the insurer.".repeat(30)).unwrap();
    assert_eq!(SqliteLedger::open(&text).unwrap_err().kind(), ErrorKind::StoreDamaged);
    let nowhere = SqliteLedger::open(folder.path().join("no/such/folder")).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Ledger);
}

#[cfg(unix)]
#[test]
fn only_this_user_reads_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(folder.path().join("ledger")).unwrap();
    ledger.commit(&[entry()]).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

#[test]
fn a_long_history_is_paged_without_gaps() {
    let ledger = SqliteLedger::in_memory().unwrap();
    let changes: Vec<Change> = (0..2500).map(|_| entry()).collect();
    ledger.commit(&changes).unwrap();
    let (mut seen, mut after) = (0, 0);
    loop {
        let page = ledger.history(&HistoryQuery::new().after(after)).unwrap();
        let Some(last) = page.last() else { break };
        assert_eq!(page[0].number, after + 1);
        after = last.number;
        seen += page.len();
    }
    assert_eq!(seen, 2500);
}
