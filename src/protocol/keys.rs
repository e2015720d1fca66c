//! Keys that sign messages, and keys that check signatures: Ed25519 or a shared HMAC secret.

use super::secret_text::{decoded, encoded};
use super::{SecretText, Validity};
use crate::codec::Fingerprint;
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How a message is signed, by its name in the HTTP Signature Algorithms registry (RFC 9421 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `ed25519`: a key pair; only the signer can sign. For every partner that can.
    Ed25519,
    /// `hmac-sha256`: one secret, which both sides hold. A receipt signed so proves nothing to a third party, since
    /// both sides could have written it.
    HmacSha256,
}

impl Algorithm {
    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::HmacSha256 => "hmac-sha256",
        }
    }
}

/// The least bytes of an HMAC secret.
const MIN_SECRET: usize = 32;
/// The most bytes of an HMAC secret.
const MAX_SECRET: usize = 1024;

const ED25519_SECRET: &str = "ed25519-secret:";
const ED25519_PUBLIC: &str = "ed25519-public:";
const HMAC_SECRET: &str = "hmac-sha256-secret:";

/// A key that signs, and the id under which the other side finds the key that checks it.
///
/// Wiped from memory when dropped; `Debug` shows the id alone.
///
/// ```
/// use claimwire::protocol::{SigningKey, VerifyingKey};
///
/// let key = SigningKey::generate("ON-INS/1")?;
/// let handed_out = key.verifying_key().to_text();       // ed25519-public:…
/// let at_the_partner = VerifyingKey::from_text("ON-INS/1", handed_out.as_str())?;
/// assert_eq!(at_the_partner.id(), key.id());
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    secret: Secret,
    validity: Validity,
}

#[derive(Clone)]
enum Secret {
    /// In one place: where it was moved from it would not be wiped.
    Ed25519(Arc<ed25519_dalek::SigningKey>),
    Hmac(Zeroizing<Vec<u8>>),
}

/// A key that checks signatures, and its id.
///
/// For `hmac-sha256` it is the same secret that signs: wiped when dropped, never shown.
#[derive(Clone)]
pub struct VerifyingKey {
    id: String,
    public: Public,
    validity: Validity,
}

#[derive(Clone)]
enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    Hmac(Zeroizing<Vec<u8>>),
}

impl SigningKey {
    /// A new Ed25519 key from the operating system's random numbers.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when `id` is no key id; [`ErrorKind::Io`] when the system gives no random numbers.
    pub fn generate(id: &str) -> Result<Self> {
        on_wiped_stack(|| Self::ed25519(id, &*random()?))
    }

    /// A new HMAC secret of 32 bytes, to be handed to the partner in confidence.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_shared(id: &str) -> Result<Self> {
        on_wiped_stack(|| Self::hmac(id, random()?.as_slice()))
    }

    /// The Ed25519 key of this seed (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when `id` is no key id.
    pub fn ed25519(id: &str, seed: &[u8; 32]) -> Result<Self> {
        let key = on_wiped_stack(|| Arc::new(ed25519_dalek::SigningKey::from_bytes(seed)));
        Ok(Self::of(checked_id(id)?, Secret::Ed25519(key)))
    }

    /// The shared HMAC secret, 32 to 1024 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when `id` is no key id or the secret is too short or too long.
    pub fn hmac(id: &str, secret: &[u8]) -> Result<Self> {
        Ok(Self::of(checked_id(id)?, Secret::Hmac(checked_secret(secret)?)))
    }

    fn of(id: String, secret: Secret) -> Self {
        Self { id, secret, validity: Validity::ALWAYS }
    }

    /// The same key, to be signed with at this time alone; by default always.
    #[must_use]
    pub fn valid_during(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// When it may be signed with.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The key's id: `keyid` in the signature.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How this key signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.secret {
            Secret::Ed25519(_) => Algorithm::Ed25519,
            Secret::Hmac(_) => Algorithm::HmacSha256,
        }
    }

    /// The key that checks what this one signs, valid at the same time.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let public = match &self.secret {
            Secret::Ed25519(key) => Public::Ed25519(key.verifying_key()),
            Secret::Hmac(secret) => Public::Hmac(secret.clone()),
        };
        VerifyingKey { id: self.id.clone(), public, validity: self.validity }
    }

    /// The key as text for a secret store: `ed25519-secret:` or `hmac-sha256-secret:` and base64.
    #[must_use]
    pub fn to_secret_text(&self) -> SecretText {
        SecretText::new(match &self.secret {
            Secret::Ed25519(key) => encoded(ED25519_SECRET, key.as_bytes()),
            Secret::Hmac(secret) => encoded(HMAC_SECRET, secret),
        })
    }

    /// Reads what [`to_secret_text`](Self::to_secret_text) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for every other text.
    pub fn from_secret_text(id: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(seed) = text.strip_prefix(ED25519_SECRET) {
            return on_wiped_stack(|| Self::ed25519(id, &*thirty_two(&bytes_of(seed)?)?));
        }
        if let Some(secret) = text.strip_prefix(HMAC_SECRET) {
            return on_wiped_stack(|| Self::hmac(id, &bytes_of(secret)?));
        }
        Err(invalid(format!("a signing key begins with `{ED25519_SECRET}` or `{HMAC_SECRET}`")))
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        on_wiped_stack(|| {
            Ok(match &self.secret {
                Secret::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
                Secret::Hmac(secret) => mac(secret, message)?.finalize().into_bytes().to_vec(),
            })
        })
    }
}

