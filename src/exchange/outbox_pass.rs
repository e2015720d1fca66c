//! One pass over the queue: each open package in the order of the exports is sent, put off, or passed over.
//!
//! Packages of one claim keep their order: while one is not settled (queued, being sent, or sent without an answer), the
//! later ones to the same partner wait. One that failed for good holds nothing up, since a later package of the claim
//! says all that is exchanged of it; the recipient passes over the earlier one where it comes after all.
//!
//! A partner that cannot be reached, or that asks to be left alone, gets no further package until its time has come; and
//! one to whom this site itself cannot send, until its operators have put that right.

use super::Exchange;
use super::outbox::SentQueue;
use super::outbox_time::{counts_since, due_later};
use super::outbox_wait::Waiting;
use super::partner::Partner;
use crate::codec::Watch;
use crate::ledger::{Fault, Outgoing, OutgoingState, PackageQuery, outgoing_pages};
use crate::model::{ExchangeId, PackageId, SiteId, Timestamp};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use std::vec;

/// When what waits for this site's operators is looked at again without a call, as for a key whose time begins.
pub(super) const HELD_UP: Duration = Duration::from_secs(5 * 60);

/// A pass that is under way.
pub(super) struct Pass {
    began: (Timestamp, Instant),
    only_due: bool,
    paused: BTreeSet<SiteId>,
    /// The claims of which a package is not settled.
    unsettled: BTreeSet<(SiteId, ExchangeId)>,
    /// Until when a partner is left alone, and why.
    resting: BTreeMap<SiteId, (Timestamp, Fault)>,
    /// The partners to whom this site itself cannot send.
    held_up: BTreeSet<SiteId>,
    /// Whether the caller stopped the work: the rest is held back.
    pub(super) stopped: bool,
    waiting: Waiting,
    left: vec::IntoIter<Outgoing>,
    /// The packages that came in whose senders are still to be told what became of them.
    untold: vec::IntoIter<(PackageId, SiteId)>,
    pub(super) queue: SentQueue,
}

impl Pass {
    /// Begins a pass over what `query` finds open: of what is due at `now`, or of all.
    pub(super) fn begin(
        exchange: &Exchange,
        query: PackageQuery,
        now: Timestamp,
        only_due: bool,
    ) -> Result<Self> {
        let untold = if only_due { exchange.untold(query.clone())? } else { Vec::new() };
        // All are read before one is sent: what is exported meanwhile waits for the next pass.
        let pages = outgoing_pages(&exchange.0.ledger, query.outgoing_in(OutgoingState::OPEN));
        let open: Vec<Outgoing> = pages.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        Ok(Self {
            began: (now, Instant::now()),
            only_due,
            paused: exchange.paused()?,
            unsettled: BTreeSet::new(),
            resting: BTreeMap::new(),
            held_up: BTreeSet::new(),
            stopped: false,
            waiting: Waiting::default(),
            left: open.into_iter(),
            untold: untold.into_iter(),
            queue: SentQueue::default(),
        })
    }

