//! A claim goes from an insurer to a medical examiner, on to a clinic, and all the way back, over real HTTPS on this
//! machine, between systems that differ in names, types and statuses. What can go wrong on the way does, and is put
//! right as its users would.
//!
//! ```sh
//! cargo run --release --example three_sites
//! ```
//!
//! It checks its own result, and exits with 1 when anything differs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

mod chain;
mod progress_bar;
mod sample_claim;
mod site;
mod story;

use chain::{Chain, Office};
use claimwire::exchange::ExportOptions;
use claimwire::ledger::PackageQuery;
use claimwire::merge::FieldOutcome;
use claimwire::model::{Assessment, ClaimFile, Document, ExchangeId, PackageKind};
use claimwire::{ErrorKind, Result};
use sample_claim::{SampleDocument, note};
use site::Party;
use std::process::ExitCode;
use story::{check, refused, say, send_claim, step, unpack_new_packages};

const RULES: ErrorKind = ErrorKind::ExportRulesViolated;

fn main() -> ExitCode {
    match along_the_chain() {
        Ok(()) => {
            println!("\nEverything arrived where it was meant to, and nothing private left its site.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nFailed ({}): {error}", error.kind().name());
            error.details().iter().for_each(|detail| eprintln!("  - {detail}"));
            ExitCode::FAILURE
        }
    }
}

fn along_the_chain() -> Result<()> {
    let mut chain = Chain::set_up()?;
    let claim = the_insurer_exports(&chain.insurer.party, &chain.examiner.party)?;
    the_examiners_take_it_in(&chain.insurer.party, &chain.examiner.party, &claim)?;
    the_examiners_refer(&mut chain.examiner, &chain.clinic.party, &claim)?;
    the_clinic_answers(&mut chain.clinic, &chain.examiner.party, &claim)?;
    the_examiners_report(&mut chain.examiner, &chain.insurer, &claim)?;
    the_insurer_unpacks(&mut chain.insurer, &chain.examiner.party, &claim)?;
    everybody_has_what_is_theirs(&chain, &claim)?;
    step("The histories");
    for party in [&chain.insurer.party, &chain.examiner.party, &chain.clinic.party] {
        story::print_history(party)?;
        check(&format!("{} can prove every step", party.name), story::history_is_complete(party)?)?;
    }
    chain.shut_down()
}

/// A draft with every fault that the rules know, put right step by step.
fn the_insurer_exports(insurer: &Party, examiner: &Party) -> Result<ExchangeId> {
    step("The insurer has a draft of a claim file, and Dana Whitfield presses export too early");
    let (site, to) = (insurer.exchange.site(), examiner.exchange.site());
    let complete = sample_claim::claim_file(site)?;
    let claim = complete.claim.id.clone();
    let mut draft = complete.clone();
    (draft.claim.claim_number, draft.claim.policy_number, draft.claim.loss_date) = (None, None, None);
    draft.assessments[0].due_date = None;
    draft.notes.retain(|note| note.is_internal());
    insurer.cases.put(&draft)?;
    for document in sample_claim::claim_documents(site)? {
        insurer.cases.add_document(&claim, document.record.clone(), document.open()?)?;
    }
    let large = document(insurer, "D-8", "CLM-2026-0117_dashcam.jpg", "dashcam")?;
    insurer.cases.add_document(&claim, large, noise(1_500_000).as_slice())?;
    let export = || insurer.exchange.export(&claim, to, &ExportOptions::by("d.whitfield"));
    refused(
        "everything that is wrong is told at once",
        RULES,
        export(),
        &[
            "note-missing",
            "claim-number-missing",
            "loss_date",
            "due_date",
            "claim number",
            "more than the 1000000",
        ],
    )?;
    let alone = insurer.exchange.export_notes(&claim, to, "d.whitfield");
    refused("nor can notes go before the claim has", RULES, alone, &["not-exchanged-before"])?;

    step(
        "She fills in what is missing and leaves the large file out; a scan has the name the scanner gave it",
    );
    let mut file = complete;
    file.documents = insurer.file(&claim)?.documents;
    file.documents.retain(|document| document.document_type.as_deref() != Some("dashcam"));
    file.claim.custom_fields.insert("private_file".into(), secret(insurer).as_str().into());
    insurer.cases.put(&file)?;
    let scan = document(insurer, "D-9", "scan0001.pdf", "police report")?;
    insurer.cases.add_document(&claim, scan, sample_claim::medical_report().as_slice())?;
    let error = refused("the naming convention is kept", RULES, export(), &["document-name", "ON-INS/D-9"])?;
    let proposal = error.details()[0].proposal.clone().unwrap_or_default();
    let before = insurer.file(&claim)?;
    let mut file = before.clone();
    file.documents.iter_mut().filter(|found| found.id.local() == "D-9").for_each(|scan| {
        say(format!("she takes the proposed name: {proposal}"));
        scan.name = Some(proposal.clone());
    });
    insurer.cases.update(&before, &file)?;
    send_claim(insurer, examiner, &claim, "d.whitfield")?;
    refused("a second export without a new note is refused", RULES, export(), &["note-missing"])?;
    Ok(claim)
}

