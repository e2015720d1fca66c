//! What a merge makes of two sides that changed the same claim: the rules, one by one.

use claimwire::ErrorKind;
use claimwire::merge::{
    ChangeSet, ConflictPolicy, ContactPairs, FieldOutcome, RecordAction, RecordChange, agree, merge,
};
use claimwire::model::{ClaimFile, Json, Record, RecordKind};

const POLICIES: [ConflictPolicy; 3] = [ConflictPolicy::Theirs, ConflictPolicy::Ours, ConflictPolicy::Stop];

fn record(kind: RecordKind, id: &str, fields: &[(&str, &str)]) -> Record {
    let mut record = Record::new(kind, id.parse().unwrap());
    record.fields.extend(fields.iter().map(|(name, json)| ((*name).to_owned(), json.parse().unwrap())));
    record
}

fn claim(fields: &[(&str, &str)]) -> Record {
    record(RecordKind::Claim, "A/C", fields)
}

fn bill(id: &str, assessment: &str, fields: &[(&str, &str)]) -> Record {
    let mut bill = record(RecordKind::Bill, id, fields);
    bill.parent = Some(assessment.parse().unwrap());
    bill
}

fn document(name: &str, bytes: u8) -> Record {
    let digest = format!("\"{}\"", format!("{bytes:02x}").repeat(32));
    let name = format!("\"{name}\"");
    let size = bytes.to_string();
    record(
        RecordKind::Document,
        "A/D",
        &[("name", &name), ("media_type", "\"text/plain\""), ("size", &size), ("sha256", &digest)],
    )
}

fn outcome(local: &str, incoming: &str, base: &str) -> Option<FieldOutcome> {
    let status = |value: &str| claim(&[("status", value)]);
    let set = merge(&[status(local)], &[status(incoming)], &[status(base)], ConflictPolicy::Stop).unwrap();
    set.records.first().map(|record| record.fields[0].outcome)
}

