//! Both sides know a person or a company, each by an id of its own: the exchange tells them apart from new ones.

use crate::support::*;
use claimwire::case_system::CaseSystem;
use claimwire::exchange::{Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::{Link, PackageQuery};
use claimwire::merge::RecordAction;
use claimwire::model::{Assessment, Contact, ExchangeId, Note, SiteId};
use claimwire::protocol::{Endpoint, Peer, SigningKey};
use claimwire::rules::{ExportRules, FieldSelection, ImportRules};
use claimwire::transport::MemoryTransport;
use std::sync::Arc;

fn anna(id_text: &str) -> Contact {
    let mut contact = Contact::new(id(id_text));
    contact.r#type = Some("person".into());
    contact.first_name = Some("Anna".into());
    contact.last_name = Some("Roy".into());
    contact.birth_date = Some("1980-05-01".parse().unwrap());
    contact
}

fn clinic(id_text: &str) -> Contact {
    let mut contact = Contact::new(id(id_text));
    contact.r#type = Some("company".into());
    contact.name = Some("Knee Clinic".into());
    contact.facility_number = Some("F-77".into());
    contact
}

/// The claim at both sides, known to both; then each writes down the same person and company on its own.
fn both_know_them() -> (TwoSites, ExchangeId) {
    let sites = TwoSites::new();
    let claim = both_know_them_at(&sites);
    (sites, claim)
}

fn both_know_them_at(sites: &TwoSites) -> ExchangeId {
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    change(&sites.insurer, &claim, |file| {
        let mut ours = anna("ON-INS/P-1");
        ours.email = Some("anna@insurer.example".into());
        ours.company = Some(id("ON-INS/P-2"));
        file.contacts.extend([ours, clinic("ON-INS/P-2")]);
        file.claim.claimant = Some(id("ON-INS/P-1"));
    });
    change(&sites.examiner, &claim, |file| {
        let mut theirs = anna("IMEX/P-9");
        theirs.first_name = Some("ANNA".into());
        theirs.email = Some("anna@examiner.example".into());
        theirs.licence_number = Some("L-1".into());
        theirs.company = Some(id("IMEX/P-8"));
        file.contacts.extend([theirs, clinic("IMEX/P-8")]);
        let mut assessment = Assessment::new(id("IMEX/A-1"));
        assessment.provider = Some(id("IMEX/P-8"));
        file.assessments.push(assessment);
        let mut about = note(&"IMEX".parse().unwrap(), "N-1", "She was seen.");
        about.related_to = Some(id("IMEX/P-9"));
        file.notes.push(about);
    });
    claim
}

fn change(side: &Side, claim: &ExchangeId, change: impl FnOnce(&mut claimwire::model::ClaimFile)) {
    let mut file = side.file(claim);
    change(&mut file);
    side.cases.put(&file).unwrap();
}

fn contact_ids(side: &Side, claim: &ExchangeId) -> Vec<String> {
    let mut ids: Vec<String> =
        side.file(claim).contacts.into_iter().map(|contact| contact.id.to_string()).collect();
    ids.sort();
    ids
}

fn contact(side: &Side, claim: &ExchangeId, of: &str) -> Contact {
    side.file(claim)
        .contacts
        .into_iter()
        .find(|contact| contact.id.as_str() == of)
        .expect("the contact is here")
}

/// Exports and sends, with a note so that the export rules are kept; says what the unpack would change, then unpacks.
fn exchanged(from: &Side, to: &Side, claim: &ExchangeId, note: &str) -> claimwire::merge::ChangeSet {
    add_note(from, claim, note, "And another thing.");
    let package = from.exchange.export(claim, to.site(), &ExportOptions::by("x")).unwrap().package.id;
    from.exchange.send(package, &()).unwrap();
    let planned = to.exchange.preview(package, &()).unwrap();
    let done = to.exchange.unpack(package, "y", &()).unwrap().changes;
    assert_eq!(planned, done);
    done
}

#[test]
fn a_person_and_a_company_known_at_both_sides_are_not_added_again() {
    let (sites, claim) = both_know_them();
    let changes = exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");

    assert_eq!(contact_ids(&sites.insurer, &claim), ["ON-INS/P-1", "ON-INS/P-2"]);
    let pairs: Vec<String> =
        changes.matched_contacts.iter().map(|(theirs, ours)| format!("{theirs} {ours}")).collect();
    assert_eq!(pairs, ["IMEX/P-8 ON-INS/P-2", "IMEX/P-9 ON-INS/P-1"]);
    assert_eq!(changes.conflicts().count(), 0);

    // What stands here stays; what is empty here is filled.
    let merged = contact(&sites.insurer, &claim, "ON-INS/P-1");
    assert_eq!(merged.first_name.as_deref(), Some("Anna"));
    assert_eq!(merged.email.as_deref(), Some("anna@insurer.example"));
    assert_eq!(merged.licence_number.as_deref(), Some("L-1"));

    // Every reference says our ids.
    let file = sites.insurer.file(&claim);
    assert_eq!(merged.company, Some(id("ON-INS/P-2")));
    assert_eq!(file.claim.claimant, Some(id("ON-INS/P-1")));
    assert_eq!(file.assessments[0].provider, Some(id("ON-INS/P-2")));
    let about = |note: &&Note| note.id.as_str() == "IMEX/N-1";
    assert_eq!(file.notes.iter().find(about).unwrap().related_to, Some(id("ON-INS/P-1")));
}

#[test]
fn after_a_match_the_sides_settle_and_each_keeps_its_own_ids() {
    let (sites, claim) = both_know_them();
    exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");

    // Back: ours are told in their ids. What stayed here counts as our change and is taken there, without conflict.
    let back = exchanged(&sites.insurer, &sites.examiner, &claim, "N-3");
    assert_eq!(back.conflicts().count(), 0);
    assert_eq!(contact_ids(&sites.examiner, &claim), ["IMEX/P-8", "IMEX/P-9"]);
    let there = contact(&sites.examiner, &claim, "IMEX/P-9");
    assert_eq!(there.email.as_deref(), Some("anna@insurer.example"));
    assert_eq!(there.first_name.as_deref(), Some("Anna"));
    assert_eq!(there.company, Some(id("IMEX/P-8")));
    let file = sites.examiner.file(&claim);
    assert_eq!(file.claim.claimant, Some(id("IMEX/P-9")));
    assert_eq!(file.assessments[0].provider, Some(id("IMEX/P-8")));

    // Two further exchanges in each direction bring the note alone.
    for round in 0..2 {
        for (from, to) in [(&sites.examiner, &sites.insurer), (&sites.insurer, &sites.examiner)] {
            let changes = exchanged(from, to, &claim, &format!("N-round-{round}"));
            assert_eq!(changes.records.len(), 1, "the note alone: {changes:?}");
            assert_eq!(changes.records[0].action(), RecordAction::Added);
            assert!(changes.matched_contacts.is_empty());
        }
    }

    // A later change of either side is a plain change.
    change(&sites.examiner, &claim, |file| file.contacts[0].tax_id = Some("T-1".into()));
    let tax_ids = |side: &Side| side.file(&claim).contacts.into_iter().filter_map(|it| it.tax_id).count();
    let changes = exchanged(&sites.examiner, &sites.insurer, &claim, "N-4");
    assert_eq!((changes.conflicts().count(), tax_ids(&sites.insurer)), (0, 1));
}

#[test]
fn packages_that_cross_are_matched_at_both_sides() {
    let (sites, claim) = both_know_them();
    add_note(&sites.insurer, &claim, "N-3", "And another thing.");
    let out = sites.export(&claim).unwrap().package.id;
    add_note(&sites.examiner, &claim, "N-2", "Seen.");
    let options = ExportOptions::by("front desk");
    let back = sites.examiner.exchange.export(&claim, sites.insurer.site(), &options).unwrap().package.id;
    sites.insurer.exchange.send(out, &()).unwrap();
    sites.examiner.exchange.send(back, &()).unwrap();
    sites.examiner.exchange.unpack(out, "front desk", &()).unwrap();
    sites.insurer.exchange.unpack(back, "dana", &()).unwrap();
    assert_eq!(contact_ids(&sites.insurer, &claim), ["ON-INS/P-1", "ON-INS/P-2"]);
    assert_eq!(contact_ids(&sites.examiner, &claim), ["IMEX/P-8", "IMEX/P-9"]);
    // Each took the other's for its own, and both go on with one.
    exchanged(&sites.insurer, &sites.examiner, &claim, "N-4");
    exchanged(&sites.examiner, &sites.insurer, &claim, "N-5");
    assert_eq!(contact_ids(&sites.insurer, &claim), ["ON-INS/P-1", "ON-INS/P-2"]);
    assert_eq!(contact_ids(&sites.examiner, &claim), ["IMEX/P-8", "IMEX/P-9"]);
}

#[test]
fn who_could_be_two_people_here_is_added() {
    let (sites, claim) = both_know_them();
    change(&sites.insurer, &claim, |file| file.contacts.push(anna("ON-INS/P-3")));
    exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");
    let ids = contact_ids(&sites.insurer, &claim);
    assert_eq!(ids, ["IMEX/P-9", "ON-INS/P-1", "ON-INS/P-2", "ON-INS/P-3"]);
    assert_eq!(contact(&sites.insurer, &claim, "IMEX/P-9").company, Some(id("ON-INS/P-2")));
}

#[test]
fn a_contradicting_birth_date_keeps_people_of_one_licence_apart() {
    let (sites, claim) = both_know_them();
    change(&sites.insurer, &claim, |file| {
        file.contacts[0].licence_number = Some("L-1".into());
        file.contacts[0].birth_date = Some("1950-05-01".parse().unwrap());
    });
    exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");
    assert_eq!(contact_ids(&sites.insurer, &claim), ["IMEX/P-9", "ON-INS/P-1", "ON-INS/P-2"]);
}

#[test]
fn contacts_that_are_not_exchanged_with_a_partner_are_never_matched_for_it() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            partner.selecting(FieldSelection::new().without(claimwire::model::RecordKind::Contact))
        }),
        ..Setup::default()
    });
    let claim = both_know_them_at(&sites);
    exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");
    assert_eq!(contact_ids(&sites.insurer, &claim), ["IMEX/P-8", "IMEX/P-9", "ON-INS/P-1", "ON-INS/P-2"]);
    let back = exchanged(&sites.insurer, &sites.examiner, &claim, "N-3");
    assert!(back.records.iter().all(|record| record.after.id.as_str() != "ON-INS/P-1"));
    assert_eq!(sites.examiner.file(&claim).claim.claimant, Some(id("ON-INS/P-1")), "their id tells nothing");
}

