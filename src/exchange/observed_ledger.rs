//! Counts and logs what became durable: each entry of the history, as the ledger takes it.
//!
//! So the counters and the log say what the history says, no sooner and no less, whichever step wrote it.

use super::counters::Counters;
use crate::ledger::{
    Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, PackageQuery, Step, Stock,
};
use crate::model::{ExchangeId, PackageId, Record, SiteId};
use crate::trace::event;
use crate::{ErrorKind, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct ObservedLedger {
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) counters: Arc<Counters>,
}

impl Ledger for ObservedLedger {
    fn commit(&self, changes: &[Change]) -> Result<()> {
        match self.ledger.commit(changes) {
            Ok(()) => {
                self.counters.committed(changes);
                changes.iter().for_each(log);
            }
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
        self.ledger.outgoing(id)
    }

    fn outgoing_list(&self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
        self.ledger.outgoing_list(query)
    }

    fn incoming(&self, id: PackageId) -> Result<Option<Incoming>> {
        self.ledger.incoming(id)
    }

    fn incoming_list(&self, query: &PackageQuery) -> Result<Vec<Incoming>> {
        self.ledger.incoming_list(query)
    }

    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>> {
        self.ledger.link(partner, claim)
    }

    fn links(&self, claim: &ExchangeId) -> Result<Vec<Link>> {
        self.ledger.links(claim)
    }

    fn base(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>> {
        self.ledger.base(partner, claim)
    }

    fn sent_snapshot(
        &self,
        partner: &SiteId,
        claim: &ExchangeId,
        sequence: u64,
    ) -> Result<Option<Vec<Record>>> {
        self.ledger.sent_snapshot(partner, claim, sequence)
    }

    fn sent_notes(&self, package: PackageId) -> Result<Option<Vec<Record>>> {
        self.ledger.sent_notes(package)
    }

    fn notes_sent(&self, partner: &SiteId, claim: &ExchangeId) -> Result<BTreeSet<ExchangeId>> {
        self.ledger.notes_sent(partner, claim)
    }

    fn stock(&self) -> Result<Stock> {
        self.ledger.stock()
    }

    fn check_writable(&self) -> Result<()> {
        self.ledger.check_writable()
    }

    fn paused(&self) -> Result<BTreeSet<SiteId>> {
        self.ledger.paused()
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        self.ledger.history(query)
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
