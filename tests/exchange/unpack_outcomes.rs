//! What an unpack can end in, row by row: its code, its text for the handler, its details, its line in the error log of
//! incoming packages. A try that failed changed nothing, and the next one, after the repair, succeeds.

use crate::support::*;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem, StagedDocuments};
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, SealingKey};
use claimwire::exchange::{Exchange, ExchangeSettings, Partner};
use claimwire::ledger::{HistoryQuery, IncomingState, Step};
use claimwire::merge::{ChangeSet, ConflictPolicy};
use claimwire::model::{Assessment, Bill, ClaimFile, ExchangeId, PackageId, PackageKind};
use claimwire::rules::{Catalogue, ImportRules, UnknownType};
use claimwire::transport::MemoryTransport;
use claimwire::{Error, ErrorKind, Result};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A case system whose types are listed, and which can be made to fail.
struct Hospital {
    cases: Arc<SqliteCaseSystem>,
    catalogue: Mutex<Catalogue>,
    fails: AtomicBool,
}

impl CaseSystem for Hospital {
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>> {
        self.cases.load(claim)
    }

    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>> {
        self.cases.open_document(claim, document)
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            let said = "the case database is in maintenance until 06:00";
            return Err(Error::new(ErrorKind::CaseSystem, said));
        }
        self.cases.apply(changes, documents, by)
    }

    fn catalogue(&self) -> Result<Catalogue> {
        Ok(self.catalogue.lock().unwrap().clone())
    }
}

/// Two sites and a package of a claim, with an assessment and a bill, that the examiner holds.
struct Held {
    sites: TwoSites,
    claim: ExchangeId,
    package: PackageId,
}

impl Held {
    fn at(sites: TwoSites) -> Self {
        let claim = sites.claim_at_insurer();
        let mut file = sites.insurer.file(&claim);
        file.claim.claim_type = Some("Accident Benefits".into());
        let mut assessment = Assessment::new(id("ON-INS/A-1"));
        assessment.r#type = Some("IME".into());
        let mut bill = Bill::new(id("ON-INS/B-1"));
        bill.r#type = Some("OCF-21".into());
        assessment.bills.push(bill);
        file.assessments.push(assessment);
        sites.insurer.cases.put(&file).unwrap();
        let package = sites.export(&claim).unwrap().package.id;
        sites.insurer.exchange.send(package, &()).unwrap();
        Self { sites, claim, package }
    }

    fn new() -> Self {
        Self::at(TwoSites::new())
    }

