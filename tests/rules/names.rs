//! Name maps: there and back without loss, and what cannot be named is said.

use claimwire::ErrorKind;
use claimwire::model::{Json, Record, RecordKind};
use claimwire::rules::{NameMap, ViolationCode};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn record(kind: RecordKind, fields: &[(&str, &str)]) -> Record {
    let mut record = Record::new(kind, "A/1".parse().unwrap());
    record.fields.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))));
    record
}

fn map() -> NameMap {
    NameMap::new()
        .fields(
            RecordKind::Claim,
            [("custom_fields.region", "jurisdiction"), ("loss_description", "custom_fields.story")],
        )
        .types(RecordKind::Claim, [("Accident Benefits", "AB")])
        .statuses(RecordKind::Claim, [("open", "closed"), ("closed", "open"), ("in review", "checking")])
}

#[test]
fn names_that_change_places_are_told_apart() {
    map().check().unwrap();
    let ours = [record(RecordKind::Claim, &[("status", "open"), ("claim_type", "accident benefits ")])];
    let theirs = map().to_theirs(ours.to_vec());
    assert!(theirs.violations.is_empty());
    assert_eq!(theirs.records[0].fields["status"], Json::from("closed"));
    assert_eq!(theirs.records[0].fields["claim_type"], Json::from("AB"));
    let back = map().to_ours(theirs.records, &ours, &[]);
    assert_eq!(back.records, ours, "the spelling here stays");
}

#[test]
fn what_a_name_means_elsewhere_does_not_travel_under_it() {
    let ours =
        vec![record(RecordKind::Claim, &[("jurisdiction", "CA-ON"), ("custom_fields.region", "east")])];
    let told = map().without_taken(ours.clone());
    assert_eq!(told[0].fields.keys().collect::<Vec<_>>(), ["custom_fields.region"]);
    assert_eq!(
        map().to_theirs(ours).records[0].fields,
        BTreeMap::from([("jurisdiction".into(), Json::from("east"))])
    );
    // Their own `custom_fields.region` is none of ours.
    let theirs =
        record(RecordKind::Claim, &[("custom_fields.region", "x"), ("custom_fields.story", "Struck.")]);
    let here = map().to_ours(vec![theirs], &[], &[]).records;
    assert_eq!(here[0].fields, BTreeMap::from([("loss_description".into(), Json::from("Struck."))]));
}

#[test]
fn what_no_name_was_given_to_travels_as_it_is() {
    let spared = [("claim_number", "CLM-1"), ("custom_fields.region", "east")];
    let told = map().without_taken(vec![record(RecordKind::Claim, &spared)]);
    assert_eq!(told, [record(RecordKind::Claim, &spared)]);
}

#[test]
fn the_type_of_a_document_is_named_as_the_partner_names_it() {
    let map = NameMap::new().types(RecordKind::Document, [("report", "RPT")]);
    let theirs = map.to_theirs(vec![record(RecordKind::Document, &[("document_type", "report")])]);
    assert_eq!(theirs.records, [record(RecordKind::Document, &[("document_type", "RPT")])]);
}

#[test]
fn a_status_that_means_something_else_there_is_a_violation_in_both_directions() {
    let out = map().to_theirs(vec![record(RecordKind::Claim, &[("status", "Checking")])]);
    let back = map().to_ours(vec![record(RecordKind::Claim, &[("status", "in review")])], &[], &[]);
    for violations in [out.violations, back.violations] {
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].code, ViolationCode::NameNotMapped);
        assert!(violations[0].message.to_lowercase().contains("`checking`"), "{}", violations[0]);
        assert!(violations[0].message.contains("`in review`"), "{}", violations[0]);
    }
}

