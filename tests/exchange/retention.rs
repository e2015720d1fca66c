//! How long sealed packages are kept: as long as the host says, and their traces for ever.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::exchange::ExportOptions;
use claimwire::ledger::{HistoryQuery, OutgoingState, Step};
use claimwire::model::{ExchangeId, PackageId, Timestamp};
use claimwire::protocol::ReceiptState;
use std::time::Duration;

fn soon() -> Timestamp {
    (std::time::SystemTime::now() + Duration::from_secs(3600)).into()
}

/// A package that the examiner holds and nobody has unpacked.
fn held(sites: &TwoSites, claim: &ExchangeId) -> PackageId {
    let package = sites.export(claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    package
}

fn removed(side: &Side, before: Timestamp) -> u64 {
    side.exchange.remove_sealed(before, "nightly job").unwrap()
}

fn steps(side: &Side, package: PackageId) -> Vec<(Step, String)> {
    let history = side.exchange.history(&HistoryQuery::new().package(package)).unwrap();
    history.into_iter().map(|entry| (entry.step, entry.by)).collect()
}

#[test]
fn of_what_was_dealt_with_the_bytes_go_and_every_trace_stays() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = held(&sites, &claim);
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    let before = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(before.state, OutgoingState::Unpacked);
    for (side, folder) in [(&sites.insurer, "outbox"), (&sites.examiner, "inbox")] {
        assert_eq!(removed(side, before.package.created_at), 0, "it was dealt with later");
        assert_eq!((removed(side, soon()), removed(side, soon())), (1, 0));
        assert!(side.files_in(folder).is_empty());
        assert_eq!(steps(side, package).last().unwrap(), &(Step::Removed, "nightly job".to_owned()));
        side.exchange.verify_history().unwrap();
    }
    let sent = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!((sent.receipt.as_ref(), sent.state), (before.receipt.as_ref(), OutgoingState::Unpacked));
    assert_eq!(sent.word().unwrap().unwrap().state, ReceiptState::Unpacked);
    assert_eq!(sites.insurer.exchange.poll(package).unwrap().state, OutgoingState::Unpacked);

    let refused = sites.insurer.exchange.replay(package, "dana").unwrap_err();
    assert!(refused.kind() == ErrorKind::WrongState && refused.to_string().contains("anew"), "{refused}");
    let refused = sites.examiner.exchange.preview(package, &()).unwrap_err();
    assert!(refused.kind() == ErrorKind::WrongState && refused.to_string().contains("traces"), "{refused}");
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

#[test]
fn what_waits_stays_whole() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = held(&sites, &claim);
    assert_eq!((removed(&sites.insurer, soon()), removed(&sites.examiner, soon())), (0, 0));
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    let exchange = &sites.insurer.exchange;
    add_note(&sites.insurer, &claim, "N-2", "Please call back.");
    exchange.export(&claim, sites.examiner.site(), &ExportOptions::by("dana")).unwrap();
    assert_eq!(removed(&sites.insurer, soon()), 1);
    assert_eq!(sites.insurer.files_in("outbox").len(), 1, "the one that is queued");
}
