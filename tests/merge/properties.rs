//! What holds of every merge, whatever the two sides did.

use claimwire::merge::{
    ChangeSet, ConflictPolicy, ContactPairs, FieldOutcome, agree, common_at_first, match_contacts, merge,
};
use claimwire::model::{ClaimFile, ExchangeId, Json, Record, RecordKind};
use proptest::prelude::*;
use std::collections::BTreeSet;

const RECORDS: &[(RecordKind, &str)] = &[
    (RecordKind::Assessment, "A/A1"),
    (RecordKind::Assessment, "A/A2"),
    (RecordKind::Note, "A/N1"),
    (RecordKind::Note, "B/N2"),
    (RecordKind::Document, "B/D1"),
];
const FIELDS: &[&str] = &["status", "author", "custom_fields.region"];
const GROUP: &[&str] = &["name", "media_type", "size", "sha256"];

fn value() -> impl Strategy<Value = Option<Json>> {
    prop_oneof![Just(None), Just(Some(Json::NULL)), (0..4_u8).prop_map(|n| Some(Json::from(format!("v{n}"))))]
}

fn fill(kind: RecordKind, id: &str, values: Vec<Option<Json>>, bytes: u8) -> Record {
    let mut record = Record::new(kind, id.parse().unwrap());
    for (name, value) in FIELDS.iter().zip(values) {
        record.fields.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    if kind == RecordKind::Document {
        for name in GROUP {
            let value = if *name == "size" {
                Json::from(i64::from(bytes))
            } else {
                Json::from(format!("{name}{bytes}"))
            };
            record.fields.insert((*name).to_owned(), value);
        }
    }
    record
}

/// One side's records: always the claim, and some of the others, each with some fields.
fn side() -> impl Strategy<Value = Vec<Record>> {
    let values = || proptest::collection::vec(value(), FIELDS.len());
    let one = (any::<bool>(), values(), 0..3_u8);
    (values(), proptest::collection::vec(one, RECORDS.len())).prop_map(|(claim, others)| {
        let mut records = vec![fill(RecordKind::Claim, "A/C", claim, 0)];
        for ((kind, id), (there, values, bytes)) in RECORDS.iter().zip(others) {
            if there {
                records.push(fill(*kind, id, values, bytes));
            }
        }
        records
    })
}

fn policy() -> impl Strategy<Value = ConflictPolicy> {
    prop_oneof![Just(ConflictPolicy::Theirs), Just(ConflictPolicy::Ours), Just(ConflictPolicy::Stop)]
}

/// The local records after the set was applied.
fn applied(local: &[Record], set: &ChangeSet) -> Vec<Record> {
    let mut records = local.to_vec();
    for change in &set.records {
        let place = records.iter().position(|record| record.id == change.after.id);
        let current = place.map(|place| records.remove(place));
        records.extend(change.apply_to(current).unwrap());
    }
    records
}

fn field<'a>(records: &'a [Record], id: &str, name: &str) -> &'a Json {
    records
        .iter()
        .find(|record| record.id.as_str() == id)
        .and_then(|record| record.fields.get(name))
        .unwrap_or(&Json::NULL)
}

fn spoken_out(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        for name in FIELDS {
            record.fields.entry((*name).to_owned()).or_insert(Json::NULL);
        }
    }
    records
}

fn ids(records: &[Record]) -> BTreeSet<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

