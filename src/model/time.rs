//! Dates, and times with their offset from UTC (RFC 3339).

use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use time::format_description::FormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const DATE: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A moment with its offset from UTC, in RFC 3339 form: `2026-03-02T09:30:00-05:00`.
///
/// The offset is kept as it was written; two timestamps are equal when they name the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The present moment in UTC, to the millisecond.
    #[must_use]
    pub fn now() -> Self {
        #[cfg(feature = "failpoints")]
        return Self::from(crate::failpoint::now());
        #[cfg(not(feature = "failpoints"))]
        Self::from(SystemTime::now())
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, negative before it.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z, 0 before it.
    #[must_use]
    pub(crate) fn unix_milliseconds(self) -> u64 {
        u64::try_from(self.0.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// The day it is in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.0.to_offset(UtcOffset::UTC).date())
    }

    /// The moment so much later, to the millisecond; the last one there is where that is beyond all.
    #[must_use]
    pub(crate) fn later(self, by: Duration) -> Self {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        let moment = self.0.saturating_add(by);
        Self(moment.replace_millisecond(moment.millisecond()).unwrap_or(moment))
    }

    /// The moment so many seconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] outside the years -9999 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self> {
        OffsetDateTime::from_unix_timestamp(seconds).map(Self).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("{seconds} s is no moment: {error}"))
        })
    }

    /// The same moment in UTC to the millisecond, in a form of fixed length that sorts by time.
    #[must_use]
    pub fn to_sortable(self) -> String {
        let utc = self.0.to_offset(UtcOffset::UTC);
        format!(
            "{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            utc.year(),
            u8::from(utc.month()),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second(),
            utc.millisecond()
        )
    }
}

impl From<SystemTime> for Timestamp {
    fn from(moment: SystemTime) -> Self {
        let moment = OffsetDateTime::from(moment);
        Self(moment.replace_millisecond(moment.millisecond()).unwrap_or(moment))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(moment: Timestamp) -> Self {
        moment.0.into()
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("`{}` is no time with offset such as 2026-03-02T09:30:00-05:00", text.escape_debug()),
            )
            .caused_by(error)
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

/// A calendar date: `2026-03-02`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(time::Date);

impl FromStr for Date {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        time::Date::parse(text, DATE).map(Self).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("`{}` is no date such as 2026-03-02", text.escape_debug()),
            )
            .caused_by(error)
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {
        $(
            impl TryFrom<String> for $name {
                type Error = Error;

                fn try_from(text: String) -> Result<Self> {
                    text.parse()
                }
            }

            impl From<$name> for String {
                fn from(value: $name) -> Self {
                    value.to_string()
                }
            }
        )*
    };
}

as_text!(Timestamp Date);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_offset() {
        let text = "2026-03-02T09:30:00-05:00";
        let moment: Timestamp = text.parse().unwrap();
        assert_eq!(moment.to_string(), text);
        assert_eq!(moment, "2026-03-02T14:30:00Z".parse().unwrap());
        assert_eq!(moment.to_sortable(), "2026-03-02T14:30:00.000Z");
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        assert!("2026-03-02T09:30:00".parse::<Timestamp>().is_err());
        assert!("2026-03-02".parse::<Timestamp>().is_err());
    }

    #[test]
    fn dates_are_real_days() {
        assert_eq!("2028-02-29".parse::<Date>().unwrap().to_string(), "2028-02-29");
        assert!("2026-02-29".parse::<Date>().is_err());
        assert!("2026-2-9".parse::<Date>().is_err());
    }
}
