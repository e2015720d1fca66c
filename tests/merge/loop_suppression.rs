//! What came in is not sent back as a change, and what the partner changed keeps what was here before.

use crate::support::*;
use claimwire::exchange::ExportOptions;
use claimwire::ledger::{PackageQuery, Step};
use claimwire::merge::FieldOutcome;
use claimwire::model::{Assessment, Bill, Contact, Document, ExchangeId, Json, PackageId, RecordKind};
use claimwire::protocol::Disposition;
use claimwire::rules::{ExportRules, FieldChoice, FieldSelection, ImportRules};
use std::io::Read;

/// A claim with a record of every kind and a custom field that is exchanged.
fn rich() -> (TwoSites, ExchangeId) {
    let region = || FieldSelection::new().custom(RecordKind::Claim, FieldChoice::only(["region"]));
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |partner| partner.selecting(region())),
        examiner_of_insurer: Box::new(move |partner| partner.selecting(region())),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let mut file = sites.insurer.file(&claim);
    file.claim.custom_fields.insert("region".into(), Json::from("east"));
    file.claim.custom_fields.insert("reserve".into(), Json::from("12000.00"));
    let mut assessment = Assessment::new(id("ON-INS/A-1"));
    assessment.status = Some("scheduled".into());
    assessment.bills.push(Bill::new(id("ON-INS/B-1")));
    file.assessments.push(assessment);
    let mut contact = Contact::new(id("ON-INS/P-1"));
    contact.name = Some("Anna Roy".into());
    file.contacts.push(contact);
    sites.insurer.cases.put(&file).unwrap();
    (sites, claim)
}

/// Sends a claim from one side to the other, without unpacking it there.
fn sent(from: &Side, to: &Side, claim: &ExchangeId) -> PackageId {
    let package = from.exchange.export(claim, to.site(), &ExportOptions::by("x")).unwrap().package.id;
    from.exchange.send(package, &()).unwrap();
    package
}

#[test]
fn a_claim_that_came_in_and_goes_back_unchanged_changes_nothing() {
    let (sites, claim) = rich();
    sites.deliver(&claim);
    let before = sites.insurer.file(&claim);
    for (from, to) in [
        (&sites.examiner, &sites.insurer),
        (&sites.insurer, &sites.examiner),
        (&sites.examiner, &sites.insurer),
    ] {
        // The export rules want a note; it is all that is new.
        add_note(from, &claim, &format!("N-{}", from.file(&claim).notes.len()), "Nothing else.");
        let package = sent(from, to, &claim);
        let changes = to.exchange.preview(package, &()).unwrap();
        assert_eq!(changes.records.len(), 1, "{changes:?}");
        assert_eq!(to.exchange.unpack(package, "y", &()).unwrap().changes, changes);
        let receipt = to.exchange.incoming(package).unwrap().receipt.unwrap();
        let receipt: claimwire::protocol::Receipt = serde_json::from_str(&receipt).unwrap();
        assert_eq!(receipt.disposition, Some(Disposition::Accepted));
    }
    let after = sites.insurer.file(&claim);
    assert_eq!(
        (after.claim, after.assessments, after.contacts),
        (before.claim, before.assessments, before.contacts)
    );
}

#[test]
fn without_a_note_it_goes_back_as_an_empty_change_set() {
    let quiet = || ExportRules::new().note_required(false);
    let sites = TwoSites::with(Setup {
        examiner_of_insurer: Box::new(move |partner| partner.with_export_rules(quiet())),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    for _ in 0..2 {
        let package = sent(&sites.examiner, &sites.insurer, &claim);
        let unpacked = sites.insurer.exchange.unpack(package, "dana", &()).unwrap();
        assert!(unpacked.changes.records.is_empty(), "{:?}", unpacked.changes);
        let last =
            trail(&sites.insurer, package).into_iter().find(|entry| entry.step == Step::Unpacked).unwrap();
        assert!(last.outcome.ends_with("nothing was new"), "{}", last.outcome);
    }
}

#[test]
fn unpacking_exports_nothing_by_itself() {
    let (sites, claim) = rich();
    sites.deliver(&claim);
    back_with_a_note(&sites, &claim);
    let outgoing = |side: &Side| side.exchange.outgoing_packages(&PackageQuery::new()).unwrap().len();
    assert_eq!((outgoing(&sites.insurer), outgoing(&sites.examiner)), (1, 1));
}

fn back_with_a_note(sites: &TwoSites, claim: &ExchangeId) {
    add_note(&sites.examiner, claim, "N-back", "Seen.");
    sites.deliver_back(claim);
}

fn revised(side: &Side, claim: &ExchangeId, bytes: &[u8]) {
    let mut record: Document = side.file(claim).documents.remove(0);
    record.author = Some("front desk".into());
    side.cases.add_document(claim, record, bytes).unwrap();
}

#[test]
fn a_document_that_the_partner_changed_keeps_its_former_version_here() {
    let (sites, claim) = rich();
    let document = id("ON-INS/D-1");
    sites.deliver(&claim);
    revised(&sites.examiner, &claim, b"Left knee: torn.\n");
    back_with_a_note(&sites, &claim);

    let insurer = &sites.insurer;
    assert_eq!(insurer.bytes(&claim, &document), b"Left knee: torn.\n");
    let versions = insurer.cases.document_versions(&claim, &document).unwrap();
    let texts: Vec<String> = versions
        .iter()
        .map(|version| {
            let mut text = String::new();
            insurer.cases.open_version(version).unwrap().read_to_string(&mut text).unwrap();
            text
        })
        .collect();
    assert_eq!(texts, ["Left knee: sprain.\n", "Left knee: torn.\n"]);
    assert_eq!(versions[1].stored_by, "dana");

    // The new bytes go no third way: they are common now, and no further version comes of them.
    add_note(insurer, &claim, "N-2", "Thank you.");
    let package = sent(insurer, &sites.examiner, &claim);
    let changes = sites.examiner.exchange.preview(package, &()).unwrap();
    assert_eq!(changes.records.len(), 1, "the note alone: {changes:?}");
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    assert_eq!(sites.examiner.cases.document_versions(&claim, &document).unwrap().len(), 2);
    assert_eq!(insurer.cases.document_versions(&claim, &document).unwrap().len(), 2);
}

#[test]
fn unpacking_again_and_sending_again_make_no_further_version() {
    let (sites, claim) = rich();
    let document = id("ON-INS/D-1");
    let package = sites.deliver(&claim);
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
    add_note(&sites.insurer, &claim, "N-2", "Once more.");
    sites.deliver(&claim);
    assert_eq!(sites.examiner.cases.document_versions(&claim, &document).unwrap().len(), 1);
}

/// Two sites that ask for no notes, of which the examiner imports by these rules.
fn importing_by(rules: ImportRules) -> TwoSites {
    let quiet = || ExportRules::new().note_required(false);
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |it| it.with_export_rules(quiet())),
        examiner_of_insurer: Box::new(move |it| it.with_export_rules(quiet()).with_import_rules(rules)),
        ..Setup::default()
    })
}

