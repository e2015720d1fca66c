//! Where the `age` crate and the payload meet: it wraps and unwraps the file key in headers, and hands the key to its
//! recipients and identities on the way. Ours pass it on to the crate's own, and keep a copy for the payload.

use std::cell::Cell;
use std::collections::HashSet;

use age::secrecy::ExposeSecret;
use age::{DecryptError, EncryptError, x25519};
use age_core::format::{FileKey, Stanza};

use super::keys::{AgeIdentity, AgeRecipients};
use super::payload::PayloadKey;
use super::{NONCE, cut_short};
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};

/// A new header for these recipients with the nonce behind it, and the key of the payload that shall follow.
pub(super) fn seal(recipients: &AgeRecipients) -> Result<(Vec<u8>, PayloadKey)> {
    on_wiped_stack(|| wrap(recipients))
}

fn wrap(recipients: &AgeRecipients) -> Result<(Vec<u8>, PayloadKey)> {
    let kept = Cell::new(None);
    let keepers: Vec<_> =
        recipients.iter().map(|recipient| Keeper { key: &recipient.0, kept: &kept }).collect();
    let encryptor = age::Encryptor::with_recipients(
        keepers.iter().map(|keeper| keeper as &dyn age::Recipient),
    )
    .map_err(|error| match error {
        EncryptError::Io(error) => error.into(),
        error => Error::new(ErrorKind::InvalidKey, "these age recipients cannot be used").caused_by(error),
    })?;
    let mut start = Vec::new();
    encryptor.wrap_output(&mut start)?;
    let key = payload_key(&kept, &start)?;
    Ok((start, key))
}

/// The key of the payload behind `start`, a header and the nonce, when the header is good.
pub(super) fn open(identity: &AgeIdentity, start: &[u8], has_nonce: bool) -> Result<PayloadKey> {
    on_wiped_stack(|| unwrap(identity, start, has_nonce))
}

fn unwrap(identity: &AgeIdentity, start: &[u8], has_nonce: bool) -> Result<PayloadKey> {
    let decryptor = age::Decryptor::new_buffered(start).map_err(|error| match error {
        DecryptError::Io(error) if has_nonce => altered_header().caused_by(error),
        error => explain(error),
    })?;
    if decryptor.is_scrypt() {
        return Err(Error::new(
            ErrorKind::UnsupportedSuite,
            "this age file is sealed with a passphrase; ask the sender to seal it for this site's recipient",
        ));
    }
    let kept = Cell::new(None);
    let keeper = Keeper { key: &*identity.0, kept: &kept };
    decryptor.decrypt(std::iter::once(&keeper as &dyn age::Identity)).map_err(explain)?;
    payload_key(&kept, start)
}

fn payload_key(kept: &Cell<Option<FileKey>>, start: &[u8]) -> Result<PayloadKey> {
    match (kept.take(), start.last_chunk::<NONCE>()) {
        (Some(file_key), Some(nonce)) => PayloadKey::derive(&file_key, nonce),
        _ => Err(Error::new(ErrorKind::Internal, "the age header was taken without its key")),
    }
}

/// An identity or a recipient that keeps the file key which passes it.
struct Keeper<'k, K> {
    key: &'k K,
    kept: &'k Cell<Option<FileKey>>,
}

impl<K> Keeper<'_, K> {
    fn keep(&self, file_key: &FileKey) {
        let copy = FileKey::init_with_mut(|copy| copy.copy_from_slice(file_key.expose_secret()));
        self.kept.set(Some(copy));
    }
}

impl age::Recipient for Keeper<'_, x25519::Recipient> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        self.keep(file_key);
        self.key.wrap_file_key(file_key)
    }
}

impl age::Identity for Keeper<'_, x25519::Identity> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let unwrapped = self.key.unwrap_stanza(stanza);
        if let Some(Ok(file_key)) = &unwrapped {
            self.keep(file_key);
        }
        unwrapped
    }
}

fn explain(error: DecryptError) -> Error {
    match error {
        // What is read stands in memory: it can only end too early.
        DecryptError::Io(_) => cut_short(),
        DecryptError::NoMatchingKeys => Error::new(
            ErrorKind::WrongKey,
            "sealed for another recipient: this site's age identity does not open it",
        ),
        error => altered_header().caused_by(error),
    }
}

fn altered_header() -> Error {
    Error::new(ErrorKind::Altered, "the age header was changed after it was written")
}
