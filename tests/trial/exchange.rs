//! A trial between two sites: it passes where all is set up right, keeps nothing, and names each single fault with
//! the side and the remedy.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::case_system::CaseSystem;
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing};
use claimwire::exchange::{Partner, TrialOptions, TrialReport};
use claimwire::ledger::{Direction, HistoryQuery, Step};
use claimwire::model::Timestamp;
use claimwire::protocol::{
    Endpoint, Peer, Problem, Request, Response, SigningKey, TrialOutcome, TrialSide, sign_request,
    sign_response,
};
use claimwire::rules::ExportRules;
use claimwire::transport::{DirectoryInbox, DirectoryTransport, MemoryTransport};
use claimwire::{Error, Result};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// What the sites' settings are made of, where a test needs to leave something out of them.
fn known_without(what: &str) -> TwoSites {
    let sites = TwoSites::new();
    let keys = sites.keys.clone();
    let examiner_reached = MemoryTransport::new(Arc::new(sites.examiner.exchange.clone()));
    let insurer_reached = MemoryTransport::new(Arc::new(sites.insurer.exchange.clone()));
    let mut examiner =
        Partner::new(examiner_site(), "Independent Medical Examiners").open_with(1, keys.identity.clone());
    if what != "transport" {
        examiner = examiner.reached_by(examiner_reached);
    }
    if what != "sealing" {
        examiner = examiner.seal_with(1, keys.legacy.clone());
    }
    if what != "verifying" {
        examiner = examiner.verify_with(keys.examiner_signs.verifying_key());
    }
    let mut insurer = Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, keys.legacy.clone())
        .verify_with(keys.insurer_signs.verifying_key());
    if what != "back-transport" {
        insurer = insurer.reached_by(insurer_reached);
    }
    if what != "back-sealing" {
        insurer = insurer.seal_with(1, keys.identity.recipient());
    }
    sites.insurer.exchange.set_partner(examiner);
    sites.examiner.exchange.set_partner(insurer);
    sites
}

/// The examiner knows the insurer by another verifying key.
fn examiner_verifies(with: impl FnOnce(&Keys) -> SigningKey) -> TwoSites {
    let sites = TwoSites::new();
    let insurer = Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, sites.keys.legacy.clone())
        .seal_with(1, sites.keys.identity.recipient())
        .verify_with(with(&sites.keys).verifying_key());
    sites.examiner.exchange.set_partner(insurer);
    sites
}

/// The insurer knows the examiner by another verifying key.
fn insurer_verifies(key: SigningKey) -> TwoSites {
    let sites = known_without("verifying");
    let partner = sites.insurer.exchange.partner(&examiner_site()).unwrap();
    sites.insurer.exchange.set_partner((*partner).clone().verify_with(key.verifying_key()));
    sites
}

fn answered_by(answer: impl Fn(&Request, &mut dyn Read) -> Response + Send + Sync + 'static) -> TwoSites {
    insurer_knows(|partner| partner.reached_by(MemoryTransport::new(Arc::new(Between(answer)))))
}

/// The insurer reaches the examiner through this.
fn with_between(
    sites: &TwoSites,
    between: impl Fn(&dyn Endpoint, &Keys, &Request, &mut dyn Read) -> Response + Send + Sync + 'static,
) {
    let (examiner, keys) = (sites.examiner.exchange.clone(), sites.keys.clone());
    let endpoint =
        Between(move |request: &Request, body: &mut dyn Read| between(&examiner, &keys, request, body));
    let partner = sites.insurer.exchange.partner(&examiner_site()).unwrap();
    let reached = MemoryTransport::new(Arc::new(endpoint));
    sites.insurer.exchange.set_partner((*partner).clone().reached_by(reached));
}

fn seconds_from_now(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(Timestamp::now().unix_seconds() + seconds).unwrap()
}

