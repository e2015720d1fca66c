//! The embedded case system: it conforms, and a fault or a crash leaves claims and files as they were.

use claimwire::ErrorKind;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments, conformance};
use claimwire::merge::{ConflictPolicy, merge};
use claimwire::model::{Assessment, Claim, ClaimFile, Document, ExchangeId, Json, Note, Record, RecordKind};
use claimwire::rules::Catalogue;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(crate) fn id(text: &str) -> ExchangeId {
    text.parse().unwrap()
}

pub(crate) fn open(folder: &TempDir) -> SqliteCaseSystem {
    SqliteCaseSystem::open(folder.path().join("cases")).unwrap()
}

fn files(folder: &TempDir) -> BTreeSet<String> {
    fs::read_dir(folder.path().join("cases/documents"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn text(cases: &SqliteCaseSystem, document: &str) -> String {
    let mut text = String::new();
    cases.open_document(&id("A/C"), &id(document)).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn document(number: &str) -> Document {
    let mut document = Document::new(id(number));
    document.name = Some(format!("{}.txt", number.replace('/', "-")));
    document.author = Some("anna".into());
    document
}

/// A claim file with an assessment, a note and a document.
pub(crate) fn with_a_claim(folder: &TempDir) -> SqliteCaseSystem {
    let cases = open(folder);
    let mut file = ClaimFile::new(Claim::new(id("A/C")));
    file.claim.claim_number = Some("CLM-1".into());
    file.claim.custom_fields.insert("rate".into(), "12.500".parse().unwrap());
    file.other.insert("of_a_later_version".into(), "1.10".parse().unwrap());
    file.assessments.push(Assessment::new(id("A/A")));
    file.notes.push(Note::new(id("A/N")));
    cases.put(&file).unwrap();
    cases.add_document(&id("A/C"), document("A/D"), "first".as_bytes()).unwrap();
    cases
}

/// Records that bring these documents, with bytes staged under `folder`.
fn package(folder: &TempDir, documents: &[(&str, &str)]) -> (Vec<Record>, StagedDocuments) {
    let mut staged = StagedDocuments::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let measure = SqliteCaseSystem::open(elsewhere.path().join("m")).unwrap();
    measure.put(&ClaimFile::new(Claim::new(id("A/C")))).unwrap();
    for (number, bytes) in documents {
        measure.add_document(&id("A/C"), document(number), bytes.as_bytes()).unwrap();
        let path = folder.path().join(number.replace('/', "-"));
        fs::write(&path, bytes).unwrap();
        staged.insert(id(number), path);
    }
    (measure.load(&id("A/C")).unwrap().unwrap().to_records().unwrap(), staged)
}

#[test]
fn it_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conformance::check(|| SqliteCaseSystem::open(folder.path().join("cases"))).unwrap();
}

#[test]
fn a_claim_file_comes_back_as_it_was_put() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let mut file = cases.load(&id("A/C")).unwrap().unwrap();
    assert_eq!(file.claim.custom_fields["rate"].to_string(), "12.500");
    assert_eq!(file.other["of_a_later_version"].to_string(), "1.10");
    assert_eq!(cases.claims().unwrap(), [id("A/C")]);
    assert_eq!(cases.load(&id("A/X")).unwrap(), None);
    file.notes.clear();
    file.assessments[0].status = Some("scheduled".into());
    cases.put(&file).unwrap();
    assert_eq!(cases.load(&id("A/C")).unwrap().unwrap(), file);
}

#[test]
fn a_note_is_added_to_a_claim_that_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let mut note = Note::new(id("A/N2"));
    note.body = Some("hello".into());
    cases.add_note(&id("A/C"), &note).unwrap();
    assert_eq!(cases.load(&id("A/C")).unwrap().unwrap().notes[1], note);
    assert_eq!(cases.add_note(&id("A/X"), &note).unwrap_err().kind(), ErrorKind::UnknownClaim);
    let clash = cases.add_note(&id("A/C"), &Note::new(id("A/A"))).unwrap_err();
    assert_eq!(clash.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn earlier_bytes_of_a_document_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    for bytes in ["second", "second"] {
        cases.add_document(&id("A/C"), document("A/D"), bytes.as_bytes()).unwrap();
    }
    assert_eq!(text(&cases, "A/D"), "second");
    let versions = cases.document_versions(&id("A/C"), &id("A/D")).unwrap();
    assert_eq!(
        versions.iter().map(|version| (version.number, version.size)).collect::<Vec<_>>(),
        [(1, 5), (2, 6)]
    );
    assert_eq!((versions[0].stored_by.as_str(), versions[0].name.as_str()), ("anna", "A-D.txt"));
    let mut first = String::new();
    cases.open_version(&versions[0]).unwrap().read_to_string(&mut first).unwrap();
    assert_eq!(first, "first");
}

#[test]
fn a_document_cannot_be_put_without_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let before = cases.load(&id("A/C")).unwrap().unwrap();
    let mut file = before.clone();
    file.documents.push(document("A/D2"));
    assert_eq!(cases.put(&file).unwrap_err().kind(), ErrorKind::InvalidArgument);
    file.documents.pop();
    file.documents[0].sha256 = Some("00".repeat(32));
    assert_eq!(cases.put(&file).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(cases.load(&id("A/C")).unwrap().unwrap(), before);
    file.documents[0].sha256 = None;
    file.documents[0].size = None;
    cases.put(&file).unwrap();
    assert_eq!(cases.load(&id("A/C")).unwrap().unwrap(), before);
}

#[test]
fn a_set_that_fails_midway_changes_nothing_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let (before, files_before) = (cases.load(&id("A/C")).unwrap(), files(&folder));
    let local = before.as_ref().unwrap().to_records().unwrap();
    let (mut incoming, staged) = package(&folder, &[("B/D1", "one"), ("B/D2", "two")]);
    incoming[0].fields.insert("status".into(), "received".into());
    let set = merge(&local, &incoming, &local, ConflictPolicy::Stop).unwrap();

    let mut missing = StagedDocuments::new();
    missing.insert(id("B/D1"), staged.path(&id("B/D1")).unwrap());
    assert_eq!(cases.apply(&set, &missing, "anna").unwrap_err().kind(), ErrorKind::InvalidArgument);

    let mut wrong = staged.clone();
    wrong.insert(id("B/D2"), staged.path(&id("B/D1")).unwrap());
    let error = cases.apply(&set, &wrong, "anna").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Altered);
    assert!(error.to_string().contains("B/D2") && error.to_string().contains("A/C"), "{error}");

    let mut gone = staged.clone();
    gone.insert(id("B/D2"), folder.path().join("gone"));
    assert_eq!(cases.apply(&set, &gone, "anna").unwrap_err().kind(), ErrorKind::Io);

    // The last record no longer fits, after both documents got their names.
    let section = |value: Json| {
        let mut record = Record::new(RecordKind::Document, id("A/D"));
        record.fields.insert("section".into(), value);
        record
    };
    let seen = [&local[..local.len() - 1], &[section("seen".into())]].concat();
    let with_section = [&incoming[..], &[section("new".into())]].concat();
    let stale = merge(&seen, &with_section, &seen, ConflictPolicy::Theirs).unwrap();
    assert_eq!(stale.records.last().unwrap().after.id, id("A/D"));
    assert_eq!(cases.apply(&stale, &staged, "anna").unwrap_err().kind(), ErrorKind::Conflict);

    assert_eq!(cases.load(&id("A/C")).unwrap(), before);
    assert_eq!(files(&folder), files_before);

    cases.apply(&set, &staged, "anna").unwrap();
    assert_eq!((text(&cases, "B/D1").as_str(), text(&cases, "B/D2").as_str()), ("one", "two"));
    assert_eq!(files(&folder).len(), files_before.len() + 2);
}

