//! When what was not taken is posted again, and when no more: packages to partners, messages to a webhook.

use crate::model::Timestamp;
use crate::{Detail, Error, ErrorKind, Result};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The longest wait that a receiver can ask for with `Retry-After`, and the longest that a policy may have.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// The shortest wait that a policy may have.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest time over which a policy may try: a year.
const LONGEST_AGE: Duration = Duration::from_secs(366 * 24 * 3600);
/// The most tries and the largest factor of a policy.
const MOST_TRIES: u32 = 1_000_000;
const LARGEST_FACTOR: u32 = 100;

/// How often, and over what time, something is posted that its receiver did not take: a package, or a webhook's message.
///
/// After the n-th try, the next one comes after `first_delay` × `factor`^(n-1), at most `longest_delay`, and up to a
/// fifth more by chance, so that receivers are not visited by everyone at once. A receiver that asks for a longer
/// wait (`Retry-After`, RFC 9110 section 10.2.3) gets it: with messages up to seven days, with packages up to one.
///
/// | field | default, for messages | [for packages](Self::for_packages) | may be |
/// |---|---|---|---|
/// | `tries` | 14 | 250 | 1 to 1,000,000 |
/// | `first_delay` | 5 s | 30 s | 1 ms to 7 days |
/// | `factor` | 4 | 2 | 1 to 100 |
/// | `longest_delay` | 12 h | 1 h | 1 ms to 7 days |
/// | `max_age` | 5 days | 5 days | 1 ms to 366 days |
///
/// So by default a message is tried over somewhat more than three days, and a package over five. A policy with other
/// numbers is refused by whoever is given it: one that never waits would try without end and pause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The most tries, the first among them.
    pub tries: u32,
    /// The wait after the first try.
    pub first_delay: Duration,
    /// By what each wait grows.
    pub factor: u32,
    /// The longest wait.
    pub longest_delay: Duration,
    /// The age at which what fails is given up, whatever its number of tries: a message's since it was queued, a
    /// package's since its first try, without the time that its partner was paused.
    pub max_age: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 14,
            first_delay: Duration::from_secs(5),
            factor: 4,
            longest_delay: Duration::from_secs(12 * 3600),
            max_age: Duration::from_secs(5 * 24 * 3600),
        }
    }
}

impl RetryPolicy {
    /// No policy, and no receiver that asks for it, makes anything wait longer.
    pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(LONGEST.as_secs() / 5 * 6);

    /// What holds for packages to a partner unless its settings say otherwise.
    #[must_use]
    pub fn for_packages() -> Self {
        Self {
            tries: 250,
            first_delay: Duration::from_secs(30),
            factor: 2,
            longest_delay: Duration::from_secs(3600),
            max_age: Duration::from_secs(5 * 24 * 3600),
        }
    }

    /// Whether it tries, waits and ends.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail for each field that is outside of what it may be.
    pub(crate) fn check(&self) -> Result<()> {
        let faults: Vec<Detail> = self.faults().into_iter().map(Fault::told).collect();
        if faults.is_empty() {
            return Ok(());
        }
        let said = "the retry policy cannot be followed; correct what is listed";
        Err(Error::new(ErrorKind::InvalidSettings, said).with_details(faults))
    }

