//! What earlier packages said is kept as long as it may be needed, and no longer: also where nothing ever comes back.

use crate::support::*;
use claimwire::exchange::Partner;
use claimwire::ledger::PackageQuery;
use claimwire::merge::ConflictPolicy;
use claimwire::model::{ExchangeId, PackageId};

/// Of which of the insurer's packages, counted from 1, it knows what they said.
fn kept(sites: &TwoSites) -> Vec<usize> {
    let ledger = sites.insurer.folder.join("exchange/ledger.sqlite3");
    let connection = rusqlite::Connection::open(ledger).unwrap();
    let mut rows = connection.prepare("SELECT sequence FROM snapshots ORDER BY sequence").unwrap();
    let known: Vec<i64> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let all = sites.insurer.exchange.outgoing_packages(&PackageQuery::new()).unwrap();
    let number = |known: i64| {
        1 + all.iter().position(|sent| i64::try_from(sent.package.sequence) == Ok(known)).unwrap()
    };
    known.into_iter().map(number).collect()
}

fn send_with_status(sites: &TwoSites, claim: &ExchangeId, number: usize) -> PackageId {
    let mut file = sites.insurer.file(claim);
    file.claim.status = Some(format!("status {number}"));
    sites.insurer.cases.put(&file).unwrap();
    add_note(&sites.insurer, claim, &format!("N-{number}"), "Go on.");
    let package = sites.export(claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    package
}

#[test]
fn a_recipient_that_takes_everything_leaves_the_last_one() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    for number in 2..6 {
        let package = send_with_status(&sites, &claim, number);
        sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
        assert_eq!(kept(&sites), [number - 1], "a package it exported before that may still come");
    }
    // Its next package names what it had taken by then.
    add_note(&sites.examiner, &claim, "N-9", "Seen.");
    sites.deliver_back(&claim);
    assert!(kept(&sites).is_empty());
}

#[test]
fn a_recipient_that_keeps_values_of_its_own_and_never_writes_leaves_two() {
    let sites = TwoSites::new();
    let examiner = &sites.examiner.exchange;
    let insurer = Partner::clone(&examiner.partner(sites.insurer.site()).unwrap());
    examiner.set_partner(insurer.settling_conflicts(ConflictPolicy::Ours));
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    let mut there = sites.examiner.file(&claim);
    there.claim.status = Some("their own".into());
    sites.examiner.cases.put(&there).unwrap();
    for number in 2..6 {
        let package = send_with_status(&sites, &claim, number);
        examiner.unpack(package, "front desk", &()).unwrap();
        assert_eq!(kept(&sites), [1, number], "what it took over, and what its next package may name");
    }
    // And what it keeps is enough for that: nothing of it is taken for a conflict.
    add_note(&sites.examiner, &claim, "N-9", "We keep our status.");
    sites.deliver_back(&claim);
    assert_eq!(sites.insurer.file(&claim).claim.status.as_deref(), Some("their own"));
    assert!(kept(&sites).is_empty());
}

#[test]
fn a_recipient_that_never_unpacks_leaves_the_last_ones() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let packages: Vec<PackageId> =
        (1..=40).map(|number| send_with_status(&sites, &claim, number + 1)).collect();
    assert_eq!(kept(&sites), (9..=40).collect::<Vec<usize>>());
    // The first of all is unpacked at last, then the last one: both are told, and the claim goes on both ways.
    for package in [packages[0], packages[39]] {
        sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    }
    assert_eq!(kept(&sites), [40]);
    let mut there = sites.examiner.file(&claim);
    there.claim.status = Some("seen".into());
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.examiner, &claim, "N-99", "Seen.");
    sites.deliver_back(&claim);
    assert_eq!(sites.insurer.file(&claim).claim.status.as_deref(), Some("seen"));
}
