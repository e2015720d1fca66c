//! The chain through the history: each entry holds the hash of the one before it, so that a change to any of them
//! shows.
//!
//! `docs/history.md` gives the hashed bytes exactly, for those who verify an export without this crate. The hash is
//! SHA-256 (FIPS 180-4).

use super::HistoryEntry;
use crate::protocol::Digest;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a history stands: its last entry's number and hash.
///
/// Who notes it where the history's keeper cannot change it can later show that nothing up to there was changed or
/// cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryHead {
    /// The last entry's number; 0 for an empty history.
    pub number: u64,
    /// The last entry's hash, in lower-case hexadecimal; 64 zeros for an empty history.
    pub hash: String,
}

impl HistoryHead {
    /// The head of an empty history: what the first entry follows.
    #[must_use]
    pub fn start() -> Self {
        Self::new(0, "0".repeat(64))
    }

    /// The head of a history that ends with the entry of this number and hash.
    #[must_use]
    pub fn new(number: u64, hash: impl Into<String>) -> Self {
        Self { number, hash: hash.into() }
    }
}

impl HistoryEntry {
    /// The same entry as the one that follows `head`: with its number, the hash before it, and its own hash.
    ///
    /// A ledger does this within the transaction that appends the entry, with the head that it read there.
    ///
    /// ```
    /// use claimwire::ledger::{Direction, HistoryEntry, HistoryHead, Step, verify_history};
    /// use claimwire::model::{PackageId, PackageKind};
    ///
    /// let entry = |step| {
    ///     let (package, partner) = (PackageId::generate(), "CLINIC".parse()?);
    ///     let kind = PackageKind::Claim;
    ///     Ok::<_, claimwire::Error>(HistoryEntry::new(Direction::Outgoing, step, package, kind, partner, "anna", "Done."))
    /// };
    /// let start = HistoryHead::start();
    /// let first = entry(Step::Exported)?.chained_after(&start)?;
    /// let second = entry(Step::Sent)?.chained_after(&first.head())?;
    /// assert_eq!(verify_history([&first, &second], &start)?, second.head());
    ///
    /// let mut altered = first;
    /// altered.by = "berta".into();
    /// assert!(verify_history([&altered, &second], &start).is_err());
    /// # Ok::<(), claimwire::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the entry has no JSON form, or `head` has the last of all numbers.
    pub fn chained_after(mut self, head: &HistoryHead) -> Result<Self> {
        self.number = head.number.checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("no entry can follow number {}", head.number))
        })?;
        self.previous.clone_from(&head.hash);
        self.hash = self.computed_hash()?;
        Ok(self)
    }

    /// The head of the history that ends with this entry.
    #[must_use]
    pub fn head(&self) -> HistoryHead {
        HistoryHead::new(self.number, self.hash.clone())
    }

    /// The entry as one line of an export, without the line's end.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the entry has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("history entry {} has no JSON form: {error}", self.number),
            )
            .caused_by(error)
        })
    }

    /// Checks the entry by itself: that its hash is the one of its content and of the hash before it.
    ///
    /// This is all that can be checked of the entries of a filtered list. A list without filters is checked with
    /// [`verify_history`].
    ///
    /// # Errors
    /// [`ErrorKind::StoreDamaged`] when it is not.
    pub fn verify(&self) -> Result<()> {
        if self.computed_hash()? == self.hash {
            return Ok(());
        }
        Err(broken_at(self.number, "its content does not match its hash: it was altered"))
    }

    fn computed_hash(&self) -> Result<String> {
        let hashed = Self { hash: String::new(), ..self.clone() };
        Ok(Digest::of(hashed.to_json()?.as_bytes()).to_hex())
    }
}