    /// Every field that is outside of what it may be.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let counts = [("tries", self.tries, MOST_TRIES), ("factor", self.factor, LARGEST_FACTOR)];
        let times = [
            ("first_delay", self.first_delay, LONGEST),
            ("longest_delay", self.longest_delay, LONGEST),
            ("max_age", self.max_age, LONGEST_AGE),
        ];
        let counts = counts
            .into_iter()
            .filter(|(_, given, most)| !(1..=*most).contains(given))
            .map(|(field, _, most)| Fault { field, most: most.into(), unit: "" });
        let times = times
            .into_iter()
            .filter(|(_, given, most)| !(SHORTEST..=*most).contains(given))
            .map(|(field, _, most)| Fault { field, most: most.as_secs(), unit: " seconds" });
        counts.chain(times).collect()
    }

    /// Whether at `moment` it is too late to try again what is tried since `began`.
    pub(crate) fn has_ended(&self, began: Timestamp, moment: Timestamp) -> bool {
        SystemTime::from(moment).duration_since(began.into()).unwrap_or_default() > self.max_age
    }

    /// When to try again after `tries` tries, the first at `began` and the last at `now`; `None` when that was the last
    /// one. `chance` is a random number, `asked` what the receiver asked for.
    pub(crate) fn next_try(
        &self,
        tries: u32,
        began: Timestamp,
        now: Timestamp,
        asked: Option<Duration>,
        chance: u16,
    ) -> Option<Timestamp> {
        let next = now.later(self.delay(tries, asked, chance));
        (tries < self.tries && !self.has_ended(began, next)).then_some(next)
    }

    /// How long to wait after so many tries.
    pub(crate) fn delay(&self, tries: u32, asked: Option<Duration>, chance: u16) -> Duration {
        let usual = self.first_delay.saturating_mul(self.factor.saturating_pow(tries.saturating_sub(1)));
        let usual = usual.min(self.longest_delay);
        let jitter = usual.saturating_mul(u32::from(chance)) / (5 * u32::from(u16::MAX));
        (usual + jitter).max(asked.unwrap_or_default().min(LONGEST))
    }
}

/// A field of a policy that is outside of what it may be.
pub(crate) struct Fault {
    pub(crate) field: &'static str,
    /// Counts, or seconds.
    pub(crate) most: u64,
    unit: &'static str,
}

impl Fault {
    fn told(self) -> Detail {
        let Self { field, most, unit } = self;
        Detail::at(field, format_args!("more than 0 and at most {most}{unit} are expected"))
    }
}

/// A random number; without any the delays lose their jitter, no more.
pub(crate) fn chance() -> u16 {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).map_or(0, |()| u16::from_ne_bytes(bytes))
}

/// How long a receiver asks to be left alone: seconds, or an HTTP date (RFC 9110 section 5.6.7); other text says
/// nothing.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let until = SystemTime::from(http_date(value, now)?);
    Some(until.duration_since(now.into()).unwrap_or_default().min(LONGEST))
}

/// A date in the form of today or one of the two obsolete ones, which recipients have to know.
fn http_date(value: &str, now: Timestamp) -> Option<OffsetDateTime> {
    let parts: Vec<&str> = value.split([' ', '-']).filter(|part| !part.is_empty()).collect();
    let (day, month, year, time) = match parts[..] {
        [_, day, month, year, time, "GMT"] => (day, month, year.to_owned(), time),
        // `Sun Nov  6 08:49:37 1994`, the form of C's asctime.
        [_, month, day, time, year] => (day, month, year.to_owned(), time),
        _ => return None,
    };
    let year = match year.len() {
        2 => full_year(year.parse().ok()?, OffsetDateTime::from(SystemTime::from(now)).year()),
        _ => year.parse().ok()?,
    };
    let text = format!("{day:0>2} {month} {year:04} {time} GMT");
    OffsetDateTime::parse(&text, &Rfc2822).ok()
}

