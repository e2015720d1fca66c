//! How long sealed packages are kept: those that are dealt with are removed when a host says so, their traces are not.

use super::Exchange;
use super::export::outgoing_entry;
use super::receive::incoming_entry;
use super::store::Side;
use crate::ledger::{
    Change, Incoming, IncomingState, Outgoing, OutgoingState, PackageQuery, Step, incoming_pages,
    outgoing_pages,
};
use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};

const SAID: &str = "the sealed bytes are removed; what became of the package stays known";

impl Exchange {
    /// Removes the sealed bytes of packages that were dealt with before this moment, in both directions, as asked for by
    /// `by`: those that their recipient has unpacked or rejected. Gives how many. Ledger entries, receipts and the history
    /// stay, with an entry more for each.
    ///
    /// Such a package cannot be replayed or previewed any more: keep them for as long as a partner may have to restore a
    /// backup. What waits, has failed, or whose sender is still to be told stays. Nothing is removed by itself.
    ///
    /// ```
    /// # use claimwire::{Result, exchange::Exchange, model::Timestamp};
    /// # fn example(exchange: &Exchange, ninety_days_ago: Timestamp) -> Result<()> {
    /// let removed = exchange.remove_sealed(ninety_days_ago, "nightly job")?;
    /// println!("{removed} packages are traces only");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`]: some may be removed then, and the call can be repeated.
    pub fn remove_sealed(&self, before: Timestamp, by: &str) -> Result<u64> {
        let dealt_with = || PackageQuery::new().until(before);
        let sent = dealt_with().outgoing_in([OutgoingState::Unpacked, OutgoingState::Rejected]);
        let came = dealt_with().incoming_in([
            IncomingState::Unpacked,
            IncomingState::Rejected,
            IncomingState::Superseded,
        ]);
        let mut removed = 0;
        for page in outgoing_pages(&self.0.ledger, sent) {
            for outgoing in page? {
                removed += u64::from(self.remove_sent(&outgoing, before, by)?);
            }
        }
        for page in incoming_pages(&self.0.ledger, came) {
            for incoming in page? {
                removed += u64::from(self.remove_received(&incoming, before, by)?);
            }
        }
        Ok(removed)
    }

    fn remove_sent(&self, listed: &Outgoing, before: Timestamp, by: &str) -> Result<bool> {
        let mut removed = false;
        if is_trace_enough_of_sent(listed, before) {
            (_, removed) = self.update_outgoing(listed.package.id, |outgoing| {
                if !is_trace_enough_of_sent(outgoing, before) {
                    return None;
                }
                outgoing.sealed_removed = true;
                Some(outgoing_entry(outgoing, Step::Removed, by, SAID))
            })?;
        }
        // Also of one whose entry an earlier call made, and came no further.
        if removed || listed.sealed_removed {
            self.0.store.discard(Side::Out, &listed.file);
        }
        Ok(removed)
    }

    fn remove_received(&self, listed: &Incoming, before: Timestamp, by: &str) -> Result<bool> {
        let _turn = self.turn_of_package(listed.id);
        let mut incoming = self.incoming(listed.id)?;
        let removes = is_trace_enough_of_received(&incoming, before);
        let file = incoming.file.clone();
        if removes {
            incoming.sealed_removed = true;
            let entry = incoming_entry(&incoming, Step::Removed, by, SAID);
            let was = Some(incoming.state);
            let set = Change::SetIncoming { package: incoming, was };
            self.0.ledger.commit(&[set, Change::Append(entry)])?;
        }
        if removes || listed.sealed_removed {
            self.0.store.discard(Side::In, &file);
        }
        Ok(removes)
    }
}

fn is_trace_enough_of_sent(outgoing: &Outgoing, before: Timestamp) -> bool {
    let is_settled = matches!(outgoing.state, OutgoingState::Unpacked | OutgoingState::Rejected);
    // A host that was not told yet may want to look at it.
    let is_told = outgoing.untold_failure.is_none() && outgoing.pending_feedback.is_none();
    is_settled && is_told && !outgoing.sealed_removed && outgoing.updated_at < before
}

fn is_trace_enough_of_received(incoming: &Incoming, before: Timestamp) -> bool {
    let is_settled = matches!(
        incoming.state,
        IncomingState::Unpacked | IncomingState::Rejected | IncomingState::Superseded
    );
    is_settled && !incoming.untold && !incoming.sealed_removed && incoming.updated_at < before
}

/// Refuses work that needs the sealed bytes of a package, where they were removed.
pub(super) fn unless_removed(incoming: &Incoming) -> Result<()> {
    if !incoming.sealed_removed {
        return Ok(());
    }
    let said =
        format!("the sealed bytes of package {} were removed here; only its traces are kept", incoming.id);
    Err(Error::new(ErrorKind::WrongState, said))
}
