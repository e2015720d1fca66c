//! The history: every step of every package, both directions, with who, when and what came of it.

use super::{Fault, named};
use crate::model::{ExchangeId, PackageId, PackageKind, SiteId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

named! {
    /// Which way a package goes.
    Direction {
        /// From this site to the partner.
        Outgoing = "outgoing",
        /// From the partner to this site.
        Incoming = "incoming",
    }
}

named! {
    /// A step on the way of a package.
    Step {
        /// Written and sealed.
        Exported = "exported",
        /// Posted to the partner.
        Sent = "sent",
        /// The partner's receipt came.
        Delivered = "delivered",
        /// The partner said what became of it, as the outcome tells.
        Acknowledged = "acknowledged",
        /// Durably held here.
        Received = "received",
        /// Announced to the people here.
        Notified = "notified",
        /// Unpacked, or, for notes, applied.
        Unpacked = "unpacked",
        /// It was older than what is applied already and changed nothing.
        Superseded = "superseded",
        /// Refused for good.
        Rejected = "rejected",
        /// A step failed, as the outcome tells.
        Failed = "failed",
        /// Queued to be sent again, though it had been delivered or had failed: asked for by a person.
        Requeued = "requeued",
        /// Taken back before it left: asked for by a person.
        Withdrawn = "withdrawn",
        /// Its sealed bytes were removed, and its traces are kept: asked for by a person or a host's own job.
        Removed = "removed",
        /// Looked at by a person.
        Viewed = "viewed",
        /// A sample was sent to see whether all is set up right at both sides.
        Tried = "tried",
    }
}

/// One entry of the history. The order of its members is the one they are hashed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The entry's number, from 1 without gaps, given by the ledger; 0 before that.
    pub number: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Which way the package goes.
    pub direction: Direction,
    /// What happened.
    pub step: Step,
    /// The package.
    pub package: PackageId,
    /// What the package carries: notes have a history of their own.
    pub kind: PackageKind,
    /// The claim, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ExchangeId>,
    /// The assessments the package carries, where they are known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assessments: BTreeSet<ExchangeId>,
    /// The partner.
    pub partner: SiteId,
    /// The person or account that did it.
    pub by: String,
    /// What came of it: a sentence for people.
    pub outcome: String,
    /// The error, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    /// The hash of the entry before it, in lower-case hexadecimal; 64 zeros for the first entry, empty before the
    /// ledger has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub previous: String,
    /// The SHA-256 of all the above, in lower-case hexadecimal; empty before the ledger has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

impl HistoryEntry {
    /// An entry of the present moment, without claim and assessments.
    #[must_use]
    pub fn new(
        direction: Direction,
        step: Step,
        package: PackageId,
        kind: PackageKind,
        partner: SiteId,
        by: impl Into<String>,
        outcome: impl Into<String>,
    ) -> Self {
        Self {
            number: 0,
            at: Timestamp::now(),
            direction,
            step,
            package,
            kind,
            claim: None,
            assessments: BTreeSet::new(),
            partner,
            by: by.into(),
            outcome: outcome.into(),
            error: None,
            previous: String::new(),
            hash: String::new(),
        }
    }

    /// The same entry for this claim.
    #[must_use]
    pub fn of_claim(mut self, claim: ExchangeId) -> Self {
        self.claim = Some(claim);
        self
    }

    /// The same entry for these assessments.
    #[must_use]
    pub fn of_assessments(mut self, assessments: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.assessments.extend(assessments);
        self
    }

    /// The same entry with the error that it ended in.
    #[must_use]
    pub fn failed_with(mut self, error: &crate::Error) -> Self {
        self.error = Some(Fault::from(error));
        self
    }
}
