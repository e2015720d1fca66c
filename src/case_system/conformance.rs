//! The suite every case system must pass, also a host's own.

use super::{CaseSystem, StagedDocuments};
use crate::merge::{ChangeSet, ConflictPolicy, merge};
use crate::model::{
    Assessment, Bill, Claim, ClaimFile, Contact, Document, ExchangeId, Json, Note, Record, RecordKind,
};
use crate::protocol::Digest;
use crate::{Error, ErrorKind, Result};
use std::io::Read;
use tempfile::TempDir;

const REPORT: &[u8] = b"The knee was examined.";
const REVISED: &[u8] = b"The knee was examined twice.";

/// Checks that a case system keeps what [`CaseSystem`] promises.
///
/// `open` opens the same case system each time it is called; the claim `CONFORMANCE/C-1` is not in it at first, and is
/// left in it. The suite holds no two handles at once, so that what it finds on the second opening was stored.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # {
/// use claimwire::case_system::{SqliteCaseSystem, conformance};
///
/// # let folder = tempfile::tempdir()?;
/// conformance::check(|| SqliteCaseSystem::open(folder.path().join("cases")))?;
/// # }
/// # Ok::<(), claimwire::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Internal`] with the promise that is not kept; what the case system itself reports.
pub fn check<C: CaseSystem>(mut open: impl FnMut() -> Result<C>) -> Result<()> {
    let sample = Sample::new()?;
    let cases = open()?;
    an_unknown_claim_is_not_there(&cases, &sample)?;
    a_package_without_its_bytes_adds_nothing(&cases, &sample)?;
    a_new_claim_is_added_whole_and_only_once(&cases, &sample)?;
    an_update_touches_only_what_it_names(&cases, &sample)?;
    a_set_that_may_not_be_applied_changes_nothing(&cases, &sample)?;
    a_document_gets_new_bytes(&cases, &sample)?;
    let before = loaded(&cases, &sample)?;
    drop(cases);
    let cases = open()?;
    Error::ensure(loaded(&cases, &sample)? == before, "what was applied is there after opening it again")?;
    Error::ensure(bytes(&cases, &sample)? == REVISED, "document bytes are there after opening it again")
}

struct Sample {
    claim: ExchangeId,
    document: ExchangeId,
    folder: TempDir,
}

impl Sample {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("report"), REPORT)?;
        std::fs::write(folder.path().join("revised"), REVISED)?;
        Ok(Self { claim: "CONFORMANCE/C-1".parse()?, document: "CONFORMANCE/D-1".parse()?, folder })
    }

    /// The records of a claim file with one of each kind.
    fn records(&self) -> Result<Vec<Record>> {
        let mut file = ClaimFile::new(Claim::new(self.claim.clone()));
        file.claim.claim_number = Some("CLM-1".into());
        file.claim.custom_fields.insert("reserve".into(), "1.50".parse()?);
        let mut assessment = Assessment::new("CONFORMANCE/A-1".parse()?);
        assessment.status = Some("scheduled".into());
        assessment.bills.push(Bill::new("CONFORMANCE/B-1".parse()?));
        file.assessments.push(assessment);
        file.contacts.push(Contact::new("CONFORMANCE/P-1".parse()?));
        let mut note = Note::new("CONFORMANCE/N-1".parse()?);
        note.body = Some("Please examine.".into());
        file.notes.push(note);
        let mut document = Document::new(self.document.clone());
        document.name = Some("report.txt".into());
        document.size = Some(REPORT.len() as u64);
        document.sha256 = Some(digest(REPORT));
        file.documents.push(document);
        file.to_records()
    }

    fn staged(&self, name: &str) -> StagedDocuments {
        let mut staged = StagedDocuments::new();
        staged.insert(self.document.clone(), self.folder.path().join(name));
        staged
    }

    /// One record that speaks of one field.
    fn field(&self, kind: RecordKind, id: &ExchangeId, name: &str, value: Json) -> Record {
        let mut record = Record::new(kind, id.clone());
        record.fields.insert(name.to_owned(), value);
        record
    }
}

fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_hex()
}

fn loaded(cases: &impl CaseSystem, sample: &Sample) -> Result<Option<ClaimFile>> {
    cases.load(&sample.claim)
}

fn local(cases: &impl CaseSystem, sample: &Sample) -> Result<Vec<Record>> {
    loaded(cases, sample)?.map_or_else(|| Ok(Vec::new()), |file| file.to_records())
}

/// Merges these records into what stands in the case system, with what stands there as the common state.
fn changes(cases: &impl CaseSystem, sample: &Sample, incoming: &[Record]) -> Result<ChangeSet> {
    let local = local(cases, sample)?;
    merge(&local, incoming, &local, ConflictPolicy::Stop)
}

fn bytes(cases: &impl CaseSystem, sample: &Sample) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    cases.open_document(&sample.claim, &sample.document)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fails_with<T>(result: Result<T>, kind: ErrorKind, promise: &str) -> Result<()> {
    Error::ensure(result.is_err_and(|error| error.kind() == kind), promise)
}

