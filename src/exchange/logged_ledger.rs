//! The log of what became durable: each entry of the history, as the ledger takes it.
//!
//! So the log says what the history says, no sooner and no less, whichever step wrote it.

use crate::ledger::{
    Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, PackageQuery, Step,
};
use crate::model::{ExchangeId, PackageId, Record, SiteId};
use crate::trace::event;
use crate::{ErrorKind, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct LoggedLedger(pub(super) Arc<dyn Ledger>);

impl Ledger for LoggedLedger {
    fn commit(&self, changes: &[Change]) -> Result<()> {
        match self.0.commit(changes) {
            Ok(()) => changes.iter().for_each(log),
            // Another thread was faster, and the step looks again.
            Err(error) if error.kind() == ErrorKind::WrongState => {
                event!(trace, "overtaken");
                return Err(error);
            }
            Err(error) => {
                event!(error, "ledger not written", error = error.kind().name());
                return Err(error);
            }
        }
        Ok(())
    }

    fn outgoing(&self, id: PackageId) -> Result<Option<Outgoing>> {
        self.0.outgoing(id)
    }

    fn outgoing_list(&self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
        self.0.outgoing_list(query)
    }

    fn incoming(&self, id: PackageId) -> Result<Option<Incoming>> {
        self.0.incoming(id)
    }

    fn incoming_list(&self, query: &PackageQuery) -> Result<Vec<Incoming>> {
        self.0.incoming_list(query)
    }

    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>> {
        self.0.link(partner, claim)
    }

    fn links(&self, claim: &ExchangeId) -> Result<Vec<Link>> {
        self.0.links(claim)
    }

    fn base(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>> {
        self.0.base(partner, claim)
    }

    fn sent_snapshot(
        &self,
        partner: &SiteId,
        claim: &ExchangeId,
        sequence: u64,
    ) -> Result<Option<Vec<Record>>> {
        self.0.sent_snapshot(partner, claim, sequence)
    }

    fn sent_notes(&self, package: PackageId) -> Result<Option<Vec<Record>>> {
        self.0.sent_notes(package)
    }

    fn paused(&self) -> Result<BTreeSet<SiteId>> {
        self.0.paused()
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        self.0.history(query)
    }
}

fn log(change: &Change) {
    match change {
        Change::AddOutgoing(Outgoing { package, suite, size, .. }) => {
            event!(debug, "in the outbox", package = package.id, suite = suite, bytes = size);
        }
        Change::AddIncoming(Incoming { id, suite, size, .. }) => {
            event!(debug, "in the inbox", package = id, suite = suite, bytes = size);
        }
        Change::Pause(partner) => {
            event!(info, "paused", partner = partner);
        }
        Change::Resume(partner) => {
            event!(info, "resumed", partner = partner);
        }
        Change::Append(entry) => log_step(entry),
        _ => {}
    }
}

fn log_step(entry: &HistoryEntry) {
    let HistoryEntry { direction, step, package, kind, partner, .. } = entry;
    let kind = kind.name();
    match &entry.error {
        // The kind alone: the sentence may name documents and fields.
        Some(fault) => {
            let error = &fault.kind;
            event!(
                warn,
                "step failed",
                step = step,
                direction = direction,
                kind = kind,
                package = package,
                partner = partner,
                error = error
            );
        }
        None if *step == Step::Rejected => {
            event!(
                warn,
                "step",
                step = step,
                direction = direction,
                kind = kind,
                package = package,
                partner = partner
            );
        }
        None => {
            event!(
                info,
                "step",
                step = step,
                direction = direction,
                kind = kind,
                package = package,
                partner = partner
            );
        }
    }
}
