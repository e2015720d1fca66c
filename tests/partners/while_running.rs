//! Partners of a running exchange: sites with different names, and settings that change while packages wait.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::codec::AgeIdentity;
use claimwire::exchange::{ExportOptions, Partner};
use claimwire::ledger::OutgoingState;
use claimwire::model::{Assessment, Json, RecordKind};
use claimwire::rules::{FieldChoice, FieldSelection, ImportRules, NameMap};
use claimwire::transport::MemoryTransport;
use std::sync::Arc;

/// The insurer says region, IME and open, where the examiner says zone, Orthopaedic and in progress.
fn map() -> NameMap {
    NameMap::new()
        .fields(RecordKind::Claim, [("custom_fields.region", "custom_fields.zone")])
        .types(RecordKind::Assessment, [("IME", "Orthopaedic")])
        .statuses(RecordKind::Claim, [("open", "in progress"), ("closed", "done")])
}

fn with_different_names() -> TwoSites {
    let chosen = |name: &str| FieldSelection::new().custom(RecordKind::Claim, FieldChoice::only([name]));
    let (region, zone) = (chosen("region"), chosen("zone"));
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            let rules = ImportRules::new().protect(["closed"]);
            partner.selecting(region).mapping_names(map()).with_import_rules(rules)
        }),
        examiner_of_insurer: Box::new(|partner| partner.selecting(zone)),
        ..Setup::default()
    })
}

fn named_claim(sites: &TwoSites) -> claimwire::model::ExchangeId {
    let claim = sites.claim_at_insurer();
    let mut file = sites.insurer.file(&claim);
    file.claim.status = Some("Open ".into());
    file.claim.custom_fields.insert("region".into(), Json::from("east"));
    let mut assessment = Assessment::new(id("ON-INS/A-1"));
    assessment.r#type = Some("ime".into());
    file.assessments.push(assessment);
    sites.insurer.cases.put(&file).unwrap();
    claim
}

#[test]
fn sites_with_different_names_exchange_a_claim_there_and_back_without_spurious_changes() {
    let sites = with_different_names();
    let claim = named_claim(&sites);
    sites.deliver(&claim);
    let there = sites.examiner.file(&claim);
    assert_eq!(there.claim.status.as_deref(), Some("in progress"));
    assert_eq!(there.claim.custom_fields["zone"], Json::from("east"));
    assert_eq!(there.assessments[0].r#type.as_deref(), Some("Orthopaedic"));

    // Back with a note alone: nothing else changes, and nothing is told to have been kept.
    let before = sites.insurer.file(&claim);
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let back = sites.deliver_back(&claim);
    let after = sites.insurer.file(&claim);
    assert_eq!((&after.claim, &after.assessments), (&before.claim, &before.assessments));
    assert_eq!(after.notes.len(), before.notes.len() + 1);
    let receipt = sites.insurer.exchange.incoming(back).unwrap().receipt.unwrap();
    assert!(receipt.contains("\"accepted\""), "{receipt}");

    // A change there arrives in the names here, one here in the names there.
    let mut there = sites.examiner.file(&claim);
    there.claim.status = Some("done".into());
    there.claim.custom_fields.insert("zone".into(), Json::from("west"));
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.examiner, &claim, "N-2", "Done.");
    sites.deliver_back(&claim);
    let here = sites.insurer.file(&claim);
    assert_eq!(here.claim.status.as_deref(), Some("closed"));
    assert_eq!(here.claim.custom_fields["region"], Json::from("west"));
    assert!(!here.claim.custom_fields.contains_key("zone"));

    add_note(&sites.insurer, &claim, "N-3", "Thank you.");
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let planned = sites.examiner.exchange.preview(package, &()).unwrap();
    assert_eq!(planned.records.len(), 1, "the note alone: {planned:?}");
}

#[test]
fn a_text_where_a_date_belongs_is_refused_and_the_claim_stays_readable() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            let map = [("loss_date", "custom_fields.date_of_accident")];
            partner.mapping_names(NameMap::new().fields(RecordKind::Claim, map))
        }),
        examiner_of_insurer: Box::new(|partner| {
            let chosen = FieldChoice::only(["date_of_accident"]);
            partner.selecting(FieldSelection::new().custom(RecordKind::Claim, chosen))
        }),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    let before = sites.insurer.file(&claim);
    let send_back = |when: &str| {
        let mut there = sites.examiner.file(&claim);
        there.claim.custom_fields.insert("date_of_accident".into(), Json::from(when));
        sites.examiner.cases.put(&there).unwrap();
        add_note(&sites.examiner, &claim, when.split(' ').next().unwrap(), "Asked the claimant.");
        let options = ExportOptions::by("front desk");
        let sent = sites.examiner.exchange.export(&claim, sites.insurer.site(), &options).unwrap();
        sites.examiner.exchange.send(sent.package.id, &()).unwrap();
        sent.package.id
    };
    let refused = sites.insurer.exchange.unpack(send_back("about mid-March 2026"), "dana", &()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ImportRulesViolated);
    assert_eq!(refused.details()[0].code.as_deref(), Some("value-not-mapped"), "{refused}");
    assert_eq!(sites.insurer.file(&claim), before);

    sites.insurer.exchange.unpack(send_back("2026-03-14"), "dana", &()).unwrap();
    assert_eq!(sites.insurer.file(&claim).claim.loss_date, Some("2026-03-14".parse().unwrap()));
}

