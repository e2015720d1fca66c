//! How often, and over what time, a package to a partner is tried, in a partner's settings.

use super::table::Table;
use crate::exchange::RetryPolicy;
use serde::Serialize;
use std::time::Duration;

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
        let mut number = |name, usual: u64| table.take::<u64>(name).unwrap_or(usual);
        // A number that is too large stays so, and is reported below.
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let read = Self {
            first_delay_seconds: number("first_delay_seconds", usual.first_delay.as_secs()),
            factor: small(number("factor", usual.factor.into())),
            longest_delay_seconds: number("longest_delay_seconds", usual.longest_delay.as_secs()),
            tries: small(number("tries", usual.tries.into())),
            give_up_after_seconds: number("give_up_after_seconds", usual.max_age.as_secs()),
        };
        for fault in read.policy().faults() {
            let name = name_here(fault.field);
            table.mistake(name, format_args!("1 to {} are expected", fault.most));
        }
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

/// What a policy's field is called in the settings.
fn name_here(field: &'static str) -> &'static str {
    match field {
        "first_delay" => "first_delay_seconds",
        "longest_delay" => "longest_delay_seconds",
        "max_age" => "give_up_after_seconds",
        same => same,
    }
}
