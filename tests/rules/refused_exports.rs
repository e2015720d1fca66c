//! What an export is refused for: every rule that it violates is told at once, and nothing of it is left.

use crate::support::*;
use claimwire::codec::DesMd5Key;
use claimwire::exchange::{ExportOptions, Partner};
use claimwire::ledger::{HistoryQuery, PackageQuery};
use claimwire::model::{Claim, ClaimFile, ExchangeId, RecordKind, SiteId};
use claimwire::rules::ExportRules;
use claimwire::{Error, ErrorKind};

fn sites_with(rules: ExportRules) -> TwoSites {
    TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| partner.with_export_rules(rules)),
        ..Setup::default()
    })
}

/// Exports to the examiner, and expects a refusal that left nothing: one detail line for each of these words.
#[track_caller]
fn refused(sites: &TwoSites, claim: &ExchangeId, lines: &[&str]) -> Error {
    let insurer = &sites.insurer;
    let seen = || {
        let packages = insurer.exchange.outgoing_packages(&PackageQuery::new()).unwrap();
        let history = insurer.exchange.history(&HistoryQuery::new()).unwrap();
        (packages, history, stored(insurer), insurer.file(claim))
    };
    let before = seen();
    let error = sites.export(claim).unwrap_err();
    let said = error.to_string();
    assert_eq!(error.kind(), ErrorKind::ExportRulesViolated, "{said}");
    assert!(said.contains(claim.as_str()) && said.contains("Independent Medical Examiners"), "{said}");
    assert_eq!(error.details().len(), lines.len(), "{:#?}", error.details());
    for (line, word) in error.details().iter().zip(lines) {
        assert!(line.message.contains(word), "`{word}` is not in: {line}");
        assert!(said.contains(&line.message), "the message leaves out: {line}");
    }
    assert_eq!(seen(), before);
    assert!(is_tidy(insurer));
    error
}

/// A claim at the insurer with a number and no note.
fn bare_claim(sites: &TwoSites, id: &str) -> ExchangeId {
    let mut claim = Claim::new(id.parse().unwrap());
    claim.claim_number = Some("C-9".into());
    let file = ClaimFile::new(claim);
    sites.insurer.cases.put(&file).unwrap();
    file.claim.id
}

fn noted(sites: &TwoSites, claim: &ExchangeId) {
    let count = sites.insurer.file(claim).notes.len();
    add_note(&sites.insurer, claim, &format!("N-{count}"), "Please examine.");
}

#[test]
fn without_a_note_nothing_is_exported() {
    let sites = TwoSites::new();
    let claim = bare_claim(&sites, "ON-INS/C-9");
    refused(&sites, &claim, &["Add a note"]);
    noted(&sites, &claim);
    sites.export(&claim).unwrap();
}

#[test]
fn an_internal_note_does_not_count_as_the_note() {
    let sites = TwoSites::new();
    let claim = bare_claim(&sites, "ON-INS/C-9");
    let mut file = sites.insurer.file(&claim);
    let mut internal = note(&insurer_site(), "N-internal", "The insured is lying.");
    internal.internal = Some(true);
    file.notes.push(internal);
    sites.insurer.cases.put(&file).unwrap();
    refused(&sites, &claim, &["neither internal"]);
}

#[test]
fn each_export_needs_a_note_of_its_own_and_the_partner_s_notes_do_not_count() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    refused(&sites, &claim, &["since the last export"]);
    add_note(&sites.examiner, &claim, "N-examiner", "Seen.");
    sites.deliver_back(&claim);
    refused(&sites, &claim, &["since the last export"]);
    noted(&sites, &claim);
    sites.deliver(&claim);
}

#[test]
fn a_note_that_could_not_be_sent_yet_was_exported_all_the_same() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.export(&claim).unwrap();
    refused(&sites, &claim, &["since the last export"]);
}

