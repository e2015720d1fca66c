//! How often, and over what time, a package to a partner is tried, in a partner's settings.

use super::table::Table;
use crate::exchange::RetryPolicy;
use serde::Serialize;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest wait between two tries: a week.
const LONGEST_DELAY: u64 = 7 * 24 * 3600;
/// The longest time over which a package is tried: a year.
const LONGEST_TIME: u64 = 366 * 24 * 3600;

/// The policy as it stands in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Retry {
    first_delay_seconds: u64,
    factor: u32,
    longest_delay_seconds: u64,
    tries: u32,
    give_up_after_seconds: u64,
}

impl Retry {
    pub(super) fn read(mut table: Table<'_>) -> Self {
        let usual = RetryPolicy::for_packages();
        let mut number = |name, within: RangeInclusive<u64>, usual: u64| {
            let given = table.take::<u64>(name).unwrap_or(usual);
            if !within.contains(&given) {
                table.mistake(name, format_args!("{} to {} are expected", within.start(), within.end()));
            }
            given
        };
        // A number that is too large was reported.
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let read = Self {
            first_delay_seconds: number(
                "first_delay_seconds",
                1..=LONGEST_DELAY,
                usual.first_delay.as_secs(),
            ),
            factor: small(number("factor", 1..=100, usual.factor.into())),
            longest_delay_seconds: number(
                "longest_delay_seconds",
                1..=LONGEST_DELAY,
                usual.longest_delay.as_secs(),
            ),
            tries: small(number("tries", 1..=1_000_000, usual.tries.into())),
            give_up_after_seconds: number("give_up_after_seconds", 1..=LONGEST_TIME, usual.max_age.as_secs()),
        };
        table.finish();
        read
    }

    pub(super) fn policy(&self) -> RetryPolicy {
        let mut policy = RetryPolicy::for_packages();
        policy.first_delay = Duration::from_secs(self.first_delay_seconds);
        policy.factor = self.factor;
        policy.longest_delay = Duration::from_secs(self.longest_delay_seconds);
        policy.tries = self.tries;
        policy.max_age = Duration::from_secs(self.give_up_after_seconds);
        policy
    }
}