#[test]
fn each_field_goes_three_ways() {
    assert_eq!(outcome(r#""open""#, r#""open""#, r#""new""#), None);
    assert_eq!(outcome(r#""open""#, r#""closed""#, r#""open""#), Some(FieldOutcome::Updated));
    assert_eq!(outcome(r#""open""#, "null", r#""open""#), Some(FieldOutcome::Updated));
    assert_eq!(outcome(r#""closed""#, r#""open""#, r#""open""#), Some(FieldOutcome::KeptOurs));
    assert_eq!(outcome("null", r#""open""#, r#""open""#), Some(FieldOutcome::KeptOurs));
    assert_eq!(outcome(r#""closed""#, r#""paid""#, r#""open""#), Some(FieldOutcome::ConflictStopped));
}

#[test]
fn without_a_common_state_nothing_here_is_cleared_and_nothing_is_overwritten_silently() {
    let ours = claim(&[("status", r#""open""#)]);
    let silent =
        merge(std::slice::from_ref(&ours), &[claim(&[("status", "null")])], &[], ConflictPolicy::Theirs)
            .unwrap();
    assert!(silent.is_empty());
    assert_eq!(silent.records[0].fields[0].outcome, FieldOutcome::KeptOurs);
    let differs = merge(&[ours], &[claim(&[("status", r#""paid""#)])], &[], ConflictPolicy::Stop).unwrap();
    assert!(differs.blocked());
}

#[test]
fn the_policy_settles_a_conflict() {
    let sides = |value: &str| vec![claim(&[("status", value), ("jurisdiction", r#""CA-ON""#)])];
    let settled = |policy| merge(&sides("1"), &sides("2"), &sides("0"), policy).unwrap();
    let theirs = settled(ConflictPolicy::Theirs);
    assert_eq!(theirs.records[0].after.fields["status"], "2".parse().unwrap());
    assert_eq!((theirs.conflicts().count(), theirs.blocked(), theirs.is_empty()), (1, false, false));
    let ours = settled(ConflictPolicy::Ours);
    assert_eq!(ours.records[0].after.fields["status"], "1".parse().unwrap());
    assert_eq!((ours.conflicts().count(), ours.blocked(), ours.is_empty()), (1, false, true));
    let stopped = settled(ConflictPolicy::Stop);
    assert!(stopped.blocked());
    let error = stopped.unless_blocked().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.details().len(), 1);
    let detail = &error.details()[0];
    assert_eq!((detail.code.as_deref(), detail.subject.as_deref()), (Some("conflict"), Some("A/C")));
    assert!(detail.message.contains("`status`"), "{error:?}");
    assert!(error.to_string().contains("both sides changed `status` of claim A/C"), "{error}");
}

#[test]
fn records_and_fields_that_are_not_spoken_of_stay() {
    let local = [
        claim(&[("status", r#""open""#), ("custom_fields.reserve", "5")]),
        record(RecordKind::Note, "A/N", &[("body", r#""mine""#)]),
    ];
    let set = merge(&local, &[claim(&[("status", r#""paid""#)])], &local, ConflictPolicy::Stop).unwrap();
    assert_eq!(set.records.len(), 1);
    assert_eq!(set.records[0].action(), RecordAction::Updated);
    assert_eq!(set.records[0].after, claim(&[("status", r#""paid""#), ("custom_fields.reserve", "5")]));
}

#[test]
fn a_new_claim_is_added_with_all_its_records_parents_first() {
    let incoming = [
        bill("A/B", "A/A", &[]),
        record(RecordKind::Assessment, "A/A", &[]),
        claim(&[("status", r#""open""#)]),
    ];
    let set = merge(&[], &incoming, &[], ConflictPolicy::Stop).unwrap();
    assert!(set.adds_claim);
    let kinds: Vec<RecordKind> = set.records.iter().map(|record| record.after.kind).collect();
    assert_eq!(kinds, [RecordKind::Claim, RecordKind::Assessment, RecordKind::Bill]);
    assert!(set.records.iter().all(|record| record.action() == RecordAction::Added));
}

#[test]
fn the_bytes_of_a_document_and_what_is_said_of_them_are_never_mixed() {
    // They renamed it, we replaced its bytes: no field of the group is taken over by itself.
    let (base, ours, theirs) = (document("a.txt", 1), document("a.txt", 2), document("b.txt", 1));
    let with_claim = |document: &Record| vec![claim(&[]), document.clone()];
    for policy in POLICIES {
        let set = merge(&with_claim(&ours), &with_claim(&theirs), &with_claim(&base), policy).unwrap();
        let after = &set.records[0].after;
        let expected = if policy == ConflictPolicy::Theirs { &theirs } else { &ours };
        assert_eq!(&after.fields, &expected.fields, "{policy:?}");
        assert!(set.records[0].fields.iter().all(|field| field.outcome.is_conflict()));
    }
    let mut partial = theirs.clone();
    partial.fields.remove("sha256");
    let error = merge(&with_claim(&ours), &[partial], &[], ConflictPolicy::Ours).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPackage);
}

#[test]
fn other_fields_of_a_document_go_their_own_way() {
    let mut ours = document("a.txt", 2);
    ours.fields.insert("section".into(), "medical".into());
    let mut theirs = document("a.txt", 1);
    theirs.fields.insert("document_type".into(), "report".into());
    let set = merge(&[claim(&[]), ours], &[theirs], &[document("a.txt", 1)], ConflictPolicy::Stop).unwrap();
    let after = &set.records[0].after;
    assert_eq!(after.fields["document_type"], "report".into());
    assert_eq!(after.fields["section"], "medical".into());
    assert_eq!(after.fields["size"], 2.into());
    assert!(!set.blocked());
}

#[test]
fn the_internal_mark_is_each_sides_own() {
    let note = |fields: &[(&str, &str)]| record(RecordKind::Note, "A/N", fields);
    let ours = [claim(&[]), note(&[("body", r#""secret""#), ("internal", "true")])];
    for policy in POLICIES {
        let theirs = note(&[("body", r#""mine now""#), ("internal", "false")]);
        let set = merge(&ours, &[theirs], &[], policy).unwrap();
        assert!(set.is_empty() && !set.blocked(), "{policy:?}");
        assert_eq!(set.records[0].fields[0].outcome, FieldOutcome::KeptOurs);
    }
    let new = record(RecordKind::Note, "B/N", &[("body", r#""hello""#), ("internal", "true")]);
    let set = merge(&ours, &[new], &[], ConflictPolicy::Stop).unwrap();
    assert!(!set.records[0].after.fields.contains_key("internal"));
}

#[test]
fn what_was_removed_here_comes_back_only_when_they_changed_it() {
    let assessment = |status: &str| record(RecordKind::Assessment, "A/A", &[("status", status)]);
    let base = [claim(&[]), assessment(r#""open""#), bill("A/B", "A/A", &[("status", r#""open""#)])];
    let here = [claim(&[])];
    let unchanged = merge(&here, &base, &base, ConflictPolicy::Stop).unwrap();
    assert!(unchanged.records.is_empty());
    // A bill they changed comes back, and brings its assessment.
    let incoming = [claim(&[]), assessment(r#""open""#), bill("A/B", "A/A", &[("status", r#""paid""#)])];
    let changed = merge(&here, &incoming, &base, ConflictPolicy::Stop).unwrap();
    assert_eq!(changed.records.iter().filter(|record| record.action() == RecordAction::Added).count(), 2);
    // A claim that is gone altogether is added as a whole.
    let anew = merge(&[], &base, &base, ConflictPolicy::Stop).unwrap();
    assert_eq!((anew.adds_claim, anew.records.len()), (true, 3));
}

#[test]
fn notes_alone_need_the_claim_here() {
    let note = record(RecordKind::Note, "B/N", &[("body", r#""hello""#)]);
    let set = merge(&[claim(&[])], std::slice::from_ref(&note), &[], ConflictPolicy::Stop).unwrap();
    assert_eq!(set.claim, "A/C".parse().unwrap());
    assert_eq!(merge(&[], &[note], &[], ConflictPolicy::Stop).unwrap_err().kind(), ErrorKind::UnknownClaim);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let here = [claim(&[]), record(RecordKind::Assessment, "A/A", &[]), bill("A/B", "A/A", &[])];
    let other = record(RecordKind::Assessment, "A/A2", &[]);
    for (incoming, what) in [
        (vec![claim(&[]), claim(&[])], "twice"),
        (vec![record(RecordKind::Claim, "A/C2", &[])], "not of claim"),
        (vec![record(RecordKind::Claim, "A/C2", &[]), claim(&[])], "2 claims"),
        (vec![record(RecordKind::Note, "A/A", &[])], "of kind assessment"),
        (vec![other, bill("A/B", "A/A2", &[])], "another assessment"),
        (vec![bill("A/B2", "A/A3", &[])], "neither here nor in the package"),
        (vec![bill("A/B2", "A/C", &[])], "neither here nor in the package"),
        (vec![record(RecordKind::Bill, "A/B2", &[])], "neither here nor in the package"),
    ] {
        let error = merge(&here, &incoming, &[], ConflictPolicy::Theirs).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPackage);
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn two_claims_here_are_a_mistake_of_the_host() {
    let here = [claim(&[]), record(RecordKind::Claim, "A/C2", &[])];
    let error = merge(&here, &[claim(&[])], &[], ConflictPolicy::Theirs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_contact_has_at_most_one_counterpart() {
    let mut pairs = ContactPairs::new();
    let mut add = |theirs: &str, ours: &str| pairs.add(theirs.parse().unwrap(), ours.parse().unwrap());
    assert!(add("B/1", "A/1"));
    assert!(!add("B/1", "A/2"), "theirs has one already");
    assert!(!add("B/2", "A/1"), "ours has one already");
    assert!(add("B/2", "A/2"));
    assert_eq!(pairs.iter().count(), 2);
}

#[test]
fn a_set_survives_json() {
    let set = merge(
        &[claim(&[("status", "1"), ("loss_cause", r#"{"code": "07"}"#)])],
        &[claim(&[("status", "2"), ("loss_cause", "null")])],
        &[claim(&[("loss_cause", r#"{"code": "07"}"#)])],
        ConflictPolicy::Stop,
    )
    .unwrap();
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<ChangeSet>(&json).unwrap(), set);
    assert!(json.contains(r#""outcome":"conflict-stopped""#), "{json}");
}

#[test]
fn a_change_fits_only_the_record_it_was_made_for() {
    let set = merge(
        &[claim(&[("status", "1")])],
        &[claim(&[("status", "2")])],
        &[claim(&[("status", "1")])],
        ConflictPolicy::Stop,
    )
    .unwrap();
    let change = &set.records[0];
    let after = change.apply_to(Some(claim(&[("status", "1"), ("other", "5")]))).unwrap().unwrap();
    assert_eq!(after, claim(&[("status", "2"), ("other", "5")]));
    assert_eq!(change.apply_to(Some(after.clone())).unwrap(), Some(after));
    for moved in [Some(claim(&[("status", "3")])), None] {
        let error = change.apply_to(moved).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Conflict, true));
    }
}

#[test]
fn the_common_state_takes_what_was_spoken_of_and_keeps_the_rest() {
    let base = [claim(&[("status", "1"), ("jurisdiction", "5")])];
    let sent = [claim(&[("status", "null")]), record(RecordKind::Note, "B/N", &[("body", "7")])];
    let agreed = agree(&base, &sent);
    assert_eq!(agreed[0].fields["status"], Json::NULL);
    assert_eq!(agreed[0].fields["jurisdiction"], 5.into());
    assert_eq!(agreed[1], sent[1]);
}

#[test]
fn deep_values_are_compared_in_one_pass() {
    // Would take 2^100 steps if each level were compared twice.
    let deep = |inner: &str| format!("{}{inner}{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let side = |inner: &str| [claim(&[("loss_location", &deep(inner))])];
    let set = merge(&side("1"), &side("2"), &side("1"), ConflictPolicy::Stop).unwrap();
    assert_eq!(set.records[0].fields[0].outcome, FieldOutcome::Updated);
    assert!(merge(&side("null"), &side("[]"), &[], ConflictPolicy::Stop).unwrap().records.is_empty());
}

#[test]
fn only_documents_bring_bytes() {
    let incoming = [claim(&[]), record(RecordKind::Note, "A/N", &[]), document("report.txt", 1)];
    let set = merge(&[], &incoming, &[], ConflictPolicy::Stop).unwrap();
    let bringing: Vec<_> =
        set.records.iter().filter(|it| it.brings_bytes()).map(|it| it.after.kind).collect();
    assert_eq!(bringing, [RecordKind::Document]);
}

#[test]
fn a_document_that_is_here_brings_bytes_only_where_it_takes_others() {
    let brings = |local: Record, incoming: Record, base: Record| {
        let [local, incoming, base] = [local, incoming, base].map(|document| [claim(&[]), document]);
        let set = merge(&local, &incoming, &base, ConflictPolicy::Ours).unwrap();
        assert!(!set.records.is_empty());
        set.records.iter().any(RecordChange::brings_bytes)
    };
    let report = || document("report.txt", 1);
    assert!(brings(report(), document("report.txt", 2), report()), "theirs has new bytes");
    assert!(!brings(report(), document("letter.txt", 1), report()), "theirs has a new name");
    assert!(!brings(document("report.txt", 3), document("report.txt", 2), report()), "ours are kept");
}

#[test]
fn a_set_changes_in_a_claim_file_the_records_it_speaks_of() {
    let note = |body: &str| record(RecordKind::Note, "A/N", &[("body", body)]);
    let file = |records: Vec<Record>| ClaimFile::from_records(records).unwrap();
    let before = [claim(&[("status", r#""open""#)]), note(r#""seen""#), document("report.txt", 1)];
    let mut current = file(before.to_vec());
    current.other.insert("kept".to_owned(), 7.into());
    let incoming = [note(r#""paid""#)];
    let set = merge(&before, &incoming, &before, ConflictPolicy::Stop).unwrap();
    let mut expected = file(vec![before[0].clone(), note(r#""paid""#), before[2].clone()]);
    expected.other.clone_from(&current.other);
    assert_eq!(set.apply_to(Some(&current)).unwrap(), expected);
    assert_eq!(set.apply_to(Some(&expected)).unwrap(), expected);
}

#[test]
fn a_set_makes_a_claim_file_only_where_it_adds_the_claim() {
    let adding = merge(&[], &[claim(&[])], &[], ConflictPolicy::Stop).unwrap();
    assert_eq!(adding.apply_to(None).unwrap().claim.id.as_str(), "A/C");
    let changing = merge(
        &[claim(&[("status", r#""open""#)])],
        &[claim(&[("status", r#""paid""#)])],
        &[claim(&[("status", r#""open""#)])],
        ConflictPolicy::Stop,
    );
    assert_eq!(changing.unwrap().apply_to(None).unwrap_err().kind(), ErrorKind::UnknownClaim);
}

#[test]
fn a_conflict_of_many_fields_tells_how_many_it_does_not_name() {
    let names: Vec<String> = (0..20).map(|number| format!("custom_fields.f{number:02}")).collect();
    let side = |value| claim(&names.iter().map(|name| (name.as_str(), value)).collect::<Vec<_>>());
    let set = merge(&[side("1")], &[side("2")], &[side("0")], ConflictPolicy::Stop).unwrap();
    let said = set.unless_blocked().unwrap_err().to_string();
    let named = names.iter().filter(|name| said.contains(name.as_str())).count();
    assert!(named < 20 && said.contains(&format!("{} more fields", 20 - named)), "{said}");
}