#[test]
fn documents_are_named_as_the_partner_asks() {
    let rules = ExportRules::new().naming("{claim_number}_{text}.{ext:pdf|txt}".parse().unwrap());
    let sites = sites_with(rules);
    let claim = sites.claim_at_insurer();
    put_document(&sites.insurer, &claim, "D-2", "C-1_report.pdf", b"%PDF");
    put_document(&sites.insurer, &claim, "D-3", "C-1_program.exe", b"MZ");
    let error = refused(&sites, &claim, &["report.txt", "program.exe"]);
    assert!(
        error.details().iter().all(|line| line.message.contains("{claim_number}")),
        "{:?}",
        error.details()
    );
    // What a program needs to rename them by itself: the rule, the document, a name that would do where one would.
    let told: Vec<_> = error
        .details()
        .iter()
        .map(|it| (it.code.as_deref().unwrap(), it.subject.as_deref().unwrap(), it.proposal.as_deref()))
        .collect();
    assert_eq!(told[0], ("document-name", "ON-INS/D-1", Some("C-1_report.txt")));
    assert_eq!((told[1].0, told[1].1), ("document-name", "ON-INS/D-3"));
}

#[test]
fn a_claim_that_came_from_elsewhere_is_not_forwarded() {
    let sites = TwoSites::new();
    let claim = bare_claim(&sites, "ELSEWHERE/C-9");
    noted(&sites, &claim);
    refused(&sites, &claim, &["have forwarding allowed"]);
    let sites = sites_with(ExportRules::new().forwarding_allowed(true));
    let claim = bare_claim(&sites, "ELSEWHERE/C-9");
    noted(&sites, &claim);
    sites.export(&claim).unwrap();
}

#[test]
fn the_originator_may_export_its_claim_to_anyone_and_the_recipient_may_send_it_back() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    add_note(&sites.examiner, &claim, "N-examiner", "Seen.");
    sites.deliver_back(&claim);
}

#[test]
fn a_claim_received_from_one_partner_goes_back_to_it_and_to_no_other() {
    let third: SiteId = "THIRD".parse().unwrap();
    let to = third.clone();
    let sites = TwoSites::with(Setup {
        examiner: Box::new(|settings| {
            let key = DesMd5Key::new("third-Secret1", claimwire::codec::Framing::SaltPrefix).unwrap();
            settings.with_partner(Partner::new(to, "Third Party").seal_with(1, key))
        }),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);
    add_note(&sites.examiner, &claim, "N-examiner", "Seen.");
    let options = ExportOptions::by("front desk");
    let error = sites.examiner.exchange.export(&claim, &third, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ExportRulesViolated);
    assert!(error.to_string().contains("Third Party"), "{error}");
    assert!(sites.examiner.files_in("outbox").is_empty());
    sites.deliver_back(&claim);
}

#[test]
fn a_claim_without_any_number_is_not_exported() {
    let sites = TwoSites::new();
    let claim = bare_claim(&sites, "ON-INS/C-9");
    noted(&sites, &claim);
    let number = |claim_number: Option<&str>, policy_number: Option<&str>| {
        let mut file = sites.insurer.file(&claim);
        file.claim.claim_number = claim_number.map(str::to_owned);
        file.claim.policy_number = policy_number.map(str::to_owned);
        sites.insurer.cases.put(&file).unwrap();
    };
    number(None, None);
    refused(&sites, &claim, &["neither a claim number nor a policy number"]);
    number(Some("  "), None);
    refused(&sites, &claim, &["neither a claim number nor a policy number"]);
    number(None, Some("P-77"));
    sites.export(&claim).unwrap();
}

/// The size, and how much it is too large, as the refusal tells them.
fn told_sizes(error: &Error) -> (u64, u64) {
    let line = error.details().last().unwrap();
    let numbers: Vec<u64> = line
        .message
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap())
        .collect();
    (numbers[0], numbers[1])
}

