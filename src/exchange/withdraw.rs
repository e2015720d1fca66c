//! Taking back a package that has not left.

use super::Exchange;
use super::export::outgoing_entry;
use super::send::settle;
use super::store::Side;
use crate::ledger::{Outgoing, OutgoingState, Step};
use crate::model::{PackageId, PackageKind};
use crate::{Error, ErrorKind, Result};

impl Exchange {
    /// Takes back a package that is queued or has failed, as asked for by `by` and because of `reason`, which both go into
    /// the history: one for the wrong partner, or with a document that must not leave. It is never sent, its sealed bytes
    /// are removed, and what it carries does not count as seen. Doing it again changes nothing.
    ///
    /// ```
    /// # use claimwire::{Result, exchange::Exchange, ledger::OutgoingState, model::PackageId};
    /// # fn example(exchange: &Exchange, package: PackageId) -> Result<()> {
    /// let package = exchange.withdraw(package, "d.whitfield", "the wrong scan was attached")?;
    /// assert_eq!(package.state, OutgoingState::Withdrawn);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::WrongState`] when the partner holds it or may hold it, because it is
    /// being sent, or was and no answer came; [`ErrorKind::Ledger`].
    pub fn withdraw(&self, package: PackageId, by: &str, reason: &str) -> Result<Outgoing> {
        let (outgoing, _) = self.update_outgoing(package, |outgoing| {
            if !is_here_alone(outgoing) {
                return None;
            }
            outgoing.state = OutgoingState::Withdrawn;
            settle(outgoing);
            (outgoing.sealed_removed, outgoing.untold_failure) = (true, None);
            let said = format!("withdrawn before {} had it: {reason}", outgoing.package.to);
            Some(outgoing_entry(outgoing, Step::Withdrawn, by, said))
        })?;
        if outgoing.state != OutgoingState::Withdrawn {
            return Err(Error::new(
                ErrorKind::WrongState,
                format!(
                    "package {package} is {} and its recipient holds it or may hold it: ask {} to reject it",
                    outgoing.state, outgoing.package.to
                ),
            ));
        }
        // Each of these also where an earlier call came no further than the entry.
        if outgoing.package.kind == PackageKind::Notes {
            self.settle_notes(&outgoing, false)?;
        }
        self.0.store.discard(Side::Out, &outgoing.file);
        // Later packages of the claim may have waited for it.
        self.0.outbox.call(&outgoing.package.to);
        Ok(outgoing)
    }
}

/// Whether nobody but this site can have the package.
fn is_here_alone(outgoing: &Outgoing) -> bool {
    matches!(outgoing.state, OutgoingState::Queued | OutgoingState::Failed)
        && !outgoing.unanswered
        && outgoing.receipt.is_none()
        && outgoing.last_receipt.is_none()
}
