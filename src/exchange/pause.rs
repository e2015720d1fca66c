//! Traffic to one partner: paused and resumed, and what is queued sent in its order.

use super::Exchange;
use super::partner::Partner;
use crate::codec::Watch;
use crate::ledger::{Change, Outgoing, OutgoingState, PackageQuery};
use crate::model::{ExchangeId, PackageId, SiteId};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeSet, VecDeque};

/// What became of a partner's queue.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SentQueue {
    /// The packages that were sent, in their order, as they stand now.
    pub sent: Vec<Outgoing>,
    /// The packages that could not be sent, and why.
    pub failed: Vec<(PackageId, Error)>,
    /// The packages that were not tried, since an earlier one of the same claim could not be sent, or the caller
    /// stopped the work.
    pub held_back: Vec<PackageId>,
}

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

    /// Lets packages go to a paused partner again; [`send_queued`](Self::send_queued) sends what was queued.
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
        self.0.ledger.commit(&[Change::Resume(partner.clone())])
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

    /// Sends everything that is queued to a partner, in the order of the exports. Where a package cannot be sent, the
    /// later ones of its claim are held back, notes among them; other claims go on.
    ///
    /// Packages whose answer has not come yet are asked about again. Packages that failed for good are not tried.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`]; [`ErrorKind::WrongState`], retryable, while the partner is paused;
    /// [`ErrorKind::Ledger`]. Why a single package could not be sent is in the answer.
    pub fn send_queued(&self, to: &SiteId, watch: &dyn Watch) -> Result<SentQueue> {
        self.unless_paused(&*self.partner(to)?)?;
        let mut queue: VecDeque<(PackageId, ExchangeId)> = self.queued(to)?.into();
        let mut run = SentQueue::default();
        let mut stopped = BTreeSet::new();
        while let Some((package, claim)) = queue.pop_front() {
            if stopped.contains(&claim) {
                run.held_back.push(package);
                continue;
            }
            match self.send(package, watch) {
                Ok(outgoing) => run.sent.push(outgoing),
                Err(error) => {
                    let cancelled = error.kind() == ErrorKind::Cancelled;
                    run.failed.push((package, error));
                    stopped.insert(claim);
                    if cancelled {
                        run.held_back.extend(queue.drain(..).map(|(package, _)| package));
                    }
                }
            }
        }
        Ok(run)
    }

    fn queued(&self, to: &SiteId) -> Result<Vec<(PackageId, ExchangeId)>> {
        let open = [OutgoingState::Queued, OutgoingState::Sending, OutgoingState::Sent];
        let mut query = PackageQuery::new().partner(to.clone()).outgoing_in(open);
        let mut queued = Vec::new();
        loop {
            let page = self.0.ledger.outgoing_list(&query)?;
            let Some(last) = page.last() else { return Ok(queued) };
            query = query.after(last.package.id);
            queued.extend(page.into_iter().map(|outgoing| (outgoing.package.id, outgoing.package.claim)));
        }
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
