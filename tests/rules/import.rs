//! The rules of an import: what is refused, and what is changed before it is merged.

use claimwire::model::{Assessment, Bill, Claim, ClaimFile, Contact, Record, RecordKind};
use claimwire::rules::{Catalogue, ImportRules, UnknownType, check_import, prepare_import};

fn records(status: &str) -> Vec<Record> {
    let mut file = ClaimFile::new(Claim::new("A/C".parse().unwrap()));
    file.claim.claim_number = Some("CLM-1".into());
    file.claim.claim_type = Some("Accident Benefits".into());
    file.claim.status = Some(status.into());
    for number in ["A/A1", "A/A2"] {
        let mut assessment = Assessment::new(number.parse().unwrap());
        assessment.r#type = Some("FAE".into());
        let mut bill = Bill::new(number.replace("/A", "/B").parse().unwrap());
        bill.r#type = Some("OCF-21".into());
        assessment.bills.push(bill);
        file.assessments.push(assessment);
    }
    file.contacts.push(Contact::new("A/P".parse().unwrap()));
    file.to_records().unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue::new().claim_types(["Property"]).assessment_types(["IME"]).bill_types(["Invoice"])
}

#[test]
fn each_unknown_type_is_named_once_with_what_to_do() {
    let violations = check_import(&records("open"), &[], &ImportRules::new(), &catalogue());
    let codes: Vec<&str> = violations.iter().map(|violation| violation.code.name()).collect();
    assert_eq!(codes, ["unknown-claim-type", "unknown-assessment-type", "unknown-bill-type"]);
    for (violation, name) in violations.iter().zip(["Accident Benefits", "FAE", "OCF-21"]) {
        assert!(
            violation.message.contains(name) && violation.message.contains("Contact the sender"),
            "{violation}"
        );
    }
}

#[test]
fn unknown_types_pass_where_they_are_accepted_or_everything_is_known() {
    let lenient = ImportRules::new()
        .unknown_claim_types(UnknownType::Accept)
        .unknown_assessment_types(UnknownType::Accept)
        .unknown_bill_types(UnknownType::Accept);
    assert!(check_import(&records("open"), &[], &lenient, &catalogue()).is_empty());
    assert!(check_import(&records("open"), &[], &ImportRules::new(), &Catalogue::new()).is_empty());
}

#[test]
fn a_type_that_is_in_use_here_or_spelt_in_another_case_is_known() {
    assert!(check_import(&records("open"), &records("open"), &ImportRules::new(), &catalogue()).is_empty());
    let shouted = Catalogue::new().assessment_types([" fae "]);
    assert!(check_import(&records("open"), &[], &ImportRules::new(), &shouted).is_empty());
}

#[test]
fn a_protected_claim_is_not_changed() {
    let rules = ImportRules::new().protect(["closed"]);
    let violations = check_import(&records("open"), &records("Closed"), &rules, &Catalogue::new());
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].code.name(), "protected-claim");
    assert!(violations[0].message.contains("CLM-1") && violations[0].message.contains("Closed"));
    // What counts is the status here, not the one that came in.
    assert!(check_import(&records("closed"), &records("open"), &rules, &Catalogue::new()).is_empty());
}

#[test]
fn contacts_are_left_out_where_they_are_off() {
    let has_contacts = |rules: &ImportRules| {
        prepare_import(records("open"), rules).iter().any(|record| record.kind == RecordKind::Contact)
    };
    assert!(has_contacts(&ImportRules::new()));
    assert!(!has_contacts(&ImportRules::new().contacts(false)));
}

#[test]
fn a_status_is_forced_per_level_with_exceptions() {
    let rules = ImportRules::new().force_status(RecordKind::Claim, "received", ["Closed"]).force_status(
        RecordKind::Note,
        "read",
        Vec::<String>::new(),
    );
    let status = |came: &str| prepare_import(records(came), &rules)[0].fields["status"].clone();
    assert_eq!(status("open"), "received".into());
    assert_eq!(status("closed"), "closed".into());
    let prepared = prepare_import(records("open"), &rules);
    assert!(prepared.iter().skip(1).all(|record| !record.fields.contains_key("status")));
}

#[test]
fn rules_survive_json() {
    let rules = ImportRules::new()
        .contacts(false)
        .force_status(RecordKind::Bill, "new", ["paid"])
        .protect(["closed"]);
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<ImportRules>(&json).unwrap(), rules);
    assert_eq!(serde_json::from_str::<ImportRules>("{}").unwrap(), ImportRules::default());
    let json = serde_json::to_string(&catalogue()).unwrap();
    assert_eq!(serde_json::from_str::<Catalogue>(&json).unwrap(), catalogue());
}