#[test]
fn a_value_that_the_field_of_the_other_name_cannot_take_is_a_violation_in_both_directions() {
    let [here, there] = [("loss_date", "custom_fields.when"), ("custom_fields.when", "loss_date")]
        .map(|pair| NameMap::new().fields(RecordKind::Claim, [pair]));
    for (when, fits) in [("2026-03-14", true), ("about mid-March 2026", false)] {
        let claim = || vec![record(RecordKind::Claim, &[("custom_fields.when", when)])];
        for violations in [here.to_ours(claim(), &[], &[]).violations, there.to_theirs(claim()).violations] {
            let codes: Vec<_> = violations.iter().map(|violation| violation.code.clone()).collect();
            let expected = if fits { vec![] } else { vec![ViolationCode::ValueNotMapped] };
            assert_eq!(codes, expected, "{when}");
            assert!(violations.iter().all(|violation| !violation.message.contains("mid-March")));
            assert!(violations.iter().all(|violation| violation.message.contains("`loss_date`")));
        }
    }
    // No value is one that every field takes, and a custom field takes all.
    let mut nothing = record(RecordKind::Claim, &[]);
    nothing.fields.insert("custom_fields.when".into(), Json::NULL);
    assert!(here.to_ours(vec![nothing], &[], &[]).violations.is_empty());
    let text = vec![record(RecordKind::Claim, &[("loss_date", "2026-03-14")])];
    assert!(here.to_theirs(text).violations.is_empty());
}

#[test]
fn a_map_that_cannot_be_gone_both_ways_is_refused_with_every_fault() {
    let broken = NameMap::new()
        .fields(
            RecordKind::Claim,
            [("status", "jurisdiction"), ("custom_fields.a", "jurisdiction"), ("colour", "status")],
        )
        .fields(RecordKind::Document, [("name", "custom_fields.name")])
        .types(RecordKind::Note, [("a", "b")])
        .statuses(RecordKind::Bill, [("Paid", "x"), ("paid ", "y"), ("sent", "X"), ("held", " ")]);
    let error = broken.check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    let places: Vec<&str> = error.details().iter().map(|fault| fault.subject.as_deref().unwrap()).collect();
    assert_eq!(
        places,
        [
            "claim.fields.colour",
            "claim.fields.status",
            "bill.statuses.held",
            "bill.statuses.paid ",
            "bill.statuses.sent",
            "note.types",
            "document.fields.name",
        ],
        "{error}"
    );
}

#[test]
fn a_spelling_of_the_common_state_is_kept_where_the_claim_here_has_moved_on() {
    let base = [record(RecordKind::Claim, &[("status", "Open")])];
    let local = [record(RecordKind::Claim, &[("status", "in review")])];
    let theirs = vec![record(RecordKind::Claim, &[("status", "closed")])];
    assert_eq!(map().to_ours(theirs, &local, &base).records, base);
}

const FIELDS: &[&str] =
    &["status", "jurisdiction", "custom_fields.a", "custom_fields.b", "custom_fields.c", "line_of_business"];
const WORDS: &[&str] = &["open", "closed", "offen", "zu", "x"];

proptest! {
    #[test]
    fn every_map_leads_there_and_back(
        fields in proptest::collection::btree_map(0..FIELDS.len(), 0..FIELDS.len(), 0..4),
        statuses in proptest::collection::btree_map(0..WORDS.len(), 0..WORDS.len(), 0..4),
        values in proptest::collection::btree_map(0..FIELDS.len(), 0..WORDS.len(), 0..6),
    ) {
        let map = NameMap::new()
            .fields(RecordKind::Claim, fields.iter().map(|(ours, theirs)| (FIELDS[*ours], FIELDS[*theirs])))
            .statuses(RecordKind::Claim, statuses.iter().map(|(ours, theirs)| (WORDS[*ours], WORDS[*theirs])));
        let twice = |pairs: &BTreeMap<usize, usize>| {
            pairs.values().collect::<std::collections::BTreeSet<_>>().len() != pairs.len()
        };
        prop_assert_eq!(map.check().is_err(), twice(&fields) || twice(&statuses));
        prop_assume!(map.check().is_ok());
        let pairs: Vec<(&str, &str)> = values.iter().map(|(name, value)| (FIELDS[*name], WORDS[*value])).collect();
        let ours = map.without_taken(vec![record(RecordKind::Claim, &pairs)]);
        let theirs = map.to_theirs(ours.clone());
        prop_assume!(theirs.violations.is_empty());
        prop_assert_eq!(theirs.records[0].fields.len(), ours[0].fields.len(), "no two fields become one");
        let back = map.to_ours(theirs.records, &[], &[]);
        prop_assert!(back.violations.is_empty());
        prop_assert_eq!(back.records, ours);
    }
}