#[test]
fn the_sealed_size_is_counted_to_the_end_and_nothing_is_left() {
    let noise = |n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[2];
    let scan: Vec<u8> = (0..300_000).map(noise).collect();
    let size_of = |limit: u64| {
        let sites = sites_with(ExportRules::new().sealed_size_limit(limit));
        let claim = sites.claim_at_insurer();
        put_document(&sites.insurer, &claim, "D-2", "scan.jpg", &scan);
        (sites, claim)
    };
    let (sites, claim) = size_of(10_000_000);
    let whole = sites.export(&claim).unwrap().size;
    let error = |limit: u64| {
        let (sites, claim) = size_of(limit);
        refused(&sites, &claim, &["Leave documents out"])
    };
    // Ids and times differ between exports, and deflate by a few bytes with them.
    for limit in [1, 1000, whole / 2, whole - 200] {
        let (size, over) = told_sizes(&error(limit));
        assert_eq!(size, limit + over);
        assert!(size.abs_diff(whole) <= 64, "told {size}, is {whole}");
    }
    let (sites, claim) = size_of(whole + 64);
    sites.export(&claim).unwrap();
}

#[test]
fn every_rule_that_is_violated_is_told_at_once() {
    let rules = ExportRules::new()
        .naming("{claim_number}_{text}.pdf".parse().unwrap())
        .require(RecordKind::Claim, ["loss_date"])
        .require(RecordKind::Document, ["document_type"])
        .sealed_size_limit(500);
    let sites = sites_with(rules);
    let mut record = Claim::new(id("ELSEWHERE/C-9"));
    record.status = Some("open".into());
    let file = ClaimFile::new(record);
    sites.insurer.cases.put(&file).unwrap();
    let claim = file.claim.id;
    put_document(&sites.insurer, &claim, "D-1", "holiday.jpg", &[0xff; 2000]);
    refused(
        &sites,
        &claim,
        &[
            "Add a note",
            "forwarding",
            "claim number",
            "loss_date",
            "document_type",
            "holiday.jpg",
            "more than the 500",
        ],
    );
}

#[test]
fn an_export_to_nobody_or_of_nothing_is_told_as_such() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let options = ExportOptions::by("dana");
    let nobody: SiteId = "NOBODY".parse().unwrap();
    let error = sites.insurer.exchange.export(&claim, &nobody, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownPartner);
    assert!(error.to_string().contains("NOBODY"), "{error}");
    let error = sites.export(&id("ON-INS/C-404")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownClaim);
    assert!(error.to_string().contains("ON-INS/C-404"), "{error}");
    assert!(stored(&sites.insurer).is_empty());
}

#[test]
fn a_document_name_that_could_harm_the_recipient_does_not_leave() {
    for name in ["../../etc/passwd", "NUL.txt", "a\\b.txt", "report.txt ", "gpj.\u{202e}exe", "a/b.txt"] {
        let sites = TwoSites::new();
        let claim = sites.claim_at_insurer();
        put_document(&sites.insurer, &claim, "D-66", name, b"x");
        let error = sites.export(&claim).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HostileName, "{name:?}: {error}");
        assert!(error.to_string().contains("ON-INS/D-66"), "{error}");
        assert!(stored(&sites.insurer).is_empty());
        assert!(sites.insurer.exchange.history(&HistoryQuery::new()).unwrap().is_empty());
    }
}

#[test]
fn a_document_that_is_not_the_file_its_record_describes_does_not_leave() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let damaged = damage_document_store(&sites.insurer);
    assert_eq!(damaged, 1, "one document is kept");
    let error = sites.export(&claim).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreDamaged, "{error}");
    assert!(error.to_string().contains("ON-INS/D-1"), "{error}");
    assert!(stored(&sites.insurer).is_empty());
}

/// Flips a bit in every document the case system keeps.
fn damage_document_store(side: &Side) -> usize {
    let mut folders = vec![side.folder.join("cases")];
    let mut damaged = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).unwrap() == b"Left knee: sprain.\n" {
                std::fs::write(&path, b"Left knee: Sprain.\n").unwrap();
                damaged += 1;
            }
        }
    }
    damaged
}
