//! The rules of an export: each of them alone, and all of them at once.

use claimwire::model::{Claim, ClaimFile, Document, ExchangeId, Note, Record, RecordKind, SiteId};
use claimwire::rules::{
    ExportFacts, ExportRules, NamingConvention, Violation, ViolationCode, check_export, violations_error,
};
use claimwire::{Error, ErrorKind};
use std::collections::BTreeSet;

fn site(text: &str) -> SiteId {
    text.parse().unwrap()
}

fn records(edit: impl FnOnce(&mut ClaimFile)) -> Vec<Record> {
    let mut file = ClaimFile::new(Claim::new("CLINIC/C-1".parse().unwrap()));
    file.claim.claim_number = Some("CLM-1".into());
    let mut note = Note::new("CLINIC/N-1".parse().unwrap());
    note.body = Some("done".into());
    file.notes.push(note);
    edit(&mut file);
    file.to_records().unwrap()
}

fn check(records: &[Record], tell: impl FnOnce(ExportFacts<'_>) -> Vec<Violation>) -> Vec<String> {
    let (here, partner) = (site("CLINIC"), site("ON-INS"));
    tell(ExportFacts::new(&here, &partner, records).partner_name("Ontario Insurance"))
        .into_iter()
        .map(|violation| violation.code.name().to_owned())
        .collect()
}

fn codes(rules: &ExportRules, records: &[Record]) -> Vec<String> {
    check(records, |facts| check_export(rules, &facts))
}

#[test]
fn a_claim_of_our_own_with_a_new_note_may_go() {
    assert!(codes(&ExportRules::new(), &records(|_| ())).is_empty());
}

#[test]
fn a_note_must_be_one_the_partner_has_not_seen() {
    let rules = ExportRules::new();
    let known: BTreeSet<ExchangeId> = ["CLINIC/N-1".parse().unwrap()].into();
    let seen = check(&records(|_| ()), |facts| check_export(&rules, &facts.known_notes(&known)));
    assert_eq!(seen, ["note-missing"]);
    assert_eq!(codes(&rules, &records(|file| file.notes.clear())), ["note-missing"]);
    // A note that came from the partner itself is none of ours.
    let theirs = records(|file| file.notes[0].id = "ON-INS/N-9".parse().unwrap());
    assert_eq!(codes(&rules, &theirs), ["note-missing"]);
    assert!(codes(&rules.note_required(false), &theirs).is_empty());
}

#[test]
fn a_claim_from_elsewhere_goes_only_where_it_came_from_unless_forwarding_is_allowed() {
    let records = records(|file| file.claim.id = "LAB/C-1".parse().unwrap());
    let rules = ExportRules::new();
    assert_eq!(codes(&rules, &records), ["forwarding-forbidden"]);
    let back = check(&records, |facts| check_export(&rules, &facts.received_from_partner(true)));
    assert!(back.is_empty());
    assert!(codes(&ExportRules::new().forwarding_allowed(true), &records).is_empty());
}

#[test]
fn a_claim_needs_a_claim_number_or_a_policy_number() {
    let rules = ExportRules::new();
    assert_eq!(
        codes(&rules, &records(|file| file.claim.claim_number = Some("  ".into()))),
        ["claim-number-missing"]
    );
    let policy = records(|file| {
        file.claim.claim_number = None;
        file.claim.policy_number = Some("P-1".into());
    });
    assert!(codes(&rules, &policy).is_empty());
}

#[test]
fn required_fields_are_named_record_by_record() {
    let rules =
        ExportRules::new().require(RecordKind::Note, ["topic", "subject", "body", "custom_fields.code"]);
    rules.check().unwrap();
    let (here, partner, records) = (site("CLINIC"), site("ON-INS"), records(|_| ()));
    let violations = check_export(&rules, &ExportFacts::new(&here, &partner, &records));
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].record, Some("CLINIC/N-1".parse().unwrap()));
    assert!(violations[0].message.contains("custom_fields.code, subject, topic"), "{}", violations[0]);
    let unknown = ExportRules::new().require(RecordKind::Claim, ["colour"]).check().unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::InvalidSettings);
}

