//! A package that a person refuses for good: the sender learns why, and both sides can show it.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::case_system::CaseSystem;
use claimwire::exchange::{Acknowledgement, Event, Partner};
use claimwire::ledger::{HistoryQuery, IncomingState, OutgoingState, PackageQuery, Step};
use claimwire::model::{ExchangeId, Json, PackageId, RecordKind};
use claimwire::protocol::{Disposition, Endpoint, Peer, ReceiptState, Request, Response};
use claimwire::rules::{FieldChoice, FieldSelection, ImportRules};
use claimwire::transport::MemoryTransport;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const REASON: &str = "We do not examine outside of Ontario.";

/// A claim whose package the examiner holds and has not unpacked.
fn held(sites: &TwoSites) -> (ExchangeId, PackageId) {
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    (claim, package)
}

#[track_caller]
fn rejected(sites: &TwoSites, package: PackageId) {
    let told = sites.examiner.exchange.reject(package, "front desk", REASON).unwrap();
    assert!(matches!(told, Acknowledgement::Told), "{told:?}");
}

fn failures_told(side: &Side) -> Vec<String> {
    let events = side.events.lock().unwrap();
    let reason = |event: &Event| match event {
        Event::Failed { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    events.iter().filter_map(reason).collect()
}

#[test]
fn the_sender_learns_that_its_package_was_rejected_and_why() {
    let sites = TwoSites::new();
    let (claim, package) = held(&sites);
    rejected(&sites, package);

    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Rejected);
    let word = outgoing.word().unwrap().unwrap();
    assert_eq!(word.state, ReceiptState::Rejected);
    assert_eq!(word.disposition, Some(Disposition::Rejected { code: "refused".into() }));
    assert_eq!(word.detail.as_deref(), Some(REASON));
    assert!(outgoing.receipt.is_some(), "the receipt of delivery stays");
    let failures = failures_told(&sites.insurer);
    assert!(failures.len() == 1 && failures[0].contains(REASON), "{failures:?}");
    assert!(!failures[0].contains("front desk"), "who did it stays at the recipient");

    assert_eq!(steps(&sites.insurer, package), [Step::Exported, Step::Sent, Step::Delivered, Step::Rejected]);
    let trail = trail(&sites.examiner, package);
    let steps: Vec<Step> = trail.iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [Step::Received, Step::Notified, Step::Rejected, Step::Acknowledged]);
    assert_eq!(trail[2].by, "front desk");
    assert!(trail[2].outcome.contains(REASON));
    for side in [&sites.insurer, &sites.examiner] {
        side.exchange.verify_history().unwrap();
    }
    assert!(sites.examiner.cases.load(&claim).unwrap().is_none(), "nothing of it was applied");
    assert_eq!(sites.examiner.files_in("inbox").len(), 1, "what the receipts speak of is kept");
}

#[test]
fn a_rejected_package_is_neither_unpacked_nor_previewed_nor_new() {
    let sites = TwoSites::new();
    let (claim, package) = held(&sites);
    rejected(&sites, package);
    let examiner = &sites.examiner.exchange;
    for error in [
        examiner.unpack(package, "front desk", &()).unwrap_err(),
        examiner.preview(package, &()).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::WrongState, false));
        says(&error, &[REASON, "ON-INS", "anew"]);
    }
    let incoming = examiner.incoming(package).unwrap();
    assert_eq!((incoming.state, incoming.is_new), (IncomingState::Rejected, false));
    let log = examiner.incoming_errors(&HistoryQuery::new()).unwrap();
    assert_eq!(log.len(), 1, "a try to unpack it is no fault of the package");
    assert_eq!(log[0].error.as_ref().unwrap().message, REASON);

    // Nor by itself, when that is switched on.
    let insurer = Partner::clone(&examiner.partner(sites.insurer.site()).unwrap());
    examiner.set_partner(insurer.unpacking_automatically_as("robot"));
    add_note(&sites.insurer, &claim, "N-2", "And the next one?");
    let next = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(next, &()).unwrap();
    while examiner.incoming(next).unwrap().state == IncomingState::Received {
        std::thread::yield_now();
    }
    assert_eq!(examiner.incoming(next).unwrap().state, IncomingState::Unpacked);
    assert_eq!(examiner.incoming(package).unwrap().state, IncomingState::Rejected);
}

