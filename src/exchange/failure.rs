//! Tries that fail: when the next one is, when a package is given up, and that the host is told so once.
//!
//! A package never ends silently: why it failed stands in the ledger, in the same commit as the failure, until a listener
//! was told. A process that dies in between tells it when the exchange is opened again.

use super::Exchange;
use super::event::Event;
use super::export::outgoing_entry;
use super::partner::Partner;
use crate::ledger::{Fault, Outgoing, OutgoingState, PackageQuery, Step, outgoing_pages};
use crate::model::Timestamp;
use crate::retry::chance;
use crate::{Error, ErrorKind, Result};
use std::time::{Duration, SystemTime};

impl Exchange {
    /// Records that a request was left for the partner to collect, and when to look for its answer.
    pub(super) fn record_pending(
        &self,
        partner: &Partner,
        tried: &Outgoing,
        now: Timestamp,
    ) -> Result<Outgoing> {
        let Some(next) = next_try(partner, tried, now, None) else {
            let said = format!("left for {} to collect, and no answer came", partner.alias);
            let error = given_up(Error::new(ErrorKind::TimedOut, said), tried, now);
            return self.record_failed_try(partner, tried, now, error, true);
        };
        let (outgoing, _) = self.update_outgoing(tried.package.id, |outgoing| {
            if outgoing.state.is_held() {
                return None;
            }
            outgoing.state = OutgoingState::Sent;
            (outgoing.retry_at, outgoing.last_error) = (Some(next), None);
            let said = format!("left for {} to collect; no receipt yet", partner.alias);
            Some(outgoing_entry(outgoing, Step::Sent, &outgoing.package.created_by, said))
        })?;
        Ok(outgoing)
    }

    /// Records why a try failed, and when the next one is, if any; unless another way proved meanwhile that the partner
    /// holds the package.
    pub(super) fn record_failed_try(
        &self,
        partner: &Partner,
        tried: &Outgoing,
        now: Timestamp,
        error: Error,
        in_doubt: bool,
    ) -> Result<Outgoing> {
        // A caller that stopped the work says nothing of the partner.
        let stopped = error.kind() == ErrorKind::Cancelled;
        let next =
            if error.is_retryable() { next_try(partner, tried, now, error.retry_after()) } else { None };
        let error = match next {
            None if error.is_retryable() && !stopped => given_up(error, tried, now),
            _ => error,
        };
        let ends = next.is_none() && !stopped;
        let reason = format!("{error}; {}", what_to_do(partner, in_doubt));
        let (outgoing, recorded) = self.update_outgoing(tried.package.id, |outgoing| {
            if outgoing.state.is_held() {
                return None;
            }
            outgoing.state = match (ends, in_doubt) {
                (true, _) => OutgoingState::Failed,
                (false, true) => OutgoingState::Sent,
                (false, false) => OutgoingState::Queued,
            };
            outgoing.unanswered = in_doubt;
            outgoing.retry_at = next.filter(|_| !stopped);
            outgoing.last_error = Some(Fault::from(&error));
            outgoing.untold_failure = self.to_be_told(ends, &reason);
            let by = &outgoing.package.created_by;
            Some(outgoing_entry(outgoing, Step::Failed, by, error.to_string()).failed_with(&error))
        })?;
        if recorded && ends {
            self.tell_failure(&outgoing)?;
        } else if recorded && error.kind() == ErrorKind::BadCertificate && !is_known(tried, &error) {
            self.tell_held_up(&outgoing, format!("{error}; it stays queued, and is tried again"));
        }
        if outgoing.state.is_held() { Ok(outgoing) } else { Err(error) }
    }

    /// Gives up a package whose time is over while its partner is left alone: `error` came of another one.
    pub(super) fn give_up_waiting(
        &self,
        partner: &Partner,
        waits: &Outgoing,
        now: Timestamp,
        error: &Fault,
    ) -> Result<Outgoing> {
        let kind = ErrorKind::from_name(&error.kind).unwrap_or(ErrorKind::Unreachable);
        let said = format!("package {}: {}", waits.package.id, error.message);
        let error = given_up(Error::new(kind, said), waits, now);
        let reason = format!("{error}; {}", what_to_do(partner, waits.unanswered));
        let (outgoing, recorded) = self.update_outgoing(waits.package.id, |outgoing| {
            if !OutgoingState::OPEN.contains(&outgoing.state) {
                return None;
            }
            outgoing.unanswered |= outgoing.state == OutgoingState::Sending;
            outgoing.state = OutgoingState::Failed;
            outgoing.retry_at = None;
            outgoing.last_error = Some(Fault::from(&error));
            outgoing.untold_failure = self.to_be_told(true, &reason);
            let by = &outgoing.package.created_by;
            Some(outgoing_entry(outgoing, Step::Failed, by, error.to_string()).failed_with(&error))
        })?;
        if recorded {
            self.tell_failure(&outgoing)?;
        }
        Ok(outgoing)
    }

