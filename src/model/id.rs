//! Ids: of a site, of a record across sites, of a package.

use super::Timestamp;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::SystemTime;
use uuid::{ContextV7, Uuid};

/// One organisation's installation: 1 to 32 ASCII letters, digits and inner hyphens, such as `ON-INS`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteId(String);

impl SiteId {
    /// Checks and takes a site id.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the text is not a site id.
    pub fn new(text: &str) -> Result<Self> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !fits {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "`{}` is no site id; use 1 to 32 letters, digits and inner hyphens",
                    text.escape_debug()
                ),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A record's id at every site: the originating site and that site's own id, written `site/id`.
///
/// The local part is 1 to 64 ASCII letters, digits, `.`, `_` and `-`, and begins and ends with a letter or digit:
/// it names a folder in the package archive. A host with other ids maps them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExchangeId {
    text: String,
    site_length: usize,
}

impl ExchangeId {
    /// The id of the record that `site` calls `local`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when `local` has other characters or another length than an id may have.
    pub fn new(site: &SiteId, local: &str) -> Result<Self> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let fits = local.len() <= 64
            && local.bytes().all(inner)
            && edge(local.bytes().next())
            && edge(local.bytes().last());
        if !fits {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "`{}` is no record id; use 1 to 64 letters, digits, `.`, `_`, `-`, with a letter or digit at both ends",
                    local.escape_debug()
                ),
            ));
        }
        Ok(Self { text: format!("{}/{local}", site.as_str()), site_length: site.as_str().len() })
    }

    /// The id of the originating site.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.text[..self.site_length]
    }

    /// The originating site's own id.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.text[self.site_length + 1..]
    }

    /// The whole id, `site/id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the record was first made at `site`.
    #[must_use]
    pub fn is_from(&self, site: &SiteId) -> bool {
        self.site() == site.as_str()
    }
}

/// A package's id: a UUID of version 7 (RFC 9562 section 5.7), so ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageId(Uuid);

impl PackageId {
    /// A new id, unique everywhere, of the system's clock.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

/// Makes the ids of packages by the clock of whoever asks, each greater than the one before (RFC 9562 section 6.2): while
/// that clock stands still, or was set back, the time of the last id stays and its counter goes on.
#[derive(Debug, Default)]
pub(crate) struct PackageIds(Mutex<ContextV7>);

impl PackageIds {
    /// The next id, of this moment; of 1970 where the moment is before.
    pub(crate) fn next(&self, now: Timestamp) -> PackageId {
        let since = SystemTime::from(now).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let time = uuid::Timestamp::from_unix(&self.0, since.as_secs(), since.subsec_nanos());
        PackageId(Uuid::new_v7(time))
    }
}

macro_rules! text_id {
    ($name:ident, $parse:expr) => {
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                $parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

text_id!(SiteId, SiteId::new);
text_id!(ExchangeId, |text: &str| {
    let (site, local) = text.split_once('/').ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` is no exchange id; it reads site/id", text.escape_debug()),
        )
    })?;
    ExchangeId::new(&SiteId::new(site)?, local)
});
text_id!(PackageId, |text: &str| {
    match Uuid::try_parse(text) {
        Ok(id) if id.get_version_num() == 7 && id.to_string() == text => Ok(PackageId(id)),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` is no package id; it is a UUID of version 7 in lower case", text.escape_debug()),
        )),
    }
});

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_id_tells_its_site_and_its_local_part() {
        let id: ExchangeId = "ON-INS/CLM-2026.0117".parse().unwrap();
        assert_eq!((id.site(), id.local()), ("ON-INS", "CLM-2026.0117"));
        assert!(id.is_from(&SiteId::new("ON-INS").unwrap()));
    }

    #[test]
    fn what_could_leave_a_folder_is_no_id() {
        for text in [
            "",
            "ON-INS",
            "ON-INS/",
            "ON-INS/..",
            "ON-INS/a/b",
            "ON-INS/a\\b",
            "-x/1",
            "ON INS/1",
            "A/1 ",
            "A/ü",
        ] {
            assert!(text.parse::<ExchangeId>().is_err(), "{text}");
        }
        assert!(ExchangeId::new(&SiteId::new("A").unwrap(), &"1".repeat(65)).is_err());
    }

    #[test]
    fn package_ids_are_version_7_and_sort_by_time() {
        let (first, second) = (PackageId::generate(), PackageId::generate());
        assert!(first < second);
        assert_eq!(first.to_string().parse::<PackageId>().unwrap(), first);
        assert!("00000000-0000-4000-8000-000000000000".parse::<PackageId>().is_err());
        assert!(first.to_string().to_uppercase().parse::<PackageId>().is_err());
    }

    #[test]
    fn ids_grow_while_the_clock_stands_still_goes_back_and_goes_on() {
        let ids = PackageIds::default();
        let at = |seconds: i64| ids.next(Timestamp::from_unix_seconds(seconds).unwrap());
        let made = [1000, 1000, 1000, 400, -5, 999, 1001, 1001, 900, 2000].map(at);
        assert!(made.is_sorted_by(|one, next| one < next), "{made:?}");
        let seconds = made.map(|id| id.0.get_timestamp().unwrap().to_unix().0);
        assert_eq!(seconds, [1000, 1000, 1000, 1000, 1000, 1000, 1001, 1001, 1001, 2000]);
    }

    #[test]
    fn ids_of_one_clock_that_are_made_at_once_differ() {
        let ids = PackageIds::default();
        let now = Timestamp::now();
        let made: std::collections::BTreeSet<_> = std::thread::scope(|scope| {
            let make = || (0..200).map(|_| ids.next(now)).collect::<Vec<_>>();
            let threads = [(); 4].map(|()| scope.spawn(make));
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.len(), 800);
    }
}
