//! What a package says of itself: who sends which part of which claim to whom.

use super::{ExchangeId, PackageId, SiteId, Timestamp};
use serde::{Deserialize, Serialize};

/// What part of a claim file a package carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PackageKind {
    /// The exchanged part of a claim file; a user unpacks it.
    Claim,
    /// Notes alone.
    Notes,
    /// A sample, to try whether all is set up right; it is looked at and never kept.
    Trial,
}

impl PackageKind {
    /// The kind's stable name, as manifests and headers spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Notes => "notes",
            Self::Trial => "trial",
        }
    }

    /// The kind with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Claim, Self::Notes, Self::Trial].into_iter().find(|kind| kind.name() == name)
    }
}

/// The exchanged part of one claim file on its way to one partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Package {
    /// The package's id.
    pub id: PackageId,
    /// What it carries.
    pub kind: PackageKind,
    /// The site that wrote it.
    pub from: SiteId,
    /// The one site it is addressed to.
    pub to: SiteId,
    /// The claim it belongs to.
    pub claim: ExchangeId,
    /// Its place among all packages of this claim from this sender to this recipient, from 1.
    pub sequence: u64,
    /// The highest sequence of the recipient's packages of this claim that the sender had applied; 0 for none.
    /// It tells the recipient which of its own changes the sender had seen.
    pub applied_sequence: u64,
    /// The version of the key it is sealed with.
    pub key_version: u32,
    /// When it was written.
    pub created_at: Timestamp,
    /// Who exported it, as the sending site names people.
    pub created_by: String,
}

impl Package {
    /// A package of `claim` from one site to another; the rest is set by the exporting side.
    #[must_use]
    pub fn new(kind: PackageKind, from: SiteId, to: SiteId, claim: ExchangeId) -> Self {
        Self {
            id: PackageId::generate(),
            kind,
            from,
            to,
            claim,
            sequence: 1,
            applied_sequence: 0,
            key_version: 1,
            created_at: Timestamp::now(),
            created_by: String::new(),
        }
    }
}