    /// Goes on until a package, or a sender that is to be told of one, was tried; `false` when there is none left.
    pub(super) fn go_on(&mut self, exchange: &Exchange, watch: &dyn Watch) -> Result<bool> {
        while let Some(outgoing) = self.left.next() {
            if self.come_to(exchange, outgoing, watch)? {
                return Ok(true);
            }
            if self.waiting.is_full() {
                self.write_waits(exchange, watch)?;
            }
        }
        self.waiting.write(exchange)?;
        // After the packages, which show whether the partner is there.
        while let Some((package, site)) = self.untold.next().filter(|_| !self.stopped) {
            let (is_tried, due) = exchange.tell_again(package, &site, self.now())?;
            due.into_iter().for_each(|due| self.due_at(due));
            if is_tried {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Of many packages that wait one commit comes after the other, and whoever wants to stop does not wait for them.
    fn write_waits(&mut self, exchange: &Exchange, watch: &dyn Watch) -> Result<()> {
        if self.is_told_to_stop(watch) {
            self.waiting.forget();
        }
        self.waiting.write(exchange)
    }

    fn is_told_to_stop(&mut self, watch: &dyn Watch) -> bool {
        if !self.stopped && watch.moved(0).is_break() {
            self.stopped = true;
            self.due_at(self.began.0);
        }
        self.stopped
    }

    /// `now` moves on with the pass.
    fn now(&self) -> Timestamp {
        self.began.0.later(self.began.1.elapsed())
    }

    fn come_to(&mut self, exchange: &Exchange, outgoing: Outgoing, watch: &dyn Watch) -> Result<bool> {
        let (package, site) = (outgoing.package.id, outgoing.package.to.clone());
        // What is for a site that is no partner any more waits until it is one again.
        let Ok(partner) = exchange.partner(&site) else { return Ok(false) };
        if self.paused.contains(&site) {
            self.waiting.let_time_stand_still(&outgoing);
            return Ok(false);
        }
        if let Err(fault) = exchange.is_ready_for(&partner) {
            self.hold_up(exchange, &partner, &outgoing, fault)?;
            return Ok(false);
        }
        let claim = (site, outgoing.package.claim.clone());
        if self.stopped || self.unsettled.contains(&claim) {
            self.queue.held_back.push(package);
            return Ok(false);
        }
        let now = self.now();
        if let Some(due) = due_later(&outgoing, now).filter(|_| self.only_due) {
            self.unsettled.insert(claim);
            self.due_at(due);
            return Ok(false);
        }
        if let Some((until, error)) = self.resting.get(&claim.0).cloned() {
            self.queue.held_back.push(package);
            if !partner.retry.has_ended(counts_since(&outgoing, now), until) {
                self.waiting.put_off(package, now, until);
                self.unsettled.insert(claim);
                self.due_at(until);
            } else if !self.is_told_to_stop(watch) {
                let waited = exchange.give_up_waiting(&partner, &outgoing, now, &error)?;
                self.stays(claim, &waited);
            }
            return Ok(false);
        }
        let Some(_turn) = exchange.0.outbox.take(&outgoing.package) else {
            self.queue.held_back.push(package);
            self.unsettled.insert(claim);
            return Ok(false);
        };
        self.send(exchange, &partner, package, claim, now, watch)?;
        Ok(true)
    }

    /// Passes over a package that this site itself cannot send, and tells of the partner's first one.
    fn hold_up(
        &mut self,
        exchange: &Exchange,
        partner: &Partner,
        outgoing: &Outgoing,
        fault: Error,
    ) -> Result<()> {
        let package = outgoing.package.id;
        if self.held_up.insert(partner.site.clone()) {
            let fault = exchange.hold_up(partner, outgoing, fault)?;
            self.queue.failed.push((package, fault));
        } else {
            self.waiting.let_time_stand_still(outgoing);
            self.queue.held_back.push(package);
        }
        self.due_at(self.began.0.later(HELD_UP));
        Ok(())
    }

    fn send(
        &mut self,
        exchange: &Exchange,
        partner: &Partner,
        package: PackageId,
        claim: (SiteId, ExchangeId),
        now: Timestamp,
        watch: &dyn Watch,
    ) -> Result<()> {
        self.waiting.write(exchange)?;
        match exchange.send_at(now, package, watch) {
            Ok(outgoing) => {
                self.stays(claim, &outgoing);
                self.queue.sent.push(outgoing);
            }
            // What became of the package could not be written down.
            Err(error) if error.kind() == ErrorKind::Ledger => return Err(error),
            Err(error) => {
                let outgoing = exchange.outgoing(package)?;
                self.stopped = error.kind() == ErrorKind::Cancelled;
                if let Some(until) = rest_after(&error, &outgoing, now) {
                    exchange.0.outbox.untold.leave_alone(&partner.site, now, until);
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
    let of_the_way = [ErrorKind::Unreachable, ErrorKind::TimedOut, ErrorKind::BadCertificate];
    let away = of_the_way.contains(&error.kind()) && !error.is_ambiguous();
    outgoing.retry_at.filter(|_| away)
}
