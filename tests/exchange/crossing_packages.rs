//! Packages that cross on their way: what a sender had not seen yet when it exported undoes nothing here.

use crate::support::*;
use claimwire::exchange::ExportOptions;
use claimwire::ledger::OutgoingState;
use claimwire::merge::ConflictPolicy;
use claimwire::model::{Assessment, ExchangeId, PackageId};
use claimwire::rules::ExportRules;

#[test]
fn a_package_exported_before_ours_was_unpacked_there_does_not_set_our_values_back() {
    let sites = TwoSites::with(Setup::default());
    let (insurer, examiner) = (&sites.insurer, &sites.examiner);
    let claim = sites.claim_at_insurer();
    sites.deliver(&claim);

    // The examiner's package waits in its outbox, with the values of before.
    add_note(examiner, &claim, "N-10", "The examination is on Monday.");
    let waits = examiner.exchange.export(&claim, insurer.site(), &ExportOptions::by("x")).unwrap().package.id;

    let mut file = insurer.file(&claim);
    file.claim.loss_description = Some("Fell from the ladder, not the stairs.".into());
    insurer.cases.put(&file).unwrap();
    add_note(insurer, &claim, "N-11", "The description was wrong.");
    let ours = insurer.exchange.export(&claim, examiner.site(), &ExportOptions::by("x")).unwrap().package.id;
    insurer.exchange.send(ours, &()).unwrap();
    examiner.exchange.unpack(ours, "x", &()).unwrap();
    assert_eq!(insurer.exchange.poll(ours).unwrap().state, OutgoingState::Unpacked);

    examiner.exchange.send(waits, &()).unwrap();
    insurer.exchange.unpack(waits, "x", &()).unwrap();
    let now = insurer.file(&claim);
    assert_eq!(now.claim.loss_description, file.claim.loss_description);
    assert!(now.notes.iter().any(|note| note.body.as_deref() == Some("The examination is on Monday.")));
    assert_eq!(examiner.file(&claim).claim.loss_description, file.claim.loss_description);
}

/// Two sites that ask for no notes, with a claim of two assessments that both have.
fn with_two_assessments() -> (TwoSites, ExchangeId) {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|it| it.with_export_rules(ExportRules::new().note_required(false))),
        examiner_of_insurer: Box::new(|it| {
            it.with_export_rules(ExportRules::new().note_required(false))
                .settling_conflicts(ConflictPolicy::Ours)
        }),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let mut file = sites.insurer.file(&claim);
    for number in ["ON-INS/A-1", "ON-INS/A-2"] {
        let mut assessment = Assessment::new(id(number));
        assessment.status = Some("scheduled".into());
        file.assessments.push(assessment);
    }
    sites.insurer.cases.put(&file).unwrap();
    sites.deliver(&claim);
    (sites, claim)
}

fn set_status(side: &Side, claim: &ExchangeId, assessment: usize, status: &str) {
    let mut file = side.file(claim);
    file.assessments[assessment].status = Some(status.to_owned());
    side.cases.put(&file).unwrap();
}

fn status(side: &Side, claim: &ExchangeId, assessment: usize) -> Option<String> {
    side.file(claim).assessments[assessment].status.clone()
}

/// The insurer exports one of the assessments, and the examiner unpacks it.
fn deliver_one(sites: &TwoSites, claim: &ExchangeId, assessment: &str) {
    let (insurer, examiner) = (&sites.insurer, &sites.examiner);
    let chosen = ExportOptions::by("dana").with_assessments([id(assessment)]);
    let package = insurer.exchange.export(claim, examiner.site(), &chosen).unwrap().package.id;
    insurer.exchange.send(package, &()).unwrap();
    examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

/// A package of the examiner's that is slow.
fn left_behind(sites: &TwoSites, claim: &ExchangeId) -> PackageId {
    let options = ExportOptions::by("front desk");
    sites.examiner.exchange.export(claim, sites.insurer.site(), &options).unwrap().package.id
}

fn arrives(sites: &TwoSites, package: PackageId) {
    sites.examiner.exchange.send(package, &()).unwrap();
    sites.insurer.exchange.unpack(package, "dana", &()).unwrap();
}

#[test]
fn a_slow_package_sets_nothing_back_that_any_package_of_ours_told_meanwhile() {
    let (sites, claim) = with_two_assessments();
    let slow = left_behind(&sites, &claim);
    set_status(&sites.insurer, &claim, 0, "cancelled");
    deliver_one(&sites, &claim, "ON-INS/A-1");
    deliver_one(&sites, &claim, "ON-INS/A-2");
    arrives(&sites, slow);
    assert_eq!(status(&sites.insurer, &claim, 0).as_deref(), Some("cancelled"));
    assert_eq!(status(&sites.examiner, &claim, 0).as_deref(), Some("cancelled"));
}

#[test]
fn nor_what_it_told_before_a_package_of_which_the_partner_kept_values_of_its_own() {
    let (sites, claim) = with_two_assessments();
    let slow = left_behind(&sites, &claim);
    set_status(&sites.insurer, &claim, 0, "cancelled");
    deliver_one(&sites, &claim, "ON-INS/A-1");
    set_status(&sites.examiner, &claim, 1, "no show");
    set_status(&sites.insurer, &claim, 1, "moved");
    deliver_one(&sites, &claim, "ON-INS/A-2");
    assert_eq!(status(&sites.examiner, &claim, 1).as_deref(), Some("no show"), "it keeps its own");
    arrives(&sites, slow);
    assert_eq!(status(&sites.insurer, &claim, 0).as_deref(), Some("cancelled"));
}

#[test]
fn what_the_partner_changed_after_it_saw_ours_is_taken_from_a_slow_package() {
    let (sites, claim) = with_two_assessments();
    set_status(&sites.insurer, &claim, 0, "cancelled");
    deliver_one(&sites, &claim, "ON-INS/A-1");
    set_status(&sites.examiner, &claim, 0, "done after all");
    let slow = left_behind(&sites, &claim);
    deliver_one(&sites, &claim, "ON-INS/A-2");
    arrives(&sites, slow);
    assert_eq!(status(&sites.insurer, &claim, 0).as_deref(), Some("done after all"));
}