#[test]
fn without_import_of_contacts_none_is_matched() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            partner.with_import_rules(ImportRules::new().contacts(false))
        }),
        ..Setup::default()
    });
    let claim = both_know_them_at(&sites);
    let changes = exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");
    assert!(changes.matched_contacts.is_empty());
    assert_eq!(contact(&sites.insurer, &claim, "ON-INS/P-1").licence_number, None);
}

#[test]
fn notes_by_themselves_speak_of_matched_contacts_too() {
    let (sites, claim) = both_know_them();
    exchanged(&sites.examiner, &sites.insurer, &claim, "N-2");
    for (from, to, theirs, ours) in [
        (&sites.examiner, &sites.insurer, "IMEX/P-9", "ON-INS/P-1"),
        (&sites.insurer, &sites.examiner, "ON-INS/P-1", "IMEX/P-9"),
    ] {
        change(from, &claim, |file| {
            let mut about = note(from.site(), "N-about", "She called.");
            about.related_to = Some(id(theirs));
            file.notes.push(about);
        });
        let package = from.exchange.export_notes(&claim, to.site(), "x").unwrap().package.id;
        from.exchange.send(package, &()).unwrap();
        let there = to.file(&claim);
        let about =
            there.notes.iter().find(|note| note.id.is_from(from.site()) && note.id.local() == "N-about");
        assert_eq!(about.unwrap().related_to, Some(id(ours)));
    }
}

