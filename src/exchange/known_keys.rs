//! What an administrator may see of keys: versions and ids, when they are valid, their public parts and fingerprints.

use super::partner::Partner;
use crate::codec::{Fingerprint, OpeningKey, SealingKey};
use crate::model::Timestamp;
use crate::protocol::{SigningKey, Validity, VerifyingKey};
use serde::{Serialize, Serializer};

/// What a key is for, as the site that holds it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyUse {
    /// Seals what goes to the partner.
    Sealing,
    /// Opens what comes from the partner.
    Opening,
    /// Checks what the partner signed.
    Verifying,
    /// Signs what this site says.
    Signing,
}

/// Whether a key may be used at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyState {
    /// Its time has not begun.
    NotYet,
    /// It may be used.
    Valid,
    /// Its time is over.
    Ended,
    /// It was given up, and is not here any more.
    Retired,
}

/// A key of a partner's or of this site's own, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KnownKey {
    /// What it is for.
    pub r#use: KeyUse,
    /// Its version, where it seals or opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Its id, where it signs or verifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `age` or `des-md5`; `ed25519` or `hmac-sha256`. Not known of a retired version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<&'static str>,
    /// When it is valid.
    #[serde(flatten)]
    pub validity: Validity,
    /// Whether it is now.
    pub state: KeyState,
    /// Its public parts: none of a shared secret, several where a package is sealed for several recipients.
    pub public: Vec<PublicPart>,
}

/// The public part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PublicPart {
    /// As it is handed over: `age1…` or `ed25519-public:…`.
    pub text: String,
    /// As two people read it to each other.
    #[serde(serialize_with = "as_text")]
    pub fingerprint: Fingerprint,
}

fn as_text<S: Serializer>(fingerprint: &Fingerprint, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(fingerprint)
}

impl Partner {
    /// The keys with this partner as they are at a moment: for a screen on which two administrators compare them.
    #[must_use]
    pub fn keys(&self, now: Timestamp) -> Vec<KnownKey> {
        let mut keys = Vec::new();
        for (version, known) in self.sealing.all() {
            let algorithm = known.key.as_ref().map(|key| key.suite().name());
            let public = known.key.as_ref().map(sealed_for).unwrap_or_default();
            keys.push(versioned(KeyUse::Sealing, version, algorithm, known.validity, public, now));
        }
        for (version, known) in self.opening.all() {
            let algorithm = known.key.as_ref().map(|key| key.suite().name());
            let public = known.key.as_ref().map(opened_by).unwrap_or_default();
            keys.push(versioned(KeyUse::Opening, version, algorithm, known.validity, public, now));
        }
        keys.extend(self.verifying.iter().map(|key| named(KeyUse::Verifying, key, now)));
        keys
    }
}

/// One of this site's own signing keys.
pub(super) fn known_signing(key: &SigningKey, now: Timestamp) -> KnownKey {
    named(KeyUse::Signing, &key.verifying_key(), now)
}

fn versioned(
    r#use: KeyUse,
    version: u32,
    algorithm: Option<&'static str>,
    validity: Validity,
    public: Vec<PublicPart>,
    now: Timestamp,
) -> KnownKey {
    let state = if algorithm.is_none() { KeyState::Retired } else { state_of(validity, now) };
    KnownKey { r#use, version: Some(version), id: None, algorithm, validity, state, public }
}

fn named(r#use: KeyUse, key: &VerifyingKey, now: Timestamp) -> KnownKey {
    let (id, validity) = (key.id().to_owned(), key.validity());
    let public = key.public_text().zip(key.fingerprint());
    KnownKey {
        r#use,
        version: None,
        id: Some(id),
        algorithm: Some(key.algorithm().name()),
        validity,
        state: state_of(validity, now),
        public: public.map(|(text, fingerprint)| PublicPart { text, fingerprint }).into_iter().collect(),
    }
}

fn state_of(validity: Validity, now: Timestamp) -> KeyState {
    match now.unix_seconds() {
        now if validity.is_over_by(now) => KeyState::Ended,
        now if validity.begins_by(now) => KeyState::Valid,
        _ => KeyState::NotYet,
    }
}

fn sealed_for(key: &SealingKey) -> Vec<PublicPart> {
    match key {
        SealingKey::DesMd5(_) => Vec::new(),
        #[cfg(feature = "age")]
        SealingKey::Age(recipients) => recipients.iter().map(public_part).collect(),
    }
}

fn opened_by(key: &OpeningKey) -> Vec<PublicPart> {
    match key {
        OpeningKey::DesMd5(_) => Vec::new(),
        #[cfg(feature = "age")]
        OpeningKey::Age(identity) => vec![public_part(&identity.recipient())],
    }
}

#[cfg(feature = "age")]
fn public_part(recipient: &crate::codec::AgeRecipient) -> PublicPart {
    PublicPart { text: recipient.to_string(), fingerprint: recipient.fingerprint() }
}
