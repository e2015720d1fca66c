//! Counts and logs what became durable: each entry of the history, as the ledger takes it.
//!
//! So the counters and the log say what the history says, no sooner and no less, whichever step wrote it.

use super::counters::Counters;
use crate::ledger::{
    Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, PackageQuery, Step, Stock, asked_of,
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

    asked_of!(self, self.ledger);
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
