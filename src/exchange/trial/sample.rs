//! The sample: a fictional claim in the types, statuses and custom fields that this site really uses.

use crate::codec::{Encryptor, PackOptions, SealingKey};
use crate::exchange::partner::Partner;
use crate::model::{
    Assessment, Bill, Claim, ClaimFile, Contact, Document, ExchangeId, Json, Note, Package, PackageId,
    Record, RecordKind, SiteId,
};
use crate::package::PackageWriter;
use crate::rules::Catalogue;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// The most bytes of a sealed sample, in either direction.
pub(super) const SAMPLE_LIMIT: u64 = 256 * 1024;
/// The most bytes of a caller's sample claim as JSON.
const CLAIM_LIMIT: usize = 256 * 1024;
/// The most assessments, and the most bills, of a sample.
const MOST_TYPES: usize = 50;
/// What stands in every document of a sample.
const DOCUMENT: &[u8] = b"This is a sample document. It was sent to try the exchange and is about nobody.\n";
const TEXT: &str = "Sample, sent to try the exchange; about nobody.";

/// A claim file about nobody: a claim, an assessment and a bill for each type known here (at least one), a note, a
/// contact, a document. The same package id gives the same file.
pub(super) fn sample_claim(
    site: &SiteId,
    partner: &Partner,
    catalogue: &Catalogue,
    package: PackageId,
) -> Result<ClaimFile> {
    let id = |what: &str| ExchangeId::new(site, &format!("trial-{package}-{what}"));
    let names = |kind: RecordKind| {
        let [_, mapped, statuses] = partner.names.ours(kind);
        let mut types = catalogue.types(kind);
        types.extend(mapped.into_iter().filter(|name| !types.contains(name)).collect::<Vec<_>>());
        types.truncate(MOST_TYPES);
        (owned(types), owned(statuses))
    };
    let custom = |kind: RecordKind| -> BTreeMap<String, Json> {
        let names = partner.selection.custom_fields(kind);
        let any = names.filter(|name| !partner.names.makes_standard(kind, name));
        any.map(|name| (name.to_owned(), Json::from("sample"))).collect()
    };

    let mut claim = Claim::new(id("claim")?);
    let (types, statuses) = names(RecordKind::Claim);
    claim.claim_number = Some("TRIAL-1".into());
    claim.policy_number = Some("TRIAL-POLICY-1".into());
    claim.loss_description = Some(TEXT.into());
    claim.claim_type = types.into_iter().next();
    claim.status = statuses.into_iter().next();
    claim.custom_fields = custom(RecordKind::Claim);
    let mut file = ClaimFile::new(claim);

    let (types, mut statuses) = names(RecordKind::Assessment);
    let allowed = partner.selection.assessment_statuses();
    statuses.extend(allowed.named().map(str::to_owned));
    statuses.retain(|status| allowed.allows(status));
    for number in 0..types.len().max(statuses.len()).clamp(1, MOST_TYPES) {
        let mut assessment = Assessment::new(id(&format!("assessment-{number}"))?);
        assessment.assessment_number = Some(format!("TRIAL-A-{number}"));
        assessment.r#type = types.get(number % types.len().max(1)).cloned();
        assessment.status = statuses.get(number % statuses.len().max(1)).cloned();
        assessment.custom_fields = custom(RecordKind::Assessment);
        file.assessments.push(assessment);
    }
    let (types, statuses) = names(RecordKind::Bill);
    for number in 0..types.len().max(statuses.len()).clamp(1, MOST_TYPES) {
        let mut bill = Bill::new(id(&format!("bill-{number}"))?);
        bill.bill_number = Some(format!("TRIAL-B-{number}"));
        bill.r#type = types.get(number % types.len().max(1)).cloned();
        bill.status = statuses.get(number % statuses.len().max(1)).cloned();
        bill.custom_fields = custom(RecordKind::Bill);
        file.assessments[0].bills.push(bill);
    }

    let mut contact = Contact::new(id("contact")?);
    contact.first_name = Some("Sample".into());
    contact.last_name = Some("Person".into());
    contact.r#type = names(RecordKind::Contact).0.into_iter().next().or_else(|| Some("person".into()));
    contact.custom_fields = custom(RecordKind::Contact);
    file.contacts.push(contact);

    let mut note = Note::new(id("note")?);
    note.subject = Some("Trial".into());
    note.body = Some(TEXT.into());
    note.custom_fields = custom(RecordKind::Note);
    file.notes.push(note);

    let mut document = Document::new(id("document")?);
    let (types, statuses) = names(RecordKind::Document);
    document.name = Some("sample.txt".into());
    document.media_type = Some("text/plain".into());
    document.document_type = types.into_iter().next();
    document.status = statuses.into_iter().next();
    document.custom_fields = custom(RecordKind::Document);
    file.documents.push(document);
    Ok(file)
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// Whether a caller's claim is small enough to be a sample.
pub(super) fn check_size(file: &ClaimFile) -> Result<()> {
    let size = file.to_json()?.len();
    if size <= CLAIM_LIMIT {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("the sample claim has {size} bytes as JSON; a trial takes {CLAIM_LIMIT}: take a smaller one"),
    ))
}

/// Packs and seals a sample for a partner in memory. Whatever a document's record says of its bytes, they are a sample
/// text.
pub(super) fn seal_sample(
    partner: &Partner,
    key: &SealingKey,
    package: Package,
    mut records: Vec<Record>,
) -> Result<Vec<u8>> {
    let options = PackOptions::default().with_compression(partner.compression);
    let mut writer = PackageWriter::with_options(Encryptor::new(key, Vec::new())?, package, &options);
    for document in records.iter_mut().filter(|record| record.kind == RecordKind::Document) {
        document.fields.remove("size");
        document.fields.remove("sha256");
        writer.document(document, DOCUMENT)?;
    }
    writer.finish(records)?.0.finish()
}
