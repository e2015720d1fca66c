//! What leaves: the records and fields a partner's selection names, and nothing else.

use claimwire::ErrorKind;
use claimwire::model::{
    Assessment, Bill, Claim, ClaimFile, Contact, Document, ExchangeId, Json, Note, Record, RecordKind,
};
use claimwire::rules::{AssessmentStatuses, FieldChoice, FieldSelection, select, select_notes};
use std::collections::BTreeSet;

fn id(text: &str) -> ExchangeId {
    text.parse().unwrap()
}

/// A claim file with three assessments in different statuses and something of everything else.
fn records() -> Vec<Record> {
    let mut file = ClaimFile::new(Claim::new(id("A/C")));
    file.claim.claim_number = Some("CLM-1".into());
    file.claim.version = Some(7);
    file.claim.custom_fields.insert("region".into(), "east".into());
    file.claim.custom_fields.insert("reserve".into(), "12000".into());
    file.claim.other.insert("from_a_later_version".into(), 1.into());
    for (number, status) in [("A/A1", "scheduled"), ("A/A2", "report editing"), ("A/A3", "Completed")] {
        let mut assessment = Assessment::new(id(number));
        assessment.status = Some(status.into());
        assessment.bills.push(Bill::new(id(&number.replace("/A", "/B"))));
        file.assessments.push(assessment);
    }
    for (number, internal, related) in [
        ("A/N1", None, None),
        ("A/N2", Some(true), None),
        ("A/N3", None, Some("A/A2")),
        ("A/N4", Some(false), Some("A/B2")),
    ] {
        let mut note = Note::new(id(number));
        note.body = Some("text".into());
        note.internal = internal;
        note.related_to = related.map(id);
        note.custom_fields.insert("mood".into(), "good".into());
        file.notes.push(note);
    }
    for (number, internal, related) in
        [("A/D1", None, Some("A/A1")), ("A/D2", Some(true), None), ("A/D3", None, Some("A/A2"))]
    {
        let mut document = Document::new(id(number));
        document.name = Some("a.pdf".into());
        document.size = Some(1);
        document.sha256 = Some("00".repeat(32));
        document.internal = internal;
        document.related_to = related.map(id);
        file.documents.push(document);
    }
    file.contacts.push(Contact::new(id("A/P1")));
    file.to_records().unwrap()
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

fn find<'a>(records: &'a [Record], id: &str) -> &'a Record {
    records.iter().find(|record| record.id.as_str() == id).unwrap()
}

#[test]
fn internal_notes_and_documents_never_leave_and_neither_does_the_mark() {
    let selected = select(&records(), &FieldSelection::new(), None);
    assert!(!ids(&selected).contains(&"A/N2") && !ids(&selected).contains(&"A/D2"));
    assert!(selected.iter().all(|record| !record.fields.contains_key("internal")));
}

#[test]
fn only_what_is_listed_leaves() {
    let selection = FieldSelection::new()
        .standard(RecordKind::Claim, FieldChoice::only(["claim_number", "status"]))
        .custom(RecordKind::Claim, FieldChoice::only(["region", "branch"]));
    let selected = select(&records(), &selection, None);
    let claim = find(&selected, "A/C");
    let fields: Vec<(&str, &Json)> =
        claim.fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    assert_eq!(
        fields,
        [
            ("claim_number", &"CLM-1".into()),
            ("custom_fields.branch", &Json::NULL),
            ("custom_fields.region", &"east".into()),
            ("status", &Json::NULL),
        ]
    );
}

#[test]
fn by_default_standard_fields_leave_but_no_custom_unknown_or_counting_ones() {
    let selected = select(&records(), &FieldSelection::new(), None);
    let claim = find(&selected, "A/C");
    assert_eq!(claim.fields["claim_number"], "CLM-1".into());
    assert_eq!(claim.fields["loss_date"], Json::NULL);
    for private in ["custom_fields.reserve", "from_a_later_version", "version", "updated_at"] {
        assert!(!claim.fields.contains_key(private), "{private}");
    }
    assert!(!find(&selected, "A/A1").fields.contains_key("bills"));
    let all = FieldSelection::new().custom(RecordKind::Claim, FieldChoice::All);
    assert!(find(&select(&records(), &all, None), "A/C").fields.contains_key("custom_fields.reserve"));
}

#[test]
fn a_document_and_a_note_keep_what_makes_them_one() {
    let selection = FieldSelection::new()
        .standard(RecordKind::Document, FieldChoice::only(["section"]))
        .standard(RecordKind::Note, FieldChoice::only(["topic"]));
    let selected = select(&records(), &selection, None);
    let names = |id: &str| find(&selected, id).fields.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("A/D1"), ["media_type", "name", "section", "sha256", "size"]);
    assert_eq!(names("A/N1"), ["body", "topic"]);
}