#[test]
fn it_passes_between_two_sites_that_are_set_up_right_and_lists_what_it_checked() {
    let sites = TwoSites::new();
    let report = tried(&sites);
    all_is_well(&report);
    let checked: Vec<&str> = report.checks.iter().map(|check| check.code.as_str()).collect();
    for code in [
        "settings",
        "export-rules",
        "connection",
        "answer-signature",
        "clock",
        "size-limit",
        "back-size-limit",
        "signature",
        "key-version",
        "suite",
        "opens",
        "import-rules",
        "merge",
        "back-key-version",
        "back-suite",
        "back-opens",
        "back-import-rules",
        "back-merge",
        "back-names",
    ] {
        assert_eq!(checked.iter().filter(|known| **known == code).count(), 1, "{code} in {report}");
    }
    assert!(report.checks.iter().all(|check| check.remedy.is_none()));
    let said = report.to_string();
    assert!(said.starts_with("Trial of ON-INS with IMEX: passed; 19 checks: 0 failed"), "{said}");
}

#[test]
fn both_sides_write_that_they_tried_and_nothing_else_changes() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let before = sites.insurer.file(&claim);
    let report = tried(&sites);
    for (side, direction, by) in
        [(&sites.insurer, Direction::Outgoing, "dana"), (&sites.examiner, Direction::Incoming, "ON-INS")]
    {
        let entries = trail(side, report.package);
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].direction, entries[0].by.as_str()), (direction, by));
        assert!(entries[0].outcome.contains("0 failed"), "{}", entries[0].outcome);
    }
    assert_eq!(sites.insurer.file(&claim), before);
    let sample = id(&format!("ON-INS/trial-{}-claim", report.package));
    assert!(sites.examiner.cases.load(&sample).unwrap().is_none());
    assert!(sites.insurer.cases.load(&sample).unwrap().is_none());

    // The first real package is the first one at both sides.
    let package = sites.deliver(&claim);
    let sent = sites.insurer.exchange.outgoing(package).unwrap().package;
    assert_eq!(sites.examiner.exchange.incoming(package).unwrap().sequence, Some(sent.sequence));
    assert_eq!(sent.applied_sequence, 0);
}

#[test]
fn each_way_is_tried_by_itself() {
    let sites = TwoSites::new();
    let report =
        sites.examiner.exchange.try_partner(&insurer_site(), &TrialOptions::by("front desk")).unwrap();
    all_is_well(&report);
    keeps_nothing(&sites);
}

#[test]
fn a_report_survives_as_json_and_reads_as_text() {
    let report = tried(&insurer_knows(|partner| partner.seal_with(7, legacy())));
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<TrialReport>(&json).unwrap(), report);
    let said = report.to_string();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("FAILED") && lines[0].contains("1 failed (key-version)"), "{said}");
    assert!(
        lines[1].starts_with("failed  key-version (at ON-INS or IMEX): ON-INS seals with key version 7"),
        "{said}"
    );
    assert!(lines[2].trim().starts_with("To do: "), "{said}");
}

fn legacy() -> DesMd5Key {
    DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap()
}

#[test]
fn a_key_version_that_one_side_does_not_know_is_named_with_those_it_has() {
    let check = fails(&tried(&insurer_knows(|p| p.seal_with(7, legacy()))), "key-version", TrialSide::Either);
    assert!(check.message.contains('7') && check.message.contains("1, 2"), "{}", check.message);
    let back = examiner_knows(|p| p.seal_with(9, AgeIdentity::generate().recipient()));
    let check = fails(&tried(&back), "back-key-version", TrialSide::Either);
    assert!(check.message.contains('9'), "{}", check.message);
}

#[test]
fn a_suite_that_was_not_agreed_is_named_with_the_agreed_one() {
    let there = insurer_knows(|p| p.seal_with(1, AgeIdentity::generate().recipient()));
    let check = fails(&tried(&there), "suite", TrialSide::Either);
    assert!(check.message.contains("age") && check.message.contains("des-md5"), "{}", check.message);
    fails(&tried(&examiner_knows(|p| p.seal_with(1, legacy()))), "back-suite", TrialSide::Either);
}

