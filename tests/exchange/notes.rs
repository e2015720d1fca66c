//! Notes on their own: sent without the claim, applied as they arrive, new until somebody looks.

use crate::support::*;
use claimwire::codec::AgeIdentity;
use claimwire::exchange::{Event, Exchange, ExchangeSettings, Partner};
use claimwire::ledger::{HistoryQuery, IncomingState, Outgoing, OutgoingState, PackageQuery, Step};
use claimwire::model::{ExchangeId, Json, PackageId, PackageKind};
use claimwire::protocol::{ReceiptState, Request, Response, Route, sign_request};
use claimwire::{ErrorKind, Result};
use serde_json::json;
use std::path::Path;

/// A claim that both sites have.
fn shared_claim(sites: &TwoSites) -> ExchangeId {
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    claim
}

fn export_notes(sites: &TwoSites, claim: &ExchangeId) -> Result<Outgoing> {
    sites.insurer.exchange.export_notes(claim, sites.examiner.site(), "dana")
}

/// A new note of the insurer's, sent on its own.
fn send_note(sites: &TwoSites, claim: &ExchangeId, local: &str, body: &str) -> Outgoing {
    add_note(&sites.insurer, claim, local, body);
    let package = export_notes(sites, claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap()
}

fn bodies(side: &Side, claim: &ExchangeId) -> Vec<String> {
    side.file(claim).notes.into_iter().filter_map(|note| note.body).collect()
}

fn steps(side: &Side, package: PackageId) -> Vec<Step> {
    let query = HistoryQuery::new().package(package).kind(PackageKind::Notes);
    side.exchange.history(&query).unwrap().into_iter().map(|entry| entry.step).collect()
}

fn in_cases(side: &Side, sql: &str) {
    rusqlite::Connection::open(side.folder.join("cases/cases.sqlite3")).unwrap().execute_batch(sql).unwrap();
}

/// The examiner on a copy of its disk, with this word on the insurer.
fn examiner_on(disk: &Path, sites: &TwoSites, change: impl FnOnce(Partner) -> Partner) -> Exchange {
    let keys = sites.keys.clone();
    let partner = Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, keys.legacy)
        .verify_with(keys.insurer_signs.verifying_key());
    let cases = sites.examiner.cases.clone();
    let settings = ExchangeSettings::new(examiner_site(), disk, keys.examiner_signs, cases);
    Exchange::open(settings.with_partner(change(partner))).unwrap()
}

/// A package of notes that the insurer put together in some other way, at the examiner's door.
fn posted(sites: &TwoSites, parts: Parts) -> Response {
    let mut delivery = Delivery::of_archive(sites, parts.id(), &parts.archive(), 1);
    delivery.envelope.kind = PackageKind::Notes;
    let mut request = Request::new("POST", &Route::Notes.path("")).unwrap();
    *request.headers_mut() = delivery.unsigned().headers().clone();
    sign_request(&mut request, &delivery.signer, delivery.signed_at).unwrap();
    post(&sites.examiner, &request, &delivery.body)
}

fn notes_parts(claim_file: serde_json::Value) -> Parts {
    Parts::new().with(|parts| {
        parts.package.kind = PackageKind::Notes;
        parts.documents.clear();
        parts.claim_file = claim_file;
    })
}

#[test]
fn a_note_is_there_as_soon_as_it_is_sent_and_both_sides_know() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    let sent = send_note(&sites, &claim, "N-2", "The claimant has moved.");

    assert!(bodies(&sites.examiner, &claim).contains(&"The claimant has moved.".to_owned()));
    assert_eq!((sent.state, sent.notes.len()), (OutgoingState::Unpacked, 1));
    assert!(sent.receipt.is_some() && sent.last_receipt.is_some());
    let package = sent.package.id;
    let incoming = sites.examiner.exchange.incoming(package).unwrap();
    assert_eq!((incoming.state, incoming.claim.as_ref()), (IncomingState::Unpacked, Some(&claim)));
    assert_eq!(steps(&sites.insurer, package), [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked]);
    assert_eq!(steps(&sites.examiner, package), [Step::Received, Step::Unpacked, Step::Notified]);
    let events = sites.examiner.events.lock().unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::NewNote { package: told, claim: of, .. }
        if *told == package && *of == claim)));
}

#[test]
fn a_site_that_received_the_claim_sends_notes_back() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    add_note(&sites.examiner, &claim, "N-1", "Seen on Monday.");
    let exported = sites.examiner.exchange.export_notes(&claim, sites.insurer.site(), "front desk").unwrap();
    sites.examiner.exchange.send(exported.package.id, &()).unwrap();
    assert!(bodies(&sites.insurer, &claim).contains(&"Seen on Monday.".to_owned()));
    // What came from the insurer does not go back to it.
    assert_eq!(exported.notes, [id("IMEX/N-1")].into());
}

