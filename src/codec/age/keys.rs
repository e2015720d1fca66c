//! Who seals and who opens: identities, recipients, and their texts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use age::x25519;
use zeroize::Zeroizing;

use crate::codec::Fingerprint;
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};

/// A site's own secret: opens what others sealed for its [`recipient`](Self::recipient).
///
/// Wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct AgeIdentity(pub(super) Arc<x25519::Identity>);

impl AgeIdentity {
    /// A new identity from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(on_wiped_stack(|| Arc::new(x25519::Identity::generate())))
    }

    /// The one identity of a key file as `age-keygen` writes it: empty lines and lines with `#` are passed over.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) when the file holds no identity, more than one, or one of another kind.
    pub fn from_key_file(text: &str) -> Result<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        match (lines.next(), lines.next()) {
            (Some(line), None) => line.parse(),
            (None, _) => Err(Error::new(ErrorKind::InvalidKey, "the key file holds no age identity")),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorKind::InvalidKey,
                "the key file holds more than one age identity; keep one file for each key version",
            )),
        }
    }

    /// What to hand out to those who shall seal for this identity.
    #[must_use]
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient(on_wiped_stack(|| self.0.to_public()))
    }

    /// The secret as text, `AGE-SECRET-KEY-1…`, to be stored where only this site reads.
    #[must_use]
    pub fn to_secret_string(&self) -> AgeSecret {
        on_wiped_stack(|| AgeSecret(Zeroizing::new(self.0.to_string().expose_secret().to_owned())))
    }
}

impl FromStr for AgeIdentity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = on_wiped_stack(|| x25519::Identity::from_str(text).map(Arc::new));
        read.map(Self).map_err(|reason| {
            let what = "not an age identity (`AGE-SECRET-KEY-1` and 58 more characters)";
            Error::new(ErrorKind::InvalidKey, format!("{what}: {reason}"))
        })
    }
}

impl fmt::Debug for AgeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeIdentity").field("recipient", &self.recipient()).finish_non_exhaustive()
    }
}

/// The text of an [`AgeIdentity`]: wiped when dropped, and shown only where [`expose`](Self::expose) is called.
pub struct AgeSecret(Zeroizing<String>);

impl AgeSecret {
    /// The text itself, `AGE-SECRET-KEY-1…`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AgeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgeSecret(..)")
    }
}

/// One who shall be able to open what is sealed: the public half of an [`AgeIdentity`], `age1…` as text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgeRecipient(pub(super) x25519::Recipient);

impl AgeRecipient {
    /// What both sides read to each other, to know that the recipient that arrived is the one that was handed out.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.to_string())
    }
}

impl FromStr for AgeRecipient {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        x25519::Recipient::from_str(text).map(Self).map_err(|reason| {
            let what = "not an age recipient (`age1` and 58 more characters)";
            Error::new(ErrorKind::InvalidKey, format!("{what}: {reason}"))
        })
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeRecipient({})", self.0)
    }
}

/// One recipient to 300 of them: each can open what is sealed, none learns who the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeRecipients(Vec<AgeRecipient>);

impl AgeRecipients {
    /// The most that a header has room for which this crate reads.
    const MOST: usize = 300;

    /// These recipients.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) when there are none, or more than 300: nobody could open what is sealed.
    pub fn new(recipients: impl IntoIterator<Item = AgeRecipient>) -> Result<Self> {
        let recipients: Vec<_> = recipients.into_iter().take(Self::MOST + 1).collect();
        let why = match recipients.len() {
            0 => "no age recipient is given: nobody could open the package",
            1..=Self::MOST => return Ok(Self(recipients)),
            _ => "more than 300 age recipients are given; seal for fewer of them at a time",
        };
        Err(Error::new(ErrorKind::InvalidKey, why))
    }

    /// Each recipient.
    pub fn iter(&self) -> impl Iterator<Item = &AgeRecipient> {
        self.0.iter()
    }
}

impl From<AgeRecipient> for AgeRecipients {
    fn from(recipient: AgeRecipient) -> Self {
        Self(vec![recipient])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_and_texts_lead_back() {
        let identity = AgeIdentity::generate();
        let secret = identity.to_secret_string();
        assert!(secret.expose().starts_with("AGE-SECRET-KEY-1"));
        assert!(!format!("{identity:?} {secret:?}").contains(secret.expose()));
        let again: AgeIdentity = secret.expose().parse().unwrap();
        assert_eq!(again.recipient(), identity.recipient());
        assert_eq!(identity.recipient().to_string().parse::<AgeRecipient>().unwrap(), identity.recipient());
    }

    #[test]
    fn recipients_are_one_to_three_hundred() {
        let recipient = AgeIdentity::generate().recipient();
        let of = |count: usize| AgeRecipients::new(vec![recipient.clone(); count]);
        assert_eq!(of(300).unwrap().iter().count(), 300);
        for (count, why) in [(0, "no age recipient"), (301, "more than 300")] {
            let error = of(count).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn key_files_hold_comments_and_exactly_one_identity() {
        let secret = AgeIdentity::generate().to_secret_string();
        let file = format!("# created: today\r\n# public key: age1\r\n{}\r\n\n", secret.expose());
        assert_eq!(AgeIdentity::from_key_file(&file).unwrap().to_secret_string().expose(), secret.expose());
        for bad in ["", "# nothing\n", "age1qqqq", &format!("{0}\n{0}\n", secret.expose())] {
            let error = AgeIdentity::from_key_file(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(!error.to_string().contains(secret.expose()));
        }
    }
}
