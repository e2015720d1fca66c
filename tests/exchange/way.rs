//! The way of a package between two sites: there, back, again, and what each side knows of it.

use crate::support::*;
use claimwire::exchange::{Event, ExportOptions};
use claimwire::ledger::{HistoryQuery, IncomingState, Outgoing, OutgoingState, Step};
use claimwire::model::{Assessment, Bill, Contact, Json};
use claimwire::protocol::{Evidence, ReceiptState};
use claimwire::{ErrorKind, merge::RecordAction};

#[test]
fn a_claim_file_arrives_with_all_that_may_leave() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let mut file = sites.insurer.file(&claim);
    let mut assessment = Assessment::new(id("ON-INS/A-1"));
    assessment.r#type = Some("orthopaedic".into());
    let mut bill = Bill::new(id("ON-INS/B-1"));
    bill.bill_number = Some("B-1".into());
    assessment.bills.push(bill);
    file.assessments.push(assessment);
    let mut contact = Contact::new(id("ON-INS/P-1"));
    contact.last_name = Some("Okafor".into());
    file.contacts.push(contact);
    sites.insurer.cases.put(&file).unwrap();

    sites.deliver(&claim);
    let there = sites.examiner.file(&claim);
    assert_eq!(there.claim.claim_number.as_deref(), Some("C-1"));
    assert_eq!(there.assessments[0].bills[0].bill_number.as_deref(), Some("B-1"));
    assert_eq!(there.contacts[0].last_name.as_deref(), Some("Okafor"));
    assert_eq!(there.notes[0].body.as_deref(), Some("Please examine the left knee."));
    assert_eq!(sites.examiner.bytes(&claim, &id("ON-INS/D-1")), b"Left knee: sprain.\n");
}

#[test]
fn what_is_private_to_a_side_never_leaves_and_never_changes() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let mut file = sites.insurer.file(&claim);
    file.claim.custom_fields.insert("reserve".into(), Json::from("48000"));
    let mut internal = note(sites.insurer.site(), "N-9", "Do not disclose.");
    internal.internal = Some(true);
    file.notes.push(internal);
    sites.insurer.cases.put(&file).unwrap();
    sites.deliver(&claim);

    let mut there = sites.examiner.file(&claim);
    assert!(!there.claim.custom_fields.contains_key("reserve"));
    assert!(there.notes.iter().all(|note| note.id != id("ON-INS/N-9")));
    there.claim.custom_fields.insert("examiner_file".into(), Json::from("88"));
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    sites.deliver_back(&claim);

    let after = sites.insurer.file(&claim);
    assert_eq!(after.claim.custom_fields["reserve"], Json::from("48000"));
    assert!(!after.claim.custom_fields.contains_key("examiner_file"));
    assert!(after.notes.iter().any(|note| note.is_internal()));
    assert!(after.notes.iter().any(|note| note.body.as_deref() == Some("Seen.")));
}

#[test]
fn both_histories_show_every_step() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let steps = |side: &Side| -> Vec<Step> {
        let query = HistoryQuery::new().package(package);
        side.exchange.history(&query).unwrap().into_iter().map(|entry| entry.step).collect()
    };
    assert_eq!(steps(&sites.insurer), [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked]);
    assert_eq!(steps(&sites.examiner), [Step::Received, Step::Notified, Step::Unpacked, Step::Acknowledged]);
    let by: Vec<String> = sites
        .examiner
        .exchange
        .history(&HistoryQuery::new())
        .unwrap()
        .into_iter()
        .map(|entry| entry.by)
        .collect();
    assert!(by.contains(&"front desk".to_owned()), "{by:?}");
}

#[test]
fn the_sender_keeps_receipts_that_verify_and_is_told_of_the_unpack() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let outgoing = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!(outgoing.state, OutgoingState::Unpacked);
    let stranger = claimwire::protocol::SigningKey::generate("imex-1").unwrap().verifying_key();
    for (evidence, state) in
        [(outgoing.receipt, ReceiptState::Received), (outgoing.last_receipt, ReceiptState::Unpacked)]
    {
        let evidence: Evidence = evidence.unwrap().parse::<Json>().unwrap().to().unwrap();
        let (receipt, _) = evidence.verify(&sites.keys.examiner_signs.verifying_key()).unwrap();
        assert_eq!((receipt.package_id, receipt.state), (package, state));
        assert_eq!(evidence.verify(&stranger).unwrap_err().kind(), ErrorKind::BadSignature);
    }
    let events = sites.insurer.events.lock().unwrap();
    assert!(
        events.iter().any(|event| matches!(event, Event::Unpacked { package: told, .. } if *told == package))
    );
}

