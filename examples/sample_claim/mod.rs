//! A claim file as an insurer has it, with real documents: a PDF, a JPEG, a DOCX, a CSV and a text report.

#![allow(dead_code, reason = "each example uses its own part of this")]

mod documents;

use claimwire::model::{
    Assessment, Bill, Claim, ClaimFile, Code, Contact, ContactRole, Date, Document, ExchangeId, Injury, Json,
    LineItem, Money, Note, SiteId, Timestamp,
};
use claimwire::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(crate) use documents::medical_report;

/// A document's record, and where its bytes are.
pub(crate) struct SampleDocument {
    pub(crate) record: Document,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl SampleDocument {
    pub(crate) fn of_bytes(record: Document, bytes: Vec<u8>) -> Self {
        Self { record, content: Content::Bytes(bytes) }
    }

    pub(crate) fn open(&self) -> Result<Box<dyn Read + '_>> {
        Ok(match &self.content {
            Content::Bytes(bytes) => Box::new(bytes.as_slice()),
            Content::File(path) => Box::new(File::open(path)?),
        })
    }
}

/// The insurer's claim file after a car accident, private fields included.
pub(crate) fn claim_file(site: &SiteId) -> Result<ClaimFile> {
    let id = |local: &str| ExchangeId::new(site, local);
    let day = |text: &str| text.parse::<Date>().map(Some);
    let moment = |text: &str| text.parse::<Timestamp>().map(Some);
    let text = |text: &str| Some(text.to_owned());

    let mut claim = Claim::new(id("CLM-2026-0117")?);
    claim.claim_number = text("CLM-2026-0117");
    claim.policy_number = text("POL-884-2211");
    claim.claim_type = text("auto accident benefits");
    claim.line_of_business = text("auto");
    claim.status = text("open");
    claim.loss_date = day("2026-02-19")?;
    claim.reported_date = day("2026-02-20")?;
    claim.loss_cause = Some(Code::of("ACORD", "rear-end collision"));
    claim.loss_description = text("Struck from behind at a red light; left knee against the dashboard.");
    claim.jurisdiction = text("CA-ON");
    claim.insurer = Some(id("C-INS")?);
    claim.adjuster = Some(id("C-ADJ")?);
    claim.claimant = Some(id("C-CLT")?);
    // Kept to ourselves: no partner's settings list it.
    claim.custom_fields.insert("reserve_amount".into(), Json::from("48000.00 CAD"));
    // Agreed with the examiners.
    claim.custom_fields.insert("language".into(), Json::from("en"));

    let mut file = ClaimFile::new(claim);
    file.contacts = vec![
        company(id("C-INS")?, "Northern Mutual Insurance", "insurer"),
        person(id("C-ADJ")?, "Dana", "Whitfield", "adjuster"),
        person(id("C-CLT")?, "Sam", "Okafor", "claimant"),
    ];
    file.contacts[2].birth_date = day("1984-06-30")?;

    let mut assessment = Assessment::new(id("A-1")?);
    assessment.assessment_number = text("A-1");
    assessment.r#type = text("orthopaedic examination");
    assessment.status = text("scheduled");
    assessment.requested_by = Some(id("C-ADJ")?);
    assessment.scheduled_at = moment("2026-03-12T10:00:00-05:00")?;
    assessment.due_date = moment("2026-03-26T17:00:00-04:00")?;
    assessment.services = vec![Code::of("OHIP", "A065")];
    let mut injury = Injury::default();
    injury.code = Some(Code::of("ICD-10-CA", "S83.6"));
    injury.description = text("Sprain of the left knee");
    assessment.injuries = vec![injury];
    let mut bill = Bill::new(id("B-1")?);
    bill.bill_number = text("B-1");
    bill.r#type = text("no-show fee");
    bill.status = text("submitted");
    bill.total = Some(Money::new("282.50".parse()?, "CAD".parse()?));
    let mut line = LineItem::default();
    line.seq = Some(1);
    line.description = text("Examination missed on 2026-03-05");
    line.amount = Some(Money::new("250.00".parse()?, "CAD".parse()?));
    line.tax = Some(Money::new("32.50".parse()?, "CAD".parse()?));
    bill.line_items = vec![line];
    assessment.bills = vec![bill];
    file.assessments = vec![assessment];

    let mut request =
        note(id("N-1")?, "Dana Whitfield", "Please examine the left knee and give a prognosis.")?;
    request.subject = text("Examination request");
    let mut private = note(id("N-2")?, "Dana Whitfield", "Reserve raised; do not disclose.")?;
    private.internal = Some(true);
    file.notes = vec![request, private];
    Ok(file)
}