#[test]
fn an_assessment_leaves_by_its_status_and_takes_along_what_is_filed_under_it() {
    let statuses = AssessmentStatuses::new().allow(["scheduled"]).force(["completed"]);
    let selection = FieldSelection::new().assessments(statuses);
    let all = select(&records(), &selection, None);
    assert_eq!(ids(&all), ["A/C", "A/A1", "A/B1", "A/A3", "A/B3", "A/P1", "A/N1", "A/D1"]);
    // The user picks none: what is forced goes all the same. Or one that is not allowed: it stays.
    for chosen in [BTreeSet::new(), BTreeSet::from([id("A/A2")])] {
        let selected = select(&records(), &selection, Some(&chosen));
        assert_eq!(ids(&selected), ["A/C", "A/A3", "A/B3", "A/P1", "A/N1"]);
    }
    let picked = select(&records(), &selection, Some(&BTreeSet::from([id("A/A1")])));
    assert!(ids(&picked).contains(&"A/A1"));
}

#[test]
fn a_level_can_be_left_out() {
    let left_out = |kind| select(&records(), &FieldSelection::new().without(kind), None);
    assert!(!ids(&left_out(RecordKind::Contact)).contains(&"A/P1"));
    let no_bills = left_out(RecordKind::Bill);
    assert!(no_bills.iter().all(|record| record.kind != RecordKind::Bill));
    assert!(ids(&no_bills).contains(&"A/A1"));
    let no_assessments = left_out(RecordKind::Assessment);
    assert!(
        no_assessments.iter().all(|record| !matches!(record.kind, RecordKind::Assessment | RecordKind::Bill))
    );
    assert!(ClaimFile::from_records(no_assessments).is_ok());
}

/// A note on an assessment, its bill and each document; a reply to the first of them, and a reply to that.
fn filed() -> Vec<Record> {
    let mut file = ClaimFile::new(Claim::new(id("A/C")));
    for (number, status) in [("A/A1", "draft"), ("A/A2", "done")] {
        let mut assessment = Assessment::new(id(number));
        assessment.status = Some(status.into());
        file.assessments.push(assessment);
    }
    file.assessments[0].bills.push(Bill::new(id("A/B1")));
    file.contacts.push(Contact::new(id("A/P1")));
    for (number, related) in [("A/D-report", "A/A1"), ("A/D-bill", "A/B1"), ("A/D-other", "A/A2")] {
        let mut document = Document::new(id(number));
        document.related_to = Some(id(related));
        file.documents.push(document);
    }
    let about = ["A/A1", "A/B1", "A/P1", "A/D-report", "A/D-other", "A/C"];
    for related in about {
        let mut note = Note::new(id(&related.replace("A/", "A/N-")));
        note.related_to = Some(id(related));
        file.notes.push(note);
    }
    for (number, answered) in [("A/R1", "A/N-A1"), ("A/R2", "A/R1"), ("A/R3", "A/N-C"), ("A/R4", "A/R4")] {
        let mut reply = Note::new(id(number));
        reply.in_reply_to = Some(id(answered));
        file.notes.push(reply);
    }
    file.to_records().unwrap()
}

#[test]
fn what_is_filed_under_or_answers_what_stays_stays_too() {
    let all = filed();
    let stays = |records: &[Record], selection: FieldSelection| -> Vec<String> {
        let travels: BTreeSet<ExchangeId> =
            select(records, &selection, None).into_iter().map(|record| record.id).collect();
        let stay = |kind: &RecordKind| matches!(kind, RecordKind::Note | RecordKind::Document);
        let of_these = records.iter().filter(|record| stay(&record.kind) && !travels.contains(&record.id));
        of_these.map(|record| record.id.local().to_owned()).collect()
    };
    assert!(stays(&all, FieldSelection::new()).is_empty());
    let draft = FieldSelection::new().assessments(AssessmentStatuses::new().allow(["done"]));
    let of_the_draft = ["N-A1", "N-B1", "N-D-report", "R1", "R2", "D-report", "D-bill"];
    assert_eq!(stays(&all, draft.clone()), of_the_draft);
    assert_eq!(stays(&all, FieldSelection::new().without(RecordKind::Bill)), ["N-B1", "D-bill"]);
    assert_eq!(stays(&all, FieldSelection::new().without(RecordKind::Contact)), ["N-P1"]);
    let no_assessments = stays(&all, FieldSelection::new().without(RecordKind::Assessment));
    assert_eq!(
        no_assessments,
        ["N-A1", "N-B1", "N-D-report", "N-D-other", "R1", "R2", "D-report", "D-bill", "D-other"]
    );

    // The same of notes that go alone.
    let notes = select_notes(&all, &draft);
    assert_eq!(ids(&notes), ["A/N-P1", "A/N-D-other", "A/N-C", "A/R3", "A/R4"]);

    // Marks: on a document, and on a note that answers its own reply.
    let mut marked = all.clone();
    for record in &mut marked {
        match record.id.as_str() {
            "A/D-report" | "A/N-A1" => drop(record.fields.insert("internal".into(), true.into())),
            _ => {}
        }
        if record.id.as_str() == "A/N-A1" {
            record.fields.insert("in_reply_to".into(), "A/R2".into());
        }
    }
    assert_eq!(stays(&marked, FieldSelection::new()), ["N-A1", "N-D-report", "R1", "R2", "D-report"]);
}

