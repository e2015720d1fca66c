//! Trials between the two sites: what must hold of every report, and of both sites after it.

use super::{Setup, TwoSites, examiner_site, id, insurer_site, note, stored};
use claimwire::exchange::{Partner, TrialOptions, TrialReport};
use claimwire::ledger::{HistoryQuery, PackageQuery, Step};
use claimwire::model::{Assessment, Bill, Claim, ClaimFile, PackageKind};
use claimwire::protocol::{Endpoint, Peer, Request, Response, TrialCheck, TrialOutcome, TrialSide};
use std::io::Read;

pub(crate) fn tried(sites: &TwoSites) -> TrialReport {
    tried_with(sites, &TrialOptions::by("dana"))
}

pub(crate) fn tried_with(sites: &TwoSites, options: &TrialOptions) -> TrialReport {
    let report = sites.insurer.exchange.try_partner(&examiner_site(), options).unwrap();
    keeps_nothing(sites);
    report
}

/// Nothing but an entry in the history: no package, no file, no event, no claim.
#[track_caller]
pub(crate) fn keeps_nothing(sites: &TwoSites) {
    for side in [&sites.insurer, &sites.examiner] {
        assert_eq!(stored(side), Vec::<String>::new());
        assert!(side.exchange.incoming_packages(&PackageQuery::new()).unwrap().is_empty());
        assert!(side.exchange.outgoing_packages(&PackageQuery::new()).unwrap().is_empty());
        assert!(side.events.lock().unwrap().is_empty());
        for entry in side.exchange.history(&HistoryQuery::new()).unwrap() {
            assert_eq!((entry.step, entry.kind, entry.claim), (Step::Tried, PackageKind::Trial, None));
        }
        side.exchange.verify_history().unwrap();
    }
}

pub(crate) fn codes<'a>(checks: impl Iterator<Item = &'a TrialCheck>) -> Vec<(&'a str, TrialSide)> {
    checks.map(|check| (check.code.as_str(), check.side)).collect()
}

/// Exactly this failed, and it says what to do.
#[track_caller]
pub(crate) fn fails(report: &TrialReport, code: &str, side: TrialSide) -> TrialCheck {
    assert_eq!(codes(report.failed()), [(code, side)], "{report}");
    assert!(!report.passed());
    let first = report.checks.first().unwrap();
    assert_eq!(first.outcome, TrialOutcome::Failed, "failed ones come first");
    assert!(first.remedy.as_ref().is_some_and(|remedy| !remedy.is_empty()), "{report}");
    assert_eq!(codes(report.warnings()), [], "{report}");
    first.clone()
}

/// It passed, with exactly this warning.
#[track_caller]
pub(crate) fn warns(report: &TrialReport, code: &str, side: TrialSide) -> TrialCheck {
    assert!(report.passed(), "{report}");
    assert_eq!(codes(report.warnings()), [(code, side)], "{report}");
    let check = report.warnings().next().unwrap();
    assert!(check.remedy.is_some());
    check.clone()
}

#[track_caller]
pub(crate) fn all_is_well(report: &TrialReport) {
    assert!(report.passed() && report.warnings().next().is_none(), "{report}");
}

/// Two sites of which one knows the other so.
pub(crate) fn insurer_knows(change: impl FnOnce(Partner) -> Partner + 'static) -> TwoSites {
    TwoSites::with(Setup { insurer_of_examiner: Box::new(change), ..Setup::default() })
}

pub(crate) fn examiner_knows(change: impl FnOnce(Partner) -> Partner + 'static) -> TwoSites {
    TwoSites::with(Setup { examiner_of_insurer: Box::new(change), ..Setup::default() })
}

/// Something between the two sites, or in the examiner's place.
pub(crate) struct Between<F>(pub(crate) F);

impl<F: Fn(&Request, &mut dyn Read) -> Response + Send + Sync> Endpoint for Between<F> {
    fn answer(&self, request: &Request, _: &Peer, body: &mut dyn Read) -> Response {
        (self.0)(request, body)
    }
}

pub(crate) fn plain(status: u16) -> Response {
    Response::new(status, "<html>").unwrap()
}

/// A claim in these types.
pub(crate) fn typed_claim(claim_type: &str, assessment_type: &str, bill_type: &str) -> ClaimFile {
    let mut file = ClaimFile::new(Claim::new(id("ON-INS/S-1")));
    file.claim.claim_number = Some("S-1".into());
    file.claim.claim_type = Some(claim_type.into());
    let mut assessment = Assessment::new(id("ON-INS/S-2"));
    assessment.r#type = Some(assessment_type.into());
    let mut bill = Bill::new(id("ON-INS/S-3"));
    bill.r#type = Some(bill_type.into());
    assessment.bills.push(bill);
    file.assessments.push(assessment);
    file.notes.push(note(&insurer_site(), "S-4", "Nothing is real."));
    file
}
