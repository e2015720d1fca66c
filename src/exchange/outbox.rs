//! The outbox: what is queued is sent in its order, when it is due.
//!
//! Packages of one claim keep their order: while one is not settled (queued, being sent, or sent without an answer), the
//! later ones to the same partner wait. One that failed for good holds nothing up, since a later package of the claim
//! says all that is exchanged of it; the recipient passes over the earlier one where it comes after all.
//!
//! A partner that cannot be reached, or that asks to be left alone, gets no further package until its time has come.

use super::Exchange;
use super::partner::Partner;
use crate::codec::Watch;
use crate::ledger::{Fault, Outgoing, OutgoingState, PackageQuery, outgoing_pages};
use crate::model::{ExchangeId, PackageId, SiteId, Timestamp};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
    /// The packages that are being sent.
    in_hand: Mutex<BTreeSet<PackageId>>,
    editing: Mutex<()>,
    /// Counts what may have made something due.
    pub(super) news: Mutex<u64>,
    pub(super) changed: Condvar,
}

/// That this thread, and no other, sends a package.
pub(super) struct Turn<'a>(&'a Outbox, PackageId);

impl Outbox {
    /// `None` while another thread sends it.
    pub(super) fn take(&self, package: PackageId) -> Option<Turn<'_>> {
        self.in_hand().insert(package).then(|| Turn(self, package))
    }

    fn in_hand(&self) -> MutexGuard<'_, BTreeSet<PackageId>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread at a time changes a package by what it reads of it.
    pub(super) fn editing(&self) -> MutexGuard<'_, ()> {
        super::take_turn(&self.editing)
    }

    /// Wakes whoever waits for something to be due.
    pub(super) fn wake(&self) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        *news = news.wrapping_add(1);
        self.changed.notify_all();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.in_hand().remove(&self.1);
    }
}

impl Exchange {
    /// Sends everything that is queued to a partner, whenever it were due, in the order of the exports. While a package
    /// is not settled, the later ones of its claim are held back, notes among them; other claims go on.
    ///
    /// Packages whose answer has not come yet are asked about again. Packages that failed for good are not tried, and
    /// hold nothing back.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`]; [`ErrorKind::WrongState`], retryable, while the partner is paused;
    /// [`ErrorKind::Ledger`]. Why a single package could not be sent is in the answer.
    pub fn send_queued(&self, to: &SiteId, watch: &dyn Watch) -> Result<SentQueue> {
        self.unless_paused(&*self.partner(to)?)?;
        let run = self.run(PackageQuery::new().partner(to.clone()), self.now(), false, watch);
        self.0.outbox.wake();
        run
    }

    /// Sends what is due at `now`, to all partners, in the order of the exports, and says when the next is due: for a
    /// host with a scheduler of its own. Others [start the outbox](Self::start_outbox).
    ///
    /// What was just exported is due at once. What could not be delivered is due again as
    /// [the partner's policy](super::Partner::retrying) says, and not before the partner asks for it (`Retry-After`).
    /// What a process that died was sending is due at once: the partner is asked for it first. When the policy's time or
    /// tries have run out the package is failed, and [`Event::Failed`](super::Event::Failed) tells so.
    ///
    /// While a partner is [paused](Self::pause) its packages are not due, and the time that its policy counts stands
    /// still.
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
    /// [`ErrorKind::Ledger`]. Why a single package could not be sent is in the answer.
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
        let mut run = Run {
            exchange: self,
            watch,
            began: (now, Instant::now()),
            only_due,
            paused: self.paused()?,
            unsettled: BTreeSet::new(),
            resting: BTreeMap::new(),
            stopped: false,
            queue: SentQueue::default(),
        };
        // All are read before one is sent: what is exported meanwhile waits for the next pass.
        let open = outgoing_pages(&self.0.ledger, query.outgoing_in(OutgoingState::OPEN));
        for outgoing in open.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            run.come_to(outgoing)?;
        }
        Ok(run.queue)
    }
}