/// The year that the two digits of RFC 850 mean: one that is not more than 50 years ahead.
fn full_year(digits: i32, this_year: i32) -> i32 {
    let year = this_year - this_year.rem_euclid(100) + digits;
    if year > this_year + 50 { year - 100 } else { year }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn wait(tries: u32, asked: Option<u64>, chance: u16) -> Option<i64> {
        let asked = asked.map(Duration::from_secs);
        let next = RetryPolicy::default().next_try(tries, moment(0), moment(0), asked, chance);
        next.map(Timestamp::unix_seconds)
    }

    #[test]
    fn waits_grow_to_the_longest_and_end() {
        let waits: Vec<_> = (1..=14).map(|tries| wait(tries, None, 0)).collect();
        let expected = [5, 20, 80, 320, 1280, 5120, 20480, 43200, 43200, 43200, 43200, 43200, 43200];
        assert_eq!(waits[..13], expected.map(Some));
        assert_eq!(waits[13], None);
    }

    #[test]
    fn chance_adds_up_to_a_fifth() {
        assert_eq!(wait(8, None, u16::MAX), Some(43_200 + 8_640));
        assert_eq!(wait(4, None, u16::MAX / 2), Some(320 + 31));
    }

    #[test]
    fn a_receiver_may_ask_for_longer_but_not_for_less() {
        assert_eq!(wait(1, Some(600), 0), Some(600));
        assert_eq!(wait(4, Some(1), 0), Some(320));
    }

    #[test]
    fn an_old_message_is_given_up() {
        let policy = RetryPolicy::default();
        let five_days = 5 * 24 * 3600;
        assert!(policy.next_try(1, moment(0), moment(five_days - 5), None, 0).is_some());
        assert!(policy.next_try(1, moment(0), moment(five_days - 4), None, 0).is_none());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // The date of RFC 9110's own example.
        let now = "1999-12-31T23:58:59Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:00:00 GMT", now), Some(Duration::ZERO));
        for endless in ["99999999999", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(retry_after(endless, now), Some(LONGEST), "{endless}");
        }
        // The obsolete forms.
        for date in ["Friday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999"] {
            assert_eq!(retry_after(date, now), Some(Duration::from_secs(60)), "{date}");
        }
        let next_year = "1999-12-31T23:59:59Z".parse().unwrap();
        for date in ["Saturday, 01-Jan-00 00:00:09 GMT", "Sat Jan  1 00:00:09 2000"] {
            let wait = retry_after(date, next_year);
            assert!(wait.is_some(), "{date}");
        }
        assert_eq!((full_year(94, 2026), full_year(76, 2026), full_year(77, 2026)), (1994, 2076, 1977));
        for text in ["", "soon", "-1", "+1", "1.5", "Fri, 31 Dec 1999", "a b c d e GMT", "Fri Dec 31 1999"] {
            assert_eq!(retry_after(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_policy_that_never_tries_never_waits_or_waits_for_ever_is_refused_field_by_field() {
        let refused = |change: fn(&mut RetryPolicy)| {
            let mut policy = RetryPolicy::default();
            change(&mut policy);
            let places = |error: Error| {
                assert_eq!(error.kind(), ErrorKind::InvalidSettings);
                error.details().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            };
            policy.check().err().map(places)
        };
        assert_eq!(refused(|_| {}), None);
        let day = Duration::from_secs(24 * 3600);
        for (change, field) in [
            ((|policy| policy.tries = 0) as fn(&mut RetryPolicy), "tries"),
            (|policy| policy.tries = 1_000_001, "tries"),
            (|policy| policy.factor = 0, "factor"),
            (|policy| policy.factor = 101, "factor"),
            (|policy| policy.first_delay = Duration::ZERO, "first_delay"),
            (|policy| policy.longest_delay = Duration::from_nanos(1), "longest_delay"),
            (|policy| policy.longest_delay = Duration::MAX, "longest_delay"),
            (|policy| policy.max_age = Duration::ZERO, "max_age"),
            (|policy| policy.max_age = Duration::MAX, "max_age"),
        ] {
            let told = refused(change).unwrap();
            assert!(told.contains(field), "no `{field}` in: {told}");
        }
        assert_eq!(
            refused(|policy| (policy.tries, policy.factor) = (0, 0)).unwrap().matches("expected").count(),
            2
        );
        let widest = |policy: &mut RetryPolicy| {
            (policy.tries, policy.factor) = (1_000_000, 100);
            policy.max_age = Duration::from_secs(366 * 24 * 3600);
        };
        assert_eq!(refused(widest), None);
        let mut week = RetryPolicy::for_packages();
        (week.first_delay, week.longest_delay) = (7 * day, 7 * day);
        assert!(week.check().is_ok());
    }
}
