//! A package that arrived, from its receipt to the unpacking.

use super::{Fault, named};
use crate::model::{ExchangeId, PackageId, PackageKind, SiteId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

named! {
    /// Where an incoming package stands.
    IncomingState {
        /// Durably held and waiting to be unpacked.
        Received = "received",
        /// Unpacked: the claim was added or updated.
        Unpacked = "unpacked",
        /// Refused for good: by a person; of notes, also because their claim is not here.
        Rejected = "rejected",
        /// Unpacking failed and may be tried again.
        Failed = "failed",
        /// Older than a package of the same claim that was applied before: it changed nothing.
        Superseded = "superseded",
    }
}

/// A sealed package of a partner's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Incoming {
    /// The package's id.
    pub id: PackageId,
    /// What it carries.
    pub kind: PackageKind,
    /// The partner that sent it.
    pub from: SiteId,
    /// Where it stands.
    pub state: IncomingState,
    /// The suite it is sealed with, by its stable name.
    pub suite: String,
    /// The version of the key it is sealed with.
    pub key_version: u32,
    /// The size of the sealed bytes.
    pub size: u64,
    /// The SHA-256 of the sealed bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// The file that holds the sealed bytes, relative to the exchange's folder.
    pub file: String,
    /// The claim it belongs to; known once it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ExchangeId>,
    /// Its place among the sender's packages of the claim; known once it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The receipt that was answered, byte for byte, for a repeated delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Why it was rejected, or why the last try to unpack it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Fault>,
    /// Whether what came of it was not looked at yet: the mark of new packages and new notes.
    pub is_new: bool,
    /// Whether its claim may be in the case system though it does not count as unpacked: an unpack began to apply it, and
    /// the process died before its end was written down. Unpacking it again ends that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub applying: bool,
    /// Whether its sender is still to be told that it was unpacked or rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
    /// Whether its sealed bytes were [removed](crate::exchange::Exchange::remove_sealed).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed_removed: bool,
    /// The assessments it carries; known once it was opened.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub assessments: BTreeSet<ExchangeId>,
    /// The notes it carries; known once it was opened.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub notes: BTreeSet<ExchangeId>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Incoming {
    /// A package that has just been received from `from` and stored in `file`.
    #[must_use]
    pub fn new(
        id: PackageId,
        kind: PackageKind,
        from: SiteId,
        size: u64,
        sha256: impl Into<String>,
        file: impl Into<String>,
    ) -> Self {
        let now = Timestamp::now();
        Self {
            id,
            kind,
            from,
            state: IncomingState::Received,
            suite: String::new(),
            key_version: 1,
            size,
            sha256: sha256.into(),
            file: file.into(),
            claim: None,
            sequence: None,
            receipt: None,
            last_error: None,
            is_new: true,
            applying: false,
            untold: false,
            sealed_removed: false,
            assessments: BTreeSet::new(),
            notes: BTreeSet::new(),
            received_at: now,
            updated_at: now,
        }
    }
}