#[test]
fn a_field_is_said_to_travel_just_where_it_does() {
    let listed = FieldSelection::new()
        .standard(RecordKind::Claim, FieldChoice::only(["claim_number", "version"]))
        .custom(RecordKind::Claim, FieldChoice::only(["region"]))
        .standard(RecordKind::Assessment, FieldChoice::only(["status", "bills"]))
        .standard(RecordKind::Note, FieldChoice::only(["topic", "internal"]))
        .standard(RecordKind::Document, FieldChoice::only(["section"]))
        .custom(RecordKind::Note, FieldChoice::All);
    for selection in [FieldSelection::new(), listed] {
        for record in select(&records(), &selection, None) {
            let custom = ["custom_fields.region", "custom_fields.reserve", "from_a_later_version"];
            for name in record.kind.standard_fields().iter().chain(&custom) {
                let travels = selection.exchanges_field(record.kind, name);
                let is_there = record.fields.contains_key(*name);
                // A custom field that has no value is said by the choice alone.
                if is_there || !name.starts_with("custom_fields.") || record.kind == RecordKind::Claim {
                    assert_eq!(travels, is_there, "{} {name}", record.kind);
                }
            }
        }
    }
    let statuses = AssessmentStatuses::new().force(["completed"]);
    let selection = FieldSelection::new().assessments(statuses.clone());
    assert_eq!(selection.assessment_statuses(), &statuses);
    assert!(!selection.without(RecordKind::Claim).exchanges_field(RecordKind::Claim, "status"));
}

#[test]
fn notes_alone_have_no_custom_fields() {
    let selection = FieldSelection::new().custom(RecordKind::Note, FieldChoice::All);
    let notes = select_notes(&records(), &selection);
    assert_eq!(ids(&notes), ["A/N1", "A/N3", "A/N4"]);
    assert!(notes.iter().all(|note| note.fields.keys().all(|name| !name.starts_with("custom_fields."))));
    assert!(find(&select(&records(), &selection, None), "A/N1").fields.contains_key("custom_fields.mood"));
}

#[test]
fn every_fault_of_a_selection_is_named_at_once() {
    let faulty = FieldSelection::new()
        .standard(RecordKind::Claim, FieldChoice::only(["claim_nubmer", "status", "reserve"]))
        .standard(RecordKind::Assessment, FieldChoice::only(["bills"]))
        .standard(RecordKind::Note, FieldChoice::only(["internal"]))
        .standard(RecordKind::Bill, FieldChoice::only(Vec::<String>::new()))
        .custom(RecordKind::Contact, FieldChoice::only([" "]))
        .standard(RecordKind::Document, FieldChoice::only(["nothing"]))
        .without(RecordKind::Document);
    let error = faulty.check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    let details: String = error.details().iter().map(|fault| format!("{fault}\n")).collect();
    for what in
        ["claim_nubmer", "reserve", "level of their own", "never travels", "at least one", "needs a name"]
    {
        assert!(details.contains(what), "{details}");
    }
    assert_eq!(error.details().len(), 6);
    assert!(FieldSelection::new().without(RecordKind::Claim).check().is_err());
}

#[test]
fn a_selection_survives_json_and_a_misspelt_setting_does_not() {
    let selection = FieldSelection::new()
        .standard(RecordKind::Claim, FieldChoice::only(["status"]))
        .assessments(AssessmentStatuses::new().allow(["Completed"]));
    let json = serde_json::to_string(&selection).unwrap();
    assert_eq!(serde_json::from_str::<FieldSelection>(&json).unwrap(), selection);
    assert_eq!(serde_json::from_str::<FieldSelection>("{}").unwrap(), FieldSelection::default());
    assert!(serde_json::from_str::<FieldSelection>(r#"{"levells": {}}"#).is_err());
}