#[test]
fn what_was_sent_counts_as_common_in_the_names_here() {
    let sites = with_different_names();
    let claim = named_claim(&sites);
    sites.deliver(&claim);
    // Both sides agree on what was sent, so a later change of each is merged and no conflict.
    let mut there = sites.examiner.file(&claim);
    there.claim.custom_fields.insert("zone".into(), Json::from("west"));
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.examiner, &claim, "N-1", "Seen.");
    let mut here = sites.insurer.file(&claim);
    here.claim.status = Some("closing".into());
    sites.insurer.cases.put(&here).unwrap();
    sites.deliver_back(&claim);
    let merged = sites.insurer.file(&claim);
    assert_eq!(merged.claim.status.as_deref(), Some("closing"));
    assert_eq!(merged.claim.custom_fields["region"], Json::from("west"));
}

#[test]
fn a_status_without_a_name_there_stops_the_export_with_the_other_faults() {
    let sites = with_different_names();
    let claim = named_claim(&sites);
    let mut file = sites.insurer.file(&claim);
    file.claim.status = Some("done".into());
    file.notes.clear();
    sites.insurer.cases.put(&file).unwrap();
    let error = sites.export(&claim).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ExportRulesViolated);
    assert!(error.details().iter().any(|line| line.message.contains("`done` means our `closed`")), "{error}");
    assert!(sites.insurer.files_in("outbox").is_empty());
}

#[test]
fn a_package_whose_status_has_no_name_here_fails_and_is_unpacked_once_it_has_one() {
    let sites = with_different_names();
    let claim = named_claim(&sites);
    sites.deliver(&claim);
    let mut there = sites.examiner.file(&claim);
    there.claim.status = Some("closed".into());
    sites.examiner.cases.put(&there).unwrap();
    add_note(&sites.examiner, &claim, "N-1", "Closed here.");
    let options = ExportOptions::by("front desk");
    let package = sites.examiner.exchange.export(&claim, sites.insurer.site(), &options).unwrap().package.id;
    sites.examiner.exchange.send(package, &()).unwrap();
    let before = sites.insurer.file(&claim);
    let refused = sites.insurer.exchange.unpack(package, "dana", &()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ImportRulesViolated);
    assert_eq!(sites.insurer.file(&claim), before);

    let names = map().statuses(RecordKind::Claim, [("closed there", "closed")]);
    let partner = Partner::clone(&sites.insurer.exchange.partner(sites.examiner.site()).unwrap());
    sites.insurer.exchange.set_partner(partner.mapping_names(names));
    sites.insurer.exchange.unpack(package, "dana", &()).unwrap();
    assert_eq!(sites.insurer.file(&claim).claim.status.as_deref(), Some("closed there"));
}

#[test]
fn a_queued_package_arrives_after_key_alias_and_transport_have_changed() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let examiner = sites.examiner.site();
    // Queued: the examiner's server cannot be reached.
    let lost = sites.keys.examiner_signs.verifying_key();
    let former = sites
        .insurer
        .exchange
        .set_partner(
            Partner::new(examiner.clone(), "Examiners")
                .seal_with(1, sites.keys.legacy.clone())
                .verify_with(lost),
        )
        .expect("it was known before");
    assert_eq!(former.alias(), "Independent Medical Examiners");
    let package = sites.export(&claim).unwrap().package.id;
    assert!(sites.insurer.exchange.send(package, &()).is_err());
    let waiting = sites.insurer.exchange.outgoing(package).unwrap();

    let rotated = Partner::new(examiner.clone(), "Examiners of the East")
        .reached_by(MemoryTransport::new(Arc::new(sites.examiner.exchange.clone())))
        .seal_with(2, sites.keys.identity.recipient())
        .open_with(1, AgeIdentity::generate())
        .verify_with(sites.keys.examiner_signs.verifying_key());
    sites.insurer.exchange.set_partner(rotated);
    let sent = sites.insurer.exchange.send(package, &()).unwrap();
    assert_eq!(sent.state, OutgoingState::Delivered);
    assert_eq!((sent.sha256, sent.package.key_version), (waiting.sha256, 1));
    assert_eq!(sites.insurer.exchange.partner(examiner).unwrap().alias(), "Examiners of the East");
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&claim).claim.claim_number.as_deref(), Some("C-1"));

    // What is exported from now on is sealed with the new key.
    add_note(&sites.insurer, &claim, "N-2", "And the shoulder.");
    let next = sites.export(&claim).unwrap();
    assert_eq!((next.package.key_version, next.suite.as_str()), (2, "age"));
    sites.insurer.exchange.send(next.package.id, &()).unwrap();
    sites.examiner.exchange.unpack(next.package.id, "front desk", &()).unwrap();
}

#[test]
fn a_partner_that_is_taken_out_keeps_its_queue_for_when_it_comes_back() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let (insurer, examiner) = (sites.insurer.site(), sites.examiner.site());
    let taken_out = sites.insurer.exchange.remove_partner(examiner).unwrap();
    assert!(sites.insurer.exchange.remove_partner(examiner).is_none());
    assert_eq!(sites.insurer.exchange.send(package, &()).unwrap_err().kind(), ErrorKind::UnknownPartner);
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().state, OutgoingState::Queued);
    assert!(sites.insurer.exchange.set_partner(Partner::clone(&taken_out)).is_none());
    sites.insurer.exchange.send(package, &()).unwrap();

    // At the other side it is a stranger until it is set again.
    let taken_out = sites.examiner.exchange.remove_partner(insurer).unwrap();
    assert!(sites.insurer.exchange.poll(package).is_err());
    sites.examiner.exchange.set_partner(Partner::clone(&taken_out));
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert_eq!(sites.insurer.exchange.poll(package).unwrap().state, OutgoingState::Unpacked);
}