/// People and companies with few different facts, so that many fit and many contradict.
fn contacts(site: &'static str) -> impl Strategy<Value = Vec<Record>> {
    let fact = || proptest::option::weighted(0.6, 0..3_u8);
    let one = (0..2_u8, fact(), fact(), fact(), fact());
    proptest::collection::vec(one, 0..6).prop_map(move |contacts| {
        contacts
            .into_iter()
            .enumerate()
            .map(|(number, (kind, name, birth_date, tax_id, email))| {
                let id = format!("{site}/P-{number}").parse().unwrap();
                let mut record = Record::new(RecordKind::Contact, id);
                let mut put = |field: &str, value: Option<String>| {
                    record.fields.extend(value.map(|value| (field.to_owned(), Json::from(value))));
                };
                put("type", Some(["person", "company"][usize::from(kind)].to_owned()));
                put("name", name.map(|n| format!("Name {n}")));
                put("birth_date", birth_date.map(|n| format!("198{n}-01-01")));
                put("tax_id", tax_id.map(|n| format!("10{n}")));
                put("email", email.map(|n| format!("{n}@example.org")));
                record
            })
            .collect()
    })
}

fn matched(ours: &[Record], theirs: &[Record], known: &ContactPairs) -> ContactPairs {
    match_contacts(ours, theirs, &[], known, |_| true)
}

