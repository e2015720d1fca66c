//! What this site signs with: of its keys the newest that is valid now.

use super::Exchange;
use super::known_keys::{KnownKey, known_signing};
use super::warnings::{Warning, end_of};
use crate::model::Timestamp;
use crate::protocol::{Request, Response, SigningKey, sign_request, sign_response};
use crate::{Error, ErrorKind, Result};
use std::sync::PoisonError;

impl Exchange {
    /// Adds a key that this site signs with, or puts it in the place of the one with the same id.
    ///
    /// Of the keys that are [valid](SigningKey::valid_during) at a moment, the one whose validity began last signs; of
    /// those that began together, the one that was added last. So a new key is added with the moment from which partners
    /// have it, and the old one is given its end.
    ///
    /// Packages that [waited](super::Event::HeldUp) for a valid key are due.
    pub fn set_signing_key(&self, key: SigningKey) {
        let mut keys = self.0.signing.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|known| known.id() != key.id());
        keys.push(key);
        drop(keys);
        self.partners().keys().for_each(|site| self.0.outbox.call(site));
    }

    /// The keys that this site signs with, as they are now, without anything secret.
    #[must_use]
    pub fn signing_keys(&self) -> Vec<KnownKey> {
        let now = self.now();
        self.signing().iter().map(|key| known_signing(key, now)).collect()
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNotValid`], retryable, when none is valid, naming all: it is for this site's operators to put right.
    pub(super) fn signing_key(&self) -> Result<SigningKey> {
        let (keys, now) = (self.signing(), self.now());
        let valid = keys.iter().filter(|key| key.validity().holds_at(now));
        let newest = valid.max_by_key(|key| key.validity().from().map(Timestamp::unix_seconds));
        newest.cloned().ok_or_else(|| {
            let each: Vec<String> =
                keys.iter().map(|key| format!("`{}` is valid {}", key.id(), key.validity())).collect();
            let site = &self.0.site;
            let listed = each.join(", ");
            Error::new(
                ErrorKind::KeyNotValid,
                format!("{site} has no key that is valid to sign with now: {listed}. Give it a new one, and its partners the public part"),
            )
            .retryable(true)
        })
    }

    /// The id of the key that signs now, for a sentence.
    pub(super) fn signer(&self) -> String {
        self.signing_key().map_or_else(|_| "none".to_owned(), |key| key.id().to_owned())
    }

    pub(super) fn sign_request(&self, request: &mut Request) -> Result<()> {
        sign_request(request, &self.signing_key()?, self.now())
    }

    pub(super) fn sign_response(&self, request: &Request, response: &mut Response) -> Result<()> {
        sign_response(request, response, &self.answering_key()?, self.now())
    }

    /// The key that signs an answer now.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`], retryable, when none is valid: it is a fault of this site's own, of which a partner
    /// learns no more, and that it need not give up for.
    pub(super) fn answering_key(&self) -> Result<SigningKey> {
        self.signing_key().map_err(|error| {
            Error::new(ErrorKind::InvalidSettings, error.to_string()).caused_by(error).retryable(true)
        })
    }

    pub(super) fn signing_warning(&self, now: Timestamp) -> Option<Warning> {
        let keys: Vec<_> =
            self.signing().iter().map(|key| (format!("`{}`", key.id()), key.validity())).collect();
        end_of(&format!("the key that {} signs with", self.0.site), &keys, now, self.0.warning_ahead)
    }

    fn signing(&self) -> std::sync::RwLockReadGuard<'_, Vec<SigningKey>> {
        // A list is whole at every step, so a thread that died with the lock left a good one.
        self.0.signing.read().unwrap_or_else(PoisonError::into_inner)
    }
}
