//! What a side keeps to itself: its partner can neither overwrite nor guess it.

use crate::support::*;
use claimwire::exchange::{ExportOptions, Partner};
use claimwire::merge::{ConflictPolicy, FieldOutcome};
use claimwire::model::{Assessment, Contact, ExchangeId, Json, PackageId, RecordKind};
use claimwire::protocol::{Disposition, Receipt};
use claimwire::rules::{AssessmentStatuses, ExportRules, FieldChoice, FieldSelection};

const POLICIES: [ConflictPolicy; 3] = [ConflictPolicy::Theirs, ConflictPolicy::Ours, ConflictPolicy::Stop];

/// An insurer that lets out the claim's number alone, and an examiner that sends the reserve it makes up.
fn sites(
    policy: ConflictPolicy,
    insurer: impl FnOnce(FieldSelection) -> FieldSelection + 'static,
) -> TwoSites {
    let without_notes = |partner: Partner| partner.with_export_rules(ExportRules::new().note_required(false));
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |partner| {
            let number = FieldChoice::only(["claim_number"]);
            let selection = insurer(FieldSelection::new().standard(RecordKind::Claim, number));
            without_notes(partner).settling_conflicts(policy).selecting(selection)
        }),
        examiner_of_insurer: Box::new(move |partner| {
            let reserve = FieldChoice::only(["reserve"]);
            without_notes(partner).selecting(FieldSelection::new().custom(RecordKind::Claim, reserve))
        }),
        ..Setup::default()
    })
}

/// A claim with a private status and reserve, which the examiner has.
fn shared_claim(sites: &TwoSites) -> ExchangeId {
    let claim = put_claim(&sites.insurer, "C-1");
    set(&sites.insurer, &claim, Some("fraud suspected"), Some("48000"));
    sites.deliver(&claim);
    claim
}

fn set(side: &Side, claim: &ExchangeId, status: Option<&str>, reserve: Option<&str>) {
    let mut file = side.file(claim);
    file.claim.status = status.map(str::to_owned);
    file.claim.custom_fields.remove("reserve");
    file.claim.custom_fields.extend(reserve.map(|reserve| ("reserve".to_owned(), Json::from(reserve))));
    side.cases.put(&file).unwrap();
}

fn standing(side: &Side, claim: &ExchangeId) -> (Option<String>, Option<String>) {
    let claim = side.file(claim).claim;
    let reserve = claim.custom_fields.get("reserve").and_then(Json::as_str).map(str::to_owned);
    (claim.status, reserve)
}

/// Sent by the examiner and not unpacked yet.
fn sent_back(sites: &TwoSites, claim: &ExchangeId) -> PackageId {
    let options = ExportOptions::by("front desk");
    let package = sites.examiner.exchange.export(claim, sites.insurer.site(), &options).unwrap().package.id;
    sites.examiner.exchange.send(package, &()).unwrap();
    package
}

/// What the examiner is told of it.
fn word(sites: &TwoSites, package: PackageId) -> (Option<Disposition>, Option<String>) {
    let receipt = sites.insurer.exchange.incoming(package).unwrap().receipt.unwrap();
    let receipt: Receipt = serde_json::from_str(&receipt).unwrap();
    (receipt.disposition, receipt.detail)
}

#[test]
fn what_is_not_exchanged_is_neither_overwritten_nor_guessed() {
    for policy in POLICIES {
        let sites = sites(policy, |selection| selection);
        let claim = shared_claim(&sites);
        let ours = standing(&sites.insurer, &claim);
        for (status, reserve) in [
            ("open", Some("1")),
            ("open", Some("48000")),
            ("fraud suspected", Some("48000")),
            ("after a right guess", Some("2")),
            ("and once more", None),
        ] {
            set(&sites.examiner, &claim, Some(status), reserve);
            let package = sent_back(&sites, &claim);
            let planned = sites.insurer.exchange.preview(package, &()).unwrap();
            let fields = planned.records.iter().flat_map(|record| &record.fields);
            assert!(
                fields.clone().all(|field| field.outcome == FieldOutcome::KeptOurs),
                "it is shown here: {planned:?}"
            );
            sites.insurer.exchange.unpack(package, "dana", &()).unwrap();
            assert_eq!(standing(&sites.insurer, &claim), ours, "{policy:?} {status}");
            assert_eq!(word(&sites, package), (Some(Disposition::Accepted), None), "{policy:?} {status}");
        }
    }
}

