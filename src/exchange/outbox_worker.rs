//! The outbox's worker: threads that send what is due, each to another partner, and sleep until the next is.

use super::Exchange;
use super::outbox_line::Place;
use super::outbox_pass::Pass;
use crate::ledger::PackageQuery;
use crate::model::Timestamp;
use crate::trace::event;
use crate::{Error, ErrorKind, Result};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{Builder, JoinHandle, current};
use std::time::{Duration, SystemTime};

/// How long a partner waits after a pass that could not be made, such as with a ledger that is down.
const AFTER_A_FAULT: Duration = Duration::from_secs(30);
/// The longest sleep: a clock that was set, or a machine that slept, moves what is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Threads that send what is due, from [`Exchange::start_outbox`] on until this is dropped.
///
/// Dropping it stops the bodies that are being sent, which then stay queued, waits for answers that are under way, and
/// ends the threads. Only a listener that drops it on one of its threads waits for none of them. It keeps the exchange
/// open.
#[derive(Debug)]
pub struct OutboxWorker {
    exchange: Exchange,
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Exchange {
    /// Starts threads that send what is due, as [`send_due`](Self::send_due) does, and wake when something is exported,
    /// resumed, replayed, or due again. What becomes of packages is told as [events](super::Event) and stands in the
    /// history.
    ///
    /// Partners are served side by side, as many at once as
    /// [`ExchangeSettings::with_sends_at_once`](super::ExchangeSettings::with_sends_at_once) says, so that a large
    /// package on a slow line, or a partner that stalls, holds up no other. To one partner one package goes after the
    /// other. Where more partners wait, they take turns package by package. Events of different partners come on several
    /// threads at once.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the system gives no thread.
    pub fn start_outbox(&self) -> Result<OutboxWorker> {
        // Without the thread that unpacks: that one ends with the host's last handle, and these are none.
        let handle = || Exchange(self.0.clone(), None);
        let stopping = Arc::new(AtomicBool::new(false));
        let mut worker = OutboxWorker { exchange: handle(), stopping, threads: Vec::new() };
        for site in self.partners().keys() {
            self.0.outbox.call(site);
        }
        for _ in 0..self.0.sends_at_once.get() {
            let (exchange, stopping) = (handle(), worker.stopping.clone());
            let thread = Builder::new().name("claimwire-outbox".into()).spawn(move || {
                exchange.0.outbox.line().thread_comes();
                exchange.send_until(&stopping);
                exchange.0.outbox.line().thread_goes();
            });
            worker.threads.push(thread.map_err(|error| {
                Error::new(ErrorKind::Io, "the system gives no thread for the outbox").caused_by(error)
            })?);
        }
        Ok(worker)
    }

    fn send_until(&self, stopping: &AtomicBool) {
        while let Some((site, pass)) = self.next_in_line(stopping) {
            // A host's callback that panics must not stop the packages behind this one.
            let served = catch_unwind(AssertUnwindSafe(|| self.serve((site.clone(), pass), stopping)));
            let (place, due) = match served {
                Ok(Ok(served)) => served,
                failed => {
                    let fault =
                        failed.ok().and_then(|run| run.err()).map_or("panic", |error| error.kind().name());
                    event!(error, "outbox not sent", error = fault);
                    (None, Some(self.now().later(AFTER_A_FAULT)))
                }
            };
            let mut line = self.0.outbox.line();
            match place {
                // What is left is read anew by whoever comes next.
                _ if stopping.load(Ordering::SeqCst) => line.back(site, None),
                Some(pass) => line.back(site, Some(pass)),
                None => line.done(site, due, self.now()),
            }
            drop(line);
            // Those that sleep do not know when this partner is due.
            self.0.outbox.changed.notify_all();
        }
    }

    /// Sends one package of a partner: what is left of its queue, or when it is due again.
    fn serve(
        &self,
        (site, pass): Place,
        stopping: &AtomicBool,
    ) -> Result<(Option<Box<Pass>>, Option<Timestamp>)> {
        let watch = |_: u64| match stopping.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let mut pass = match pass {
            Some(pass) => pass,
            None => {
                let open = PackageQuery::new().partner(site);
                Box::new(Pass::begin(self, open, self.now(), true)?)
            }
        };
        if pass.go_on(self, &watch)? {
            return Ok((Some(pass), None));
        }
        // A transport that stops by itself would be asked again at once, and without end.
        let due = if pass.stopped { Some(self.now().later(AFTER_A_FAULT)) } else { pass.queue.next_due };
        Ok((None, due))
    }

    /// The next partner, as soon as there is one; `None` when told to stop.
    fn next_in_line(&self, stopping: &AtomicBool) -> Option<Place> {
        let outbox = &self.0.outbox;
        let mut line = outbox.line();
        while !stopping.load(Ordering::SeqCst) {
            let now = self.now();
            if let Some(place) = line.next(now) {
                return Some(place);
            }
            let until = line.next_due().map(|due| SystemTime::from(due).duration_since(now.into()));
            let rest = until.map_or(LONGEST_SLEEP, Result::unwrap_or_default);
            let rest = rest.clamp(Duration::from_millis(1), LONGEST_SLEEP);
            line = outbox.changed.wait_timeout(line, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }
}

impl Drop for OutboxWorker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let outbox = &self.exchange.0.outbox;
        // With the line in hand no thread is between its look at the flag and its sleep.
        drop(outbox.line());
        outbox.changed.notify_all();
        // A listener may have dropped it: its thread cannot wait for itself, nor for others that may wait for it.
        if self.threads.iter().all(|thread| thread.thread().id() != current().id()) {
            self.threads.drain(..).for_each(|thread| drop(thread.join()));
        }
    }
}