#[test]
fn different_keys_under_one_version_are_told_at_either_way() {
    let age = insurer_knows(|p| p.seal_with(2, AgeIdentity::generate().recipient()));
    fails(&tried(&age), "opens", TrialSide::Either);
    let other = || DesMd5Key::new("another-Secret1", Framing::SaltPrefix).unwrap();
    fails(&tried(&insurer_knows(move |p| p.seal_with(1, other()))), "opens", TrialSide::Either);
    let framing = || DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).unwrap();
    fails(&tried(&insurer_knows(move |p| p.seal_with(1, framing()))), "opens", TrialSide::Either);
    let back = examiner_knows(|p| p.seal_with(1, AgeIdentity::generate().recipient()));
    fails(&tried(&back), "back-opens", TrialSide::Either);
}

#[test]
fn what_a_site_was_not_given_is_named_at_that_site() {
    fails(&tried(&known_without("transport")), "transport", TrialSide::Sender);
    fails(&tried(&known_without("sealing")), "sealing-key", TrialSide::Sender);
    fails(&tried(&known_without("verifying")), "answer-signature", TrialSide::Sender);
    fails(&tried(&known_without("back-sealing")), "back-sealing-key", TrialSide::Recipient);
    warns(&tried(&known_without("back-transport")), "back-transport", TrialSide::Recipient);
    all_is_well(&tried(&known_without("nothing")));
}

#[test]
fn a_signing_key_that_the_recipient_does_not_have_is_named() {
    let sites = examiner_verifies(|_| SigningKey::generate("on-ins-0").unwrap());
    let check = fails(&tried(&sites), "signature", TrialSide::Either);
    assert!(
        check.message.contains("on-ins-1") && check.remedy.unwrap().contains("on-ins-1"),
        "{}",
        check.message
    );
    let sites = examiner_verifies(|_| SigningKey::generate("on-ins-1").unwrap());
    fails(&tried(&sites), "signature", TrialSide::Either);
    let sites = examiner_knows(|_| Partner::new(third_site(), "Third Party"));
    fails(&tried(&sites), "signature", TrialSide::Either);
}

#[test]
fn a_signing_key_that_the_sender_does_not_have_is_named() {
    let check = fails(
        &tried(&insurer_verifies(SigningKey::generate("imex-0").unwrap())),
        "answer-signature",
        TrialSide::Sender,
    );
    assert!(check.message.contains("imex-1"), "{}", check.message);
    let sites = insurer_verifies(SigningKey::generate("imex-1").unwrap());
    fails(&tried(&sites), "answer-signature", TrialSide::Either);
}

#[test]
fn a_url_that_leads_to_another_site_is_told() {
    let sites = TwoSites::new();
    let wrong = Partner::new(third_site(), "Third Party")
        .reached_by(MemoryTransport::new(Arc::new(sites.examiner.exchange.clone())))
        .seal_with(1, legacy());
    sites.insurer.exchange.set_partner(wrong);
    let report = sites.insurer.exchange.try_partner(&third_site(), &TrialOptions::by("dana")).unwrap();
    fails(&report, "recipient", TrialSide::Sender);
    assert_eq!(
        sites.insurer.exchange.try_partner(&id_of("NOBODY"), &TrialOptions::by("dana")).unwrap_err().kind(),
        ErrorKind::UnknownPartner
    );
}

fn id_of(site: &str) -> claimwire::model::SiteId {
    site.parse().unwrap()
}

#[test]
fn a_clock_of_the_sender_beyond_the_window_is_refused_with_both_times() {
    for seconds in [-400, 400] {
        let sites = TwoSites::new();
        with_between(&sites, move |examiner, keys, request, body| {
            let mut late = request.clone();
            sign_request(&mut late, &keys.insurer_signs, seconds_from_now(seconds)).unwrap();
            examiner.answer(&late, &Peer::unknown(), body)
        });
        let check = fails(&tried(&sites), "clock", TrialSide::Either);
        let year = &Timestamp::now().to_string()[..4];
        assert!(check.message.matches(year).count() >= 2, "{}", check.message);
    }
}

