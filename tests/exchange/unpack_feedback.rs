//! The recipient unpacks, and a field of the sender's claim says so.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::case_system::CaseSystem;
use claimwire::exchange::{Acknowledgement, Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::{OutgoingState, Step};
use claimwire::merge::ConflictPolicy;
use claimwire::model::{ClaimFile, ExchangeId, Json, PackageId, RecordKind, Timestamp};
use claimwire::protocol::{Disposition, Endpoint, Peer, Receipt, Request, Response};
use claimwire::rules::{FieldChoice, FieldSelection};
use claimwire::transport::MemoryTransport;
use std::io::Read;
use std::sync::Arc;

const FIELD: &str = "examiner_unpacked";

/// Takes nothing.
struct Deaf;

impl Endpoint for Deaf {
    fn answer(&self, _: &Request, _: &Peer, _: &mut dyn Read) -> Response {
        Response::new(503, Vec::new()).unwrap()
    }
}

fn with_feedback() -> TwoSites {
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            let everything = FieldSelection::new().custom(RecordKind::Claim, FieldChoice::All);
            partner.filling_on_unpack(FIELD).selecting(everything)
        }),
        examiner_of_insurer: Box::new(|partner| {
            partner.selecting(FieldSelection::new().custom(RecordKind::Claim, FieldChoice::All))
        }),
        ..Setup::default()
    })
}

fn feedback(side: &Side, claim: &ExchangeId) -> Option<String> {
    side.file(claim).claim.custom_fields.get(FIELD).and_then(Json::as_str).map(str::to_owned)
}

/// The receipt that the examiner wrote of this package.
fn word_of(side: &Side, package: PackageId) -> Receipt {
    Receipt::from_json(side.exchange.incoming(package).unwrap().receipt.unwrap().as_bytes()).unwrap()
}

fn seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(moment.unix_seconds()).unwrap()
}

#[test]
fn the_senders_claim_says_when_it_was_unpacked_and_how() {
    let sites = with_feedback();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    assert_eq!(feedback(&sites.insurer, &claim), None, "held is not unpacked");

    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    let word = word_of(&sites.examiner, package);
    assert_eq!(feedback(&sites.insurer, &claim).unwrap(), format!("{} accepted", seconds(word.at)));
    assert_eq!(seconds(word.at).to_string().len(), "2026-03-02T14:30:00Z".len());
    let entry = trail(&sites.insurer, package).pop().unwrap();
    assert_eq!((entry.step, entry.by.as_str()), (Step::Notified, "ON-INS"));
    assert!(entry.outcome.contains(FIELD), "{}", entry.outcome);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().pending_feedback, None);
}

#[test]
fn it_says_so_when_the_recipient_kept_values_of_its_own() {
    let sites = with_feedback();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    let mut there = sites.examiner.file(&claim);
    there.claim.status = Some("seen".into());
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "Please look again.");
    let package = sites.deliver(&claim);
    assert_eq!(word_of(&sites.examiner, package).disposition, Some(Disposition::AcceptedWithChanges));
    assert!(feedback(&sites.insurer, &claim).unwrap().ends_with("Z accepted with changes"));
}

#[test]
fn the_field_never_leaves_and_never_comes_in() {
    let sites = with_feedback();
    let claim = sites.claim_at_insurer();
    let mut file = sites.insurer.file(&claim);
    file.claim.custom_fields.insert("region".into(), Json::from("east"));
    sites.insurer.cases.put(&file).unwrap();
    sites.deliver(&claim);
    let said = feedback(&sites.insurer, &claim);
    add_note(&sites.insurer, &claim, "N-2", "Please look again.");
    sites.deliver(&claim);
    let there = sites.examiner.file(&claim).claim.custom_fields;
    assert_eq!(there.keys().collect::<Vec<_>>(), ["region"]);

    // A partner that has a field of the same name does not write ours, and there is no conflict about it.
    let mut file = sites.examiner.file(&claim);
    file.claim.custom_fields.insert(FIELD.into(), Json::from("forged"));
    sites.examiner.cases.put(&file).unwrap();
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let before = feedback(&sites.insurer, &claim);
    assert!(before >= said);
    sites.deliver_back(&claim);
    assert_eq!(feedback(&sites.insurer, &claim), before);
}

#[test]
fn polling_and_notes_by_themselves_fill_it_too() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| partner.filling_on_unpack(FIELD)),
        examiner_of_insurer: Box::new(|partner| {
            // Cannot tell the insurer, who has to ask.
            partner.reached_by(MemoryTransport::new(Arc::new(Deaf)))
        }),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let unpacked = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert!(matches!(unpacked.acknowledgement, Acknowledgement::NotTold(_)));
    assert_eq!(feedback(&sites.insurer, &claim), None);
    sites.insurer.exchange.poll(package).unwrap();
    let first = feedback(&sites.insurer, &claim).unwrap();
    assert!(first.ends_with("Z accepted"), "{first}");

    let mut file = sites.insurer.file(&claim);
    file.claim.custom_fields.clear();
    file.notes.push(note(sites.insurer.site(), "N-2", "One more thing."));
    sites.insurer.cases.put(&file).unwrap();
    let notes =
        sites.insurer.exchange.export_notes(&claim, sites.examiner.site(), "dana").unwrap().package.id;
    sites.insurer.exchange.send(notes, &()).unwrap();
    assert!(feedback(&sites.insurer, &claim).unwrap().ends_with("Z accepted"));
}

