//! The quarantine of `des-md5`: only where a partner's settings name it, and not without a day to look at it again.

use super::partner::Partner;
use crate::codec::Suite;
use crate::model::{Date, Timestamp};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// What becomes of traffic under `des-md5` once the day of its review is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AfterReview {
    /// It goes on, with a warning at every package.
    #[default]
    Warn,
    /// Nothing is sealed or taken in under it until a new day is set, or the partner moves to `age`.
    Refuse,
}

/// Until when `des-md5` with a partner was looked at, and what then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LegacyReview {
    /// The last day. None was set: it is due from the first.
    pub(super) by: Option<Date>,
    pub(super) after: AfterReview,
}

impl LegacyReview {
    pub(super) fn is_overdue(self, at: Timestamp) -> bool {
        self.by.is_none_or(|by| by < at.date())
    }

    /// For a sentence: the day, or that there is none.
    pub(super) fn told(self) -> String {
        match self.by {
            Some(by) => format!("it was to be reviewed by {by}"),
            None => "no day is set by which it is to be reviewed".to_owned(),
        }
    }
}

impl Partner {
    /// Refuses the legacy suite where its review is overdue and the settings say so.
    pub(super) fn check_review(&self, suite: Suite, at: Timestamp) -> Result<()> {
        let review = self.legacy;
        if suite != Suite::DesMd5 || review.after == AfterReview::Warn || !review.is_overdue(at) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UnsupportedSuite,
            format!(
                "the suite des-md5 with {} is refused: {}. Move to age; or, where the partner still cannot, set a later \
                 review_by in its settings",
                self.alias(),
                review.told()
            ),
        ))
    }

    /// Whether any key of this partner that may still be used is of the legacy suite.
    pub(super) fn uses_legacy(&self, now: Timestamp) -> bool {
        let usable = |suite: Suite, over: bool| suite == Suite::DesMd5 && !over;
        self.sealing
            .held()
            .any(|(_, key, validity)| usable(key.suite(), validity.is_over_by(now.unix_seconds())))
            || self
                .opening
                .held()
                .any(|(_, key, validity)| usable(key.suite(), validity.is_over_by(self.before_grace(now))))
    }
}