#[test]
fn notes_wait_until_the_claim_was_exchanged() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let refused = export_notes(&sites, &claim).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ExportRulesViolated);
    assert!(refused.details()[0].message.contains("never exchanged"), "{refused}");
    let package = sites.export(&claim).unwrap().package.id;
    assert!(export_notes(&sites, &claim).unwrap_err().details()[0].message.contains("never exchanged"));
    sites.insurer.exchange.send(package, &()).unwrap();
    // Its one note went with the claim.
    assert!(export_notes(&sites, &claim).unwrap_err().details()[0].message.contains("has every note"));
    assert!(is_tidy(&sites.insurer) && sites.insurer.files_in("outbox").len() == 1);
}

#[test]
fn only_what_the_partner_has_not_seen_leaves_and_nothing_else() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    let mut file = sites.insurer.file(&claim);
    let mut internal = note(sites.insurer.site(), "N-8", "Do not disclose.");
    internal.internal = Some(true);
    let mut open = note(sites.insurer.site(), "N-9", "Please hurry.");
    open.custom_fields.insert("cost_centre".into(), Json::from("77"));
    file.notes.extend([internal, open]);
    file.claim.status = Some("in review".into());
    sites.insurer.cases.put(&file).unwrap();
    put_document(&sites.insurer, &claim, "D-2", "more.txt", b"More.\n");

    let exported = export_notes(&sites, &claim).unwrap();
    assert_eq!(exported.notes, [id("ON-INS/N-9")].into());
    sites.insurer.exchange.send(exported.package.id, &()).unwrap();
    let there = sites.examiner.file(&claim);
    assert_eq!(there.claim.status.as_deref(), Some("open"));
    assert_eq!((there.notes.len(), there.documents.len()), (2, 1));
    assert!(there.notes.iter().all(|note| note.custom_fields.is_empty()));
    assert!(export_notes(&sites, &claim).unwrap_err().details()[0].message.contains("has every note"));
}

#[test]
fn notes_neither_supersede_a_claim_package_nor_are_superseded() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    add_note(&sites.insurer, &claim, "N-2", "Status changes.");
    let mut file = sites.insurer.file(&claim);
    file.claim.status = Some("in review".into());
    sites.insurer.cases.put(&file).unwrap();
    let waiting = sites.export(&claim).unwrap().package;
    sites.insurer.exchange.send(waiting.id, &()).unwrap();
    let notes = ["N-3", "N-4"].map(|local| send_note(&sites, &claim, local, local));
    assert_eq!(notes.map(|sent| sent.package.sequence), [1, 2]);

    let unpacked = sites.examiner.exchange.unpack(waiting.id, "front desk", &()).unwrap();
    assert!(!unpacked.superseded);
    assert_eq!(sites.examiner.file(&claim).claim.status.as_deref(), Some("in review"));
    // A note after the claim package, and a claim package after the notes: nothing is spurious.
    send_note(&sites, &claim, "N-5", "Last one.");
    add_note(&sites.insurer, &claim, "N-6", "For the next export.");
    let next = sites.export(&claim).unwrap().package;
    sites.insurer.exchange.send(next.id, &()).unwrap();
    let changes = sites.examiner.exchange.unpack(next.id, "front desk", &()).unwrap().changes;
    assert!(next.sequence > waiting.sequence);
    let changed: Vec<&ExchangeId> = changes.records.iter().map(|record| &record.after.id).collect();
    assert_eq!(changed, [&id("ON-INS/N-6")]);
}

#[test]
fn both_sides_have_the_note_in_common_so_that_an_edit_of_it_is_no_conflict() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    send_note(&sites, &claim, "N-2", "Call before noon.");
    let mut there = sites.examiner.file(&claim);
    let edited = there.notes.iter_mut().find(|note| note.id == id("ON-INS/N-2")).unwrap();
    edited.body = Some("Call before noon. Done.".into());
    there.notes.push(note(sites.examiner.site(), "N-1", "Called."));
    sites.examiner.cases.put(&there).unwrap();
    sites.deliver_back(&claim);
    assert!(bodies(&sites.insurer, &claim).contains(&"Call before noon. Done.".to_owned()));
    // And the other way round, with the note that the insurer has in common by now.
    let mut here = sites.insurer.file(&claim);
    let edited = here.notes.iter_mut().find(|note| note.id == id("ON-INS/N-2")).unwrap();
    edited.body = Some("Closed.".into());
    here.notes.push(note(sites.insurer.site(), "N-3", "Thanks."));
    sites.insurer.cases.put(&here).unwrap();
    sites.deliver(&claim);
    assert!(bodies(&sites.examiner, &claim).contains(&"Closed.".to_owned()));
}

