//! When a key may be used: from one moment on, up to another.

use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use std::fmt;

/// The time that a key is for: from `from` on, that moment included, up to `until`, that moment excluded. Either may be
/// left out. Moments are compared by the whole second, as signatures name them.
///
/// ```
/// use claimwire::protocol::Validity;
///
/// let spring = Validity::new(Some("2026-03-01T00:00:00Z".parse()?), Some("2026-06-01T00:00:00Z".parse()?))?;
/// assert!(spring.holds_at("2026-03-01T00:00:00Z".parse()?));
/// assert!(!spring.holds_at("2026-06-01T00:00:00Z".parse()?));
/// assert_eq!(spring.to_string(), "from 2026-03-01T00:00:00Z until 2026-06-01T00:00:00Z");
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Validity {
    #[serde(rename = "valid_from", skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    #[serde(rename = "valid_until", skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl Validity {
    /// A key that is good at any time.
    pub const ALWAYS: Self = Self { from: None, until: None };

    /// From `from` on, and before `until`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when it ends before it begins.
    pub fn new(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Self> {
        let empty =
            matches!((from, until), (Some(from), Some(until)) if until.unix_seconds() <= from.unix_seconds());
        if empty {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a key must be valid for some time: it ends before it begins",
            ));
        }
        Ok(Self { from, until })
    }

    /// Up to a moment.
    pub(crate) fn ending(until: Timestamp) -> Self {
        Self { from: None, until: Some(until) }
    }

    /// The first moment, where there is one.
    #[must_use]
    pub fn from(self) -> Option<Timestamp> {
        self.from
    }

    /// The moment it is over, where there is one.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        self.until
    }

    /// Whether a key of this validity may be used at that moment.
    #[must_use]
    pub fn holds_at(self, moment: Timestamp) -> bool {
        self.begins_by(moment.unix_seconds()) && !self.is_over_by(moment.unix_seconds())
    }

    /// Whether it has begun by that second since 1970.
    pub(crate) fn begins_by(self, second: i64) -> bool {
        self.from.is_none_or(|from| from.unix_seconds() <= second)
    }

    /// Whether it has ended by that second since 1970.
    pub(crate) fn is_over_by(self, second: i64) -> bool {
        self.until.is_some_and(|until| until.unix_seconds() <= second)
    }

    /// Refuses a key that signed outside of its time.
    pub(crate) fn check_signed(self, key: &str, signed: Timestamp) -> Result<()> {
        if self.holds_at(signed) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::KeyNotValid,
            format!(
                "the signature is by the key `{}`, which is valid {self}, and was made at {signed}: sign with a key that \
                 is valid now, or agree on another time for this one",
                key.escape_debug()
            ),
        ))
    }
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.until) {
            (None, None) => f.write_str("always"),
            (Some(from), None) => write!(f, "from {from}"),
            (None, Some(until)) => write!(f, "until {until}"),
            (Some(from), Some(until)) => write!(f, "from {from} until {until}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn it_has_its_first_second_and_not_its_last() {
        let day = Validity::new(at("2026-03-01T00:00:00Z"), at("2026-03-02T01:00:00+01:00")).unwrap();
        for (moment, holds) in [
            ("2026-02-28T23:59:59Z", false),
            ("2026-03-01T00:00:00Z", true),
            ("2026-03-01T23:59:59.999Z", true),
            ("2026-03-02T00:00:00Z", false),
        ] {
            assert_eq!(day.holds_at(moment.parse().unwrap()), holds, "{moment}");
        }
        let open = [(None, None), (at("2026-03-01T00:00:00Z"), None), (None, at("2027-01-01T00:00:00Z"))];
        for (from, until) in open {
            assert!(Validity::new(from, until).unwrap().holds_at("2026-06-01T00:00:00Z".parse().unwrap()));
        }
        // A signature names whole seconds: one of this very moment is in time.
        let late = Validity::new(at("2026-03-01T00:00:00.5Z"), None).unwrap();
        assert!(late.holds_at("2026-03-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        let noon = at("2026-03-01T12:00:00Z");
        for until in [noon, at("2026-03-01T11:59:59Z"), at("2026-03-01T12:00:00.9Z")] {
            assert_eq!(Validity::new(noon, until).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn a_signature_out_of_time_is_told_with_the_key_and_all_dates() {
        let spring = Validity::new(at("2026-03-01T00:00:00Z"), at("2026-06-01T00:00:00Z")).unwrap();
        let error = spring.check_signed("imex-1", "2026-07-01T00:00:00Z".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyNotValid);
        for word in ["imex-1", "2026-03-01", "2026-06-01", "2026-07-01"] {
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