#[test]
fn clocks_that_drift_are_told_before_they_stop_anything() {
    // The examiner's answer as a clock that is off by so much would date it.
    let off = |seconds: i64| {
        let sites = TwoSites::new();
        with_between(&sites, move |examiner, keys, request, body| {
            let honest = examiner.answer(request, &Peer::unknown(), body);
            let mut answer = claimwire::protocol::TrialAnswer::from_response(&honest).unwrap();
            answer.at = seconds_from_now(seconds);
            let mut response = answer.to_response().unwrap();
            sign_response(request, &mut response, &keys.examiner_signs, answer.at).unwrap();
            response
        });
        tried(&sites)
    };
    all_is_well(&off(-5));
    all_is_well(&off(5));
    warns(&off(-120), "clock", TrialSide::Either);
    warns(&off(120), "clock", TrialSide::Either);
    let check = fails(&off(-400), "clock", TrialSide::Either);
    assert!(check.message.contains("behind"), "{}", check.message);
    assert!(fails(&off(4000), "clock", TrialSide::Either).message.contains("ahead of"));
}

#[test]
fn a_trial_goes_by_the_clocks_of_the_sites_alone() {
    // Far from the machine's own.
    let clock = || "2031-05-01T12:00:00Z".parse::<Timestamp>().unwrap();
    let sites = TwoSites::with(Setup {
        insurer: Box::new(move |settings| settings.with_clock(clock)),
        examiner: Box::new(move |settings| settings.with_clock(clock)),
        ..Setup::default()
    });
    let options = TrialOptions::by("dana");
    let reports = [0, 1].map(|_| sites.insurer.exchange.try_partner(&examiner_site(), &options).unwrap());
    for report in &reports {
        assert!(report.passed(), "{report}");
        assert_eq!(report.at, clock());
        let milliseconds = &report.package.to_string().replace('-', "")[..12];
        let made_at = i64::from_str_radix(milliseconds, 16).unwrap() / 1000;
        assert_eq!(made_at, clock().unix_seconds(), "{}", report.package);
    }
    assert!(reports[0].package < reports[1].package, "each trial has an id of its own");
}

#[test]
fn a_side_that_sends_more_than_the_other_takes_is_warned() {
    let sites = TwoSites::with(Setup {
        examiner: Box::new(|settings| settings.with_sealed_size_limit(1_000_000)),
        ..Setup::default()
    });
    let check = warns(&tried(&sites), "size-limit", TrialSide::Either);
    assert!(check.message.contains("262144000") && check.message.contains("1000000"), "{}", check.message);
    let sites = TwoSites::with(Setup {
        insurer: Box::new(|settings| settings.with_sealed_size_limit(1_000_000)),
        ..Setup::default()
    });
    warns(&tried(&sites), "back-size-limit", TrialSide::Either);
    let agreed = insurer_knows(|p| p.with_export_rules(ExportRules::new().sealed_size_limit(1_000_000)));
    all_is_well(&tried(&agreed));
}

#[test]
fn a_wrong_path_and_an_endpoint_without_trials_are_told_apart() {
    let sites = TwoSites::with(Setup {
        examiner: Box::new(|settings| settings.at_base_path("/claimwire")),
        ..Setup::default()
    });
    let check = fails(&tried(&sites), "address", TrialSide::Sender);
    assert!(check.message.contains("path is not that of a claimwire endpoint"), "{}", check.message);
    fails(&tried(&answered_by(|_, _| plain(404))), "address", TrialSide::Sender);
    fails(&tried(&answered_by(|_, _| plain(405))), "address", TrialSide::Sender);

    let sites = TwoSites::new();
    with_between(&sites, |examiner, _, request, body| {
        if request.path() != "/trials" {
            return examiner.answer(request, &Peer::unknown(), body);
        }
        let nothing = Error::new(ErrorKind::BadMessage, "there is nothing at `/trials` here");
        Problem::from_error(&nothing).with_status(404).to_response()
    });
    let report = tried(&sites);
    let check = fails(&report, "trials-unknown", TrialSide::Recipient);
    assert!(check.message.contains("knows no trials"), "{}", check.message);
    assert!(
        report.checks.iter().any(|check| check.code == "signature" && check.outcome == TrialOutcome::Passed)
    );
}

