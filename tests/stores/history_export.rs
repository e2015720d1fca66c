//! An exchange proves its history, and somebody with nothing but the export proves it again.

use crate::peers;
use crate::support::{self, Side, TwoSites, insurer_site};
use claimwire::ErrorKind;
use claimwire::case_system::SqliteCaseSystem;
use claimwire::exchange::{Exchange, ExchangeSettings};
use claimwire::ledger::{
    Change, Direction, HistoryEntry, HistoryHead, HistoryQuery, Ledger, SqliteLedger, Step, verify_history,
};
use claimwire::model::{PackageId, PackageKind};
use claimwire::protocol::SigningKey;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn export(exchange: &Exchange, query: &HistoryQuery) -> Vec<u8> {
    let mut lines = Vec::new();
    let written = exchange.export_history(query, &mut lines).unwrap();
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), usize::try_from(written).unwrap());
    lines
}

fn run_sql(side: &Side, sql: &str) {
    let ledger = side.folder.join("exchange/ledger.sqlite3");
    rusqlite::Connection::open(ledger).unwrap().execute_batch(sql).unwrap();
}

/// A claim that went to the examiner and back, so that the insurer's history has entries of both directions.
fn sites_with_a_history() -> TwoSites {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    support::add_note(&sites.examiner, &claim, "N-1", "Sprained.");
    sites.deliver_back(&claim);
    sites
}

/// An exchange with a history of so many entries.
fn exchange_with(entries: u32, folder: &Path) -> (Exchange, Arc<SqliteLedger>) {
    let ledger = Arc::new(SqliteLedger::in_memory().unwrap());
    let appended: Vec<Change> = (0..entries)
        .map(|_| {
            let (package, partner) = (PackageId::generate(), "CLINIC".parse().unwrap());
            let (direction, kind) = (Direction::Outgoing, PackageKind::Claim);
            let outcome = "Zoë said \"yes\"\n\u{1}.";
            Change::Append(HistoryEntry::new(direction, Step::Sent, package, kind, partner, "anna", outcome))
        })
        .collect();
    ledger.commit(&appended).unwrap();
    let cases = SqliteCaseSystem::open(folder.join("cases")).unwrap();
    let key = SigningKey::generate("on-ins-1").unwrap();
    let settings = ExchangeSettings::new(insurer_site(), folder.join("exchange"), key, Arc::new(cases))
        .with_ledger(ledger.clone());
    (Exchange::open(settings).unwrap(), ledger)
}

#[test]
fn an_exchange_verifies_its_history_and_goes_on_from_a_noted_head() {
    let sites = sites_with_a_history();
    let exchange = &sites.insurer.exchange;
    let noted = exchange.verify_history().unwrap();
    let last = exchange.history(&HistoryQuery::new().newest_first().limit(1)).unwrap().swap_remove(0);
    assert_eq!(noted, last.head());
    assert_eq!(exchange.verify_history_from(&noted).unwrap(), noted);

    let claim = support::put_claim(&sites.insurer, "C-2");
    sites.deliver(&claim);
    let head = exchange.verify_history_from(&noted).unwrap();
    assert!(head.number > noted.number);
    assert_eq!(exchange.verify_history().unwrap(), head);
    assert_eq!(exchange.verify_history_from(&HistoryHead::start()).unwrap(), head);
}

#[test]
fn a_cut_or_rewritten_history_shows_against_a_noted_head_only() {
    let sites = sites_with_a_history();
    let exchange = &sites.insurer.exchange;
    let noted = exchange.verify_history().unwrap();
    run_sql(
        &sites.insurer,
        "DROP TRIGGER history_is_not_deleted; DROP TRIGGER history_assessments_are_not_deleted;
         DELETE FROM history_assessments WHERE number = (SELECT max(number) FROM history);
         DELETE FROM history WHERE number = (SELECT max(number) FROM history);",
    );
    assert_eq!(exchange.verify_history().unwrap().number, noted.number - 1);
    let error = exchange.verify_history_from(&noted).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreDamaged);
    let place = format!("at entry {}:", noted.number);
    assert!(error.to_string().contains(&place) && error.to_string().contains("is gone"), "{error}");

    // The next entry takes the place of the one that was cut off.
    let claim = support::put_claim(&sites.insurer, "C-2");
    sites.export(&claim).unwrap();
    assert_eq!(exchange.verify_history().unwrap().number, noted.number);
    let error = exchange.verify_history_from(&noted).unwrap_err();
    assert!(error.to_string().contains(&place) && error.to_string().contains("was replaced"), "{error}");
}

#[test]
fn an_alteration_in_the_exchanges_ledger_is_found_and_does_not_stop_the_exchange() {
    let sites = sites_with_a_history();
    let exchange = &sites.insurer.exchange;
    run_sql(
        &sites.insurer,
        "DROP TRIGGER history_is_not_changed; UPDATE history SET body = replace(body, 'dana', 'hugo') WHERE number = 1",
    );
    let error = exchange.verify_history().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreDamaged);
    assert!(error.to_string().contains("at entry 1: its content does not match its hash"), "{error}");
    let claim = support::put_claim(&sites.insurer, "C-2");
    sites.deliver(&claim);
}

