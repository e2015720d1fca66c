//! A package on its way out, from the export to the partner's last word.

use super::named;
use crate::model::{ExchangeId, Package, PackageKind, SiteId, Timestamp};
use crate::protocol::{Evidence, Receipt};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

named! {
    /// Where an outgoing package stands.
    OutgoingState {
        /// Sealed and waiting to be sent.
        Queued = "queued",
        /// Being sent.
        Sending = "sending",
        /// Posted, but no answer came that tells what became of it: the partner may or may not hold it.
        Sent = "sent",
        /// The partner's signed receipt says that it durably holds the package.
        Delivered = "delivered",
        /// The partner has unpacked it.
        Unpacked = "unpacked",
        /// The partner has rejected it, or passed it over for a later one that this site does not know.
        Rejected = "rejected",
        /// It was not accepted and will not be tried again by itself.
        Failed = "failed",
        /// It was taken back before it left, and is never sent.
        Withdrawn = "withdrawn",
    }
}

impl OutgoingState {
    /// The states of what is still to be delivered.
    pub const OPEN: [Self; 3] = [Self::Queued, Self::Sending, Self::Sent];

    /// Whether the partner is known to hold the package: there is nothing to send any more, and only the partner's later
    /// word, or a [replay](crate::exchange::Exchange::replay), changes the state.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Delivered | Self::Unpacked | Self::Rejected)
    }

    /// Whether there is nothing to send: the partner [holds](Self::is_held) it, or it was withdrawn.
    #[must_use]
    pub fn is_settled(self) -> bool {
        self.is_held() || self == Self::Withdrawn
    }

    /// Whether what a package of this kind carries counts as seen by its recipient: not what was rejected or withdrawn, nor
    /// the notes of a package that failed, which are exported anew.
    #[must_use]
    pub fn counts_as_seen(self, kind: PackageKind) -> bool {
        match self {
            Self::Rejected | Self::Withdrawn => false,
            Self::Failed => kind != PackageKind::Notes,
            _ => true,
        }
    }
}

/// An error as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// The error kind's stable name.
    pub kind: String,
    /// The sentence for people.
    pub message: String,
    /// One for each single fault it sums up.
    #[serde(flatten, with = "crate::detail::form")]
    pub details: Vec<Detail>,
}

impl Fault {
    /// A fault of this kind.
    #[must_use]
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into(), details: Vec::new() }
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().name().to_owned(),
            message: error.to_string(),
            details: error.details().to_vec(),
        }
    }
}

/// A sealed package of ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outgoing {
    /// What the package says of itself.
    pub package: Package,
    /// The partner it is addressed to.
    pub partner: SiteId,
    /// Where it stands.
    pub state: OutgoingState,
    /// The suite it is sealed with, by its stable name.
    pub suite: String,
    /// The size of the sealed bytes.
    pub size: u64,
    /// The SHA-256 of the sealed bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// The file that holds the sealed bytes, relative to the exchange's folder.
    pub file: String,
    /// How often it was tried since it was queued, or queued again.
    #[serde(default)]
    pub attempts: u32,
    /// When the first of these tries was, or would have been had the partner been there; what the time is counted from
    /// after which it is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_since: Option<Timestamp>,
    /// Not to be tried again by itself before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Whether it was posted and no answer came that can be relied on: the partner is asked for it before it is posted
    /// again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Fault>,
    /// The partner's receipt of delivery, as evidence: JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The partner's last signed word on it (unpacked, rejected), as evidence: JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_receipt: Option<String>,
    /// What the partner's word on it is to fill in on our claim, until that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_feedback: Option<String>,
    /// Why it failed or was rejected, until the host was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold_failure: Option<String>,
    /// Whether its sealed bytes were [removed](crate::exchange::Exchange::remove_sealed).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed_removed: bool,
    /// The assessments it carries.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assessments: BTreeSet<ExchangeId>,
    /// The notes it carries.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notes: BTreeSet<ExchangeId>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Outgoing {
    /// A queued package to the site it is addressed to.
    #[must_use]
    pub fn new(
        package: Package,
        suite: impl Into<String>,
        size: u64,
        sha256: impl Into<String>,
        file: impl Into<String>,
    ) -> Self {
        Self {
            partner: package.to.clone(),
            updated_at: package.created_at,
            package,
            state: OutgoingState::Queued,
            suite: suite.into(),
            size,
            sha256: sha256.into(),
            file: file.into(),
            attempts: 0,
            tried_since: None,
            retry_at: None,
            unanswered: false,
            last_error: None,
            receipt: None,
            last_receipt: None,
            pending_feedback: None,
            untold_failure: None,
            sealed_removed: false,
            assessments: BTreeSet::new(),
            notes: BTreeSet::new(),
        }
    }

    /// Whether what it carries counts as seen by its recipient; see [`OutgoingState::counts_as_seen`].
    #[must_use]
    pub fn counts_as_seen(&self) -> bool {
        self.state.counts_as_seen(self.package.kind)
    }

    /// What the recipient last said of the package: held, unpacked (as it was, or with values of its own kept) or
    /// rejected, with the reason's code and details. `None` before its first receipt.
    ///
    /// Its signature was verified before it was stored; [`Evidence::verify`] does so again.
    ///
    /// # Errors
    /// [`ErrorKind::StoreDamaged`] when the stored receipt is none.
    pub fn word(&self) -> Result<Option<Receipt>> {
        let Some(kept) = self.last_receipt.as_deref().or(self.receipt.as_deref()) else { return Ok(None) };
        let damaged = |error: Error| {
            let said = format!("the ledger holds no receipt of package {} but {error}", self.package.id);
            Error::new(ErrorKind::StoreDamaged, said).caused_by(error)
        };
        let evidence: Evidence = serde_json::from_str(kept).map_err(|error| {
            damaged(Error::new(ErrorKind::BadMessage, format!("something that is no evidence: {error}")))
        })?;
        evidence.receipt().map(Some).map_err(damaged)
    }
}