fn an_unknown_claim_is_not_there(cases: &impl CaseSystem, sample: &Sample) -> Result<()> {
    Error::ensure(loaded(cases, sample)?.is_none(), "a claim that was not added is not there")?;
    let document = cases.open_document(&sample.claim, &sample.document);
    fails_with(document, ErrorKind::UnknownClaim, "a document of an unknown claim cannot be opened")
}

fn a_package_without_its_bytes_adds_nothing(cases: &impl CaseSystem, sample: &Sample) -> Result<()> {
    let set = changes(cases, sample, &sample.records()?)?;
    let unstaged = cases.apply(&set, &StagedDocuments::new(), "anna");
    fails_with(unstaged, ErrorKind::InvalidArgument, "a document without staged bytes is refused")?;
    let altered = cases.apply(&set, &sample.staged("revised"), "anna");
    fails_with(altered, ErrorKind::Altered, "bytes that are not those a document names are refused")?;
    Error::ensure(loaded(cases, sample)?.is_none(), "a set that cannot be applied whole changes nothing")
}

fn a_new_claim_is_added_whole_and_only_once(cases: &impl CaseSystem, sample: &Sample) -> Result<()> {
    let records = sample.records()?;
    let set = changes(cases, sample, &records)?;
    for _ in 0..2 {
        cases.apply(&set, &sample.staged("report"), "anna")?;
        Error::ensure(
            local(cases, sample)? == records,
            "a claim is added with every record and value, and applying the set again is harmless",
        )?;
        Error::ensure(bytes(cases, sample)? == REPORT, "a document's bytes are those that were staged")?;
    }
    Error::ensure(sample.folder.path().join("report").exists(), "staged files are copied, not moved")
}

fn an_update_touches_only_what_it_names(cases: &impl CaseSystem, sample: &Sample) -> Result<()> {
    let mut expected = sample.records()?;
    let status = sample.field(RecordKind::Assessment, &expected[1].id, "status", "completed".into());
    let cleared = sample.field(RecordKind::Claim, &sample.claim, "claim_number", Json::NULL);
    let set = changes(cases, sample, &[status, cleared])?;
    cases.apply(&set, &StagedDocuments::new(), "anna")?;
    expected[1].fields.insert("status".into(), "completed".into());
    expected[0].fields.remove("claim_number");
    Error::ensure(
        local(cases, sample)? == expected,
        "an update changes the fields it names, clears those it gives no value, and leaves all others",
    )
}

fn a_set_that_may_not_be_applied_changes_nothing(cases: &impl CaseSystem, sample: &Sample) -> Result<()> {
    let ours = sample.field(RecordKind::Claim, &sample.claim, "status", "open".into());
    let stale = changes(
        cases,
        sample,
        &[
            sample.field(RecordKind::Claim, &sample.claim, "loss_description", "fall".into()),
            sample.field(RecordKind::Note, &"CONFORMANCE/N-1".parse()?, "subject", "knee".into()),
            sample.field(RecordKind::Assessment, &"CONFORMANCE/A-1".parse()?, "status", "billed".into()),
        ]
        .map(|mut record| {
            if record.kind == RecordKind::Claim {
                record.fields.insert("status".into(), "closed".into());
            }
            record
        }),
    )?;
    cases.apply(&changes(cases, sample, std::slice::from_ref(&ours))?, &StagedDocuments::new(), "anna")?;
    let before = loaded(cases, sample)?;
    let moved = cases.apply(&stale, &StagedDocuments::new(), "anna");
    fails_with(moved, ErrorKind::Conflict, "a set made before the claim was changed here is refused")?;

    let theirs = sample.field(RecordKind::Claim, &sample.claim, "status", "closed".into());
    let blocked = merge(&local(cases, sample)?, &[theirs], &[], ConflictPolicy::Stop)?;
    let stopped = cases.apply(&blocked, &StagedDocuments::new(), "anna");
    fails_with(stopped, ErrorKind::Conflict, "a blocked set is refused")?;
    Error::ensure(loaded(cases, sample)? == before, "a refused set changes nothing")
}

fn a_document_gets_new_bytes(cases: &impl CaseSystem, sample: &Sample) -> Result<()> {
    let mut revised = Record::new(RecordKind::Document, sample.document.clone());
    revised.fields.insert("name".into(), "report.txt".into());
    revised.fields.insert("size".into(), Json::from_serialize(&REVISED.len())?);
    revised.fields.insert("sha256".into(), digest(REVISED).into());
    let set = changes(cases, sample, &[revised])?;
    let before = loaded(cases, sample)?;
    let altered = cases.apply(&set, &sample.staged("report"), "anna");
    fails_with(altered, ErrorKind::Altered, "old bytes are refused for a revised document")?;
    Error::ensure(
        loaded(cases, sample)? == before && bytes(cases, sample)? == REPORT,
        "a document whose new bytes are refused keeps its old ones",
    )?;
    cases.apply(&set, &sample.staged("revised"), "anna")?;
    Error::ensure(bytes(cases, sample)? == REVISED, "a revised document has its new bytes")
}