#[test]
fn an_export_is_whole_beyond_any_limit_and_is_the_history_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let (exchange, ledger) = exchange_with(1203, folder.path());
    let lines = String::from_utf8(export(&exchange, &HistoryQuery::new().limit(10))).unwrap();
    let entries: Vec<HistoryEntry> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries, ledger.history(&HistoryQuery::new().limit(2000)).unwrap());
    let head = verify_history(&entries, &HistoryHead::start()).unwrap();
    assert_eq!((head.number, &head), (1203, &exchange.verify_history().unwrap()));
    let rest = export(&exchange, &HistoryQuery::new().after(1200));
    assert_eq!(rest, lines.split_inclusive('\n').skip(1200).collect::<String>().into_bytes());
}

#[test]
fn an_export_into_a_full_disk_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (exchange, _) = exchange_with(3, folder.path());
    let mut space = [0; 500];
    let error = exchange.export_history(&HistoryQuery::new(), &mut space[..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("the history's export could not be written"), "{error}");
}

fn verify_with_python(python: &str, arguments: &[&str], lines: &[u8]) -> Result<String, String> {
    let mut command = Command::new(python);
    command.arg(peers::program("verify_history.py")).args(arguments);
    let (succeeded, output, complaint) = peers::attempt(&mut command, lines);
    if succeeded { Ok(String::from_utf8(output).unwrap().trim_end().to_owned()) } else { Err(complaint) }
}

#[test]
fn python_verifies_an_export_and_finds_what_was_done_to_it() {
    let Some(python) = peers::find(&["python3"], "--version") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (exchange, _) = exchange_with(20, folder.path());
    let head = exchange.verify_history().unwrap();
    let proven = Ok(format!("{} {}", head.number, head.hash));
    let lines = export(&exchange, &HistoryQuery::new());
    assert_eq!(verify_with_python(python, &[], &lines), proven);
    let split: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();

    let noted = exchange.history(&HistoryQuery::new().limit(5)).unwrap().pop().unwrap().head();
    let rest = export(&exchange, &HistoryQuery::new().after(noted.number));
    assert_eq!(verify_with_python(python, &["5", &noted.hash], &rest), proven);

    let altered = String::from_utf8(split[6].to_vec()).unwrap().replace("anna", "hugo").into_bytes();
    for (what, done, place) in [
        ("altered", [&split[..6], &[altered.as_slice()], &split[7..]].concat(), 7),
        ("removed", [&split[..6], &split[7..]].concat(), 7),
        ("moved", [&split[..6], &[split[7], split[6]], &split[8..]].concat(), 7),
        ("doubled", [&split[..7], &split[6..]].concat(), 8),
        ("first removed", split[1..].to_vec(), 1),
    ] {
        let complaint = verify_with_python(python, &[], &done.concat()).unwrap_err();
        assert!(complaint.contains(&format!("broken at entry {place}:")), "{what}: {complaint}");
    }
}

#[test]
fn a_filtered_export_verifies_entry_by_entry() {
    let sites = sites_with_a_history();
    let exchange = &sites.insurer.exchange;
    let incoming = HistoryQuery::new().direction(Direction::Incoming);
    let lines = export(exchange, &incoming);
    let entries = exchange.history(&incoming).unwrap();
    assert!(!entries.is_empty());
    entries.iter().for_each(|entry| entry.verify().unwrap());
    assert!(verify_history(&entries, &HistoryHead::start()).is_err(), "it is no whole chain");
    let Some(python) = peers::find(&["python3"], "--version") else { return };
    let last = entries.last().unwrap();
    let proven = format!("{} {}", last.number, last.hash);
    assert_eq!(verify_with_python(python, &["each"], &lines), Ok(proven));
    let whole = export(exchange, &HistoryQuery::new());
    assert!(verify_with_python(python, &[], &whole).is_ok());
    let altered = String::from_utf8(lines).unwrap().replacen("\"direction\":\"in", "\"direction\":\"In", 1);
    let complaint = verify_with_python(python, &["each"], altered.as_bytes()).unwrap_err();
    assert!(complaint.contains(&format!("broken at entry {}:", entries[0].number)), "{complaint}");
}

/// The example of `docs/history.md` is a history of two entries with the head that the page gives.
#[test]
fn the_documented_example_verifies() {
    let page = include_str!("../../docs/history.md");
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("{\"number\":")).collect();
    let entries: Vec<HistoryEntry> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let again: Vec<String> = entries.iter().map(|entry| entry.to_json().unwrap()).collect();
    assert_eq!(again, lines);
    let head = verify_history(&entries, &HistoryHead::start()).unwrap();
    assert_eq!(head.number, 2);
    assert!(page.contains(&format!("`2 {}`", head.hash)), "the head is 2 {}", head.hash);
}