/// One pass over the queue.
struct Run<'a> {
    exchange: &'a Exchange,
    watch: &'a dyn Watch,
    began: (Timestamp, Instant),
    only_due: bool,
    paused: BTreeSet<SiteId>,
    /// The claims of which a package is not settled.
    unsettled: BTreeSet<(SiteId, ExchangeId)>,
    /// Until when a partner is left alone, and why.
    resting: BTreeMap<SiteId, (Timestamp, Fault)>,
    stopped: bool,
    queue: SentQueue,
}

impl Run<'_> {
    /// `now` moves on with the pass.
    fn now(&self) -> Timestamp {
        self.began.0.later(self.began.1.elapsed())
    }

    fn come_to(&mut self, outgoing: Outgoing) -> Result<()> {
        let (package, site) = (outgoing.package.id, outgoing.package.to.clone());
        // What is for a site that is no partner any more waits until it is one again.
        let Ok(partner) = self.exchange.partner(&site) else { return Ok(()) };
        if self.paused.contains(&site) {
            return self.exchange.let_time_stand_still(&outgoing);
        }
        let claim = (site, outgoing.package.claim.clone());
        if self.stopped || self.unsettled.contains(&claim) {
            self.queue.held_back.push(package);
            return Ok(());
        }
        let now = self.now();
        if let Some(due) = outgoing.retry_at.filter(|due| self.only_due && *due > now) {
            self.unsettled.insert(claim);
            self.due_at(due);
            return Ok(());
        }
        if let Some((until, error)) = self.resting.get(&claim.0).cloned() {
            let waits = self.exchange.put_off(&partner, &outgoing, now, until, &error)?;
            self.queue.held_back.push(package);
            self.stays(claim, &waits);
            return Ok(());
        }
        let exchange = self.exchange;
        let Some(_turn) = exchange.0.outbox.take(package) else {
            self.queue.held_back.push(package);
            self.unsettled.insert(claim);
            return Ok(());
        };
        self.send(&partner, package, claim, now)
    }

    fn send(
        &mut self,
        partner: &Partner,
        package: PackageId,
        claim: (SiteId, ExchangeId),
        now: Timestamp,
    ) -> Result<()> {
        match self.exchange.send_at(now, package, self.watch) {
            Ok(outgoing) => {
                self.stays(claim, &outgoing);
                self.queue.sent.push(outgoing);
            }
            // What became of the package could not be written down.
            Err(error) if error.kind() == ErrorKind::Ledger => return Err(error),
            Err(error) => {
                let outgoing = self.exchange.outgoing(package)?;
                self.stopped = error.kind() == ErrorKind::Cancelled;
                if let Some(until) = rest_after(&error, &outgoing, now).filter(|_| self.only_due) {
                    self.resting.insert(partner.site.clone(), (until, Fault::from(&error)));
                }
                self.stays(claim, &outgoing);
                self.queue.failed.push((package, error));
            }
        }
        Ok(())
    }

    /// Notes whether the package still stands before the later ones of its claim.
    fn stays(&mut self, claim: (SiteId, ExchangeId), outgoing: &Outgoing) {
        if OutgoingState::OPEN.contains(&outgoing.state) {
            self.unsettled.insert(claim);
            self.due_at(outgoing.retry_at.unwrap_or(self.began.0));
        }
    }

    fn due_at(&mut self, due: Timestamp) {
        if self.only_due {
            let next = self.queue.next_due.filter(|next| *next <= due);
            self.queue.next_due = Some(next.unwrap_or(due));
        }
    }
}

/// Until when a partner's other packages wait, where the error is not of this one alone: the partner asks for it, or
/// nothing of the package had left.
fn rest_after(error: &Error, outgoing: &Outgoing, now: Timestamp) -> Option<Timestamp> {
    if let Some(wait) = error.retry_after() {
        return Some(now.later(wait));
    }
    let away = matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::TimedOut) && !error.is_ambiguous();
    outgoing.retry_at.filter(|_| away)
}
