//! The outbox's worker: a thread that sends what is due and sleeps until the next is.

use super::Exchange;
use crate::model::Timestamp;
use crate::trace::event;
use crate::{Error, ErrorKind, Result};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{Builder, JoinHandle, current};
use std::time::{Duration, SystemTime};

/// How long it waits after a pass that could not be made, such as with a ledger that is down.
const AFTER_A_FAULT: Duration = Duration::from_secs(30);
/// The longest sleep: a clock that was set, or a machine that slept, moves what is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A thread that sends what is due, from [`Exchange::start_outbox`] on until this is dropped.
///
/// Dropping it stops a body that is being sent, which then stays queued, waits for an answer that is under way, and ends
/// the thread. It keeps the exchange open.
#[derive(Debug)]
pub struct OutboxWorker {
    exchange: Exchange,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Exchange {
    /// Starts a thread that sends what is due, as [`send_due`](Self::send_due) does, and wakes when something is
    /// exported, resumed, replayed, or due again. What becomes of packages is told as [events](super::Event) and stands in
    /// the history.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the system gives no thread.
    pub fn start_outbox(&self) -> Result<OutboxWorker> {
        let stopping = Arc::new(AtomicBool::new(false));
        // Without the thread that unpacks: that one ends with the host's last handle, and this is none.
        let exchange = Exchange(self.0.clone(), None);
        let (works, told) = (Exchange(self.0.clone(), None), stopping.clone());
        let thread = Builder::new()
            .name("claimwire-outbox".into())
            .spawn(move || works.send_until(&told))
            .map_err(|error| {
                Error::new(ErrorKind::Io, "the system gives no thread for the outbox").caused_by(error)
            })?;
        Ok(OutboxWorker { exchange, stopping, thread: Some(thread) })
    }

    fn send_until(&self, stopping: &AtomicBool) {
        let watch = |_: u64| match stopping.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        loop {
            let seen = *self.0.outbox.news.lock().unwrap_or_else(PoisonError::into_inner);
            // A host's callback that panics must not stop the packages behind this one.
            let run = catch_unwind(AssertUnwindSafe(|| self.send_due(self.now(), &watch)));
            let next = match run {
                Ok(Ok(queue)) => queue.next_due,
                failed => {
                    let fault =
                        failed.ok().and_then(|run| run.err()).map_or("panic", |error| error.kind().name());
                    event!(error, "outbox not sent", error = fault);
                    Some(self.now().later(AFTER_A_FAULT))
                }
            };
            if !self.wait_for_news(seen, next, stopping) {
                return;
            }
        }
    }

    /// Waits until `next`, or for something new; `false` when told to stop.
    fn wait_for_news(&self, seen: u64, next: Option<Timestamp>, stopping: &AtomicBool) -> bool {
        let mut news = self.0.outbox.news.lock().unwrap_or_else(PoisonError::into_inner);
        while !stopping.load(Ordering::SeqCst) && *news == seen {
            let rest = match next.map(|next| SystemTime::from(next).duration_since(self.now().into())) {
                Some(Err(_)) => return true,
                Some(Ok(rest)) => rest.clamp(Duration::from_millis(1), LONGEST_SLEEP),
                None => LONGEST_SLEEP,
            };
            news = self.0.outbox.changed.wait_timeout(news, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        !stopping.load(Ordering::SeqCst)
    }
}

impl Drop for OutboxWorker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.exchange.0.outbox.wake();
        let Some(thread) = self.thread.take() else { return };
        // A listener may have held it; a thread cannot wait for itself.
        if thread.thread().id() != current().id() {
            let _ = thread.join();
        }
    }
}
