//! The exchange's own durable state: outbox, inbox, links to partners, common states, history.
//!
//! What the exchange promises to a partner (a receipt, a sequence number) stands in the ledger before it is said.
//! [`Ledger`] is a small trait so that a host can keep this state in its own database; [`conformance`] checks such a
//! ledger, and `SqliteLedger` (feature `sqlite`) is the one for everyone else.

mod chain;
pub mod conformance;
mod history;
mod incoming;
mod link;
mod named;
mod outgoing;
mod pages;
mod query;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stock;

pub use chain::{HistoryHead, verify_history};
pub use history::{Direction, HistoryEntry, Step};
pub use incoming::{Incoming, IncomingState};
pub use link::{Link, SentSnapshot};
pub use outgoing::{Fault, Outgoing, OutgoingState};
pub use query::{HistoryQuery, PackageQuery};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLedger;
pub use stock::Stock;

pub(crate) use chain::broken_at;
use named::named;
pub(crate) use pages::{incoming_pages, outgoing_pages};

use crate::Result;
use crate::model::{ExchangeId, PackageId, Record, SiteId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The exchange's durable state.
///
/// Calls may come from several threads, and several processes may hold the same ledger. A host's own ledger reports
/// its faults as [`ErrorKind::Ledger`](crate::ErrorKind::Ledger), and lost or damaged data as
/// [`ErrorKind::StoreDamaged`](crate::ErrorKind::StoreDamaged).
pub trait Ledger: Send + Sync {
    /// Makes all changes, in their order, in one transaction: all or none, on stable storage when this returns.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`](crate::ErrorKind::WrongState) when something to be added is already there, or a
    /// package is no longer in the state a change expects;
    /// [`ErrorKind::UnknownPackage`](crate::ErrorKind::UnknownPackage) when a package to be set is not there; when
    /// the ledger cannot be written. Nothing is changed then.
    fn commit(&self, changes: &[Change]) -> Result<()>;

    /// The outgoing package with this id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn outgoing(&self, id: PackageId) -> Result<Option<Outgoing>>;

    /// Outgoing packages in the order they were added.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`](crate::ErrorKind::UnknownPackage) when the package to continue after is not
    /// there; when the ledger cannot be read.
    fn outgoing_list(&self, query: &PackageQuery) -> Result<Vec<Outgoing>>;

    /// The incoming package with this id.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn incoming(&self, id: PackageId) -> Result<Option<Incoming>>;

    /// Incoming packages in the order they were added.
    ///
    /// # Errors
    /// As for [`outgoing_list`](Self::outgoing_list).
    fn incoming_list(&self, query: &PackageQuery) -> Result<Vec<Incoming>>;

    /// How this site and `partner` stand on a claim; `None` when they never exchanged it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>>;

    /// The links of a claim to all partners, in the order of their site ids.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn links(&self, claim: &ExchangeId) -> Result<Vec<Link>>;

    /// What both sides last had in common of a claim's records, parents before their children.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn base(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>>;

    /// What our package number `sequence` said; `None` when it was never sent or is no longer needed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn sent_snapshot(
        &self,
        partner: &SiteId,
        claim: &ExchangeId,
        sequence: u64,
    ) -> Result<Option<Vec<Record>>>;

    /// What our notes package said; `None` when it was never sent or is no longer needed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn sent_notes(&self, package: PackageId) -> Result<Option<Vec<Record>>>;

    /// The notes of a claim that `partner` was sent, or will be: those of every outgoing package that
    /// [counts as seen](Outgoing::counts_as_seen).
    ///
    /// Each export asks this. The default reads every package of the claim and the partner; a ledger whose claims are
    /// exported often counts them as packages are added and set.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn notes_sent(&self, partner: &SiteId, claim: &ExchangeId) -> Result<BTreeSet<ExchangeId>> {
        let mut notes = BTreeSet::new();
        let query = PackageQuery::new().claim(claim.clone()).partner(partner.clone());
        for page in outgoing_pages(self, query) {
            let seen = page?.into_iter().filter(Outgoing::counts_as_seen);
            notes.extend(seen.flat_map(|outgoing| outgoing.notes));
        }
        Ok(notes)
    }

    /// The partners that are paused.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn paused(&self) -> Result<BTreeSet<SiteId>>;

    /// Entries of the history in the order they were written, exactly as they were chained when they were appended.
    /// An entry is never changed and never removed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>>;

    /// How many packages stand in which state, for monitoring.
    ///
    /// The default reads every package; a ledger that can count does so.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn stock(&self) -> Result<Stock> {
        Stock::counted(self)
    }

    /// Proves that the ledger can be written, and changes nothing in it.
    ///
    /// The default commits no change, which shows no more than that a transaction can be made.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn check_writable(&self) -> Result<()> {
        self.commit(&[])
    }
}

