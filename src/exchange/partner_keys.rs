//! Which of a partner's keys counts: for a package that is sealed now, for one that came in, for what was signed.

use super::key_ring::Version;
use super::partner::Partner;
use crate::codec::{OpeningKey, SealingKey, Suite};
use crate::model::Timestamp;
use crate::protocol::VerifyingKey;
use crate::{Error, ErrorKind, Result};
use std::time::Duration;

impl Partner {
    /// The version and the key that seal at a moment: the highest version that is valid then.
    pub(super) fn sealing(&self, now: Timestamp) -> Result<(u32, &SealingKey)> {
        if self.sealing.is_empty() {
            return Err(self.lacks("key to seal with"));
        }
        let (version, key) = self.sealing.newest_at(now).ok_or_else(|| {
            Error::new(
                ErrorKind::KeyNotValid,
                format!(
                    "no key to seal with for {} is valid at {now}; known here: {}. Ask {0} for a new key, and add it to \
                     its settings",
                    self.alias,
                    self.sealing.listed()
                ),
            )
        })?;
        self.check_review(key.suite(), now)?;
        Ok((version, key))
    }

    /// The key of the version that a package was begun with.
    pub(super) fn sealing_key(&self, version: u32) -> Result<&SealingKey> {
        let known = self.sealing.get(version).and_then(|known| known.key.as_ref());
        known.ok_or_else(|| self.lacks("key to seal with"))
    }

    /// The partner's verifying key with this id.
    pub(super) fn verifying_key(&self, id: &str) -> Option<&VerifyingKey> {
        self.verifying.iter().find(|key| key.id() == id)
    }

    /// The key of this version, for a package that came in at `received`. The suite must be the agreed one, or an
    /// attacker could talk us down to a weak one.
    pub(super) fn opening(
        &self,
        version: u32,
        suite: &str,
        received: Timestamp,
        now: Timestamp,
    ) -> Result<&OpeningKey> {
        let known = self.opening.get(version).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownKeyVersion,
                format!(
                    "{} sealed the package with key version {version}; known here: {}. The key was rotated on one \
                     side only: exchange the new key, then unpack again",
                    self.alias,
                    self.opening.listed()
                ),
            )
        })?;
        let key = self.in_time(version, known, received)?;
        if key.suite().name() != suite {
            return Err(Error::new(
                ErrorKind::UnsupportedSuite,
                format!(
                    "{} sealed with suite {suite}; agreed for key version {version} is {}",
                    self.alias,
                    key.suite().name()
                ),
            ));
        }
        self.check_review(key.suite(), received)?;
        let tolerated = seconds_of(self.signature_window);
        if !known.validity.begins_by(now.unix_seconds().saturating_add(tolerated)) {
            return Err(Error::new(
                ErrorKind::KeyNotValid,
                format!(
                    "{} sealed the package with key version {version}, which is valid {}, and it is {now} here: unpack \
                     it then, or correct the dates of the key",
                    self.alias, known.validity
                ),
            ));
        }
        Ok(key)
    }

    /// Refuses what could never be opened before anything of it is taken in: a version that is over, and a suite that
    /// the settings do not name. All else waits in the inbox for its key.
    pub(super) fn admit(&self, version: u32, suite: &str, now: Timestamp) -> Result<()> {
        if let Some(known) = self.opening.get(version) {
            self.in_time(version, known, now)?;
        }
        if suite != Suite::DesMd5.name() {
            return Ok(());
        }
        if !self.opening.held().any(|(_, key, _)| key.suite() == Suite::DesMd5) {
            return Err(Error::new(
                ErrorKind::UnsupportedSuite,
                format!(
                    "{} sealed the package with suite {suite}, which its settings here name for no key version: seal it \
                     with the suite that was agreed",
                    self.alias
                ),
            ));
        }
        self.check_review(Suite::DesMd5, now)
    }

    /// The key of a version that was not over when the package came in.
    fn in_time<'k>(
        &self,
        version: u32,
        known: &'k Version<OpeningKey>,
        received: Timestamp,
    ) -> Result<&'k OpeningKey> {
        let Version { key, validity } = known;
        let refused = |what: String| {
            Error::new(
                ErrorKind::KeyNotValid,
                format!(
                    "{} sealed the package with key version {version}, which {what}; the package came in at {received}. \
                     Export it anew with a key that is valid now; known at its recipient: {}",
                    self.alias,
                    self.opening.listed()
                ),
            )
        };
        let Some(key) = key else {
            return Err(refused(format!("was retired: valid {validity}")));
        };
        if validity.is_over_by(self.before_grace(received)) {
            let days = self.opening_grace.as_secs() / (24 * 60 * 60);
            return Err(refused(format!("was valid {validity}, and {days} days of grace")));
        }
        Ok(key)
    }

    /// The second by which a key must have ended for a package of this moment to be too late.
    pub(super) fn before_grace(&self, moment: Timestamp) -> i64 {
        moment.unix_seconds().saturating_sub(seconds_of(self.opening_grace))
    }
}

/// Whole seconds, as moments are compared by.
pub(super) fn seconds_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