#[test]
fn a_document_whose_name_is_spelled_in_another_unicode_form_here_comes_back_unchanged() {
    let sites = importing_by(ImportRules::new());
    let claim = put_claim(&sites.insurer, "C-1");
    let document = put_document(&sites.insurer, &claim, "D-1", "rapport me\u{301}dical.txt", b"one");
    sites.deliver(&claim);
    let package = sent(&sites.examiner, &sites.insurer, &claim);
    assert!(sites.insurer.exchange.preview(package, &()).unwrap().is_empty());
    // And a new version of the bytes here is no conflict with it.
    let record = sites.insurer.file(&claim).documents.remove(0);
    sites.insurer.cases.add_document(&claim, record, &b"two"[..]).unwrap();
    sites.insurer.exchange.unpack(package, "dana", &()).unwrap();
    assert_eq!(sites.insurer.bytes(&claim, &document), b"two");
}

/// The insurer's package number so many says when the examination is; gives what that changed at the examiner.
fn told_the_time(sites: &TwoSites, number: u64, at: &str) -> Vec<(String, FieldOutcome)> {
    let parts = Parts::new().with(|parts| {
        parts.package.sequence = number;
        parts.claim_file = serde_json::json!({
            "claim": {"id": "ON-INS/C-1", "claim_number": "C-1"},
            "assessments": [{"id": "ON-INS/A-1", "scheduled_at": at}],
        });
        parts.documents.clear();
    });
    let package = Delivery::of_archive(sites, parts.id(), &parts.archive(), 1).taken(sites);
    let changes = sites.examiner.exchange.unpack(package, "front desk", &()).unwrap().changes;
    let fields = changes.records.into_iter().flat_map(|record| record.fields);
    fields.filter(|field| field.name == "scheduled_at").map(|field| (field.name, field.outcome)).collect()
}

#[test]
fn a_time_in_another_spelling_than_ours_is_the_same_time_and_its_change_no_conflict() {
    let sites = importing_by(ImportRules::new());
    let updated = [("scheduled_at".to_owned(), FieldOutcome::Updated)];
    assert_eq!(told_the_time(&sites, 1, "2026-03-02T09:30:00.000Z"), updated);
    assert_eq!(told_the_time(&sites, 2, "2026-03-02T09:30:00.000Z"), []);
    assert_eq!(told_the_time(&sites, 3, "2026-03-09T09:30:00.000Z"), updated);
}

fn status(side: &Side, claim: &ExchangeId) -> Option<String> {
    side.file(claim).claim.status
}

fn set_status(side: &Side, claim: &ExchangeId, status: &str) {
    let mut file = side.file(claim);
    file.claim.status = Some(status.into());
    side.cases.put(&file).unwrap();
}

#[test]
fn a_status_that_the_import_forced_stays_here_until_somebody_sets_one() {
    let forced = ImportRules::new().force_status(RecordKind::Claim, "received", ["closed"]);
    let sites = importing_by(forced);
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    assert_eq!(status(&sites.examiner, &claim).as_deref(), Some("received"));
    for _ in 0..2 {
        sites.deliver_back(&claim);
        assert_eq!(status(&sites.insurer, &claim).as_deref(), Some("open"), "nobody changed it");
    }
    // What somebody sets travels, also back to what was forced, and also before the partner says that it came.
    for set in ["in review", "received", "in review"] {
        set_status(&sites.examiner, &claim, set);
        sites.deliver_back(&claim);
        assert_eq!(status(&sites.insurer, &claim).as_deref(), Some(set));
    }
    // And one that came in by an exception is the partner's own.
    set_status(&sites.insurer, &claim, "closed");
    sites.deliver(&claim);
    sites.deliver_back(&claim);
    assert_eq!(status(&sites.insurer, &claim).as_deref(), Some("closed"));
}
