//! What the times of a package that waits are worth: the clock may have been wrong when they were noted, or be wrong now.
//!
//! A clock that was ahead leaves times that are still to come. One that was behind makes what waits look old as soon as
//! it is right again, and so does one that runs ahead now: in both cases, what was due was left alone for long. Whichever
//! it was, the time of such a package begins anew, since nothing is given up but over time that was used to try it.

use crate::ledger::Outgoing;
use crate::model::Timestamp;
use crate::retry::RetryPolicy;
use std::time::Duration;

/// Clocks are set by as much as this in passing.
const SET_IN_PASSING: Duration = Duration::from_secs(5 * 60);

/// Whoever sends what is due looks for it more often than this.
const LEFT_ALONE: Duration = Duration::from_secs(24 * 3600);

/// When the package is due, where that is later than `now`.
pub(super) fn due_later(outgoing: &Outgoing, now: Timestamp) -> Option<Timestamp> {
    let may_be = now..=now.later(RetryPolicy::LONGEST_WAIT);
    let is_believed = !outgoing.tried_since.is_some_and(|since| is_to_come(since, now));
    outgoing.retry_at.filter(|due| is_believed && *due != now && may_be.contains(due))
}

/// Since when the time counts of a package that is tried at `now`, or would be were its partner there.
pub(super) fn counts_since(outgoing: &Outgoing, now: Timestamp) -> Timestamp {
    let (Some(since), Some(due)) = (outgoing.tried_since, outgoing.retry_at) else { return now };
    if is_to_come(since, now) || now > due.later(LEFT_ALONE) { now } else { since }
}

fn is_to_come(moment: Timestamp, now: Timestamp) -> bool {
    moment > now.later(SET_IN_PASSING)
}
