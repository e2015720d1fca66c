//! The secret that a webhook's sender and receiver share.

use crate::protocol::SecretText;
use crate::protocol::secret_text::{decoded, encoded};
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// The fewest and the most bytes that Standard Webhooks gives a secret.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret of 24 to 64 bytes, written `whsec_` and base64. One for each endpoint.
///
/// Wiped from memory when dropped; `Debug` does not show it.
///
/// ```
/// use claimwire::webhook::WebhookSecret;
///
/// let secret = WebhookSecret::generate()?;
/// let handed_over = secret.to_text();                   // whsec_…
/// WebhookSecret::from_text(handed_over.as_str())?;
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// A new secret of 32 random bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the operating system gives no random numbers.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        getrandom::fill(&mut bytes).map_err(|error| {
            Error::new(ErrorKind::Io, "the operating system gives no random numbers").caused_by(error)
        })?;
        Ok(Self(bytes))
    }

    /// Reads a secret: `whsec_` and base64.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for every other text, and for fewer than 24 or more than 64 bytes.
    pub fn from_text(text: &str) -> Result<Self> {
        let invalid = |message: &str| Error::new(ErrorKind::InvalidKey, message);
        let base64 = text.trim().strip_prefix(PREFIX).ok_or_else(|| {
            invalid("a webhook secret begins with `whsec_`; ask the endpoint's owner for it")
        })?;
        let bytes =
            decoded(base64).ok_or_else(|| invalid("the webhook secret is not base64 after `whsec_`"))?;
        if !LENGTHS.contains(&bytes.len()) {
            return Err(invalid("a webhook secret has 24 to 64 bytes"));
        }
        Ok(Self(bytes))
    }

    /// The secret as text: for a secret store, or for the receiver.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        SecretText::new(encoded(PREFIX, &self.0))
    }

    /// HMAC-SHA-256 over `id.timestamp.body`.
    pub(super) fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Result<[u8; 32]> {
        on_wiped_stack(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|error| {
                Error::new(ErrorKind::InvalidKey, "the webhook secret has a length that is not taken")
                    .caused_by(error)
            })?;
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            Ok(mac.finalize().into_bytes().into())
        })
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_as_text_and_is_not_shown() {
        let secret = WebhookSecret::generate().unwrap();
        let text = secret.to_text();
        assert_eq!(WebhookSecret::from_text(text.as_str()).unwrap().to_text().as_str(), text.as_str());
        assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        let short = encoded(PREFIX, &[7; 23]);
        let long = encoded(PREFIX, &[7; 65]);
        for text in ["", "whsec_", "hunter2", "whsec_hunter2!", short.as_str(), long.as_str()] {
            let error = WebhookSecret::from_text(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey, "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
