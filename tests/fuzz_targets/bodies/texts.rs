//! Short texts that people and partners write: keys, secrets, addresses and values.

use claimwire::codec::{AgeIdentity, AgeRecipient, Fingerprint, Suite};
use claimwire::model::{Currency, Date, Decimal, ExchangeId, Json, PackageId, SiteId, Timestamp};
use claimwire::protocol::{Credential, Digest, SigningKey, VerifyingKey, fingerprint_of};
use claimwire::transport::HttpsSettings;
use claimwire::webhook::WebhookSecret;
use claimwire::{ErrorKind, Result};
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// Any text as a key or a secret of each kind: read and written alike again, or refused without being repeated.
pub(crate) fn keys(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let refused = |read: Result<()>| {
        let Err(error) = read else { return };
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
        // No word of a message is as long.
        let long = text.split_whitespace().filter(|word| word.len() >= 24).collect::<Vec<_>>();
        assert!(!long.iter().any(|word| error.to_string().contains(word)), "{error}");
    };
    refused(AgeIdentity::from_key_file(text).map(|identity| {
        let again: AgeIdentity = identity.to_secret_string().expose().parse().expect("our own text");
        assert_eq!(again.recipient(), identity.recipient());
    }));
    refused(SigningKey::from_secret_text("k", text).map(|key| {
        let again = SigningKey::from_secret_text("k", key.to_secret_text().as_str()).expect("our own text");
        assert_eq!(again.to_secret_text().as_str(), key.to_secret_text().as_str());
    }));
    refused(VerifyingKey::from_text("k", text).map(|key| {
        let again = VerifyingKey::from_text("k", key.to_text().as_str()).expect("our own text");
        assert_eq!(again.fingerprint(), key.fingerprint());
    }));
    refused(WebhookSecret::from_text(text).map(|secret| {
        let again = WebhookSecret::from_text(secret.to_text().as_str()).expect("our own text");
        assert_eq!(again.to_text().as_str(), secret.to_text().as_str());
    }));
    refused(Credential::bearer_token(text).map(drop));
    refused(Credential::client_certificate(text).map(drop));
    refused(fingerprint_of(text).map(drop));
    survives::<AgeRecipient>(text);
    let _ = SigningKey::generate(text).map(|key| assert_eq!(key.id(), text));
}

/// Any text as a value of each kind: refused, or written as a text that is read as the same value.
pub(crate) fn values(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    survives::<Currency>(text);
    survives::<Date>(text);
    survives::<Decimal>(text);
    survives::<Digest>(text);
    survives::<ExchangeId>(text);
    survives::<Fingerprint>(text);
    survives::<Json>(text);
    survives::<PackageId>(text);
    survives::<SiteId>(text);
    survives::<Suite>(text);
    survives::<Timestamp>(text);
    if let Ok(digest) = Digest::from_hex(text) {
        assert_eq!(digest.to_hex(), text.to_lowercase());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        let seconds = Timestamp::from_unix_seconds(moment.unix_seconds()).expect("seconds of a moment");
        assert!(seconds.to_sortable() <= moment.to_sortable());
    }
    let _ = HttpsSettings::new(text);
}

fn survives<T: FromStr<Err = claimwire::Error> + Display + PartialEq + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => assert_eq!(value.to_string().parse::<T>().ok(), Some(value)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