#[test]
fn the_sender_learns_that_the_claim_is_gone_and_exports_anew_when_it_is_back() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    let kept = sites.examiner.file(&claim);
    in_cases(&sites.examiner, "DELETE FROM document_versions; DELETE FROM records; DELETE FROM claims;");

    add_note(&sites.insurer, &claim, "N-2", "Are you there?");
    let package = export_notes(&sites, &claim).unwrap().package.id;
    for _ in 0..2 {
        let refused = sites.insurer.exchange.send(package, &()).unwrap_err();
        assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::UnknownClaim, false));
    }
    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Failed);
    assert_eq!(outgoing.last_error.unwrap().kind, "unknown-claim");
    let rejected = sites.examiner.exchange.incoming(package).unwrap();
    assert_eq!((rejected.state, rejected.is_new), (IncomingState::Rejected, false));
    assert_eq!(steps(&sites.examiner, package), [Step::Received, Step::Rejected]);
    assert_eq!(sites.insurer.exchange.poll(package).unwrap().state, OutgoingState::Rejected);

    let mut back = kept;
    back.documents.clear();
    sites.examiner.cases.put(&back).unwrap();
    let anew = export_notes(&sites, &claim).unwrap().package.id;
    assert_eq!(sites.insurer.exchange.send(anew, &()).unwrap().state, OutgoingState::Unpacked);
    assert!(bodies(&sites.examiner, &claim).contains(&"Are you there?".to_owned()));
}

#[test]
fn a_partner_cannot_put_notes_into_a_claim_that_was_never_exchanged_with_it() {
    let sites = TwoSites::new();
    let claim = put_claim(&sites.examiner, "C-9");
    let parts =
        notes_parts(json!({"claim": {"id": "IMEX/C-9"}, "notes": [{"id": "ON-INS/N-7", "body": "Hm."}]}))
            .with(|parts| parts.package.claim = claim.clone());
    assert_eq!(refusal(&posted(&sites, parts)).kind, ErrorKind::UnknownClaim);
    assert_eq!(sites.examiner.file(&claim).notes.len(), 1);
}

#[test]
fn a_package_of_notes_that_carries_more_changes_nothing() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    let before = sites.examiner.file(&claim);
    let note = json!({"id": "ON-INS/N-7", "body": "Hm."});
    for claim_file in [
        json!({"claim": {"id": "ON-INS/C-1", "status": "closed"}, "notes": [note]}),
        json!({"claim": {"id": "ON-INS/C-1"}, "notes": [note], "contacts": [{"id": "ON-INS/P-1"}]}),
        json!({"claim": {"id": "ON-INS/C-1"}, "notes": [{"id": "ON-INS/N-7", "custom_fields": {"a": "b"}}]}),
    ] {
        let parts = notes_parts(claim_file);
        let package = parts.id();
        assert_eq!(refusal(&posted(&sites, parts)).kind, ErrorKind::InvalidPackage);
        assert_eq!(sites.examiner.exchange.incoming(package).unwrap().state, IncomingState::Failed);
    }
    assert_eq!(sites.examiner.file(&claim), before);
    assert!(is_tidy(&sites.examiner));
}

#[test]
fn a_late_package_of_notes_does_not_undo_a_later_form_of_its_note() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    send_note(&sites, &claim, "N-2", "Later form.");
    let note = json!({"id": "ON-INS/N-2", "body": "Earlier form."});
    let parts = notes_parts(json!({"claim": {"id": "ON-INS/C-1"}, "notes": [note]}));
    let receipt = receipt_in(&posted(&sites, parts)).unwrap();
    assert_eq!(receipt.state, ReceiptState::Unpacked);
    assert!(bodies(&sites.examiner, &claim).contains(&"Later form.".to_owned()));
}

#[test]
fn the_same_notes_delivered_again_are_receipted_again_and_applied_once() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    let note = json!({"id": "ON-INS/N-2", "body": "Once."});
    let parts = || notes_parts(json!({"claim": {"id": "ON-INS/C-1"}, "notes": [note.clone()]}));
    let package = parts().id();
    let delivery = parts().with(|parts| parts.package.id = package);
    let delivery = Delivery::of_archive(&sites, package, &delivery.archive(), 1)
        .with(|it| it.envelope.kind = PackageKind::Notes);
    let once = |delivery: &Delivery| {
        let mut request = Request::new("POST", &Route::Notes.path("")).unwrap();
        *request.headers_mut() = delivery.unsigned().headers().clone();
        sign_request(&mut request, &delivery.signer, delivery.signed_at).unwrap();
        receipt_in(&post(&sites.examiner, &request, &delivery.body)).unwrap()
    };
    assert_eq!(once(&delivery), once(&delivery));
    assert_eq!(steps(&sites.examiner, package), [Step::Received, Step::Unpacked, Step::Notified]);
    assert_eq!(bodies(&sites.examiner, &claim).iter().filter(|body| *body == "Once.").count(), 1);
}