    /// Whether this site has what it takes to send to a partner: what is wrong is for its own operators to put right, and
    /// says nothing of any package.
    pub(super) fn is_ready_for(&self, partner: &Partner) -> Result<()> {
        self.signing_key()?;
        partner.transport()?;
        Ok(())
    }

    /// Lets a package wait until this site can send to its partner, and tells so once. Its time stands still, as in a
    /// pause. Gives the fault as it is told.
    pub(super) fn hold_up(&self, partner: &Partner, waits: &Outgoing, fault: Error) -> Result<Error> {
        let package = waits.package.id;
        let fault = fault.within(format_args!("package {package} to {}", partner.alias)).retryable(true);
        let (outgoing, is_new) = self.edit_outgoing(package, |outgoing| {
            if is_known(outgoing, &fault) || !OutgoingState::OPEN.contains(&outgoing.state) {
                return None;
            }
            (outgoing.tried_since, outgoing.retry_at) = (None, None);
            outgoing.last_error = Some(Fault::from(&fault));
            let by = &outgoing.package.created_by;
            Some(vec![outgoing_entry(outgoing, Step::Failed, by, fault.to_string()).failed_with(&fault)])
        })?;
        if is_new {
            let remedy = "it stays queued, and goes out by itself once that is put right";
            self.tell_held_up(&outgoing, format!("{fault}; {remedy}"));
        }
        Ok(fault)
    }

    fn tell_held_up(&self, outgoing: &Outgoing, reason: String) {
        let (package, to) = (outgoing.package.id, outgoing.package.to.clone());
        self.tell(&Event::HeldUp { package, to, claim: outgoing.package.claim.clone(), reason });
    }

    /// What a failure leaves to be told; nothing where nobody listens.
    pub(super) fn to_be_told(&self, has_failed: bool, reason: &str) -> Option<String> {
        (has_failed && !self.0.listeners.is_empty()).then(|| reason.to_owned())
    }

    /// Tells the host that a package failed, and then writes down that it was told.
    pub(super) fn tell_failure(&self, outgoing: &Outgoing) -> Result<()> {
        let Some(reason) = outgoing.untold_failure.clone() else { return Ok(()) };
        let (package, claim) = (outgoing.package.id, outgoing.package.claim.clone());
        self.tell(&Event::Failed { package, to: outgoing.package.to.clone(), claim, reason: reason.clone() });
        // The host may have sent it again meanwhile.
        self.edit_outgoing(package, |outgoing| {
            outgoing.untold_failure.take_if(|untold| *untold == reason).map(|_| Vec::new())
        })?;
        Ok(())
    }

    /// Tells of the failures that a process that died did not come to tell.
    pub(super) fn tell_failures_that_wait(&self) -> Result<()> {
        if self.0.listeners.is_empty() {
            return Ok(());
        }
        let failed = PackageQuery::new().outgoing_in([OutgoingState::Failed, OutgoingState::Rejected]);
        for page in outgoing_pages(&self.0.ledger, failed) {
            page?.iter().try_for_each(|outgoing| self.tell_failure(outgoing))?;
        }
        Ok(())
    }
}

/// Whether a package waits for this very reason already.
fn is_known(outgoing: &Outgoing, fault: &Error) -> bool {
    outgoing.last_error.as_ref().is_some_and(|last| last.message == fault.to_string())
}

fn next_try(
    partner: &Partner,
    tried: &Outgoing,
    now: Timestamp,
    asked: Option<Duration>,
) -> Option<Timestamp> {
    let began = tried.tried_since.unwrap_or(now);
    partner.retry.next_try(tried.attempts, began, now, asked, chance())
}

/// The last error of a package that is not tried any more.
fn given_up(error: Error, tried: &Outgoing, now: Timestamp) -> Error {
    let began = SystemTime::from(tried.tried_since.unwrap_or(now));
    let minutes = SystemTime::from(now).duration_since(began).unwrap_or_default().as_secs() / 60;
    let said = format!("{error}; given up after {} tries in {minutes} minutes", tried.attempts);
    Error::new(error.kind(), said).with_details(error.details().to_vec()).caused_by(error).retryable(false)
}

fn what_to_do(partner: &Partner, in_doubt: bool) -> String {
    let alias = &partner.alias;
    match in_doubt {
        true => format!(
            "whether it arrived is not known: ask {alias}, or send it again, which asks first; it cannot arrive twice"
        ),
        false => {
            "it is not tried again by itself: once that is settled, send it again, or export the claim anew"
                .to_owned()
        }
    }
}