#[test]
fn a_set_after_which_the_claim_could_not_be_loaded_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let before = cases.load(&id("A/C")).unwrap().unwrap();
    let (mut incoming, staged) = package(&folder, &[("B/D", "second")]);
    incoming[0].fields.insert("loss_date".into(), "about mid-March".into());
    let local = before.to_records().unwrap();
    let set = merge(&local, &incoming, &local, ConflictPolicy::Stop).unwrap();
    let refused = cases.apply(&set, &staged, "dana").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidPackage, "{refused}");
    assert!(!refused.to_string().contains("mid-March"), "{refused}");
    assert_eq!(cases.load(&id("A/C")).unwrap().unwrap(), before);
    assert_eq!(files(&folder).len(), 1, "the other document's bytes are gone too");
}

#[test]
fn bytes_that_cannot_be_read_to_the_end_leave_nothing() {
    struct Torn(usize);
    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 > 3 { Err(io::Error::other("torn")) } else { Ok(buffer.len()) }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let before = files(&folder);
    assert_eq!(cases.add_document(&id("A/C"), document("A/D2"), Torn(0)).unwrap_err().kind(), ErrorKind::Io);
    let stranger = cases.add_document(&id("A/X"), document("A/D2"), "text".as_bytes()).unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::UnknownClaim);
    assert_eq!(files(&folder), before);
}

