//! Traffic to one partner: paused and resumed.

use super::Exchange;
use super::partner::Partner;
use crate::ledger::Change;
use crate::model::SiteId;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeSet;

impl Exchange {
    /// Pauses the sending to a partner, until it is [resumed](Self::resume), also over a restart and over a change of
    /// its settings. A pause [in its settings](Partner::paused) is another one: both must end.
    ///
    /// Exports go on and are queued in their order. What the partner sends is taken in, unpacked and acknowledged as
    /// ever. A package that is being posted is not stopped.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`]; [`ErrorKind::Ledger`].
    pub fn pause(&self, partner: &SiteId) -> Result<()> {
        self.partner(partner)?;
        self.0.ledger.commit(&[Change::Pause(partner.clone())])
    }

    /// Lets packages go to a paused partner again: what was queued is due, see [`send_due`](Self::send_due).
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`]; [`ErrorKind::Ledger`]; [`ErrorKind::WrongState`] when the partner's settings pause
    /// it: nothing is changed then.
    pub fn resume(&self, partner: &SiteId) -> Result<()> {
        let known = self.partner(partner)?;
        if known.paused {
            let said =
                format!("{} is paused in its settings: take that out of them, then resume it", known.alias);
            return Err(Error::new(ErrorKind::WrongState, said));
        }
        self.0.ledger.commit(&[Change::Resume(partner.clone())])?;
        self.0.outbox.call(partner);
        Ok(())
    }

    /// The partners that are paused, by [`pause`](Self::pause) or in their settings.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`].
    pub fn paused(&self) -> Result<BTreeSet<SiteId>> {
        let mut paused = self.0.ledger.paused()?;
        let in_settings = self.partners();
        paused.extend(
            in_settings.values().filter(|partner| partner.paused).map(|partner| partner.site.clone()),
        );
        Ok(paused)
    }

    pub(super) fn unless_paused(&self, partner: &Partner) -> Result<()> {
        let said = if partner.paused {
            format!(
                "{} is paused in its settings: its packages stay queued until that is taken out",
                partner.alias
            )
        } else if self.0.ledger.paused()?.contains(&partner.site) {
            format!("{} is paused: its packages stay queued; resume it, then send them", partner.alias)
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::WrongState, said).retryable(true))
    }
}