/// One change to the ledger.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Adds an outgoing package; its id must be new.
    AddOutgoing(Outgoing),
    /// Replaces an outgoing package, which must be in state `was` where one is given. The notes it carries stay those
    /// it was added with.
    SetOutgoing {
        /// The package as it shall stand.
        package: Outgoing,
        /// The state it must be in now.
        was: Option<OutgoingState>,
    },
    /// Adds an incoming package; its id must be new.
    AddIncoming(Incoming),
    /// Replaces an incoming package, which must be in state `was` where one is given.
    SetIncoming {
        /// The package as it shall stand.
        package: Incoming,
        /// The state it must be in now.
        was: Option<IncomingState>,
    },
    /// Adds or replaces a link.
    SetLink(Link),
    /// Adds or replaces, by their ids, records of the common state.
    SetBase {
        /// The partner it is common with.
        partner: SiteId,
        /// The claim.
        claim: ExchangeId,
        /// The records as they stand at both sides.
        records: Vec<Record>,
    },
    /// Keeps what an outgoing package said; its sequence must be new for this partner and claim.
    AddSnapshot(SentSnapshot),
    /// Drops what our packages up to and including `up_to` said.
    DropSnapshots {
        /// The partner they were sent to.
        partner: SiteId,
        /// The claim.
        claim: ExchangeId,
        /// The highest sequence to drop.
        up_to: u64,
    },
    /// Keeps what an outgoing notes package said, until it is known what became of it; the package must be new here.
    AddSentNotes {
        /// The package.
        package: PackageId,
        /// The notes as they were sent.
        records: Vec<Record>,
    },
    /// Drops what this notes package said.
    DropSentNotes(PackageId),
    /// Pauses a partner, also one that is paused already.
    Pause(SiteId),
    /// Ends a partner's pause, also where there is none.
    Resume(SiteId),
    /// Appends to the history, chained after its last entry with [`HistoryEntry::chained_after`].
    Append(HistoryEntry),
}

/// Every method of [`Ledger`] but `commit`, asked of another ledger: what is not asked of it, such as a count of its own,
/// would be answered by this trait's default.
macro_rules! asked_of {
    ($self:ident, $to:expr) => {
        fn outgoing(&$self, id: PackageId) -> Result<Option<Outgoing>> {
            ($to).outgoing(id)
        }

        fn outgoing_list(&$self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
            ($to).outgoing_list(query)
        }

        fn incoming(&$self, id: PackageId) -> Result<Option<Incoming>> {
            ($to).incoming(id)
        }

        fn incoming_list(&$self, query: &PackageQuery) -> Result<Vec<Incoming>> {
            ($to).incoming_list(query)
        }

        fn link(&$self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>> {
            ($to).link(partner, claim)
        }

        fn links(&$self, claim: &ExchangeId) -> Result<Vec<Link>> {
            ($to).links(claim)
        }

        fn base(&$self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>> {
            ($to).base(partner, claim)
        }

        fn sent_snapshot(
            &$self,
            partner: &SiteId,
            claim: &ExchangeId,
            sequence: u64,
        ) -> Result<Option<Vec<Record>>> {
            ($to).sent_snapshot(partner, claim, sequence)
        }

        fn sent_notes(&$self, package: PackageId) -> Result<Option<Vec<Record>>> {
            ($to).sent_notes(package)
        }

        fn notes_sent(&$self, partner: &SiteId, claim: &ExchangeId) -> Result<BTreeSet<ExchangeId>> {
            ($to).notes_sent(partner, claim)
        }

        fn paused(&$self) -> Result<BTreeSet<SiteId>> {
            ($to).paused()
        }

        fn history(&$self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
            ($to).history(query)
        }

        fn stock(&$self) -> Result<Stock> {
            ($to).stock()
        }

        fn check_writable(&$self) -> Result<()> {
            ($to).check_writable()
        }
    };
}
pub(crate) use asked_of;

impl<L: Ledger + ?Sized> Ledger for Arc<L> {
    fn commit(&self, changes: &[Change]) -> Result<()> {
        (**self).commit(changes)
    }

    asked_of!(self, **self);
}