    /// Unpacks, expects this kind, these words for the handler and as many detail lines, and checks all that must hold
    /// of a failed try.
    #[track_caller]
    fn fails(&self, kind: ErrorKind, words: &[&str], details: usize) -> Error {
        let examiner = &self.sites.examiner;
        let logged = examiner.exchange.incoming_errors(&HistoryQuery::new()).unwrap();
        let before = examiner.cases.load(&self.claim).unwrap();
        let error = examiner.exchange.unpack(self.package, "front desk", &()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        says(&error, words);
        says(&error, &["Northern Mutual", &self.package.to_string()]);
        assert_eq!(error.details().len(), details, "{:#?}", error.details());

        assert_eq!(examiner.cases.load(&self.claim).unwrap(), before, "nothing changed in the case system");
        assert!(is_tidy(examiner), "{:?}", stored(examiner));
        let incoming = examiner.exchange.incoming(self.package).unwrap();
        assert_eq!((incoming.state, incoming.is_new), (IncomingState::Failed, true));

        let log = examiner.exchange.incoming_errors(&HistoryQuery::new()).unwrap();
        assert_eq!(log.len(), logged.len() + 1, "one line for one try");
        assert_eq!(log[1..], logged, "newest first, and nothing taken back");
        let line = log[0].error.as_ref().unwrap();
        assert_eq!((line.kind.as_str(), line.message.as_str()), (kind.name(), error.to_string().as_str()));
        assert_eq!(line.details, error.details());
        assert_eq!(
            (log[0].package, log[0].step, log[0].by.as_str()),
            (self.package, Step::Failed, "front desk")
        );
        error
    }

    /// The next try succeeds, is no error, and takes none back.
    #[track_caller]
    fn succeeds(&self) {
        let examiner = &self.sites.examiner.exchange;
        let logged = examiner.incoming_errors(&HistoryQuery::new()).unwrap();
        let unpacked = examiner.unpack(self.package, "front desk", &()).unwrap();
        assert_eq!(unpacked.claim, self.claim);
        let (here, there) = (self.sites.insurer.file(&self.claim), self.sites.examiner.file(&self.claim));
        assert_eq!(there.claim.claim_number.as_deref(), Some("C-1"));
        assert_eq!((there.documents.len(), there.assessments[0].bills.len()), (1, 1));
        assert_eq!(there.notes.len(), here.notes.len());
        let incoming = examiner.incoming(self.package).unwrap();
        assert_eq!((incoming.state, incoming.last_error), (IncomingState::Unpacked, None));
        assert_eq!(incoming.claim.as_ref(), Some(&self.claim), "from here the user goes to the claim");
        assert_eq!(examiner.incoming_errors(&HistoryQuery::new()).unwrap(), logged);
    }

    /// The examiner gets the insurer's settings changed.
    fn set(&self, change: impl FnOnce(Partner) -> Partner) {
        let examiner = &self.sites.examiner.exchange;
        let partner = Partner::clone(&examiner.partner(self.sites.insurer.site()).unwrap());
        examiner.set_partner(change(partner));
    }

    /// From now on the insurer seals with this key.
    fn insurer_seals(&self, version: u32, key: impl Into<SealingKey>) {
        let insurer = &self.sites.insurer.exchange;
        let partner = Partner::clone(&insurer.partner(self.sites.examiner.site()).unwrap());
        insurer.set_partner(partner.seal_with(version, key));
    }

    /// The next package of the claim, held by the examiner.
    fn next(self) -> Self {
        add_note(&self.sites.insurer, &self.claim, "N-2", "One more.");
        let package = self.sites.export(&self.claim).unwrap().package.id;
        self.sites.insurer.exchange.send(package, &()).unwrap();
        Self { package, ..self }
    }
}

#[test]
fn success_leaves_nothing_to_do_and_no_line_in_the_error_log() {
    let held = Held::new();
    held.succeeds();
    assert!(held.sites.examiner.exchange.incoming_errors(&HistoryQuery::new()).unwrap().is_empty());
}

#[test]
fn the_wrong_password_is_told_as_the_wrong_key() {
    let held = Held::new();
    let sealed = std::fs::read(sealed_path(&held.sites.examiner, "inbox")).unwrap();
    held.set(|partner| partner.open_with(1, other_password(&sealed, false)));
    held.fails(ErrorKind::WrongKey, &["password"], 0);
    held.set(|partner| partner.open_with(1, held.sites.keys.legacy.clone()));
    held.succeeds();
}

#[test]
fn the_wrong_key_pair_is_told_as_the_wrong_key() {
    let held = Held::new();
    held.insurer_seals(2, held.sites.keys.identity.recipient());
    let held = held.next();
    held.set(|partner| partner.open_with(2, AgeIdentity::generate()));
    held.fails(ErrorKind::WrongKey, &["another recipient"], 0);
    held.set(|partner| partner.open_with(2, held.sites.keys.identity.clone()));
    held.succeeds();
}

#[test]
fn a_key_that_was_rotated_on_one_side_only_is_told_as_such() {
    let held = Held::new();
    let next = DesMd5Key::new("next-Secret1", Framing::SaltPrefix).unwrap();
    held.insurer_seals(3, next.clone());
    let held = held.next();
    let words = ["key version 3", "known here: 1, 2", "rotated on one side only", "unpack again"];
    held.fails(ErrorKind::UnknownKeyVersion, &words, 0);
    held.set(|partner| partner.open_with(3, next));
    held.succeeds();
}

#[test]
fn what_cannot_be_unzipped_most_likely_has_the_wrong_key() {
    let held = Held::new();
    let sealed = std::fs::read(sealed_path(&held.sites.examiner, "inbox")).unwrap();
    // One wrong password in 256 passes the padding.
    held.set(|partner| partner.open_with(1, other_password(&sealed, true)));
    held.fails(
        ErrorKind::NotAnArchive,
        &["most likely the key is wrong", "compare it with the partner's"],
        0,
    );
    held.set(|partner| partner.open_with(1, held.sites.keys.legacy.clone()));
    held.succeeds();
}

#[test]
fn an_archive_that_is_no_package_is_told_as_such_and_the_right_one_is_taken_after_it() {
    let held = Held::new();
    let letter = archive_of(&[("letter.txt".to_owned(), b"Dear colleagues,".to_vec())]);
    let delivery = Delivery::of_archive(&held.sites, PackageId::generate(), &letter, 1);
    let held = Held { package: delivery.taken(&held.sites), ..held };
    held.fails(ErrorKind::NotAPackage, &["manifest"], 0);
    held.next().succeeds();
}

/// Sites where the examiner has such a case system, which knows these types.
fn hospital(catalogue: Catalogue) -> (TwoSites, Arc<Hospital>) {
    let mut sites = TwoSites::new();
    let cases = sites.examiner.cases.clone();
    let hospital =
        Arc::new(Hospital { cases, catalogue: Mutex::new(catalogue), fails: AtomicBool::new(false) });
    let folder = sites.examiner.folder.join("hospital");
    std::fs::create_dir(&folder).unwrap();
    let insurer = Partner::clone(&sites.examiner.exchange.partner(sites.insurer.site()).unwrap());
    let signs = sites.keys.examiner_signs.clone();
    let settings = ExchangeSettings::new(examiner_site(), folder.join("exchange"), signs, hospital.clone());
    sites.examiner.exchange = Exchange::open(settings.with_partner(insurer)).unwrap();
    sites.examiner.folder = folder;
    let examiner = Partner::clone(&sites.insurer.exchange.partner(sites.examiner.site()).unwrap());
    let transport = MemoryTransport::new(Arc::new(sites.examiner.exchange.clone()));
    sites.insurer.exchange.set_partner(examiner.reached_by(transport));
    (sites, hospital)
}

#[test]
fn each_unknown_type_has_a_line_that_names_it_and_asks_to_contact_the_sender() {
    let none: [&str; 0] = [];
    let (sites, hospital) =
        hospital(Catalogue::new().claim_types(["Property"]).assessment_types(none).bill_types(["OCF-18"]));
    let held = Held::at(sites);
    let error = held.fails(ErrorKind::ImportRulesViolated, &["Accident Benefits", "IME", "OCF-21"], 3);
    for (line, (code, record, missing)) in error.details().iter().zip([
        ("unknown-claim-type", "ON-INS/C-1", "The claim type `Accident Benefits`"),
        ("unknown-assessment-type", "ON-INS/A-1", "The assessment type `IME`"),
        ("unknown-bill-type", "ON-INS/B-1", "The bill type `OCF-21`"),
    ]) {
        assert!(line.message.starts_with(missing) && line.message.contains("Contact the sender"), "{line}");
        assert_eq!((line.code.as_deref(), line.subject.as_deref()), (Some(code), Some(record)));
    }

    // One type is added, one is accepted: the third alone is left.
    *hospital.catalogue.lock().unwrap() =
        Catalogue::new().claim_types(["accident benefits"]).assessment_types(none).bill_types(none);
    let rules = ImportRules::new().unknown_bill_types(UnknownType::Accept);
    held.set(|partner| partner.with_import_rules(rules));
    let error = held.fails(ErrorKind::ImportRulesViolated, &["IME"], 1);
    assert_eq!(error.details()[0].code.as_deref(), Some("unknown-assessment-type"), "{error}");

    *hospital.catalogue.lock().unwrap() = Catalogue::new();
    held.succeeds();
}

#[test]
fn a_case_system_that_fails_is_told_with_its_own_words() {
    let (sites, hospital) = hospital(Catalogue::new());
    let held = Held::at(sites);
    hospital.fails.store(true, Ordering::SeqCst);
    let error = held.fails(ErrorKind::CaseSystem, &["in maintenance until 06:00"], 0);
    assert!(error.is_retryable());
    held.fails(ErrorKind::CaseSystem, &["in maintenance until 06:00"], 0);
    hospital.fails.store(false, Ordering::SeqCst);
    held.succeeds();
    let log = held.sites.examiner.exchange.incoming_errors(&HistoryQuery::new()).unwrap();
    assert_eq!(log.len(), 2, "both tries stay");
}

#[test]
fn a_protected_claim_and_a_conflict_are_told_and_unpacked_once_settled() {
    let held = Held::new();
    held.succeeds();
    let mut there = held.sites.examiner.file(&held.claim);
    there.claim.status = Some("closed".into());
    held.sites.examiner.cases.put(&there).unwrap();
    held.set(|partner| partner.with_import_rules(ImportRules::new().protect(["closed"])));
    let mut here = held.sites.insurer.file(&held.claim);
    here.claim.status = Some("reopened".into());
    held.sites.insurer.cases.put(&here).unwrap();
    let held = held.next();

    let error = held.fails(ErrorKind::ImportRulesViolated, &["`C-1` is protected"], 1);
    assert!(!error.is_retryable());
    held.set(|partner| partner.with_import_rules(ImportRules::new()));
    let error = held.fails(ErrorKind::Conflict, &["both sides changed", "nothing was applied"], 1);
    says(&error, &["`status` of claim ON-INS/C-1"]);
    assert_eq!(error.details()[0].code.as_deref(), Some("conflict"));
    held.set(|partner| partner.settling_conflicts(ConflictPolicy::Theirs));
    held.succeeds();
    assert_eq!(held.sites.examiner.file(&held.claim).claim.status.as_deref(), Some("reopened"));
}

#[test]
fn the_error_log_has_filters_and_pages_and_the_notes_that_were_refused() {
    let held = Held::new();
    let sealed = std::fs::read(sealed_path(&held.sites.examiner, "inbox")).unwrap();
    held.set(|partner| partner.open_with(1, other_password(&sealed, false)));
    for _ in 0..3 {
        held.fails(ErrorKind::WrongKey, &[], 0);
    }
    held.set(|partner| partner.open_with(1, held.sites.keys.legacy.clone()));
    held.succeeds();
    // The examiner loses the claim, and is sent notes of it.
    let cases = rusqlite::Connection::open(held.sites.examiner.folder.join("cases/cases.sqlite3")).unwrap();
    cases.execute_batch("DELETE FROM document_versions; DELETE FROM records; DELETE FROM claims;").unwrap();
    add_note(&held.sites.insurer, &held.claim, "N-2", "Is anybody there?");
    let to = held.sites.examiner.site();
    let notes = held.sites.insurer.exchange.export_notes(&held.claim, to, "dana").unwrap().package.id;
    assert!(held.sites.insurer.exchange.send(notes, &()).is_err());

    let examiner = &held.sites.examiner.exchange;
    let log = |query: HistoryQuery| examiner.incoming_errors(&query).unwrap();
    let all = log(HistoryQuery::new());
    assert_eq!(all.len(), 4);
    assert_eq!(
        (all[0].step, all[0].error.as_ref().unwrap().kind.as_str()),
        (Step::Rejected, "unknown-claim")
    );
    let first = log(HistoryQuery::new().limit(2));
    assert_eq!(first, all[..2]);
    assert_eq!(log(HistoryQuery::new().limit(2).after(first[1].number)), all[2..]);
    assert_eq!(log(HistoryQuery::new().package(held.package).by("front desk")), all[1..]);
    assert_eq!(log(HistoryQuery::new().kind(PackageKind::Notes)), all[..1]);
    assert_eq!(log(HistoryQuery::new().claim(held.claim.clone())), all[..1], "the others were never opened");
    assert!(log(HistoryQuery::new().until(all[3].at)).is_empty());
    assert!(log(HistoryQuery::new().steps([Step::Acknowledged])).is_empty());
    assert!(log(HistoryQuery::new().partner(third_site())).is_empty());
}
