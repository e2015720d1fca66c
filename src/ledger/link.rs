//! How this site and a partner stand on one claim, and what was said in packages still under way.

use crate::merge::ContactPairs;
use crate::model::{ExchangeId, Record, SiteId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How this site and one partner stand on one claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// The partner.
    pub partner: SiteId,
    /// The claim.
    pub claim: ExchangeId,
    /// The highest sequence given to a package of ours; 0 for none.
    #[serde(default)]
    pub sent_sequence: u64,
    /// The highest sequence given to a notes package of ours, which are counted apart; 0 for none.
    #[serde(default)]
    pub sent_notes_sequence: u64,
    /// The highest sequence of theirs that was applied here; 0 for none.
    #[serde(default)]
    pub applied_sequence: u64,
    /// The highest sequence of ours that they applied; 0 for none.
    #[serde(default)]
    pub acknowledged_sequence: u64,
    /// Those that they applied before it and that said something which no later one says again, until a package of theirs
    /// names them or a later one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acknowledged_before: BTreeSet<u64>,
    /// Whether the claim was received from them.
    #[serde(default)]
    pub received_from: bool,
    /// When the claim was last exported to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_export_at: Option<Timestamp>,
    /// The contacts of the claim that they know by other ids.
    #[serde(default, skip_serializing_if = "ContactPairs::is_empty")]
    pub contacts: ContactPairs,
}

impl Link {
    /// The link of a claim that was not exchanged with `partner` so far.
    #[must_use]
    pub fn new(partner: SiteId, claim: ExchangeId) -> Self {
        Self {
            partner,
            claim,
            sent_sequence: 0,
            sent_notes_sequence: 0,
            applied_sequence: 0,
            acknowledged_sequence: 0,
            acknowledged_before: BTreeSet::new(),
            received_from: false,
            last_export_at: None,
            contacts: ContactPairs::new(),
        }
    }
}

/// What one outgoing package said, kept until the partner has applied it or a later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SentSnapshot {
    /// The partner it was sent to.
    pub partner: SiteId,
    /// The claim.
    pub claim: ExchangeId,
    /// The package's sequence.
    pub sequence: u64,
    /// The records as they were sent.
    pub records: Vec<Record>,
}

impl SentSnapshot {
    /// What package number `sequence` said.
    #[must_use]
    pub fn new(partner: SiteId, claim: ExchangeId, sequence: u64, records: Vec<Record>) -> Self {
        Self { partner, claim, sequence, records }
    }
}