#[test]
fn an_older_word_and_the_same_word_again_change_nothing() {
    let sites = with_feedback();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let entries = trail(&sites.insurer, package).len();
    sites.insurer.exchange.poll(package).unwrap();
    sites.examiner.exchange.acknowledge(package).unwrap();
    assert_eq!(trail(&sites.insurer, package).len(), entries);

    let mut file = sites.insurer.file(&claim);
    file.claim.custom_fields.insert(FIELD.into(), Json::from("2999-01-01T00:00:00Z accepted"));
    sites.insurer.cases.put(&file).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "Please look again.");
    sites.deliver(&claim);
    assert_eq!(feedback(&sites.insurer, &claim).unwrap(), "2999-01-01T00:00:00Z accepted");
}

/// The insurer again, on its own folder, over a case system that can be down.
fn insurer_on(folder: &std::path::Path, sites: &TwoSites) -> (Exchange, Arc<Flaky>) {
    let cases = Arc::new(Flaky::open(&folder.join("cases")));
    let partner = Partner::new(examiner_site(), "Independent Medical Examiners")
        .reached_by(MemoryTransport::new(Arc::new(sites.examiner.exchange.clone())))
        .seal_with(1, sites.keys.legacy.clone())
        .open_with(1, sites.keys.identity.clone())
        .verify_with(sites.keys.examiner_signs.verifying_key())
        .settling_conflicts(ConflictPolicy::Stop)
        .filling_on_unpack(FIELD);
    let signs = sites.keys.insurer_signs.clone();
    let settings = ExchangeSettings::new(insurer_site(), folder.join("exchange"), signs, cases.clone());
    (Exchange::open(settings.with_partner(partner)).unwrap(), cases)
}

#[test]
fn a_case_system_that_is_down_costs_neither_the_receipt_nor_the_feedback() {
    let sites = TwoSites::new();
    let folder = tempfile::tempdir().unwrap();
    let (exchange, flaky) = insurer_on(folder.path(), &sites);
    let claim = id("ON-INS/C-7");
    let mut file = ClaimFile::new(claimwire::model::Claim::new(claim.clone()));
    file.claim.claim_number = Some("C-7".into());
    file.notes.push(note(&insurer_site(), "N-1", "Please examine."));
    flaky.cases.put(&file).unwrap();
    let export = || {
        let options = ExportOptions::by("dana");
        let package = exchange.export(&claim, &examiner_site(), &options).unwrap().package.id;
        exchange.send(package, &()).unwrap();
        let _ = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
        package
    };
    let said = |cases: &Flaky| cases.load(&claim).unwrap().unwrap().claim.custom_fields.get(FIELD).cloned();
    flaky.goes_down();
    let package = export();
    let outgoing = exchange.poll(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Unpacked, "the receipt is taken");
    assert!(outgoing.last_receipt.is_some() && outgoing.pending_feedback.is_some());
    let history = claimwire::ledger::HistoryQuery::new().package(package);
    let failed = exchange.history(&history).unwrap().pop().unwrap();
    assert_eq!(failed.step, Step::Failed);
    assert!(
        failed.outcome.contains(FIELD) && failed.outcome.contains("down for the night"),
        "{}",
        failed.outcome
    );
    assert_eq!(failed.error.unwrap().kind, ErrorKind::CaseSystem.name());
    assert_eq!(said(&flaky), None);

    // By itself when it is asked to, and once only.
    flaky.is_up_again();
    assert_eq!(exchange.fill_pending_feedback().unwrap(), [package]);
    assert!(said(&flaky).is_some());
    assert!(exchange.fill_pending_feedback().unwrap().is_empty());

    // And when the exchange is opened again.
    let mut file = flaky.load(&claim).unwrap().unwrap();
    file.claim.custom_fields.clear();
    file.notes.push(note(&insurer_site(), "N-2", "Please look again."));
    flaky.cases.put(&file).unwrap();
    flaky.goes_down();
    let package = export();
    exchange.poll(package).unwrap();
    assert_eq!(said(&flaky), None);
    drop((exchange, flaky));
    let (exchange, flaky) = insurer_on(folder.path(), &sites);
    assert!(said(&flaky).is_some());
    assert_eq!(exchange.outgoing(package).unwrap().pending_feedback, None);
}