/// The documents that go with the claim, named as the naming convention asks; the last one is internal.
pub(crate) fn claim_documents(site: &SiteId) -> Result<Vec<SampleDocument>> {
    let claim = "CLM-2026-0117";
    let bytes: [(&str, &str, &str, Vec<u8>); 6] = [
        ("D-1", "accident report", "pdf", documents::accident_report_pdf()),
        ("D-2", "knee x-ray", "jpg", include_bytes!("knee-xray.jpg").to_vec()),
        ("D-3", "referral letter", "docx", documents::referral_letter_docx()?),
        ("D-4", "treatment costs", "csv", documents::treatment_costs_csv().into_bytes()),
        ("D-5", "clinic notes", "txt", documents::clinic_notes_txt().into_bytes()),
        ("D-6", "surveillance memo", "txt", b"Internal: surveillance ordered.\n".to_vec()),
    ];
    bytes
        .into_iter()
        .map(|(id, kind, extension, bytes)| {
            let mut record = Document::new(ExchangeId::new(site, id)?);
            record.name = Some(format!("{claim}_{}.{extension}", kind.replace(' ', "-")));
            record.document_type = Some(kind.to_owned());
            record.media_type = Some(media_type(extension).to_owned());
            record.internal = (id == "D-6").then_some(true);
            Ok(SampleDocument::of_bytes(record, bytes))
        })
        .collect()
}

/// Every file of the user's own folder as a document; sub-folders are not looked into.
pub(crate) fn documents_of_folder(site: &SiteId, folder: &Path) -> Result<Vec<SampleDocument>> {
    let listed = std::fs::read_dir(folder).map_err(|error| Error::from(error).within(folder.display()))?;
    let mut paths = listed.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|entry| entry.path().is_file());
    paths.sort_by_key(std::fs::DirEntry::file_name);
    paths
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
            let mut record = Document::new(ExchangeId::new(site, &format!("D-{}", index + 1))?);
            record.media_type = Some(media_type(&extension).to_owned());
            record.name = Some(name);
            record.document_type = Some("document".into());
            Ok(SampleDocument { record, content: Content::File(entry.path()) })
        })
        .collect()
}

/// A note of `author`, made now.
pub(crate) fn note(id: ExchangeId, author: &str, body: &str) -> Result<Note> {
    let mut note = Note::new(id);
    note.author = Some(author.to_owned());
    note.body = Some(body.to_owned());
    note.created_at = Some(Timestamp::now());
    Ok(note)
}

fn company(id: ExchangeId, name: &str, role: &str) -> Contact {
    let mut contact = Contact::new(id);
    contact.r#type = Some("company".into());
    contact.name = Some(name.to_owned());
    contact.roles = vec![as_role(role)];
    contact
}

fn person(id: ExchangeId, first: &str, last: &str, role: &str) -> Contact {
    let mut contact = Contact::new(id);
    contact.r#type = Some("person".into());
    contact.first_name = Some(first.to_owned());
    contact.last_name = Some(last.to_owned());
    contact.roles = vec![as_role(role)];
    contact
}

fn as_role(name: &str) -> ContactRole {
    let mut role = ContactRole::default();
    role.role = Some(name.to_owned());
    role
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "pdf" => "application/pdf",
        "jpg" | "jpeg" => "image/jpeg",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "csv" => "text/csv",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}
