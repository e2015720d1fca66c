//! When what was not taken is posted again, and when no more: packages to partners, messages to a webhook.

use crate::model::Timestamp;
#[cfg(feature = "webhook")]
use crate::{Error, ErrorKind, Result};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The longest wait that a receiver can ask for with `Retry-After`, and the longest that a policy may have.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often, and over what time, something is posted that its receiver did not take: a package, or a webhook's message.
///
/// After the n-th try, the next one comes after `first_delay` × `factor`^(n-1), at most `longest_delay`, and up to a
/// fifth more by chance, so that receivers are not visited by everyone at once. A receiver that asks for a longer
/// wait (`Retry-After`, RFC 9110 section 10.2.3) gets it, up to seven days.
///
/// | field | default, for messages | [for packages](Self::for_packages) |
/// |---|---|---|
/// | `tries` | 14 | 250 |
/// | `first_delay` | 5 s | 30 s |
/// | `factor` | 4 | 2 |
/// | `longest_delay` | 12 h | 1 h |
/// | `max_age` | 5 days | 5 days |
///
/// So by default a message is tried over somewhat more than three days, and a package over five.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The most tries, the first among them; at least 1.
    pub tries: u32,
    /// The wait after the first try.
    pub first_delay: Duration,
    /// By what each wait grows; at least 1.
    pub factor: u32,
    /// The longest wait, at most seven days.
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

    /// Whether it ever tries, and waits no longer than it may.
    #[cfg(feature = "webhook")]
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |message: &str| Err(Error::new(ErrorKind::InvalidSettings, message));
        if self.tries == 0 || self.factor == 0 {
            return invalid("a retry policy needs at least one try, and a factor of at least 1");
        }
        if self.longest_delay > LONGEST {
            return invalid("a retry policy's longest delay is at most seven days");
        }
        Ok(())
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
        let usual = self.first_delay.saturating_mul(self.factor.saturating_pow(tries.saturating_sub(1)));
        let usual = usual.min(self.longest_delay);
        let jitter = usual.saturating_mul(u32::from(chance)) / (5 * u32::from(u16::MAX));
        let delay = (usual + jitter).max(asked.unwrap_or_default().min(LONGEST));
        let next = now.later(delay);
        (tries < self.tries && !self.has_ended(began, next)).then_some(next)
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

    #[cfg(feature = "webhook")]
    #[test]
    fn a_policy_that_never_tries_or_waits_for_ever_is_refused() {
        let changed = |change: fn(&mut RetryPolicy)| {
            let mut policy = RetryPolicy::default();
            change(&mut policy);
            policy.check().is_ok()
        };
        assert!(changed(|_| {}));
        assert!(!changed(|policy| policy.tries = 0));
        assert!(!changed(|policy| policy.factor = 0));
        assert!(!changed(|policy| policy.longest_delay = Duration::MAX));
    }
}