#[test]
fn a_claim_that_is_forwarded_keeps_each_sites_ids() {
    let lab_site: SiteId = "LAB".parse().unwrap();
    let (lab_signs, late) = (SigningKey::generate("lab-1").unwrap(), Arc::new(LateEndpoint::default()));
    let keys = Keys::generate();
    let (lab_key, identity, to_lab) = (lab_signs.verifying_key(), keys.identity.clone(), late.clone());
    let sites = TwoSites::with(Setup {
        keys: keys.clone(),
        examiner: Box::new(move |settings| {
            settings.with_partner(
                Partner::new("LAB".parse().unwrap(), "The Lab")
                    .reached_by(MemoryTransport::new(to_lab))
                    .seal_with(1, identity.recipient())
                    .open_with(1, identity)
                    .verify_with(lab_key)
                    .with_export_rules(ExportRules::new().forwarding_allowed(true)),
            )
        }),
        ..Setup::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let cases =
        Arc::new(claimwire::case_system::SqliteCaseSystem::open(folder.path().join("cases")).unwrap());
    let examiner = sites.examiner.exchange.clone();
    let settings = ExchangeSettings::new(lab_site, folder.path().join("exchange"), lab_signs, cases.clone())
        .with_partner(
            Partner::new(examiner_site(), "Independent Medical Examiners")
                .reached_by(MemoryTransport::new(Arc::new(examiner)))
                .seal_with(1, keys.identity.recipient())
                .open_with(1, keys.identity.clone())
                .verify_with(keys.examiner_signs.verifying_key()),
        );
    let lab = Side {
        exchange: Exchange::open(settings).unwrap(),
        cases,
        folder: folder.path().to_owned(),
        events: Arc::default(),
    };
    late.open(&lab.exchange);

    let claim = both_know_them_at(&sites);
    exchanged(&sites.insurer, &sites.examiner, &claim, "N-2");
    exchanged(&sites.examiner, &lab, &claim, "N-3");
    assert_eq!(contact_ids(&lab, &claim), ["IMEX/P-8", "IMEX/P-9"], "the insurer's ids go no further");

    // What the lab says of her reaches the insurer under the insurer's id.
    change(&lab, &claim, |file| {
        let seen = file.contacts.iter_mut().find(|contact| contact.id.as_str() == "IMEX/P-9").unwrap();
        seen.tax_id = Some("T-1".into());
    });
    exchanged(&lab, &sites.examiner, &claim, "N-4");
    let changes = exchanged(&sites.examiner, &sites.insurer, &claim, "N-5");
    assert_eq!(changes.conflicts().count(), 0);
    assert_eq!(contact(&sites.insurer, &claim, "ON-INS/P-1").tax_id.as_deref(), Some("T-1"));
    assert_eq!(contact_ids(&sites.insurer, &claim), ["ON-INS/P-1", "ON-INS/P-2"]);
}

#[test]
fn a_match_that_could_not_be_applied_is_the_same_when_tried_again() {
    let (sites, claim) = both_know_them();
    let folder = tempfile::tempdir().unwrap();
    let flaky = Arc::new(Flaky::open(&folder.path().join("cases")));
    let partner = Partner::new(examiner_site(), "Independent Medical Examiners")
        .open_with(1, sites.keys.identity.clone())
        .seal_with(1, sites.keys.legacy.clone())
        .verify_with(sites.keys.examiner_signs.verifying_key());
    let signs = sites.keys.insurer_signs.clone();
    let settings =
        ExchangeSettings::new(insurer_site(), folder.path().join("exchange"), signs, flaky.clone());
    // At the time of the package that the examiner has, so that it numbers its own as that one.
    let sent = sites.insurer.exchange.outgoing_packages(&PackageQuery::new()).unwrap().remove(0).package;
    let settings = settings.with_clock(move || sent.created_at);
    let exchange = Exchange::open(settings.with_partner(partner)).unwrap();
    // The claim as it was exchanged, and as the insurer has it by now.
    let mut file = sites.insurer.file(&claim);
    file.documents.clear();
    let (contacts, claimant) = (std::mem::take(&mut file.contacts), file.claim.claimant.take());
    flaky.cases.put(&file).unwrap();
    exchange.export(&claim, &examiner_site(), &ExportOptions::by("dana")).unwrap();
    (file.contacts, file.claim.claimant) = (contacts, claimant);
    file.claim.status = Some("reopened".into());
    flaky.cases.put(&file).unwrap();
    add_note(&sites.examiner, &claim, "N-2", "Seen.");
    let options = ExportOptions::by("front desk");
    let package = sites.examiner.exchange.export(&claim, &insurer_site(), &options).unwrap().package;
    let sealed = std::fs::read(sealed_path(&sites.examiner, "outbox")).unwrap();
    let mut delivery = Delivery::new(&sites, sealed);
    delivery.envelope = claimwire::protocol::Envelope::new(
        package.id,
        package.kind,
        package.from.clone(),
        package.to.clone(),
        "age",
    );
    delivery.signer = sites.keys.examiner_signs.clone();
    let answer = exchange.answer(&delivery.request(), &Peer::unknown(), &mut delivery.body.as_slice());
    assert_eq!(answer.status(), 200);

    let planned = exchange.preview(package.id, &()).unwrap();
    flaky.goes_down();
    exchange.unpack(package.id, "dana", &()).unwrap_err();
    flaky.is_up_again();
    let applied = exchange.unpack(package.id, "dana", &()).unwrap().changes;
    assert_eq!(applied, planned, "and what the examiner had seen is still known");
    assert_eq!(applied.conflicts().count(), 0);
    let ids: Vec<ExchangeId> =
        flaky.cases.load(&claim).unwrap().unwrap().contacts.into_iter().map(|contact| contact.id).collect();
    assert_eq!(ids, [id("ON-INS/P-1"), id("ON-INS/P-2")]);
}

#[test]
fn a_link_written_before_contacts_were_matched_is_still_read() {
    let link: Link = serde_json::from_str(r#"{"partner": "IMEX", "claim": "ON-INS/C-1"}"#).unwrap();
    assert!(link.contacts.is_empty());
    assert!(!serde_json::to_string(&link).unwrap().contains("contacts"));
}