impl VerifyingKey {
    /// The Ed25519 public key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when `id` is no key id, or the bytes are no public key or one of the weak ones
    /// under which anybody can sign.
    pub fn ed25519(id: &str, public: &[u8; 32]) -> Result<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).ok().filter(|key| !key.is_weak());
        let key = key.ok_or_else(|| invalid("the bytes are no usable Ed25519 public key"))?;
        Ok(Self::of(checked_id(id)?, Public::Ed25519(key)))
    }

    /// The shared HMAC secret, 32 to 1024 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when `id` is no key id or the secret is too short or too long.
    pub fn hmac(id: &str, secret: &[u8]) -> Result<Self> {
        Ok(Self::of(checked_id(id)?, Public::Hmac(checked_secret(secret)?)))
    }

    fn of(id: String, public: Public) -> Self {
        Self { id, public, validity: Validity::ALWAYS }
    }

    /// The same key, for what is signed at this time alone; by default at any.
    #[must_use]
    pub fn valid_during(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// When what it checks must have been signed.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The key as text where it may be shown to anybody: none of a shared secret.
    #[must_use]
    pub fn public_text(&self) -> Option<String> {
        match &self.public {
            Public::Ed25519(key) => Some(encoded(ED25519_PUBLIC, key.as_bytes())),
            Public::Hmac(_) => None,
        }
    }

    /// What both sides read to each other, to know that the public key that arrived is the one that was handed out. A
    /// shared secret has none: a hash of it would help who guesses.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.public_text().as_deref().map(Fingerprint::of)
    }

    /// The key's id: `keyid` in the signature.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What this key checks.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Ed25519(_) => Algorithm::Ed25519,
            Public::Hmac(_) => Algorithm::HmacSha256,
        }
    }

    /// The key as text: `ed25519-public:` and base64, which may be shown to anybody; or, for a shared secret,
    /// `hmac-sha256-secret:` and base64, which must not.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        SecretText::new(match &self.public {
            Public::Ed25519(key) => encoded(ED25519_PUBLIC, key.as_bytes()),
            Public::Hmac(secret) => encoded(HMAC_SECRET, secret),
        })
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for every other text, a partner's secret Ed25519 key among them.
    pub fn from_text(id: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(public) = text.strip_prefix(ED25519_PUBLIC) {
            return Self::ed25519(id, &*thirty_two(&bytes_of(public)?)?);
        }
        if let Some(secret) = text.strip_prefix(HMAC_SECRET) {
            return on_wiped_stack(|| Self::hmac(id, &bytes_of(secret)?));
        }
        if text.starts_with(ED25519_SECRET) {
            return Err(invalid(
                "this is a secret key, which only its owner may hold; ask for the public one, and for a new pair",
            ));
        }
        Err(invalid(format!("a verifying key begins with `{ED25519_PUBLIC}` or `{HMAC_SECRET}`")))
    }

    /// Whether `signature` is this key's over `message`; in constant time.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::Hmac(secret) => {
                on_wiped_stack(|| mac(secret, message).is_ok_and(|mac| mac.verify_slice(signature).is_ok()))
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, algorithm) = (&self.id, self.algorithm().name());
        f.debug_struct("SigningKey").field("id", id).field("algorithm", &algorithm).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, algorithm) = (&self.id, self.algorithm().name());
        f.debug_struct("VerifyingKey").field("id", id).field("algorithm", &algorithm).finish_non_exhaustive()
    }
}

