//! The main job: a claim file goes from an insurer to a medical examiner and back, over real HTTPS on this machine.
//!
//! ```sh
//! cargo run --release --example exchange                  # out with des-md5, back with age, a sample claim
//! cargo run --release --example exchange -- --suite age   # one suite for both ways
//! cargo run --release --example exchange -- DIR           # the files of your own folder as the claim's documents
//! ```
//!
//! It checks its own result, and exits with 1 when anything differs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

mod progress_bar;
mod sample_claim;
mod site;
mod story;
mod two_sites;

use claimwire::codec::Suite;
use claimwire::exchange::ExportOptions;
use claimwire::model::{ClaimFile, Document, ExchangeId};
use claimwire::{ErrorKind, Result};
use sample_claim::SampleDocument;
use site::Party;
use std::path::PathBuf;
use std::process::ExitCode;
use story::{check, say, step};
use two_sites::TwoSites;

fn main() -> ExitCode {
    let (suite, folder) = match arguments() {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::FAILURE;
        }
    };
    match there_and_back(suite, folder) {
        Ok(()) => {
            println!("\nEverything arrived as it was sent, and nothing private left its site.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nFailed ({}): {error}", error.kind().name());
            error.details().iter().for_each(|detail| eprintln!("  - {detail}"));
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<(Option<Suite>, Option<PathBuf>), String> {
    const USAGE: &str = "usage: exchange [--suite des-md5|age] [DIR]";
    let (mut suite, mut folder) = (None, None);
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        if word == "--suite" {
            let name = words.next().and_then(|name| name.into_string().ok()).ok_or(USAGE)?;
            suite = Some(name.parse().map_err(|error| format!("{error}\n{USAGE}"))?);
        } else if word.to_string_lossy().starts_with('-') || folder.is_some() {
            return Err(USAGE.into());
        } else {
            folder = Some(PathBuf::from(word));
        }
    }
    Ok((suite, folder))
}

fn there_and_back(suite: Option<Suite>, folder: Option<PathBuf>) -> Result<()> {
    let (out, back) = (suite.unwrap_or(Suite::DesMd5), suite.unwrap_or(Suite::Age));
    let sites = TwoSites::set_up(out, back, folder.is_none())?;
    let (insurer, examiner) = (&sites.insurer, &sites.examiner);
    let site = insurer.exchange.site().clone();

    step("The insurer has a claim file");
    let documents = match folder {
        Some(folder) => sample_claim::documents_of_folder(&site, &folder)?,
        None => sample_claim::claim_documents(&site)?,
    };
    let file = sample_claim::claim_file(&site)?;
    let claim = file.claim.id.clone();
    insurer.cases.put(&file)?;
    for document in &documents {
        insurer.cases.add_document(&claim, document.record.clone(), document.open()?)?;
    }
    say(format!("claim {claim}, {} notes, {} documents:", file.notes.len(), documents.len()));
    let before = insurer.file(&claim)?;
    before.documents.iter().for_each(|document| say(format!("  {}", story::document_line(document))));

    step("Dana Whitfield presses export, for Independent Medical Examiners");
    story::send_claim(insurer, examiner, &claim, "d.whitfield")?;
    let refused =
        insurer.exchange.export(&claim, examiner.exchange.site(), &ExportOptions::by("d.whitfield"));
    let refused = refused.err().filter(|error| error.kind() == ErrorKind::ExportRulesViolated);
    check("a second export without a new note is refused", refused.is_some())?;
    refused.iter().flat_map(|error| error.details()).for_each(|why| say(format!("pressed again: {why}")));

    step("The examiners' office is told, and unpacks");
    story::unpack_new_packages(examiner, "front.desk")?;
    let there = examiner.file(&claim)?;
    check(
        "every document that may leave arrived byte for byte",
        story::same_documents(insurer, examiner, &claim)?,
    )?;
    check("the insurer's internal notes and documents stayed at home", nothing_internal(&before, &there))?;
    check("the insurer's reserve stayed at home", !there.claim.custom_fields.contains_key("reserve_amount"))?;
    check("the agreed custom field travelled", there.claim.custom_fields.contains_key("language"))?;

    step("Dr. Brandt examines, writes a report and a note, and the office sends the claim back");
    let report = examine(examiner, &claim)?;
    story::send_claim(examiner, insurer, &claim, "front.desk")?;

    step("The insurer is told, and unpacks");
    story::unpack_new_packages(insurer, "d.whitfield")?;
    let after = insurer.file(&claim)?;
    check(
        "the report came back byte for byte",
        insurer.digest(&claim, &report)? == examiner.digest(&claim, &report)?,
    )?;
    check("the assessment is completed", after.assessments[0].status.as_deref() == Some("completed"))?;
    check("the examiner's note arrived", after.notes.len() == before.notes.len() + 1)?;
    check(
        "the insurer's private fields are untouched",
        private_fields_of(&after) == private_fields_of(&before),
    )?;
    let findings = examiner.file(&claim)?.claim.custom_fields.contains_key("examiner_file");
    check("the examiner's private fields are untouched", findings)?;
    check("and never left", !after.claim.custom_fields.contains_key("examiner_file"))?;

    step("Both histories");
    for party in [insurer, examiner] {
        story::print_history(party)?;
        check(&format!("{} can prove every step", party.name), story::history_is_complete(party)?)?;
    }
    sites.shut_down()
}

/// What the examiner does: a report, a note for the insurer, a note of his own, a private field.
fn examine(examiner: &Party, claim: &ExchangeId) -> Result<ExchangeId> {
    let site = examiner.exchange.site();
    let id = |local: &str| ExchangeId::new(site, local);
    let before = examiner.file(claim)?;
    let mut file = before.clone();
    file.assessments[0].status = Some("completed".into());
    file.assessments[0].findings =
        Some("Sprain of the medial collateral ligament; full recovery expected.".into());
    file.claim.custom_fields.insert("examiner_file".into(), "IMEX-2026-88".into());
    let answer = "The report is attached. No second examination is needed.";
    file.notes.push(sample_claim::note(id("N-1")?, "Dr. L. Brandt", answer)?);
    let mut private = sample_claim::note(id("N-2")?, "Dr. L. Brandt", "Dictation to be billed separately.")?;
    private.internal = Some(true);
    file.notes.push(private);
    examiner.cases.update(&before, &file)?;

    let report = id("D-1")?;
    let mut record = Document::new(report.clone());
    record.name = Some("CLM-2026-0117_medical-report.pdf".into());
    record.document_type = Some("medical report".into());
    record.media_type = Some("application/pdf".into());
    let document = SampleDocument::of_bytes(record, sample_claim::medical_report());
    examiner.cases.add_document(claim, document.record.clone(), document.open()?)?;
    say("a report, a note, and a private note were added");
    Ok(report)
}

/// Whether nothing that is internal at its home is at the other side.
fn nothing_internal(home: &ClaimFile, away: &ClaimFile) -> bool {
    let (_, internal) = private_fields_of(home);
    let notes = away.notes.iter().map(|note| &note.id);
    let documents = away.documents.iter().map(|document| &document.id);
    !notes.chain(documents).any(|id| internal.contains(id))
}

/// What the insurer never sends: a custom field, internal notes, internal documents.
fn private_fields_of(file: &ClaimFile) -> (Option<String>, Vec<ExchangeId>) {
    let notes = file.notes.iter().filter(|note| note.is_internal()).map(|note| note.id.clone());
    let documents =
        file.documents.iter().filter(|document| document.is_internal()).map(|document| document.id.clone());
    let reserve = file.claim.custom_fields.get("reserve_amount").map(ToString::to_string);
    (reserve, notes.chain(documents).collect())
}