fn the_examiners_take_it_in(insurer: &Party, examiner: &Party, claim: &ExchangeId) -> Result<()> {
    step("The examiners' office unpacks, and has its own words for it");
    unpack_new_packages(examiner, "front.desk")?;
    let there = examiner.file(claim)?;
    let assessment = (there.assessments[0].r#type.as_deref(), there.assessments[0].status.as_deref());
    check("the assessment is an IME-ORTHO and booked", assessment == (Some("IME-ORTHO"), Some("booked")))?;
    check("the claim's status is `received`", there.claim.status.as_deref() == Some("received"))?;
    let language = there.claim.custom_fields.get("preferred_language").map(ToString::to_string);
    check("the language is the preferred one", language.as_deref() == Some("\"en\""))?;
    check("every document that may leave arrived", story::same_documents(insurer, examiner, claim)?)?;

    step("Dana sends a note of its own: it is there at once");
    let to = examiner.exchange.site();
    let notes = || insurer.exchange.export_notes(claim, to, "d.whitfield");
    examiner.exchange.mark_viewed(claim, "front.desk")?;
    refused("there is nothing to send before it is written", RULES, notes(), &["no-new-note"])?;
    let moved = note(id(insurer, "N-3")?, "Dana Whitfield", "The claimant has moved to Kingston.")?;
    insurer.cases.add_note(claim, &moved)?;
    let sent = insurer.exchange.send(notes()?.package.id, &())?;
    let arrived = examiner.file(claim)?.notes.iter().any(|note| note.id == moved.id);
    check("the note was applied as it arrived", arrived && sent.state.name() == "unpacked")?;
    let marked = PackageQuery::new().claim(claim.clone()).only_new();
    let new = examiner.exchange.incoming_packages(&marked)?;
    check("it carries the new mark", new.len() == 1 && new[0].kind == PackageKind::Notes)?;
    examiner.exchange.mark_viewed(claim, "l.brandt")?;
    check("until Dr. Brandt has looked", examiner.exchange.incoming_packages(&marked)?.is_empty())
}

/// The examiner adds an assessment that a clinic shall make, and what is nobody else's business.
fn the_examiners_refer(examiner: &mut Office, clinic: &Party, claim: &ExchangeId) -> Result<()> {
    step("The examiners need a physiotherapist's evaluation, and send the claim on");
    let party = &examiner.party;
    let mut file = party.file(claim)?;
    let mut evaluation = Assessment::new(id(party, "A-2")?);
    evaluation.r#type = Some("IME-PHYSIO".into());
    evaluation.status = Some("referred".into());
    let mut editing = Assessment::new(id(party, "A-3")?);
    editing.r#type = Some("IME-ORTHO".into());
    editing.status = Some("report editing".into());
    editing.findings = Some(secret(party));
    file.assessments.extend([evaluation, editing]);
    file.claim.custom_fields.insert("private_file".into(), secret(party).as_str().into());
    file.notes.push(note(id(party, "N-1")?, "Dr. L. Brandt", "Please evaluate the range of motion.")?);
    file.notes.push(private_note(party)?);
    party.cases.put(&file)?;
    add_private_document(party, claim)?;
    let to = clinic.exchange.site();
    let tried = party.exchange.export(claim, to, &ExportOptions::by("l.brandt"));
    refused("the settings forbid it", RULES, tried, &["forwarding-forbidden"])?;
    examiner.change("EASTPT", "forwarding_allowed = false", "forwarding_allowed = true")?;
    say("the administrator allows it, in the settings of the running exchange");
    send_claim(&examiner.party, clinic, claim, "l.brandt")
}

fn the_clinic_answers(clinic: &mut Office, examiner: &Party, claim: &ExchangeId) -> Result<()> {
    step("The clinic has no such type of assessment");
    let package = clinic.party.new_packages()[0];
    let tried = clinic.party.exchange.unpack(package, "reception", &());
    refused(
        "the package waits",
        ErrorKind::ImportRulesViolated,
        tried,
        &["unknown-assessment-type", "IME-PHYSIO"],
    )?;
    say("the administrator maps it to the clinic's own type, and the package is unpacked again");
    let types = "[names.assessment]\ntypes = { \"functional evaluation\" = \"IME-PHYSIO\" }";
    clinic.change("IMEX", "[names.assessment]", types)?;
    let party = &clinic.party;
    party.exchange.unpack(package, "reception", &())?;
    let mut file = party.file(claim)?;
    check("the claim has the status forced on referrals", file.claim.status.as_deref() == Some("referral"))?;
    let only = file.assessments.len() == 1 && file.assessments[0].status.as_deref() == Some("new");
    check("of the assessments only the referred one came, and is new", only)?;
    check(
        "contacts, bills and the policy number stayed",
        file.contacts.is_empty() && file.claim.policy_number.is_none(),
    )?;

    step("The physiotherapist evaluates, and sends it back");
    file.assessments[0].status = Some("finished".into());
    file.assessments[0].findings = Some("Flexion 130 degrees, no instability.".into());
    file.claim.custom_fields.insert("private_file".into(), secret(party).as_str().into());
    file.notes.push(note(id(party, "N-1")?, "M. Tremblay", "Evaluated on Tuesday; sheet attached.")?);
    file.notes.push(private_note(party)?);
    party.cases.put(&file)?;
    let sheet = document(party, "D-1", "range-of-motion.csv", "evaluation sheet")?;
    party.cases.add_document(claim, sheet, b"flexion,130\nextension,0\n".as_slice())?;
    add_private_document(party, claim)?;
    send_claim(party, examiner, claim, "reception")?;
    unpack_new_packages(examiner, "front.desk")?;
    let there = examiner.file(claim)?;
    let evaluation = there.assessments.iter().find(|found| found.id.local() == "A-2");
    check(
        "at the examiners it is an IME-PHYSIO, evaluated, with its findings",
        evaluation.is_some_and(|found| {
            found.status.as_deref() == Some("evaluated")
                && found.r#type.as_deref() == Some("IME-PHYSIO")
                && found.findings.is_some()
        }),
    )?;
    check("their own status of the claim stands", there.claim.status.as_deref() == Some("received"))
}

fn the_examiners_report(examiner: &mut Office, insurer: &Office, claim: &ExchangeId) -> Result<()> {
    step("Meanwhile the insurer has a new key, and both sides move the due date");
    let recipient = insurer.new_key("imex/in-2");
    let known = examiner.settled_recipient("ON-INS")?;
    let newer = format!("version = 2\nsuite = \"age\"\nrecipients = [\"{recipient}\"]");
    examiner.change(
        "ON-INS",
        &format!("version = 1\nsuite = \"age\"\nrecipients = [\"{known}\"]"),
        &newer,
    )?;
    let before = insurer.party.file(claim)?;
    let mut file = before.clone();
    file.assessments[0].due_date = Some("2026-03-31T17:00:00-04:00".parse()?);
    insurer.party.cases.update(&before, &file)?;

    step("Dr. Brandt reports");
    let party = &examiner.party;
    let before = party.file(claim)?;
    let mut file = before.clone();
    file.claim.status = Some("open".into());
    file.assessments[0].status = Some("report sent".into());
    file.assessments[0].due_date = Some("2026-04-02T17:00:00-04:00".parse()?);
    file.assessments[0].findings =
        Some("Sprain of the medial collateral ligament; full recovery expected.".into());
    file.notes.push(note(id(party, "N-2")?, "Dr. L. Brandt", "The report is attached.")?);
    party.cases.update(&before, &file)?;
    let report = document(party, "D-1", "CLM-2026-0117_medical-report.pdf", "medical report")?;
    let report = SampleDocument::of_bytes(report, sample_claim::medical_report());
    party.cases.add_document(claim, report.record.clone(), report.open()?)?;
    let to = insurer.party.exchange.site();
    let export = |options| party.exchange.export(claim, to, &options);
    let error = refused(
        "`open` is no status of theirs, and would come back as another",
        RULES,
        export(ExportOptions::by("l.brandt")),
        &["name-not-mapped", "document-name"],
    )?;
    let proposal = error.details().iter().find_map(|detail| detail.proposal.clone()).unwrap_or_default();
    let before = party.file(claim)?;
    file = before.clone();
    file.claim.status = Some("received".into());
    file.documents
        .iter_mut()
        .filter(|found| found.name.as_deref() == Some("range-of-motion.csv"))
        .for_each(|sheet| sheet.name = Some(proposal.clone()));
    party.cases.update(&before, &file)?;
    // Nothing was picked, or only what may not leave: what is forced goes all the same.
    let picked = ExportOptions::by("l.brandt").with_assessments([id(party, "A-3")?]);
    let sent = export(picked)?;
    check(
        "picked was a report in editing, which stays; the report that is sent goes whatever is picked",
        sent.assessments == [file.assessments[0].id.clone()].into(),
    )?;
    say(format!("POST {}/packages: {}", insurer.party.url, party.exchange.send(sent.package.id, &())?.state));
    Ok(())
}

fn the_insurer_unpacks(insurer: &mut Office, examiner: &Party, claim: &ExchangeId) -> Result<()> {
    step("The insurer unpacks, but nobody has told its exchange of the new key");
    let package = insurer.party.new_packages()[0];
    let tried = insurer.party.exchange.unpack(package, "d.whitfield", &());
    refused(
        "the package waits",
        ErrorKind::UnknownKeyVersion,
        tried,
        &["version 2", "rotated on one side only"],
    )?;
    let both = "[[keys.incoming]]\nversion = 2\nsuite = \"age\"\nsecret = { host = \"imex/in-2\" }\n\n[[keys.verifying]]";
    insurer.change("IMEX", "[[keys.verifying]]", both)?;
    say("the administrator adds the key; the former one stays for what is still on its way");

    step("Dana unpacks again");
    let party = &insurer.party;
    let planned = party.exchange.preview(package, &())?;
    let theirs = planned
        .records
        .iter()
        .flat_map(|record| &record.fields)
        .find(|field| field.outcome == FieldOutcome::ConflictStopped);
    let theirs = theirs.map(|field| (field.name.clone(), field.incoming.clone()));
    check("both moved the due date", theirs.as_ref().is_some_and(|(name, _)| name == "due_date"))?;
    let before = party.file(claim)?;
    let tried = party.exchange.unpack(package, "d.whitfield", &());
    refused("nothing is overwritten", ErrorKind::Conflict, tried, &["due_date"])?;
    check("nothing was changed", party.file(claim)? == before)?;
    say("Dana calls Dr. Brandt, and agrees to the later day");
    let mut file = before.clone();
    file.assessments[0].due_date = examiner.file(claim)?.assessments[0].due_date;
    party.cases.update(&before, &file)?;
    let unpacked = party.exchange.unpack(package, "d.whitfield", &())?;
    unpacked.changes.records.iter().for_each(|record| say(format!("  {}", story::change_line(record))));
    let after = party.file(claim)?;
    check("the assessment is completed", after.assessments[0].status.as_deref() == Some("completed"))?;
    check(
        "and still an orthopaedic examination",
        after.assessments[0].r#type.as_deref() == Some("orthopaedic examination"),
    )?;
    check("the claim is open, as it was", after.claim.status.as_deref() == Some("open"))?;

    step("A last note tells the examiners, and changes nothing else");
    let thanks = note(id(party, "N-4")?, "Dana Whitfield", "Received with thanks.")?;
    party.cases.add_note(claim, &thanks)?;
    send_claim(party, examiner, claim, "d.whitfield")?;
    let package = examiner.new_packages()[0];
    let unpacked = examiner.exchange.unpack(package, "front.desk", &())?;
    check("what came in is not sent back as a change", unpacked.changes.records.len() == 1)
}

fn everybody_has_what_is_theirs(chain: &Chain, claim: &ExchangeId) -> Result<()> {
    step("Everybody has what is theirs");
    let parties = [&chain.insurer.party, &chain.examiner.party, &chain.clinic.party];
    for party in parties {
        let file = String::from_utf8_lossy(&party.file(claim)?.to_json()?).into_owned();
        check(&format!("{} has its private data", party.name), file.contains(&secret(party)))?;
        let foreign = parties
            .iter()
            .filter(|other| other.name != party.name)
            .any(|other| file.contains(&secret(other)));
        check(
            "and nobody else's",
            !foreign && (party.name == parties[0].name || !file.contains("48000.00")),
        )?;
    }
    let [insurer, examiner, clinic] = parties.map(|party| party.file(claim));
    let (insurer, examiner, clinic) = (insurer?, examiner?, clinic?);
    let has = |file: &ClaimFile, local: &str| file.notes.iter().any(|note| note.id.to_string() == local);
    let everywhere = [&insurer, &examiner, &clinic]
        .into_iter()
        .all(|file| has(file, "EASTPT/N-1") && has(file, "ON-INS/N-1"));
    check("the notes of both ends are at both ends", everywhere)?;
    let sheet = ExchangeId::new(chain.clinic.party.exchange.site(), "D-1")?;
    let digests = parties.map(|party| party.digest(claim, &sheet).ok());
    check(
        "the clinic's sheet is the same byte for byte at all three",
        digests[0].is_some() && digests.iter().all(|digest| *digest == digests[0]),
    )?;
    Ok(())
}

fn id(party: &Party, local: &str) -> Result<ExchangeId> {
    ExchangeId::new(party.exchange.site(), local)
}

/// What stands in everything that a site keeps to itself.
fn secret(party: &Party) -> String {
    format!("for {} alone", party.name)
}

fn private_note(party: &Party) -> Result<claimwire::model::Note> {
    let mut private = note(id(party, "N-P")?, "the office", &secret(party))?;
    private.internal = Some(true);
    Ok(private)
}

fn add_private_document(party: &Party, claim: &ExchangeId) -> Result<()> {
    let mut private = document(party, "D-P", "memo.txt", "memo")?;
    private.internal = Some(true);
    private.author = Some(secret(party));
    party.cases.add_document(claim, private, secret(party).as_bytes()).map(drop)
}

fn document(party: &Party, local: &str, name: &str, kind: &str) -> Result<Document> {
    let mut record = Document::new(id(party, local)?);
    record.name = Some(name.to_owned());
    record.document_type = Some(kind.to_owned());
    Ok(record)
}

/// Bytes that do not compress, as in a film (a linear congruential generator, Knuth's MMIX constants).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