/// The fingerprint of a public key by its text, whichever kind it is: an age recipient or an Ed25519 public key.
///
/// # Errors
/// [`ErrorKind::InvalidKey`] for every other text, and for a secret above all, which is not repeated.
///
/// ```
/// let handed_over = "ed25519-public:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// assert_eq!(claimwire::protocol::fingerprint_of(handed_over)?.to_string(), "59ef c21e 47b1 d092 7d4b 9977 041b fee6");
/// # Ok::<(), claimwire::Error>(())
/// ```
pub fn fingerprint_of(public: &str) -> Result<Fingerprint> {
    let public = public.trim();
    #[cfg(feature = "age")]
    if let Ok(recipient) = public.parse::<crate::codec::AgeRecipient>() {
        return Ok(recipient.fingerprint());
    }
    // Any id does: the fingerprint is of the key alone.
    let key = VerifyingKey::from_text("any", public)?;
    key.fingerprint().ok_or_else(|| {
        invalid("a shared secret has no fingerprint, which would help who guesses; try the partner instead")
    })
}

fn mac(secret: &[u8], message: &[u8]) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .map_err(|error| invalid("the HMAC secret has a length that is not taken").caused_by(error))?;
    mac.update(message);
    Ok(mac)
}

/// Random bytes from the operating system.
pub(super) fn random() -> Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| {
        Error::new(ErrorKind::Io, "the operating system gives no random numbers").caused_by(error)
    })?;
    Ok(bytes)
}

/// A key id stands in a header as a string of RFC 9651: printable ASCII.
fn checked_id(id: &str) -> Result<String> {
    let fits = (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(id.to_owned()) } else { Err(invalid("a key id is 1 to 128 printable ASCII characters")) }
}

fn checked_secret(secret: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    if !(MIN_SECRET..=MAX_SECRET).contains(&secret.len()) {
        return Err(invalid(format!(
            "an HMAC secret has {MIN_SECRET} to {MAX_SECRET} bytes, not {}",
            secret.len()
        )));
    }
    Ok(Zeroizing::new(secret.to_vec()))
}

fn bytes_of(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    decoded(text).ok_or_else(|| invalid("the key is not base64"))
}

fn thirty_two(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let key = bytes.try_into().map(Zeroizing::new);
    key.map_err(|_| invalid(format!("an Ed25519 key has 32 bytes, not {}", bytes.len())))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidKey, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text_form() {
        for key in [SigningKey::generate("A/1").unwrap(), SigningKey::generate_shared("A/2").unwrap()] {
            let again =
                SigningKey::from_secret_text(key.id(), &format!("{}\n", key.to_secret_text().as_str()))
                    .unwrap();
            let public = VerifyingKey::from_text(key.id(), key.verifying_key().to_text().as_str()).unwrap();
            let signature = again.sign(b"message").unwrap();
            assert_eq!(signature, key.sign(b"message").unwrap());
            assert!(public.verifies(b"message", &signature));
            assert!(!public.verifies(b"massage", &signature));
            assert!(!public.verifies(b"message", &signature[1..]));
        }
    }

    #[test]
    fn a_secret_is_not_taken_for_a_public_key() {
        let secret = SigningKey::generate("A/1").unwrap().to_secret_text();
        let error = VerifyingKey::from_text("A/1", secret.as_str()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
        assert!(error.to_string().contains("secret key"));
    }

    #[test]
    fn bad_keys_are_refused_and_never_shown() {
        for text in ["", "abc", "ed25519-secret:AAAA", "ed25519-secret:???", "hmac-sha256-secret:AAAA"] {
            let error = SigningKey::from_secret_text("A/1", text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(!error.to_string().contains("AAAA"));
        }
        assert!(VerifyingKey::ed25519("A/1", &[0; 32]).is_err(), "the weak key of all zeros");
        assert!(SigningKey::hmac("A/1", &[1; 31]).is_err());
        assert!(SigningKey::generate("two words").is_err());
        let key = SigningKey::hmac("A/1", b"0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{key:?}"), r#"SigningKey { id: "A/1", algorithm: "hmac-sha256", .. }"#);
        assert!(!format!("{:?}", key.verifying_key()).contains("0123"));
        assert_eq!(format!("{:?}", key.to_secret_text()), "SecretText(..)");
    }
}
