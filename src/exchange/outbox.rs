//! The outbox: what is queued is sent in its order, when it is due, to one partner after the other by the thread that
//! calls, or to several at once by threads of the exchange's own.

use super::Exchange;
use super::outbox_line::Line;
use super::outbox_pass::Pass;
use super::outbox_untold::Untold;
use crate::codec::Watch;
use crate::ledger::{Outgoing, PackageQuery};
use crate::model::{ExchangeId, Package, PackageId, SiteId, Timestamp};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What became of the queue.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct SentQueue {
    /// The packages that were sent, in their order, as they stand now.
    pub sent: Vec<Outgoing>,
    /// The packages that could not be sent, and why.
    pub failed: Vec<(PackageId, Error)>,
    /// The packages that were not tried, since an earlier one of the same claim is not settled, their partner cannot be
    /// reached, or the caller stopped the work.
    pub held_back: Vec<PackageId>,
    /// When the next package is due, of [`Exchange::send_due`]; `None` when nothing waits. What is exported, resumed or
    /// replayed meanwhile is due at once.
    pub next_due: Option<Timestamp>,
}

/// What the threads that send share.
#[derive(Default)]
pub(super) struct Outbox {
    /// The claims of which a package is being sent, and whether somebody else wanted to send one meanwhile.
    in_hand: Mutex<BTreeMap<(SiteId, ExchangeId), bool>>,
    editing: Mutex<()>,
    line: Mutex<Line>,
    pub(super) untold: Untold,
    pub(super) changed: Condvar,
}

/// That this thread, and no other, sends packages of a claim to a partner.
pub(super) struct Turn<'a>(&'a Outbox, (SiteId, ExchangeId));

impl Outbox {
    /// `None` while another thread sends a package of the same claim to the same partner.
    pub(super) fn take(&self, package: &Package) -> Option<Turn<'_>> {
        let claim = (package.to.clone(), package.claim.clone());
        let mut in_hand = self.in_hand();
        if let Some(wanted) = in_hand.get_mut(&claim) {
            *wanted = true;
            return None;
        }
        in_hand.insert(claim.clone(), false);
        Some(Turn(self, claim))
    }

    fn in_hand(&self) -> MutexGuard<'_, BTreeMap<(SiteId, ExchangeId), bool>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread at a time changes a package by what it reads of it.
    pub(super) fn editing(&self) -> MutexGuard<'_, ()> {
        super::take_turn(&self.editing)
    }

    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        // Its parts are changed together with nothing in between that could panic.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be something to be sent to this partner: a thread that sends looks for it.
    pub(super) fn call(&self, site: &SiteId) {
        self.line().call(site);
        self.changed.notify_all();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let wanted = self.0.in_hand().remove(&self.1);
        if wanted == Some(true) {
            self.0.call(&self.1.0);
        }
    }
}

impl Exchange {
    /// Sends everything that is queued to a partner, whenever it were due, in the order of the exports. While a package
    /// is not settled, the later ones of its claim are held back, notes among them; other claims go on.
    ///
    /// Packages whose answer has not come yet are asked about again. Packages that failed for good are not tried, and
    /// hold nothing back. Where the partner cannot be reached, or asks to be left alone, the packages behind the one that
    /// met this are held back, and due when that one is.
    ///
    /// # Errors
    /// [`UnknownPartner`](crate::ErrorKind::UnknownPartner); [`WrongState`](crate::ErrorKind::WrongState), retryable,
    /// while the partner is paused; [`Ledger`](crate::ErrorKind::Ledger). Why a single package could not be sent is in the answer.
    pub fn send_queued(&self, to: &SiteId, watch: &dyn Watch) -> Result<SentQueue> {
        self.unless_paused(&*self.partner(to)?)?;
        let run = self.run(PackageQuery::new().partner(to.clone()), self.now(), false, watch);
        self.0.outbox.call(to);
        run
    }

    /// Sends what is due at `now`, to all partners, in the order of the exports and one after the other, and says when
    /// the next is due: for a host with a scheduler of its own. Others [start the outbox](Self::start_outbox), which
    /// lets no partner wait for a slow one.
    ///
    /// What was just exported is due at once. What could not be delivered is due again as
    /// [the partner's policy](super::Partner::retrying) says, and not before the partner asks for it (`Retry-After`).
    /// What a process that died was sending is due at once: the partner is asked for it first. When the policy's time or
    /// tries have run out the package is failed, and [`Event::Failed`](super::Event::Failed) tells so.
    ///
    /// Senders that could not be told what became of their packages are told, with the same growing waits; nothing in the
    /// answer speaks of them but `next_due`.
    ///
    /// While a partner is [paused](Self::pause) its packages are not due, and the time that its policy counts stands
    /// still. So it does while this site has no valid key to sign with, or no transport to the partner: then
    /// [`Event::HeldUp`](super::Event::HeldUp) says once what to put right, and the next look is five minutes later.
    ///
    /// ```no_run
    /// # fn schedule(exchange: &claimwire::exchange::Exchange) -> claimwire::Result<()> {
    /// use claimwire::model::Timestamp;
    ///
    /// let run = exchange.send_due(Timestamp::now(), &())?;
    /// for (package, error) in &run.failed {
    ///     eprintln!("{package}: {error}");
    /// }
    /// println!("again at {:?}", run.next_due);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Ledger`](crate::ErrorKind::Ledger). Why a single package could not be sent is in the answer.
    pub fn send_due(&self, now: Timestamp, watch: &dyn Watch) -> Result<SentQueue> {
        self.run(PackageQuery::new(), now, true, watch)
    }

    fn run(
        &self,
        query: PackageQuery,
        now: Timestamp,
        only_due: bool,
        watch: &dyn Watch,
    ) -> Result<SentQueue> {
        let mut pass = Pass::begin(self, query, now, only_due)?;
        while pass.go_on(self, watch)? {}
        Ok(pass.queue)
    }
}