/// Checks that `entries` follow `start`, each the one before it, without a gap, and that none was altered; gives the
/// head they lead to.
///
/// The entries are in the order they were written. A long history is checked page by page, each from the head of the
/// page before. Entries cut off at the end do not show here, nor does a history that was rewritten as a whole: compare
/// the head with one that was noted elsewhere.
///
/// # Errors
/// [`ErrorKind::StoreDamaged`] with the number of the first entry at which the chain is broken.
pub fn verify_history<'a>(
    entries: impl IntoIterator<Item = &'a HistoryEntry>,
    start: &HistoryHead,
) -> Result<HistoryHead> {
    let mut head = start.clone();
    for entry in entries {
        let number = head.number.saturating_add(1);
        if entry.number != number {
            return Err(broken_at(number, format_args!("entry {} stands in its place", entry.number)));
        }
        entry.verify()?;
        if entry.previous != head.hash {
            let why = format_args!("it was not written after entry {}: entries were replaced", head.number);
            return Err(broken_at(number, why));
        }
        head = entry.head();
    }
    Ok(head)
}

/// The error for a history that is not what was written.
pub(crate) fn broken_at(number: impl fmt::Display, why: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::StoreDamaged,
        format!(
            "the history is broken at entry {number}: {why}; compare it with an earlier export or backup"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Direction, Step};
    use crate::model::PackageKind;

    fn entry() -> HistoryEntry {
        let mut entry = HistoryEntry::new(
            Direction::Outgoing,
            Step::Failed,
            "0195f3a0-0000-7000-8000-000000000001".parse().unwrap(),
            PackageKind::Claim,
            "CLINIC".parse().unwrap(),
            "anna",
            "Zoë said \"no\"\t\u{1}/\u{7f}.",
        )
        .of_claim("ON-INS/C-1".parse().unwrap())
        .of_assessments(["ON-INS/A-2".parse().unwrap(), "ON-INS/A-1".parse().unwrap()])
        .failed_with(&Error::new(ErrorKind::TimedOut, "no answer"));
        entry.at = "2026-03-02T09:30:00.25-05:00".parse().unwrap();
        entry
    }

    /// The hash is that of `sha256sum` over the line up to and without the member `hash`.
    #[test]
    fn the_hashed_bytes_are_the_documented_ones() {
        let chained = entry().chained_after(&HistoryHead::start()).unwrap();
        let hashed = concat!(
            r#"{"number":1,"at":"2026-03-02T09:30:00.25-05:00","direction":"outgoing","step":"failed","#,
            r#""package":"0195f3a0-0000-7000-8000-000000000001","kind":"claim","claim":"ON-INS/C-1","#,
            r#""assessments":["ON-INS/A-1","ON-INS/A-2"],"partner":"CLINIC","by":"anna","#,
            r#""outcome":"Zoë said \"no\"\t\u0001/"#,
            "\u{7f}",
            r#".","error":{"kind":"timed-out","message":"no answer"},"#,
            r#""previous":"0000000000000000000000000000000000000000000000000000000000000000""#,
        );
        let hash = Digest::of(format!("{hashed}}}").as_bytes()).to_hex();
        assert_eq!(chained.to_json().unwrap(), format!(r#"{hashed},"hash":"{hash}"}}"#));
        assert_eq!(chained.head(), HistoryHead::new(1, hash));
    }

    #[test]
    fn an_entry_read_back_from_its_line_verifies() {
        let chained = entry().chained_after(&HistoryHead::start()).unwrap();
        let read: HistoryEntry = serde_json::from_str(&chained.to_json().unwrap()).unwrap();
        assert_eq!(read, chained);
        read.verify().unwrap();
    }

    #[test]
    fn a_replaced_entry_shows_at_the_one_after_it() {
        let start = HistoryHead::start();
        let first = entry().chained_after(&start).unwrap();
        let second = entry().chained_after(&first.head()).unwrap();
        let mut forged = entry();
        forged.by = "berta".into();
        let forged = forged.chained_after(&start).unwrap();
        let error = verify_history([&forged, &second], &start).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StoreDamaged);
        assert!(error.to_string().contains("at entry 2: it was not written after entry 1"), "{error}");
        let error = verify_history([&second], &start).unwrap_err();
        assert!(error.to_string().contains("at entry 1: entry 2 stands in its place"), "{error}");
    }

    #[test]
    fn no_entry_follows_the_last_number() {
        let error = entry().chained_after(&HistoryHead::new(u64::MAX, "00")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
