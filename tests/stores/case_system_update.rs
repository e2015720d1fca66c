//! What a user changes in the embedded case system while packages are unpacked into it.

use super::case_system_sqlite::{id, open, with_a_claim};
use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments};
use claimwire::merge::{ConflictPolicy, merge};
use claimwire::model::{Bill, ClaimFile, Document, Note, RecordKind};
use claimwire::{Error, ErrorKind};

fn loaded(cases: &SqliteCaseSystem) -> ClaimFile {
    cases.load(&id("A/C")).unwrap().unwrap()
}

fn note(number: &str, body: &str) -> Note {
    let mut note = Note::new(id(number));
    note.body = Some(body.into());
    note
}

/// A user loads the claim; this is done to it meanwhile, and the user's own change is stored.
fn stored(
    meanwhile: impl FnOnce(&SqliteCaseSystem),
    change: impl FnOnce(&mut ClaimFile),
) -> (ClaimFile, Result<(), Error>) {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let before = loaded(&cases);
    meanwhile(&cases);
    let mut after = before.clone();
    change(&mut after);
    let outcome = cases.update(&before, &after);
    let here = loaded(&cases);
    // Other handles see the same.
    assert_eq!(loaded(&open(&folder)), here);
    (here, outcome)
}

fn put(change: impl FnOnce(&mut ClaimFile)) -> impl FnOnce(&SqliteCaseSystem) {
    |cases| {
        let mut file = loaded(cases);
        change(&mut file);
        cases.put(&file).unwrap();
    }
}

#[test]
fn what_came_in_while_a_user_was_at_it_stays() {
    let meanwhile = |cases: &SqliteCaseSystem| {
        cases.add_note(&id("A/C"), &note("B/N", "Fracture found.")).unwrap();
        let mut report = Document::new(id("A/D"));
        report.name = Some("A-D.txt".into());
        cases.add_document(&id("A/C"), report, "second".as_bytes()).unwrap();
        put(|file| file.claim.policy_number = Some("POL-7".into()))(cases);
    };
    let (here, outcome) = stored(meanwhile, |file| {
        file.claim.claim_number = Some("CLM-2".into());
        file.claim.custom_fields.remove("rate");
        file.other.clear();
        file.notes.clear();
        file.assessments[0].status = Some("done".into());
        file.assessments[0].bills.push(Bill::new(id("A/B")));
        file.documents[0].name = Some("renamed.txt".into());
    });
    outcome.unwrap();
    assert_eq!(here.claim.claim_number.as_deref(), Some("CLM-2"));
    assert_eq!(here.claim.policy_number.as_deref(), Some("POL-7"));
    assert!(here.claim.custom_fields.is_empty() && here.other.is_empty());
    assert_eq!(here.notes, [note("B/N", "Fracture found.")]);
    assert_eq!(here.assessments[0].status.as_deref(), Some("done"));
    assert_eq!(here.assessments[0].bills, [Bill::new(id("A/B"))]);
    let document = &here.documents[0];
    assert_eq!((document.name.as_deref(), document.size), (Some("renamed.txt"), Some(6)));
}

#[test]
fn what_both_changed_is_told_field_by_field_and_nothing_is_stored() {
    let (here, outcome) = stored(
        put(|file| {
            file.claim.status = Some("closed".into());
            file.notes[0] = note("A/N", "theirs");
            file.assessments.clear();
        }),
        |file| {
            file.claim.status = Some("open".into());
            file.claim.claim_number = Some("CLM-2".into());
            file.notes.clear();
            file.assessments[0].status = Some("done".into());
        },
    );
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let subjects: Vec<_> = error.details().iter().map(|detail| detail.subject.as_deref().unwrap()).collect();
    assert_eq!(subjects, ["A/N", "A/C", "A/A"], "{error}");
    assert!(error.to_string().contains("`status`") && error.to_string().contains("load it again"), "{error}");
    assert_eq!(
        (here.claim.status.as_deref(), here.claim.claim_number.as_deref()),
        (Some("closed"), Some("CLM-1"))
    );
    assert_eq!(here.notes, [note("A/N", "theirs")]);
}

#[test]
fn the_same_change_at_both_ends_is_no_conflict() {
    let change = |file: &mut ClaimFile| {
        file.claim.status = Some("closed".into());
        file.notes.push(note("A/N-2", "The same."));
        file.assessments.clear();
    };
    let (here, outcome) = stored(put(change), change);
    outcome.unwrap();
    assert!(
        here.claim.status.as_deref() == Some("closed")
            && here.notes.len() == 2
            && here.assessments.is_empty()
    );
}

#[test]
fn two_notes_under_one_id_are_a_conflict() {
    let (here, outcome) = stored(put(|file| file.notes.push(note("A/N-2", "theirs"))), |file| {
        file.notes.push(note("A/N-2", "ours"))
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(here.notes[1], note("A/N-2", "theirs"));
}

#[test]
fn what_was_stored_in_another_spelling_is_no_change() {
    // As it may come from a partner: the model writes no fraction of a second that is none.
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let local = loaded(&cases).to_records().unwrap();
    let mut incoming = local.clone();
    let assessment = incoming.iter_mut().find(|record| record.kind == RecordKind::Assessment).unwrap();
    assessment.fields.insert("scheduled_at".into(), "2026-03-02T09:30:00.000Z".into());
    let changes = merge(&local, &incoming, &local, ConflictPolicy::Stop).unwrap();
    cases.apply(&changes, &StagedDocuments::new(), "anna").unwrap();
    let before = loaded(&cases);
    assert!(before.assessments[0].scheduled_at.is_some());
    let mut after = before.clone();
    after.assessments[0].scheduled_at = None;
    cases.update(&before, &after).unwrap();
    assert_eq!(loaded(&cases), after);
}

#[test]
fn other_claims_and_documents_without_bytes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let before = loaded(&cases);
    let refused = |change: fn(&mut ClaimFile)| {
        let mut after = before.clone();
        change(&mut after);
        cases.update(&before, &after).unwrap_err().kind()
    };
    assert_eq!(refused(|file| file.claim.id = id("A/C-2")), ErrorKind::InvalidArgument);
    assert_eq!(refused(|file| file.documents.push(Document::new(id("A/D-2")))), ErrorKind::InvalidArgument);
    assert_eq!(refused(|file| file.notes.push(Note::new(id("A/N")))), ErrorKind::InvalidArgument);
    let mut unknown = before.clone();
    unknown.claim.id = id("A/C-9");
    assert_eq!(cases.update(&unknown, &unknown).unwrap_err().kind(), ErrorKind::UnknownClaim);
    assert_eq!(loaded(&cases), before);
}