#[test]
fn our_documents_must_be_named_as_the_partner_asks_but_not_the_partners_own() {
    let document = |id: &str, name: &str| {
        let mut document = Document::new(id.parse().unwrap());
        document.name = Some(name.into());
        document.document_type = Some("Medical Report".into());
        document.modified_at = Some("2026-03-02T23:30:00-05:00".parse().unwrap());
        document
    };
    let records = records(|file| {
        file.documents.push(document("CLINIC/D-1", "final report.pdf"));
        file.documents.push(document("CLINIC/D-2", "CLM-1_Medical_Report_20260302.PDF"));
        file.documents.push(document("ON-INS/D-3", "photo.jpg"));
    });
    let rules = ExportRules::new().naming(
        NamingConvention::new("{claim_number}_{document_type}_{date:YYYYMMDD}.{ext:pdf|docx}").unwrap(),
    );
    let (here, partner) = (site("CLINIC"), site("ON-INS"));
    let violations = check_export(&rules, &ExportFacts::new(&here, &partner, &records));
    assert_eq!(violations.len(), 1, "{violations:?}");
    let message = &violations[0].message;
    for part in ["final report.pdf", "{claim_number}_{document_type}", "CLM-1_Medical-Report_20260302.pdf"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_sealed_package_is_at_most_250_mib() {
    let rules = ExportRules::new();
    let of_size = |bytes| check(&records(|_| ()), |facts| check_export(&rules, &facts.sealed_size(bytes)));
    assert!(of_size(262_144_000).is_empty());
    assert_eq!(of_size(262_144_001), ["sealed-too-large"]);
}

#[test]
fn a_record_that_lacks_a_field_is_called_what_a_claims_handler_calls_it() {
    let (here, partner) = (site("CLINIC"), site("ON-INS"));
    let told = |kind: RecordKind, field: &str| {
        let mut record = Record::new(kind, "CLINIC/R-1".parse().unwrap());
        record.fields.insert(field.to_owned(), "R 1".into());
        let rules = ExportRules::new().note_required(false).require(kind, ["custom_fields.region"]);
        let violations = check_export(&rules, &ExportFacts::new(&here, &partner, &[record]));
        let lacking = violations.iter().find(|it| it.code == ViolationCode::RequiredFieldMissing);
        lacking.unwrap().message.split(" has no value").next().unwrap().to_owned()
    };
    for (kind, field, title) in [
        (RecordKind::Claim, "claim_number", "Claim `R 1`"),
        (RecordKind::Assessment, "assessment_number", "Assessment `R 1`"),
        (RecordKind::Bill, "bill_number", "Bill `R 1`"),
        (RecordKind::Contact, "name", "Contact `R 1`"),
        (RecordKind::Contact, "last_name", "Contact `R 1`"),
        (RecordKind::Document, "name", "Document `R 1`"),
        (RecordKind::Note, "subject", "Note `R 1`"),
        (RecordKind::Note, "body", "Note CLINIC/R-1"),
    ] {
        assert_eq!(told(kind, field), title, "{field}");
    }
}

#[test]
fn a_document_with_another_name_than_asked_for_comes_with_one_that_would_do() {
    let mut report = Document::new("CLINIC/D-1".parse().unwrap());
    report.name = Some("scan.pdf".into());
    let records = records(|file| file.documents.push(report));
    let rules = ExportRules::new().naming(NamingConvention::new("{claim_number}.{ext:pdf}").unwrap());
    let (here, partner) = (site("CLINIC"), site("ON-INS"));
    let violations = check_export(&rules, &ExportFacts::new(&here, &partner, &records));
    let proposals: Vec<_> = violations.iter().map(|violation| violation.proposal.as_deref()).collect();
    assert_eq!(proposals, [Some("CLM-1.pdf")]);
}

#[test]
fn all_violations_come_together_with_one_line_each() {
    let mut stray = Document::new("LAB/D-1".parse().unwrap());
    stray.name = Some("x".into());
    let records = records(|file| {
        file.claim.id = "LAB/C-1".parse().unwrap();
        file.claim.claim_number = None;
        file.notes.clear();
        file.documents.push(stray);
    });
    let rules = ExportRules::new()
        .naming(NamingConvention::new("{claim_number}.{ext:pdf}").unwrap())
        .require(RecordKind::Claim, ["status"])
        .sealed_size_limit(10);
    let (here, partner) = (site("CLINIC"), site("ON-INS"));
    let mut violations = check_export(&rules, &ExportFacts::new(&here, &partner, &records).sealed_size(11));
    violations.push(Violation::new(
        ViolationCode::Host("closed-period".into()),
        None,
        "The period is closed.",
    ));
    let codes: Vec<&str> = violations.iter().map(|violation| violation.code.name()).collect();
    assert_eq!(
        codes,
        [
            "note-missing",
            "forwarding-forbidden",
            "claim-number-missing",
            "required-field-missing",
            "document-name",
            "sealed-too-large",
            "closed-period"
        ]
    );
    let error: Error = violations_error(ErrorKind::ExportRulesViolated, &violations);
    let told: Vec<&str> = error.details().iter().map(|detail| detail.code.as_deref().unwrap()).collect();
    assert_eq!(told, codes);
    let json = serde_json::to_string(&violations).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Violation>>(&json).unwrap(), violations);
}

#[test]
fn rules_survive_json_and_have_defaults() {
    let rules = ExportRules::new()
        .naming(NamingConvention::new("{text}.{ext:pdf}").unwrap())
        .require(RecordKind::Bill, ["total"])
        .sealed_size_limit(5);
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<ExportRules>(&json).unwrap(), rules);
    assert_eq!(serde_json::from_str::<ExportRules>("{}").unwrap(), ExportRules::default());
    assert_eq!(ExportRules::default().max_sealed_size(), 262_144_000);
    assert!(serde_json::from_str::<ExportRules>(r#"{"naming": "{nonsense}"}"#).is_err());
    assert!(serde_json::from_str::<ExportRules>(r#"{"note_requried": false}"#).is_err());
}
