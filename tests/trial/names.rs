//! A trial tells where names, types, fields and rules of the two sites do not fit, and which claims it was made with.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
use claimwire::exchange::{Exchange, ExchangeSettings, Partner, TrialOptions};
use claimwire::model::{Claim, ClaimFile, Document, RecordKind};
use claimwire::protocol::{Request, TrialSide};
use claimwire::rules::{Catalogue, ExportRules, FieldChoice, FieldSelection, NameMap, NamingConvention};
use claimwire::transport::MemoryTransport;
use std::io::Read;
use std::sync::Arc;

/// Opens the examiner with a case system that knows these types.
fn examiner_with(catalogue: Catalogue) -> (TwoSites, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let cases = SqliteCaseSystem::open(folder.path().join("cases")).unwrap().with_catalogue(catalogue);
    let exchange_folder = folder.path().join("exchange");
    let setup = Setup::default();
    let keys = setup.keys.clone();
    let insurer = Partner::new(insurer_site(), "Northern Mutual")
        .reached_by(MemoryTransport::new(Arc::new(Between(|_: &Request, _: &mut dyn Read| plain(503)))))
        .seal_with(1, keys.identity.recipient())
        .open_with(1, keys.legacy.clone())
        .verify_with(keys.insurer_signs.verifying_key());
    let settings =
        ExchangeSettings::new(examiner_site(), exchange_folder, keys.examiner_signs.clone(), cases)
            .with_partner(insurer);
    let exchange = Exchange::open(settings).unwrap();
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |partner| {
            partner.reached_by(MemoryTransport::new(Arc::new(exchange)))
        }),
        ..setup
    });
    (sites, folder)
}

#[test]
fn a_name_map_at_one_side_passes_and_one_without_a_name_is_told_at_its_side() {
    let names = || NameMap::new().statuses(RecordKind::Claim, [("open", "in progress")]);
    all_is_well(&tried(&insurer_knows(move |p| p.mapping_names(names()))));

    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |p| p.mapping_names(names())),
        examiner_of_insurer: Box::new(|p| {
            p.mapping_names(NameMap::new().statuses(RecordKind::Claim, [("in progress", "wip")]))
        }),
        ..Setup::default()
    });
    let check = fails(&tried(&sites), "name-not-mapped", TrialSide::Recipient);
    assert!(check.message.contains("in progress"), "{}", check.message);
}

#[test]
fn a_name_that_cannot_be_told_to_the_partner_is_told_before_it_is_sent() {
    let sites =
        insurer_knows(|p| p.mapping_names(NameMap::new().types(RecordKind::Claim, [("auto", "motor")])));
    let report =
        tried_with(&sites, &TrialOptions::by("dana").with_claim(typed_claim("motor", "IME", "OCF-21")));
    assert!(codes(report.failed()).contains(&("export-name-not-mapped", TrialSide::Sender)), "{report}");
}

#[test]
fn a_name_map_that_is_not_valid_is_told_at_its_side_without_its_content() {
    let broken = || NameMap::new().statuses(RecordKind::Claim, [("secret-a", "x"), ("secret-b", "x")]);
    let report = tried(&examiner_knows(move |p| p.mapping_names(broken())));
    let check = fails(&report, "name-map", TrialSide::Recipient);
    assert!(!check.message.contains("secret"));
    let report = tried(&insurer_knows(move |p| p.mapping_names(broken())));
    assert!(fails(&report, "settings", TrialSide::Sender).message.contains("secret-a"));
}

#[test]
fn types_that_the_recipient_does_not_know_are_all_listed() {
    let (sites, _folder) = examiner_with(
        Catalogue::new().claim_types(["auto"]).assessment_types(["IME"]).bill_types(["OCF-21"]),
    );
    let options = |file| TrialOptions::by("dana").with_claim(file);
    all_is_well(&tried_with(&sites, &options(typed_claim("auto", "IME", "OCF-21"))));
    let report = tried_with(&sites, &options(typed_claim("marine", "FAE", "OCF-9")));
    let mut failed = codes(report.failed());
    failed.sort_by_key(|(code, _)| *code);
    let expected = ["unknown-assessment-type", "unknown-bill-type", "unknown-claim-type"];
    assert_eq!(failed, expected.map(|code| (code, TrialSide::Recipient)), "{report}");
    fails(
        &tried_with(&sites, &options(typed_claim("auto", "FAE", "OCF-21"))),
        "unknown-assessment-type",
        TrialSide::Recipient,
    );
}

