//! Replay: packages that were delivered, or that failed, are queued to be sent again, because a person wants it so.
//!
//! A partner that restored its store from a backup has forgotten what it signed for since. It takes the same packages as
//! new; one that still holds them answers with its word on them, and changes nothing.

use super::Exchange;
use super::export::outgoing_entry;
use super::send::settle;
use crate::ledger::{Outgoing, OutgoingState, PackageQuery, Step, outgoing_pages};
use crate::model::{PackageId, SiteId, Timestamp};
use crate::{Error, ErrorKind, Result};

const REPLAYED: [OutgoingState; 3] =
    [OutgoingState::Delivered, OutgoingState::Unpacked, OutgoingState::Failed];

impl Exchange {
    /// Queues a package that was delivered, or that failed, to be sent again under the same id, as asked for by `by`. It
    /// goes out with the queue, is posted whatever the partner said of it before, and what the partner says now counts.
    /// The first receipt stays with it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::WrongState`] for one that is still to be delivered, and for one that
    /// the partner rejected or whose sealed bytes were [removed](Self::remove_sealed): export the claim anew; [`ErrorKind::Ledger`].
    pub fn replay(&self, package: PackageId, by: &str) -> Result<Outgoing> {
        let (outgoing, queued) = self.update_outgoing(package, |outgoing| {
            if !REPLAYED.contains(&outgoing.state) || outgoing.sealed_removed {
                return None;
            }
            outgoing.state = OutgoingState::Queued;
            settle(outgoing);
            (outgoing.attempts, outgoing.untold_failure) = (0, None);
            let said = format!("queued to be sent to {} again", outgoing.package.to);
            Some(outgoing_entry(outgoing, Step::Requeued, by, said))
        })?;
        if !queued {
            let said = match outgoing.state {
                OutgoingState::Rejected => "was rejected by its recipient for good: export the claim anew",
                OutgoingState::Withdrawn => "was withdrawn: export the claim anew",
                _ if outgoing.sealed_removed => "has no sealed bytes any more: export the claim anew",
                _ => "is still to be delivered: there is nothing to repeat",
            };
            return Err(Error::new(ErrorKind::WrongState, format!("package {package} {said}")));
        }
        self.0.outbox.call(&outgoing.package.to);
        Ok(outgoing)
    }

    /// [Replays](Self::replay) all packages to a partner of which something became known at `since` or later: that they
    /// were delivered, unpacked, or failed. Gives their ids in the order of the exports, in which they are sent.
    ///
    /// `since` is the time of the backup that the partner restored. A package too many does no harm.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`]; [`ErrorKind::Ledger`]: some may be queued then, and the call can be repeated.
    pub fn replay_since(&self, to: &SiteId, since: Timestamp, by: &str) -> Result<Vec<PackageId>> {
        self.partner(to)?;
        let mut found = Vec::new();
        for page in
            outgoing_pages(&self.0.ledger, PackageQuery::new().partner(to.clone()).outgoing_in(REPLAYED))
        {
            found.extend(page?.into_iter().filter(|outgoing| outgoing.updated_at >= since));
        }
        let mut queued = Vec::new();
        for outgoing in found {
            match self.replay(outgoing.package.id, by) {
                Ok(outgoing) => queued.push(outgoing.package.id),
                // A receipt that came meanwhile, or another thread, settled it.
                Err(error) if error.kind() == ErrorKind::WrongState => {}
                Err(error) => return Err(error),
            }
        }
        Ok(queued)
    }
}
