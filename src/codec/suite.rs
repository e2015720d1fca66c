//! Which cipher a partner and this site agreed on, and the key that goes with it.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "age")]
use super::age::{AgeIdentity, AgeRecipient, AgeRecipients};
use super::des_md5::DesMd5Key;
use crate::{Error, ErrorKind};

/// A cipher suite, by the name that settings use. There is no default: a partner's settings name one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// `des-md5`: PKCS #5 `pbeWithMD5AndDES-CBC` (RFC 8018 section 6.1.1), for partners that can do no better.
    DesMd5,
    /// `age`: the age v1 file format with X25519 recipients, for everyone else. Needs the feature `age`.
    Age,
}

impl Suite {
    /// The name in settings and on the command line: `des-md5` or `age`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DesMd5 => "des-md5",
            Self::Age => "age",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Suite {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "des-md5" => Ok(Self::DesMd5),
            "age" => Ok(Self::Age),
            _ => Err(Error::new(
                ErrorKind::UnsupportedSuite,
                format!("no suite is called `{}`; there are `des-md5` and `age`", name.escape_debug()),
            )),
        }
    }
}

/// What seals: the key a sender encrypts with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SealingKey {
    /// The password shared with the partner.
    DesMd5(DesMd5Key),
    /// Those who shall be able to open it.
    #[cfg(feature = "age")]
    Age(AgeRecipients),
}

/// What opens: the key a recipient decrypts with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OpeningKey {
    /// The password shared with the partner.
    DesMd5(DesMd5Key),
    /// This site's own secret.
    #[cfg(feature = "age")]
    Age(AgeIdentity),
}

impl SealingKey {
    /// The suite this key belongs to.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match self {
            Self::DesMd5(_) => Suite::DesMd5,
            #[cfg(feature = "age")]
            Self::Age(_) => Suite::Age,
        }
    }
}

impl OpeningKey {
    /// The suite this key belongs to.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match self {
            Self::DesMd5(_) => Suite::DesMd5,
            #[cfg(feature = "age")]
            Self::Age(_) => Suite::Age,
        }
    }
}

impl From<DesMd5Key> for SealingKey {
    fn from(key: DesMd5Key) -> Self {
        Self::DesMd5(key)
    }
}

impl From<DesMd5Key> for OpeningKey {
    fn from(key: DesMd5Key) -> Self {
        Self::DesMd5(key)
    }
}

#[cfg(feature = "age")]
impl From<AgeRecipients> for SealingKey {
    fn from(recipients: AgeRecipients) -> Self {
        Self::Age(recipients)
    }
}

#[cfg(feature = "age")]
impl From<AgeRecipient> for SealingKey {
    fn from(recipient: AgeRecipient) -> Self {
        Self::Age(recipient.into())
    }
}

#[cfg(feature = "age")]
impl From<AgeIdentity> for OpeningKey {
    fn from(identity: AgeIdentity) -> Self {
        Self::Age(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_read_by_the_name_it_is_shown_by() {
        for suite in [Suite::DesMd5, Suite::Age] {
            assert_eq!(suite.to_string().parse::<Suite>().unwrap(), suite);
            assert_eq!(format!("{suite:>8}").trim_start(), suite.name());
        }
        assert_eq!("rot13".parse::<Suite>().unwrap_err().kind(), ErrorKind::UnsupportedSuite);
    }
}