proptest! {
    #[test]
    fn merging_again_after_applying_changes_nothing(local in side(), incoming in side(), base in side(), policy in policy()) {
        let set = merge(&local, &incoming, &base, policy).unwrap();
        prop_assume!(!set.blocked());
        let after = applied(&local, &set);
        let again = merge(&after, &incoming, &agree(&base, &incoming), policy).unwrap();
        prop_assert!(again.is_empty() && again.conflicts().count() == 0, "{again:?}");
        prop_assert_eq!(applied(&after, &set), after);
    }

    #[test]
    fn what_is_not_spoken_of_never_changes(local in side(), incoming in side(), base in side(), policy in policy()) {
        let after = applied(&local, &merge(&local, &incoming, &base, policy).unwrap());
        prop_assert!(ids(&after).is_superset(&ids(&local)));
        for record in &local {
            let theirs = incoming.iter().find(|theirs| theirs.id == record.id);
            for name in record.fields.keys().filter(|name| !theirs.is_some_and(|theirs| theirs.fields.contains_key(*name))) {
                prop_assert_eq!(field(&after, record.id.as_str(), name), &record.fields[name]);
            }
        }
    }

    #[test]
    fn no_field_takes_a_value_neither_side_had(local in side(), incoming in side(), base in side(), policy in policy()) {
        let after = applied(&local, &merge(&local, &incoming, &base, policy).unwrap());
        for record in &after {
            let id = record.id.as_str();
            for (name, value) in &record.fields {
                prop_assert!(value == field(&local, id, name) || value == field(&incoming, id, name));
            }
            if record.kind == RecordKind::Document {
                let group = |records: &[Record]| GROUP.iter().map(|name| field(records, id, name).clone()).collect::<Vec<_>>();
                prop_assert!(group(&after) == group(&local) || group(&after) == group(&incoming), "torn document");
            }
        }
    }

    #[test]
    fn both_sides_see_the_same_conflicts(local in side(), incoming in side(), base in side()) {
        // Where both speak of the same fields: a chosen field without value travels as `null`.
        let (local, incoming) = (spoken_out(local), spoken_out(incoming));
        let conflicts = |ours: &[Record], theirs: &[Record]| -> BTreeSet<(String, String)> {
            merge(ours, theirs, &base, ConflictPolicy::Stop)
                .unwrap()
                .conflicts()
                .map(|(record, field)| (record.after.id.to_string(), field.name.clone()))
                .collect()
        };
        prop_assert_eq!(conflicts(&local, &incoming), conflicts(&incoming, &local));
    }

    #[test]
    fn a_stopped_merge_takes_nothing_it_is_not_sure_of(local in side(), incoming in side(), base in side()) {
        let set = merge(&local, &incoming, &base, ConflictPolicy::Stop).unwrap();
        for (record, field) in set.conflicts() {
            prop_assert_eq!(field.outcome, FieldOutcome::ConflictStopped);
            prop_assert_eq!(record.after.fields.get(&field.name), record.before.as_ref().and_then(|before| before.fields.get(&field.name)));
        }
    }

    #[test]
    fn two_sides_that_exchange_in_turn_end_up_alike(ours in side(), theirs in side()) {
        // We send everything, they take it; they send everything back, we take it: no conflict, and nothing differs.
        let first = merge(&theirs, &ours, &theirs, ConflictPolicy::Theirs).unwrap();
        let there = applied(&theirs, &first);
        let base = agree(&[], &ours);
        let second = merge(&ours, &there, &base, ConflictPolicy::Stop).unwrap();
        prop_assert!(!second.blocked());
        let here = applied(&ours, &second);
        prop_assert!(merge(&here, &there, &base, ConflictPolicy::Stop).unwrap().is_empty());
    }

    #[test]
    fn what_comes_out_is_a_claim_file(local in side(), incoming in side(), base in side(), policy in policy()) {
        let after = applied(&local, &merge(&local, &incoming, &base, policy).unwrap());
        let count = after.len();
        prop_assert_eq!(ClaimFile::from_records(after).unwrap().to_records().unwrap().len(), count);
    }

    #[test]
    fn contacts_are_matched_one_to_one_and_only_where_no_side_has_another_that_fits(ours in contacts("A"), theirs in contacts("B")) {
        let pairs = matched(&ours, &theirs, &ContactPairs::new());
        let (mut seen_theirs, mut seen_ours) = (BTreeSet::new(), BTreeSet::new());
        for (their_id, our_id) in pairs.iter() {
            prop_assert!(seen_theirs.insert(their_id) && seen_ours.insert(our_id));
            let one = |records: &[Record], id: &ExchangeId| records.iter().find(|record| record.id == *id).cloned().unwrap();
            let (their, our) = (one(&theirs, their_id), one(&ours, our_id));
            prop_assert_eq!(matched(std::slice::from_ref(&our), std::slice::from_ref(&their), &ContactPairs::new()).iter().count(), 1);
            for name in ["birth_date", "tax_id"] {
                let (their, our) = (their.fields.get(name), our.fields.get(name));
                prop_assert!(their.is_none() || our.is_none() || their == our, "{name} contradicts");
            }
        }
    }

    #[test]
    fn matching_does_not_depend_on_the_order(ours in contacts("A"), theirs in contacts("B"), shift in 0..6_usize) {
        let turned = |records: &[Record]| {
            let mut records = records.to_vec();
            let by = shift.min(records.len());
            records.rotate_left(by);
            records.reverse();
            records
        };
        let pairs = matched(&ours, &theirs, &ContactPairs::new());
        prop_assert_eq!(&matched(&turned(&ours), &turned(&theirs), &ContactPairs::new()), &pairs);
        // Nor on which side looks.
        prop_assert_eq!(matched(&theirs, &ours, &ContactPairs::new()).inverted(), pairs);
    }

    #[test]
    fn matching_again_finds_nothing_more(ours in contacts("A"), theirs in contacts("B")) {
        let pairs = matched(&ours, &theirs, &ContactPairs::new());
        let mut renamed = theirs.clone();
        pairs.rename_contacts(&mut renamed);
        prop_assert!(matched(&ours, &renamed, &pairs).is_empty());
        prop_assert!(matched(&ours, &theirs, &pairs).is_empty());

        // And what was merged is settled: no conflict, and the same package again changes nothing.
        let claim = |mut records: Vec<Record>| {
            records.push(fill(RecordKind::Claim, "A/C", Vec::new(), 0));
            records
        };
        let (local, incoming) = (claim(ours), claim(renamed));
        let base = common_at_first(&local, &incoming, &[], &pairs);
        let set = merge(&local, &incoming, &base, ConflictPolicy::Stop).unwrap();
        prop_assert!(!set.blocked());
        let after = applied(&local, &set);
        let again = merge(&after, &incoming, &agree(&base, &incoming), ConflictPolicy::Stop).unwrap();
        prop_assert!(again.is_empty() && !again.blocked());
    }
}
