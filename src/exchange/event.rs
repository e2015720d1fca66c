//! Events: what a host is told about while the exchange works.

use crate::model::{ExchangeId, PackageId, SiteId};
use serde::{Serialize, Serializer};
use std::fmt;

/// Something a host may want to show or act on, told after it was made durable. It names ids only, no claim data;
/// the reason of a failure is a text for people, and may name the documents and fields it is about.
///
/// The receipts behind [`Delivered`](Self::Delivered) and [`Unpacked`](Self::Unpacked) are kept with the package, see
/// [`Outgoing::receipt`](crate::ledger::Outgoing::receipt).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// New Package: a package was received and waits to be unpacked.
    #[non_exhaustive]
    NewPackage {
        /// The package.
        package: PackageId,
        /// Who sent it.
        from: SiteId,
    },
    /// New Note: a partner's notes were added to a claim here.
    #[non_exhaustive]
    NewNote {
        /// The package that brought them.
        package: PackageId,
        /// Who sent it.
        from: SiteId,
        /// The claim.
        claim: ExchangeId,
    },
    /// A package that came in was unpacked by itself, as the partner's settings say.
    #[non_exhaustive]
    AutomaticallyUnpacked {
        /// The package.
        package: PackageId,
        /// Who sent it.
        from: SiteId,
        /// The claim.
        claim: ExchangeId,
    },
    /// A package that came in could not be unpacked by itself, or its notes could not be applied.
    #[non_exhaustive]
    UnpackFailed {
        /// The package.
        package: PackageId,
        /// Who sent it.
        from: SiteId,
        /// Why, and what to do.
        reason: String,
    },
    /// The scanner found malware in a package that came in. Nothing of it was released, and it cannot be unpacked: a
    /// person [rejects](super::Exchange::reject) it.
    #[non_exhaustive]
    InfectedPackage {
        /// The package.
        package: PackageId,
        /// Who sent it.
        from: SiteId,
        /// In which documents, and what.
        reason: String,
    },
    /// A package of ours is sealed and lies in the outbox.
    #[non_exhaustive]
    Exported {
        /// The package.
        package: PackageId,
        /// Its recipient.
        to: SiteId,
        /// Its claim.
        claim: ExchangeId,
    },
    /// A package of ours is durably held by its recipient, whose signed receipt came in.
    #[non_exhaustive]
    Delivered {
        /// The package.
        package: PackageId,
        /// Its recipient.
        to: SiteId,
        /// Its claim.
        claim: ExchangeId,
    },
    /// A package of ours was unpacked by its recipient, whose signed receipt of that came in.
    #[non_exhaustive]
    Unpacked {
        /// The package.
        package: PackageId,
        /// Its recipient.
        to: SiteId,
        /// Its claim.
        claim: ExchangeId,
    },
    /// A package of ours cannot go out before somebody puts right what is not the package's: no key of this site is valid
    /// to sign with, there is no transport to its recipient, or one side's TLS certificate is not taken by the other. It
    /// stays queued, with all that follows it to that partner, and goes out by itself then. Told once, of the first in the
    /// queue. Without a key or a transport it waits as long as that takes; a certificate counts as a partner that cannot be
    /// reached, and ends as [that](super::Partner::retrying) does.
    #[non_exhaustive]
    HeldUp {
        /// The package.
        package: PackageId,
        /// Its recipient.
        to: SiteId,
        /// Its claim.
        claim: ExchangeId,
        /// Why, and what to do.
        reason: String,
    },
    /// A package of ours was rejected by its recipient, or passed over for a later one that this site forgot with a
    /// restored folder, or cannot be delivered.
    #[non_exhaustive]
    Failed {
        /// The package.
        package: PackageId,
        /// Its recipient.
        to: SiteId,
        /// Its claim.
        claim: ExchangeId,
        /// Why, and what to do.
        reason: String,
    },
}

impl Event {
    /// The kind's stable name, such as `new-package`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NewPackage { .. } => "new-package",
            Self::NewNote { .. } => "new-note",
            Self::AutomaticallyUnpacked { .. } => "automatically-unpacked",
            Self::UnpackFailed { .. } => "unpack-failed",
            Self::InfectedPackage { .. } => "infected-package",
            Self::Exported { .. } => "exported",
            Self::Delivered { .. } => "delivered",
            Self::Unpacked { .. } => "unpacked",
            Self::HeldUp { .. } => "held-up",
            Self::Failed { .. } => "failed",
        }
    }

    /// The package it is about.
    #[must_use]
    pub fn package(&self) -> PackageId {
        match self {
            Self::NewPackage { package, .. }
            | Self::NewNote { package, .. }
            | Self::AutomaticallyUnpacked { package, .. }
            | Self::UnpackFailed { package, .. }
            | Self::InfectedPackage { package, .. }
            | Self::Exported { package, .. }
            | Self::Delivered { package, .. }
            | Self::Unpacked { package, .. }
            | Self::HeldUp { package, .. }
            | Self::Failed { package, .. } => *package,
        }
    }

    /// The partner it is about: the other end of the package.
    #[must_use]
    pub fn partner(&self) -> &SiteId {
        match self {
            Self::NewPackage { from: partner, .. }
            | Self::NewNote { from: partner, .. }
            | Self::AutomaticallyUnpacked { from: partner, .. }
            | Self::UnpackFailed { from: partner, .. }
            | Self::InfectedPackage { from: partner, .. }
            | Self::Exported { to: partner, .. }
            | Self::Delivered { to: partner, .. }
            | Self::Unpacked { to: partner, .. }
            | Self::HeldUp { to: partner, .. }
            | Self::Failed { to: partner, .. } => partner,
        }
    }

    /// The claim it is about, where it is known: a package that was not unpacked yet belongs to none.
    #[must_use]
    pub fn claim(&self) -> Option<&ExchangeId> {
        match self {
            Self::NewPackage { .. } | Self::UnpackFailed { .. } | Self::InfectedPackage { .. } => None,
            Self::NewNote { claim, .. }
            | Self::AutomaticallyUnpacked { claim, .. }
            | Self::Exported { claim, .. }
            | Self::Delivered { claim, .. }
            | Self::Unpacked { claim, .. }
            | Self::HeldUp { claim, .. }
            | Self::Failed { claim, .. } => Some(claim),
        }
    }

    /// Why it failed and what to do, where it tells of a failure.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::UnpackFailed { reason, .. }
            | Self::InfectedPackage { reason, .. }
            | Self::HeldUp { reason, .. }
            | Self::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

/// `{"kind": "new-package", "package": …, "partner": …}`, with `claim` and `reason` where they are known.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            kind: &'static str,
            package: PackageId,
            partner: &'a SiteId,
            #[serde(skip_serializing_if = "Option::is_none")]
            claim: Option<&'a ExchangeId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'a str>,
        }
        let (kind, package, partner) = (self.name(), self.package(), self.partner());
        Told { kind, package, partner, claim: self.claim(), reason: self.reason() }.serialize(serializer)
    }
}

type Listener = dyn Fn(&Event) + Send + Sync;

/// Whoever is told of events. A listener is called on the thread that did the work, after it was made durable; a
/// slow one slows that work.
#[derive(Default)]
pub(super) struct Listeners(Vec<Box<Listener>>);

impl Listeners {
    pub(super) fn add(&mut self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.0.push(Box::new(listener));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn tell(&self, event: &Event) {
        self.0.iter().for_each(|listener| listener(event));
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}