#[test]
fn the_sample_itself_speaks_in_the_types_that_are_mapped() {
    let (sites, _folder) = examiner_with(Catalogue::new().assessment_types(["examination"]));
    let partner = sites.insurer.exchange.partner(&examiner_site()).unwrap();
    let names =
        |pairs: [(&'static str, &'static str); 2]| NameMap::new().types(RecordKind::Assessment, pairs);
    let map = names([("FAE", "evaluation"), ("IME", "examination")]);
    sites.insurer.exchange.set_partner((*partner).clone().mapping_names(map));
    let check = fails(&tried(&sites), "unknown-assessment-type", TrialSide::Recipient);
    assert!(check.message.contains("evaluation"), "{}", check.message);
}

#[test]
fn fields_that_the_recipient_does_not_exchange_are_a_warning() {
    let region = || FieldSelection::new().custom(RecordKind::Claim, FieldChoice::only(["region"]));
    let check =
        warns(&tried(&insurer_knows(move |p| p.selecting(region()))), "unknown-field", TrialSide::Recipient);
    assert!(check.message.contains("custom_fields.region"), "{}", check.message);
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |p| p.selecting(region())),
        examiner_of_insurer: Box::new(move |p| p.selecting(region())),
        ..Setup::default()
    });
    all_is_well(&tried(&sites));
}

#[test]
fn a_custom_field_of_the_sample_that_is_a_date_elsewhere_fails_at_neither_side() {
    let when = || FieldSelection::new().custom(RecordKind::Claim, FieldChoice::only(["when"]));
    let map =
        |ours: &'static str, theirs: &'static str| NameMap::new().fields(RecordKind::Claim, [(ours, theirs)]);
    let told = map("custom_fields.when", "loss_date");
    all_is_well(&tried(&insurer_knows(move |p| p.selecting(when()).mapping_names(told))));

    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(move |p| p.selecting(when())),
        examiner_of_insurer: Box::new(move |p| p.mapping_names(map("loss_date", "custom_fields.when"))),
        ..Setup::default()
    });
    let check = warns(&tried(&sites), "value-not-mapped", TrialSide::Recipient);
    assert!(check.message.contains("`loss_date`"), "{}", check.message);
}

#[test]
fn export_rules_that_the_sample_breaks_are_warnings() {
    let naming = NamingConvention::new("{claim_number}_{text}.pdf").unwrap();
    let sites = insurer_knows(move |p| p.with_export_rules(ExportRules::new().naming(naming)));
    warns(&tried(&sites), "export-document-name", TrialSide::Sender);
}

#[test]
fn a_claim_of_the_callers_is_sent_without_its_documents_bytes() {
    let sites = TwoSites::new();
    let mut file = typed_claim("auto", "IME", "OCF-21");
    let mut document = Document::new(id("ON-INS/S-5"));
    document.name = Some("report.pdf".into());
    (document.size, document.sha256) = (Some(9_000_000_000), Some("0".repeat(64)));
    file.documents.push(document);
    all_is_well(&tried_with(&sites, &TrialOptions::by("dana").with_claim(file)));
    assert!(sites.examiner.cases.load(&id("ON-INS/S-1")).unwrap().is_none());
}

#[test]
fn a_claim_that_is_no_sample_is_the_callers_error() {
    let sites = TwoSites::new();
    let mut file = typed_claim("auto", "IME", "OCF-21");
    file.notes[0].body = Some("x".repeat(300_000));
    let options = TrialOptions::by("dana").with_claim(file);
    let error = sites.insurer.exchange.try_partner(&examiner_site(), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    keeps_nothing(&sites);
}

#[test]
fn a_claim_that_stands_at_the_recipient_shows_in_nothing() {
    // Guessing ids of claims that were never shared tells the same as making ids up.
    let sites = TwoSites::new();
    let theirs = put_claim(&sites.examiner, "C-9");
    let said = |claim: &str| {
        let mut file = ClaimFile::new(Claim::new(id(claim)));
        file.claim.claim_number = Some("C-9".into());
        let report = sites
            .insurer
            .exchange
            .try_partner(&examiner_site(), &TrialOptions::by("dana").with_claim(file))
            .unwrap();
        report.checks.iter().map(|check| (check.code.clone(), check.outcome)).collect::<Vec<_>>()
    };
    assert_eq!(said(theirs.as_str()), said("IMEX/C-none"));
}
