//! How long sealed packages are kept: those that are dealt with are removed when a host says so, their traces are not.

use super::Exchange;
use super::export::outgoing_entry;
use super::receive::incoming_entry;
use super::store::Side;
use crate::ledger::{
    Change, Incoming, IncomingState, Outgoing, OutgoingState, PackageQuery, Step, incoming_pages,
    outgoing_pages,
};
use crate::model::{PackageId, Timestamp};
use crate::{Error, ErrorKind, Result};

/// Where the packages stand that are dealt with.
const SENT: [OutgoingState; 2] = [OutgoingState::Unpacked, OutgoingState::Rejected];
const RECEIVED: [IncomingState; 3] =
    [IncomingState::Unpacked, IncomingState::Rejected, IncomingState::Superseded];

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
        let mut removed = 0;
        for page in outgoing_pages(&self.0.ledger, dealt_with().outgoing_in(SENT)) {
            for outgoing in page? {
                removed += u64::from(self.remove_sent(&outgoing, before, by)?);
            }
        }
        for page in incoming_pages(&self.0.ledger, dealt_with().incoming_in(RECEIVED)) {
            for incoming in page? {
                removed += u64::from(self.remove_received(&incoming, before, by)?);
            }
        }
        Ok(removed)
    }

    fn remove_sent(&self, listed: &Outgoing, before: Timestamp, by: &str) -> Result<bool> {
        let noted =
            is_trace_enough_of_sent(listed, before) && self.note_sent(listed.package.id, before, by)?;
        // Also of one whose entry an earlier call made, and came no further.
        if noted || listed.sealed_removed {
            self.0.store.discard(Side::Out, &listed.file);
        }
        Ok(noted)
    }

    fn remove_received(&self, listed: &Incoming, before: Timestamp, by: &str) -> Result<bool> {
        let noted =
            is_trace_enough_of_received(listed, before) && self.note_received(listed.id, before, by)?;
        if noted || listed.sealed_removed {
            self.0.store.discard(Side::In, &listed.file);
        }
        Ok(noted)
    }

    fn note_sent(&self, package: PackageId, before: Timestamp, by: &str) -> Result<bool> {
        let (_, noted) = self.update_outgoing(package, |outgoing| {
            if !is_trace_enough_of_sent(outgoing, before) {
                return None;
            }
            outgoing.sealed_removed = true;
            Some(outgoing_entry(outgoing, Step::Removed, by, SAID))
        })?;
        Ok(noted)
    }

    fn note_received(&self, package: PackageId, before: Timestamp, by: &str) -> Result<bool> {
        let _turn = self.turn_of_package(package);
        let mut incoming = self.incoming(package)?;
        if !is_trace_enough_of_received(&incoming, before) {
            return Ok(false);
        }
        incoming.sealed_removed = true;
        let entry = incoming_entry(&incoming, Step::Removed, by, SAID);
        let was = Some(incoming.state);
        self.0.ledger.commit(&[Change::SetIncoming { package: incoming, was }, Change::Append(entry)])?;
        Ok(true)
    }
}

fn is_trace_enough_of_sent(outgoing: &Outgoing, before: Timestamp) -> bool {
    // A host that was not told yet may want to look at it.
    let is_told = outgoing.untold_failure.is_none() && outgoing.pending_feedback.is_none();
    SENT.contains(&outgoing.state) && is_told && !outgoing.sealed_removed && outgoing.updated_at < before
}

fn is_trace_enough_of_received(incoming: &Incoming, before: Timestamp) -> bool {
    let is_settled = RECEIVED.contains(&incoming.state) && !incoming.untold;
    is_settled && !incoming.sealed_removed && incoming.updated_at < before
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