#[test]
fn files_that_a_crash_left_are_swept_but_not_under_another_handle() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    let named = files(&folder);
    let left = folder.path().join("cases/documents/.new-crashed");
    fs::write(&left, "half").unwrap();
    fs::write(folder.path().join("cases/documents").join("ab".repeat(32)), "unnamed").unwrap();
    let strange = folder.path().join("cases/documents/README");
    fs::write(&strange, "not ours").unwrap();
    let second = open(&folder);
    assert!(left.exists(), "another handle may be writing it");
    drop((cases, second));
    let cases = open(&folder);
    fs::remove_file(strange).unwrap();
    assert_eq!(files(&folder), named);
    assert_eq!(text(&cases, "A/D"), "first");
}

/// Set for the process that is to be killed: the folder it works in.
const KILLED: &str = "CLAIMWIRE_TEST_KILLED";

/// Adds documents, and says so after each, until the process is killed.
fn add_documents_in(folder: impl AsRef<Path>) -> ! {
    let cases = SqliteCaseSystem::open(folder).unwrap();
    for number in 1_u64.. {
        let bytes = format!("document {number} ").repeat(10_000);
        cases.add_document(&id("A/C"), document(&format!("K/D{number}")), bytes.as_bytes()).unwrap();
        println!("stored K/D{number}");
    }
    unreachable!("killed long before")
}

#[test]
fn a_process_killed_at_any_moment_loses_nothing_it_had_stored() {
    if let Some(folder) = std::env::var_os(KILLED) {
        add_documents_in(folder);
    }
    let folder = tempfile::tempdir().unwrap();
    drop(with_a_claim(&folder));
    for rounds in 1..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "case_system_sqlite::a_process_killed_at_any_moment_loses_nothing_it_had_stored",
                "--nocapture",
            ])
            .env(KILLED, folder.path().join("cases"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let stored: Vec<String> = lines
            .filter_map(|line| Some(line.split_once("stored ")?.1.to_owned()))
            .take(rounds * 3)
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let cases = open(&folder);
        let file = cases.load(&id("A/C")).unwrap().unwrap();
        for number in stored {
            assert!(file.documents.iter().any(|document| document.id == id(&number)), "{number}");
        }
        let mut named = BTreeSet::new();
        for document in &file.documents {
            let bytes = text(&cases, document.id.as_str());
            assert_eq!(Some(bytes.len() as u64), document.size);
            named.insert(document.sha256.clone().unwrap());
        }
        assert_eq!(files(&folder), named, "what was half written is gone");
    }
}

#[test]
fn lost_bytes_are_reported_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let cases = with_a_claim(&folder);
    for name in files(&folder) {
        fs::remove_file(folder.path().join("cases/documents").join(name)).unwrap();
    }
    let error = cases.open_document(&id("A/C"), &id("A/D")).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::StoreDamaged);
    assert!(error.to_string().contains("A/D"), "{error}");
}

#[test]
fn two_handles_that_apply_different_sets_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_a_claim(&folder));
    let local = open(&folder).load(&id("A/C")).unwrap().unwrap().to_records().unwrap();
    std::thread::scope(|scope| {
        for number in ["B/D1", "B/D2", "B/D3"] {
            let (folder, local) = (&folder, &local);
            scope.spawn(move || {
                // The same bytes under three names: one file.
                let (incoming, staged) = package(folder, &[(number, "same")]);
                let set = merge(local, &incoming, local, ConflictPolicy::Theirs).unwrap();
                open(folder).apply(&set, &staged, "anna").unwrap();
            });
        }
    });
    let cases = open(&folder);
    assert_eq!(cases.load(&id("A/C")).unwrap().unwrap().documents.len(), 4);
    assert_eq!(files(&folder).len(), 2);
    assert_eq!(text(&cases, "B/D2"), "same");
}

#[test]
fn a_catalogue_is_the_hosts_to_give() {
    let folder = tempfile::tempdir().unwrap();
    assert!(open(&folder).catalogue().unwrap().knows_bill_type("any"));
    let cases = open(&folder).with_catalogue(Catalogue::new().bill_types(["OCF-21"]));
    assert!(!cases.catalogue().unwrap().knows_bill_type("any"));
}

#[cfg(unix)]
#[test]
fn only_this_user_reads_its_files_and_folders() {
    use std::os::unix::fs::PermissionsExt;
    fn walk(path: &Path) {
        let metadata = fs::metadata(path).unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        assert_eq!(mode, if metadata.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
        if metadata.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| walk(&entry.unwrap().path()));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let _cases = with_a_claim(&folder);
    walk(&folder.path().join("cases"));
}