#[test]
fn rejecting_again_keeps_the_first_word() {
    let sites = TwoSites::new();
    let (_, package) = held(&sites);
    rejected(&sites, package);
    let first = sites.examiner.exchange.incoming(package).unwrap();
    sites.examiner.exchange.reject(package, "somebody else", "Another reason.").unwrap();
    assert_eq!(sites.examiner.exchange.incoming(package).unwrap(), first);
    assert_eq!(failures_told(&sites.insurer).len(), 1);
}

#[test]
fn what_is_unpacked_cannot_be_rejected_any_more() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let error = sites.examiner.exchange.reject(package, "front desk", REASON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);
    let unknown = sites.examiner.exchange.reject(PackageId::generate(), "front desk", REASON).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownPackage);
}

#[test]
fn a_rejection_needs_a_reason_that_can_be_told() {
    let sites = TwoSites::new();
    let (_, package) = held(&sites);
    for reason in ["", " \n", &"x".repeat(1001)] {
        let error = sites.examiner.exchange.reject(package, "front desk", reason).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    assert_eq!(sites.examiner.exchange.incoming(package).unwrap().state, IncomingState::Received);
    sites.examiner.exchange.reject(package, "front desk", &"\u{e9}".repeat(1000)).unwrap();
    let word = sites.insurer.exchange.outgoing(package).unwrap().word().unwrap().unwrap();
    assert_eq!(word.detail.unwrap().chars().count(), 1000);
}

#[test]
fn the_word_tells_what_the_unpack_had_failed_for() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    let mut there = sites.examiner.file(&claim);
    there.claim.status = Some("closed".into());
    sites.examiner.cases.put(&there).unwrap();
    let examiner = &sites.examiner.exchange;
    let insurer = Partner::clone(&examiner.partner(sites.insurer.site()).unwrap());
    examiner.set_partner(insurer.with_import_rules(ImportRules::new().protect(["closed"])));
    let mut here = sites.insurer.file(&claim);
    here.claim.status = Some("reopened".into());
    sites.insurer.cases.put(&here).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "It was ice.");
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let failed = examiner.unpack(package, "front desk", &()).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::ImportRulesViolated);
    rejected(&sites, package);

    let word = sites.insurer.exchange.outgoing(package).unwrap().word().unwrap().unwrap();
    assert_eq!(word.disposition, Some(Disposition::Rejected { code: "import-rules-violated".into() }));
    assert_eq!(word.details.len(), failed.details().len());
    assert_eq!(word.details[0].code.as_deref(), Some("protected-claim"));
    assert_eq!(word.details[0].subject.as_deref(), Some("ON-INS/C-1"));
    let told = trail(&sites.insurer, package).pop().unwrap().error.unwrap();
    assert_eq!(told.details, word.details, "the sender's history has the codes too");
}

#[test]
fn a_package_that_nobody_here_can_open_is_rejected_under_the_standard_code() {
    let sites = TwoSites::new();
    let (_, package) = held(&sites);
    let examiner = &sites.examiner.exchange;
    let insurer = Partner::new(insurer_site(), "Northern Mutual")
        .reached_by(MemoryTransport::new(Arc::new(sites.insurer.exchange.clone())))
        .verify_with(sites.keys.insurer_signs.verifying_key());
    examiner.set_partner(insurer);
    let failed = examiner.unpack(package, "front desk", &()).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::UnknownKeyVersion);
    rejected(&sites, package);
    let word = sites.insurer.exchange.outgoing(package).unwrap().word().unwrap().unwrap();
    assert_eq!(word.disposition, Some(Disposition::Rejected { code: "decryption-failed".into() }));
}

#[test]
fn the_claim_is_exported_anew_without_another_note() {
    let sites = TwoSites::new();
    let (claim, package) = held(&sites);
    rejected(&sites, package);
    let next = sites.export(&claim).unwrap();
    let former = sites.insurer.exchange.outgoing(package).unwrap().package.sequence;
    assert!(next.package.sequence > former);
    sites.insurer.exchange.send(next.package.id, &()).unwrap();
    sites.examiner.exchange.unpack(next.package.id, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&claim).notes.len(), 1);
    add_note(&sites.examiner, &claim, "N-9", "Seen.");
    sites.deliver_back(&claim);
}

