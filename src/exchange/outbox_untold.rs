//! Senders that could not be told what became of their packages: they are told when they can be reached again.
//!
//! That one is still to be told stands in the ledger, with its package, until it was. When it is tried again is kept in
//! memory alone, so that after a restart each is tried at once.

use super::Exchange;
use super::outbox_pass::HELD_UP;
use super::partner::Partner;
use crate::ledger::{Incoming, PackageQuery, incoming_pages};
use crate::model::{PackageId, SiteId, Timestamp};
use crate::retry::chance;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// When senders are told again.
#[derive(Default)]
pub(super) struct Untold(Mutex<Tries>);

#[derive(Default)]
struct Tries {
    resting: BTreeMap<SiteId, Rest>,
    /// The packages whose senders want no word of them, who are not told again by themselves.
    refused: BTreeSet<PackageId>,
}

/// How often a sender could not be told, and until when it is left alone.
struct Rest {
    tries: u32,
    noted: Timestamp,
    until: Timestamp,
}

impl Untold {
    /// Leaves a sender alone until then.
    pub(super) fn leave_alone(&self, site: &SiteId, now: Timestamp, until: Timestamp) {
        let mut tries = self.tries();
        let known = tries.resting.get(site).map_or(0, |rest| rest.tries);
        tries.resting.insert(site.clone(), Rest { tries: known, noted: now, until });
    }

    /// A sender was told, and can be told more.
    pub(super) fn told(&self, site: &SiteId) {
        self.tries().resting.remove(site);
    }

    fn failed(&self, partner: &Partner, package: PackageId, error: &Error, now: Timestamp) {
        let mut tries = self.tries();
        if !error.is_retryable() {
            tries.refused.insert(package);
            return;
        }
        let before = tries.resting.get(&partner.site).map_or(0, |rest| rest.tries);
        let times = before.saturating_add(1);
        let until = now.later(partner.retry.delay(times, error.retry_after(), chance()));
        tries.resting.insert(partner.site.clone(), Rest { tries: times, noted: now, until });
    }

    fn is_refused(&self, package: PackageId) -> bool {
        self.tries().refused.contains(&package)
    }

    /// Until when a sender is left alone. What a clock noted that was ahead does not count.
    fn rests_until(&self, site: &SiteId, now: Timestamp) -> Option<Timestamp> {
        let tries = self.tries();
        tries.resting.get(site).filter(|rest| rest.noted <= now && now < rest.until).map(|rest| rest.until)
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        // Each change is one call, so a thread that died with the lock left it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// The packages whose senders are still to be told what became of them, and these senders.
    pub(super) fn untold(&self, query: PackageQuery) -> Result<Vec<(PackageId, SiteId)>> {
        let mut untold = Vec::new();
        for page in incoming_pages(&self.0.ledger, query.only_untold()) {
            untold.extend(page?.into_iter().map(|incoming| (incoming.id, incoming.from)));
        }
        Ok(untold)
    }

    /// Tells a sender what became of its package, where it may be tried now. Gives whether it was tried, and before which
    /// moment it is not tried again.
    pub(super) fn tell_again(
        &self,
        package: PackageId,
        site: &SiteId,
        now: Timestamp,
    ) -> Result<(bool, Option<Timestamp>)> {
        let Ok(partner) = self.partner(site) else { return Ok((false, None)) };
        if self.is_ready_for(&partner).is_err() {
            return Ok((false, Some(now.later(HELD_UP))));
        }
        let untold = &self.0.outbox.untold;
        let resting = untold.rests_until(site, now);
        if resting.is_some() || untold.is_refused(package) {
            return Ok((false, resting));
        }
        let incoming = self.incoming(package)?;
        if !incoming.untold {
            return Ok((false, None));
        }
        match self.post_receipt(&incoming) {
            Ok(told) => self.record_told(&incoming, &told)?,
            // The history has it from the first time.
            Err(error) => self.note_untold(&incoming, &error, now),
        }
        Ok((true, untold.rests_until(site, now)))
    }

    /// Notes that a sender could not be told. What this site itself lacks says nothing of the sender.
    pub(super) fn note_untold(&self, incoming: &Incoming, error: &Error, now: Timestamp) {
        let Ok(partner) = self.partner(&incoming.from) else { return };
        if self.is_ready_for(&partner).is_ok() {
            self.0.outbox.untold.failed(&partner, incoming.id, error, now);
        }
    }
}
