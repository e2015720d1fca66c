//! What came of a trial: every check that could be made, failed ones first.

use crate::model::{PackageId, SiteId, Timestamp};
use crate::protocol::{TrialCheck, TrialOutcome, TrialSide};
use crate::rules::Violation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What came of a trial.
///
/// `Display` writes it for people, serde for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialReport {
    /// The sample package's id.
    pub package: PackageId,
    /// The site that tried: this one.
    pub site: SiteId,
    /// The partner that was tried.
    pub partner: SiteId,
    /// When the report was made, by this site's clock.
    pub at: Timestamp,
    /// Whether the partner's answer is still to come, so that only this side is checked; see
    /// [`TrialOptions::collecting`](super::TrialOptions::collecting).
    pub pending: bool,
    /// Every check that could be made: failed ones first, then warnings.
    pub checks: Vec<TrialCheck>,
}

impl TrialReport {
    /// Whether the partner answered and nothing failed. There may be warnings.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.pending && self.failed().next().is_none()
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &TrialCheck> {
        self.with_outcome(TrialOutcome::Failed)
    }

    /// The checks that give a warning.
    pub fn warnings(&self) -> impl Iterator<Item = &TrialCheck> {
        self.with_outcome(TrialOutcome::Warning)
    }

    fn with_outcome(&self, outcome: TrialOutcome) -> impl Iterator<Item = &TrialCheck> {
        self.checks.iter().filter(move |check| check.outcome == outcome)
    }

    fn side(&self, side: TrialSide) -> String {
        match side {
            TrialSide::Sender => format!("at {}", self.site),
            TrialSide::Recipient => format!("at {}", self.partner),
            TrialSide::Either => format!("at {} or {}", self.site, self.partner),
        }
    }
}

impl fmt::Display for TrialReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = match (self.pending, self.passed()) {
            (true, _) => "not answered yet",
            (false, true) => "passed",
            (false, false) => "FAILED",
        };
        writeln!(f, "Trial of {} with {}: {came}; {}", self.site, self.partner, summary(&self.checks))?;
        for check in &self.checks {
            writeln!(
                f,
                "{:7} {} ({}): {}",
                check.outcome.name(),
                check.code,
                self.side(check.side),
                check.message
            )?;
            if let Some(remedy) = &check.remedy {
                writeln!(f, "        To do: {remedy}")?;
            }
        }
        Ok(())
    }
}

/// Such as `12 checks: 1 failed (suite), 0 warnings`.
pub(super) fn summary(checks: &[TrialCheck]) -> String {
    let codes: Vec<&str> = checks
        .iter()
        .filter(|check| check.outcome == TrialOutcome::Failed)
        .map(|check| check.code.as_str())
        .collect();
    let failed = if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
    let warnings = checks.iter().filter(|check| check.outcome == TrialOutcome::Warning).count();
    format!("{} checks: {} failed{failed}, {warnings} with a warning", checks.len(), codes.len())
}

/// Checks as they are made, in their order.
#[derive(Default)]
pub(super) struct Checks(pub(super) Vec<TrialCheck>);

impl Checks {
    /// The failed ones first, then the warnings.
    pub(super) fn sorted(mut self) -> Vec<TrialCheck> {
        self.0.sort_by_key(|check| check.outcome);
        self.0
    }

    pub(super) fn passed(&mut self, code: impl Into<String>, side: TrialSide, message: impl Into<String>) {
        self.0.push(TrialCheck::new(code, TrialOutcome::Passed, side, message));
    }

    pub(super) fn warned(
        &mut self,
        code: impl Into<String>,
        side: TrialSide,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(TrialCheck::new(code, TrialOutcome::Warning, side, message).with_remedy(remedy));
    }

    pub(super) fn failed(
        &mut self,
        code: impl Into<String>,
        side: TrialSide,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(TrialCheck::new(code, TrialOutcome::Failed, side, message).with_remedy(remedy));
    }

    /// One check for each violated rule.
    pub(super) fn violated(
        &mut self,
        outcome: TrialOutcome,
        prefix: &str,
        side: TrialSide,
        violations: &[Violation],
        remedy: &str,
    ) {
        self.0.extend(violations.iter().map(|violation| {
            let code = format!("{prefix}{}", violation.code.name());
            TrialCheck::new(code, outcome, side, violation.message.as_str()).with_remedy(remedy)
        }));
    }
}