#[test]
fn what_answers_in_the_partners_place_is_named_for_what_it_is() {
    let redirect = answered_by(|_, _| {
        let mut response = plain(308);
        response.headers_mut().insert("location", "https://new.example.com/claimwire/trials").unwrap();
        response
    });
    let check = fails(&tried(&redirect), "address", TrialSide::Sender);
    assert!(check.message.contains("https://new.example.com/claimwire/trials"), "{}", check.message);
    fails(&tried(&answered_by(|_, _| plain(200))), "answer-signature", TrialSide::Sender);
    fails(&tried(&answered_by(|_, _| plain(403))), "access", TrialSide::Either);
    fails(&tried(&answered_by(|_, _| plain(418))), "address", TrialSide::Sender);
    fails(&tried(&answered_by(|_, _| plain(413))), "sample-size", TrialSide::Recipient);
    for status in [429, 502, 503] {
        fails(&tried(&answered_by(move |_, _| plain(status))), "endpoint", TrialSide::Recipient);
    }
}

#[test]
fn every_fault_of_both_ways_is_told_at_once() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|p| p.seal_with(2, AgeIdentity::generate().recipient())),
        examiner_of_insurer: Box::new(|p| p.seal_with(4, AgeIdentity::generate().recipient())),
        examiner: Box::new(|settings| settings.with_sealed_size_limit(1_000_000)),
        ..Setup::default()
    });
    let report = tried(&sites);
    let failed: Vec<&str> = report.failed().map(|check| check.code.as_str()).collect();
    assert_eq!(failed, ["opens", "back-key-version"], "{report}");
    assert_eq!(codes(report.warnings()), [("size-limit", TrialSide::Either)]);
    let outcomes: Vec<TrialOutcome> = report.checks.iter().map(|check| check.outcome).collect();
    assert!(outcomes.is_sorted(), "{report}");
    assert!(
        sites.insurer.exchange.history(&HistoryQuery::new()).unwrap()[0].outcome.contains("back-key-version")
    );
}

#[test]
fn through_a_drop_folder_the_answer_is_collected_later() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let transport = DirectoryTransport::new(folder.path())?;
    let inbox = DirectoryInbox::new(folder.path())?;
    let sites = insurer_knows(|partner| partner.reached_by(transport));

    let first = tried(&sites);
    assert!(first.pending && !first.passed(), "{first}");
    assert_eq!(codes(first.warnings()), [("pending", TrialSide::Recipient)]);
    assert!(first.to_string().contains(&first.package.to_string()));
    assert!(trail(&sites.insurer, first.package).is_empty(), "nothing is known yet");
    let again = || TrialOptions::by("dana").collecting(first.package);
    assert!(tried_with(&sites, &again()).pending);

    assert_eq!(inbox.poll(&sites.examiner.exchange)?, 1);
    let report = tried_with(&sites, &again());
    all_is_well(&report);
    assert_eq!(report.package, first.package);
    assert!(report.checks.iter().any(|check| check.code == "back-names"), "{report}");
    assert_eq!(steps(&sites.insurer, first.package), [Step::Tried]);
    let left = |name: &str| std::fs::read_dir(Path::new(folder.path()).join(name)).unwrap().count();
    assert_eq!([left("requests"), left("answers"), left("sent"), left("refused")], [0; 4]);
    Ok(())
}

#[test]
fn a_paused_partner_can_be_tried() {
    let sites = TwoSites::new();
    sites.insurer.exchange.pause(&examiner_site()).unwrap();
    all_is_well(&tried(&sites));
}