#[test]
fn notes_that_a_passing_fault_left_are_applied_by_the_next_try() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    add_note(&sites.insurer, &claim, "N-2", "Patience.");
    let package = export_notes(&sites, &claim).unwrap().package.id;
    in_cases(&sites.examiner, "ALTER TABLE claims RENAME TO away");
    assert!(sites.insurer.exchange.send(package, &()).unwrap_err().is_retryable());
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Queued);
    assert_eq!(sites.examiner.exchange.incoming(package).unwrap().state, IncomingState::Received);
    in_cases(&sites.examiner, "ALTER TABLE away RENAME TO claims");

    // The recipient may be first, and tells the sender; else the sender's next try applies them.
    assert_eq!(sites.examiner.exchange.apply_pending_notes().unwrap(), [package]);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Unpacked);
    assert!(bodies(&sites.examiner, &claim).contains(&"Patience.".to_owned()));
    assert!(sites.examiner.exchange.apply_pending_notes().unwrap().is_empty());
}

#[test]
fn notes_that_a_crash_left_between_inbox_and_claim_are_applied_on_opening() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    add_note(&sites.insurer, &claim, "N-2", "Patience.");
    let package = export_notes(&sites, &claim).unwrap().package.id;
    in_cases(&sites.examiner, "ALTER TABLE claims RENAME TO away");
    sites.insurer.exchange.send(package, &()).unwrap_err();
    in_cases(&sites.examiner, "ALTER TABLE away RENAME TO claims");
    let disk = tempfile::tempdir().unwrap();
    copy_folder(&sites.examiner.folder.join("exchange"), disk.path());

    let reopened = examiner_on(disk.path(), &sites, |insurer| insurer);
    assert_eq!(reopened.incoming(package).unwrap().state, IncomingState::Unpacked);
    assert!(bodies(&sites.examiner, &claim).contains(&"Patience.".to_owned()));
}

#[test]
fn notes_under_an_unknown_key_wait_and_are_unpacked_once_it_is_known() {
    let new_key = AgeIdentity::generate();
    let recipient = new_key.recipient();
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |partner| partner.seal_with(3, recipient)),
        ..Setup::default()
    });
    let claim = put_claim(&sites.examiner, "C-1");
    sites.deliver_back(&claim);
    add_note(&sites.insurer, &claim, "N-2", "Thanks.");
    let package = export_notes(&sites, &claim).unwrap().package.id;
    let refused = sites.insurer.exchange.send(package, &()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnknownKeyVersion);
    assert_eq!(sites.examiner.exchange.incoming(package).unwrap().state, IncomingState::Failed);
    let told = sites.examiner.events.lock().unwrap().clone();
    assert!(told.iter().any(|event| matches!(event, Event::UnpackFailed { .. })));

    let disk = tempfile::tempdir().unwrap();
    copy_folder(&sites.examiner.folder.join("exchange"), disk.path());
    let reopened = examiner_on(disk.path(), &sites, |insurer| insurer.open_with(3, new_key));
    assert_eq!(reopened.incoming(package).unwrap().state, IncomingState::Failed);
    reopened.unpack(package, "front desk", &()).unwrap();
    assert!(bodies(&sites.examiner, &claim).contains(&"Thanks.".to_owned()));
}

#[test]
fn what_came_in_is_new_until_somebody_views_the_claim() {
    let sites = TwoSites::new();
    let claim = shared_claim(&sites);
    let note = send_note(&sites, &claim, "N-2", "New.").package.id;
    let new = || sites.examiner.exchange.incoming_packages(&PackageQuery::new().only_new()).unwrap();
    assert_eq!(
        new().iter().map(|package| package.kind).collect::<Vec<_>>(),
        [PackageKind::Claim, PackageKind::Notes]
    );

    assert_eq!(sites.examiner.exchange.mark_viewed(&claim, "front desk").unwrap().len(), 2);
    assert!(new().is_empty());
    assert_eq!(steps(&sites.examiner, note).last(), Some(&Step::Viewed));
    assert!(sites.examiner.exchange.mark_viewed(&claim, "front desk").unwrap().is_empty());
    let later = send_note(&sites, &claim, "N-3", "Newer.").package.id;
    assert_eq!(new().iter().map(|package| package.id).collect::<Vec<_>>(), [later]);
    assert_eq!(steps(&sites.examiner, note).iter().filter(|step| **step == Step::Viewed).count(), 1);
}
