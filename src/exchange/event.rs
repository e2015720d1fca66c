//! Events: what a host is told about while the exchange works.

use crate::model::{ExchangeId, PackageId, SiteId};
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
    /// A package of ours was rejected by its recipient, or cannot be delivered.
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