#[test]
fn notes_do_not_go_alone_after_a_rejected_claim() {
    let sites = TwoSites::new();
    let (claim, package) = held(&sites);
    rejected(&sites, package);
    let error = sites.insurer.exchange.export_notes(&claim, sites.examiner.site(), "dana").unwrap_err();
    assert_eq!(error.details()[0].code.as_deref(), Some("not-exchanged-before"));
}

/// Details of thousands of faults would make a receipt that no sender takes.
#[test]
fn a_rejection_for_thousands_of_faults_still_reaches_the_sender() {
    let all = || FieldSelection::new().custom(RecordKind::Claim, FieldChoice::All);
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |partner| partner.selecting(all())),
        examiner_of_insurer: Box::new(move |partner| partner.selecting(all())),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let fill = |side: &Side, value: &str| {
        let mut file = side.file(&claim);
        let fields = (0..3000).map(|number| (format!("field_{number}"), Json::from(value)));
        file.claim.custom_fields.extend(fields);
        side.cases.put(&file).unwrap();
    };
    sites.deliver(&claim);
    fill(&sites.insurer, "here");
    fill(&sites.examiner, "there");
    add_note(&sites.insurer, &claim, "N-2", "Changed.");
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let failed = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap_err();
    assert_eq!((failed.kind(), failed.details().len()), (ErrorKind::Conflict, 3000));
    says(&failed, &["`custom_fields.field_0` of claim ON-INS/C-1", "2995 more fields"]);
    rejected(&sites, package);

    let word = sites.insurer.exchange.outgoing(package).unwrap().word().unwrap().unwrap();
    assert_eq!(word.details[..50], failed.details()[..50]);
    let told = word.details.len() - 1;
    assert_eq!(word.details[told].message, format!("There are {} more.", 3000 - told));
}

/// Reaches the exchange behind it, but may lose the answers.
struct Lossy {
    behind: claimwire::exchange::Exchange,
    loses: Arc<AtomicBool>,
}

impl Endpoint for Lossy {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        let answer = self.behind.answer(request, peer, body);
        if self.loses.load(Ordering::SeqCst) { Response::new(503, Vec::new()).unwrap() } else { answer }
    }
}

#[test]
fn a_sender_that_could_not_be_told_learns_it_when_it_asks_or_sends_again() {
    for asks in [true, false] {
        let sites = TwoSites::new();
        let loses = Arc::new(AtomicBool::new(true));
        let examiner = Lossy { behind: sites.examiner.exchange.clone(), loses: loses.clone() };
        let known = Partner::clone(&sites.insurer.exchange.partner(sites.examiner.site()).unwrap());
        sites.insurer.exchange.set_partner(known.reached_by(MemoryTransport::new(Arc::new(examiner))));
        // Where the sender cannot be reached at all, it knows of neither receipt.
        sites.examiner.exchange.set_partner(
            Partner::new(insurer_site(), "Northern Mutual")
                .open_with(1, sites.keys.legacy.clone())
                .verify_with(sites.keys.insurer_signs.verifying_key()),
        );

        let claim = sites.claim_at_insurer();
        let package = sites.export(&claim).unwrap().package.id;
        sites.insurer.exchange.send(package, &()).unwrap_err();
        let told = sites.examiner.exchange.reject(package, "front desk", REASON).unwrap();
        assert!(matches!(told, Acknowledgement::NotTold(_)), "{told:?}");
        assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Sent);

        loses.store(false, Ordering::SeqCst);
        let outgoing = match asks {
            true => sites.insurer.exchange.poll(package).unwrap(),
            false => sites.insurer.exchange.send(package, &()).unwrap(),
        };
        assert_eq!(outgoing.state, OutgoingState::Rejected);
        assert_eq!(failures_told(&sites.insurer).len(), 1);
        let open = PackageQuery::new().outgoing_in(OutgoingState::OPEN);
        assert!(sites.insurer.exchange.outgoing_packages(&open).unwrap().is_empty());
        assert_eq!(sites.examiner.files_in("inbox").len(), 1);
    }
}