#[test]
fn what_a_partner_alone_speaks_of_arrives_and_follows_it_until_it_is_changed_here() {
    for policy in POLICIES {
        let sites = sites(policy, |selection| selection);
        let claim = shared_claim(&sites);
        set(&sites.insurer, &claim, None, None);
        for status in ["examined", "reported"] {
            set(&sites.examiner, &claim, Some(status), Some(status));
            sites.deliver_back(&claim);
            let expected = (Some(status.to_owned()), Some(status.to_owned()));
            assert_eq!(standing(&sites.insurer, &claim), expected, "{policy:?}");
        }
        set(&sites.insurer, &claim, Some("fraud suspected"), Some("48000"));
        let ours = standing(&sites.insurer, &claim);
        // Sent again as it was, changed, and guessed.
        for status in ["reported", "closed", "fraud suspected"] {
            set(&sites.examiner, &claim, Some(status), Some(status));
            let package = sites.deliver_back(&claim);
            assert_eq!(standing(&sites.insurer, &claim), ours, "{policy:?} {status}");
            assert_eq!(word(&sites, package).0, Some(Disposition::Accepted), "{policy:?} {status}");
        }
    }
}

/// Ids are numbers in a row at many sites.
#[test]
fn a_record_that_never_left_is_not_found_by_guessing_its_id() {
    for policy in POLICIES {
        let sites = sites(policy, |selection| {
            let scheduled = AssessmentStatuses::new().allow(["scheduled"]);
            selection.assessments(scheduled).without(RecordKind::Contact)
        });
        let claim = put_claim(&sites.insurer, "C-1");
        let mut file = sites.insurer.file(&claim);
        let mut draft = Assessment::new(id("ON-INS/A-1"));
        draft.status = Some("report editing".into());
        file.assessments.push(draft);
        let mut witness = Contact::new(id("ON-INS/P-1"));
        witness.last_name = Some("Okafor".into());
        file.contacts.push(witness);
        let mut internal = note(sites.insurer.site(), "N-9", "Reserve 48000.");
        internal.internal = Some(true);
        file.notes.push(internal);
        sites.insurer.cases.put(&file).unwrap();
        sites.deliver(&claim);
        let before = sites.insurer.file(&claim);

        for (status, name, body) in
            [("cancelled", "Smith", "Reserve 1."), ("report editing", "Okafor", "Reserve 48000.")]
        {
            let mut there = sites.examiner.file(&claim);
            there.assessments.clear();
            let mut guess = Assessment::new(id("ON-INS/A-1"));
            guess.status = Some(status.into());
            guess.assessment_number = Some("made up".into());
            there.assessments.push(guess);
            there.contacts.clear();
            let mut guess = Contact::new(id("ON-INS/P-1"));
            guess.last_name = Some(name.into());
            guess.email = Some("made@up.example".into());
            there.contacts.push(guess);
            there.notes.retain(|note| note.id != id("ON-INS/N-9"));
            there.notes.push(note(sites.insurer.site(), "N-9", body));
            sites.examiner.cases.put(&there).unwrap();
            let package = sites.deliver_back(&claim);
            assert_eq!(sites.insurer.file(&claim), before, "{policy:?} {status}");
            assert_eq!(word(&sites, package).0, Some(Disposition::Accepted), "{policy:?} {status}");
        }
    }
}
