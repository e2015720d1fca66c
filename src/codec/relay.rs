//! Progress of several threads, told on the one that called: a host's watch may not be made for any other.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::watch::Watch;

/// A [`Watch`] for threads that help the one which made this. What they report waits until that one reports itself, or
/// has done its [share](Self::share).
pub(crate) struct Relay<'w> {
    watch: &'w dyn Watch,
    owner: ThreadId,
    stopped: AtomicBool,
    helpers: Mutex<Helpers>,
    changed: Condvar,
}

#[derive(Default)]
struct Helpers {
    untold: u64,
    working: usize,
}

impl<'w> Relay<'w> {
    /// Tells `watch`, on this thread only.
    pub(crate) fn new(watch: &'w dyn Watch) -> Self {
        let owner = thread::current().id();
        let (stopped, helpers) = (AtomicBool::new(false), Mutex::new(Helpers::default()));
        Self { watch, owner, stopped, helpers, changed: Condvar::new() }
    }

    /// Whether the watch said stop.
    pub(in crate::codec) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Runs `own` on this thread and `help` on up to so many `helpers`, tells what these report, and returns when all have
    /// ended. For the thread that made this.
    pub(in crate::codec) fn share(&self, helpers: usize, own: impl FnOnce(), help: impl Fn() + Sync) {
        thread::scope(|scope| {
            for _ in 0..helpers {
                let helper = self.enlist();
                let help = || {
                    let _helper = helper;
                    help();
                };
                // Where the system has no thread to give, fewer do the work.
                if thread::Builder::new().spawn_scoped(scope, help).is_err() {
                    break;
                }
            }
            own();
            self.attend();
        });
    }

    /// Counts one more helper, until what is returned is dropped.
    fn enlist(&self) -> Helper<'_> {
        self.lock().working += 1;
        Helper(self)
    }

    /// Tells what the helpers report, until all are done.
    fn attend(&self) {
        let mut helpers = self.lock();
        loop {
            let untold = std::mem::take(&mut helpers.untold);
            if untold > 0 {
                drop(helpers);
                self.tell(untold);
                helpers = self.lock();
            } else if helpers.working == 0 {
                return;
            } else {
                helpers = self.changed.wait(helpers).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn tell(&self, bytes: u64) {
        if !self.is_stopped() && self.watch.moved(bytes).is_break() {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Helpers> {
        self.helpers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Relay<'_> {
    fn moved(&self, bytes: u64) -> ControlFlow<()> {
        if thread::current().id() == self.owner {
            let untold = std::mem::take(&mut self.lock().untold);
            self.tell(bytes + untold);
        } else {
            self.lock().untold += bytes;
            self.changed.notify_one();
        }
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// One thread that helps.
struct Helper<'r>(&'r Relay<'r>);

impl Drop for Helper<'_> {
    fn drop(&mut self) {
        self.0.lock().working -= 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn every_byte_of_every_thread_is_told_on_the_thread_that_called() {
        let (here, told) = (thread::current().id(), AtomicU64::new(0));
        let watch = |bytes: u64| {
            assert_eq!(thread::current().id(), here);
            told.fetch_add(bytes, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let relay = Relay::new(&watch);
        let help = || (0..100).for_each(|_| assert!(relay.moved(2).is_continue()));
        relay.share(3, || assert!(relay.moved(1).is_continue()), help);
        assert_eq!(told.into_inner(), 601);
    }

    #[test]
    fn a_watch_that_says_stop_stops_the_helpers_and_is_asked_no_more() {
        let asked = AtomicU64::new(0);
        let watch = |_: u64| {
            asked.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Break(())
        };
        let relay = Relay::new(&watch);
        let help = || {
            while relay.moved(1).is_continue() {
                thread::yield_now();
            }
        };
        relay.share(1, || {}, help);
        assert!(relay.is_stopped());
        assert_eq!(asked.into_inner(), 1);
    }
}
