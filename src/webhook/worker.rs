//! The worker: a thread that delivers what is due and sleeps until the next is.

use super::delivery::Courier;
use crate::model::Timestamp;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Works until told to stop.
pub(super) fn work(courier: &Arc<Courier>) {
    let _done = Done(courier);
    loop {
        courier.state().news = false;
        let next = courier.deliver_due(Timestamp::now());
        if !wait_for_work(courier, next) {
            return;
        }
    }
}

/// Waits until `next`, or for something new; `false` when told to stop.
fn wait_for_work(courier: &Courier, next: Option<Timestamp>) -> bool {
    let mut state = courier.state();
    while !state.stopping && !state.news {
        let changed = &courier.changed;
        let Some(next) = next else {
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        // By the clock each time: a clock that was set, or a machine that slept, moves the moment.
        let Ok(rest) = SystemTime::from(next).duration_since(SystemTime::now()) else { break };
        let rest = rest.clamp(Duration::from_millis(1), Duration::from_secs(60));
        state = changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
    }
    !state.stopping
}

/// Waits until the worker is gone; `false` when it is not by then.
pub(super) fn wait_for_end(courier: &Courier, within: Duration) -> bool {
    let started = Instant::now();
    let mut state = courier.state();
    while state.working {
        let Some(rest) = within.checked_sub(started.elapsed()) else { return false };
        state = courier.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
    }
    true
}

/// Says that the worker is gone, however it went.
struct Done<'a>(&'a Courier);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.state().working = false;
        self.0.changed.notify_all();
    }
}