#[test]
fn a_host_is_told_of_each_step_once_whichever_way_it_was_proved() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let Outgoing { package, sha256, .. } = sites.export(&claim).unwrap();
    let package = package.id;
    // The examiner's receipt comes by itself, before the answer to a send.
    let mut held = word_on(package, &sha256);
    held.state = ReceiptState::Received;
    for _ in 0..2 {
        let (request, json) = receipt_request(&held, &sites.keys.examiner_signs);
        assert_eq!(post(&sites.insurer, &request, &json).status(), 204);
    }
    sites.insurer.exchange.send(package, &()).unwrap();
    let (request, json) = receipt_request(&word_on(package, &sha256), &sites.keys.examiner_signs);
    assert_eq!(post(&sites.insurer, &request, &json).status(), 204);

    let events = sites.insurer.events.lock().unwrap();
    let told = |event: &Event| match event {
        Event::Exported { package: told, to, claim: of, .. }
        | Event::Delivered { package: told, to, claim: of, .. }
        | Event::Unpacked { package: told, to, claim: of, .. } => {
            (*told, to, of) == (package, sites.examiner.site(), &claim)
        }
        _ => false,
    };
    assert!(events.iter().all(told), "{events:?}");
    let in_order = matches!(
        events.as_slice(),
        [Event::Exported { .. }, Event::Delivered { .. }, Event::Unpacked { .. }]
    );
    assert!(in_order, "{events:?}");
}

#[test]
fn sending_and_unpacking_again_change_nothing_more() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.deliver(&claim);
    let before = sites.examiner.file(&claim);
    assert_eq!(sites.insurer.exchange.send(package, &()).unwrap().state, OutgoingState::Unpacked);
    let again = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert!(again.changes.is_empty() && !again.superseded);
    assert_eq!(sites.examiner.exchange.incoming(package).unwrap().state, IncomingState::Unpacked);
    assert_eq!(sites.examiner.file(&claim), before);
    assert_eq!(sites.examiner.new_packages(), [package]);
}

#[test]
fn a_preview_shows_what_the_unpack_then_does_and_changes_nothing() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let planned = sites.examiner.exchange.preview(package, &()).unwrap();
    assert!(
        planned.adds_claim && planned.records.iter().all(|record| record.action() == RecordAction::Added)
    );
    assert!(claimwire::case_system::CaseSystem::load(&*sites.examiner.cases, &claim).unwrap().is_none());
    assert_eq!(sites.examiner.exchange.unpack(package, "front desk", &()).unwrap().changes, planned);
}

#[test]
fn a_change_on_each_side_is_merged_and_the_other_side_field_stays() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);

    let mut there = sites.examiner.file(&claim);
    there.claim.loss_description = Some("Struck from behind.".into());
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let mut here = sites.insurer.file(&claim);
    here.claim.status = Some("in review".into());
    sites.insurer.cases.put(&here).unwrap();

    sites.deliver_back(&claim);
    let merged = sites.insurer.file(&claim);
    assert_eq!(merged.claim.status.as_deref(), Some("in review"));
    assert_eq!(merged.claim.loss_description.as_deref(), Some("Struck from behind."));
}

#[test]
fn an_older_package_changes_nothing_and_says_so() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let first = sites.export(&claim).unwrap().package.id;
    let mut file = sites.insurer.file(&claim);
    file.claim.status = Some("in review".into());
    sites.insurer.cases.put(&file).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "Now in review.");
    let second = sites.export(&claim).unwrap().package.id;
    for package in [second, first] {
        sites.insurer.exchange.send(package, &()).unwrap();
    }
    assert!(!sites.examiner.exchange.unpack(second, "front desk", &()).unwrap().superseded);
    let late = sites.examiner.exchange.unpack(first, "front desk", &()).unwrap();
    assert!(late.superseded && late.changes.is_empty());
    assert_eq!(sites.examiner.file(&claim).claim.status.as_deref(), Some("in review"));
    assert_eq!(sites.examiner.exchange.incoming(first).unwrap().state, IncomingState::Superseded);
}

#[test]
fn a_package_that_crosses_ours_does_not_undo_our_change() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    // The insurer changes the status and exports; before that is unpacked, the examiner sends what it still has.
    let mut file = sites.insurer.file(&claim);
    file.claim.status = Some("in review".into());
    sites.insurer.cases.put(&file).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "Now in review.");
    let crossing = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(crossing, &()).unwrap();
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    sites.deliver_back(&claim);
    assert_eq!(sites.insurer.file(&claim).claim.status.as_deref(), Some("in review"));
    // And once both are unpacked, both sides have it.
    sites.examiner.exchange.unpack(crossing, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&claim).claim.status.as_deref(), Some("in review"));
}

#[test]
fn a_sender_can_ask_what_became_of_its_package() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    assert_eq!(sites.insurer.exchange.poll(package).unwrap().state, OutgoingState::Delivered);
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert_eq!(sites.insurer.exchange.poll(package).unwrap().state, OutgoingState::Unpacked);
}

#[test]
fn a_cancelled_export_or_unpack_leaves_nothing_and_can_be_done_again() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let stop = |_: u64| std::ops::ControlFlow::Break(());
    let stopped = sites.insurer.exchange.export(
        &claim,
        sites.examiner.site(),
        &ExportOptions::by("dana").watched_by(&stop),
    );
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(sites.insurer.files_in("outbox").is_empty());

    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let stopped = sites.examiner.exchange.unpack(package, "front desk", &stop);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(is_tidy(&sites.examiner));
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

#[test]
fn two_exchanges_never_share_a_folder() {
    let sites = TwoSites::new();
    let settings = claimwire::exchange::ExchangeSettings::new(
        insurer_site(),
        sites.insurer.folder.join("exchange"),
        claimwire::protocol::SigningKey::generate("on-ins-1").unwrap(),
        sites.insurer.cases.clone(),
    );
    let refused = claimwire::exchange::Exchange::open(settings).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState);
}
