//! What an administrator should look at before it bites: keys that end, and a legacy suite whose review is due.

use super::Exchange;
use super::partner::Partner;
use crate::model::{SiteId, Timestamp};
use crate::protocol::Validity;
use crate::trace::event;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// What a [`Warning`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// The day by which `des-md5` with the partner is to be reviewed comes near.
    LegacyReviewDue,
    /// That day is over, or none was set: every package under `des-md5` warns, or is refused.
    LegacyReviewOverdue,
    /// The last key of its use ends soon, and none follows it.
    KeyEnding,
    /// No key of its use is valid now.
    NoValidKey,
}

impl WarningCode {
    /// The stable name, such as `key-ending`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LegacyReviewDue => "legacy-review-due",
            Self::LegacyReviewOverdue => "legacy-review-overdue",
            Self::KeyEnding => "key-ending",
            Self::NoValidKey => "no-valid-key",
        }
    }
}

impl Serialize for WarningCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One thing to look at; see [`Exchange::warnings`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// What it is about.
    pub code: WarningCode,
    /// With which partner; none where it is about this site's own keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<SiteId>,
    /// A sentence for an administrator: what it is, and what to do. It names versions and ids of keys, and dates.
    pub message: String,
}

impl Exchange {
    /// What an administrator should look at now: for a health check, a screen, or a daily message.
    ///
    /// A key of which no other follows warns from [30 days](super::ExchangeSettings::warning_ahead) before its end, and
    /// so does `des-md5` before its review is due. Once that is overdue, each export to the partner and each package
    /// from it says so in the log too.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let now = self.now();
        let mut warnings: Vec<Warning> = self.signing_warning(now).into_iter().collect();
        for partner in self.all_partners() {
            warnings.extend(partner.warnings(now, self.0.warning_ahead));
        }
        warnings
    }

    /// Says in the log what there is to say at each package of the partner.
    pub(super) fn log_warnings(&self, partner: &Partner) {
        for warning in partner.warnings(self.now(), self.0.warning_ahead) {
            event!(warn, "warning", code = warning.code.name(), partner = partner.site);
        }
    }
}

impl Partner {
    fn warnings(&self, now: Timestamp, ahead: Duration) -> Vec<Warning> {
        let alias = &self.alias;
        let sealing =
            self.sealing.held().map(|(version, _, validity)| (format!("version {version}"), validity));
        let opening =
            self.opening.held().map(|(version, _, validity)| (format!("version {version}"), validity));
        let verifying = self.verifying.iter().map(|key| (format!("`{}`", key.id()), key.validity()));
        let uses = [
            (format!("the key that seals what {alias} is sent"), sealing.collect::<Vec<_>>()),
            (format!("the key that opens what {alias} sends"), opening.collect()),
            (format!("the key that {alias} signs with"), verifying.collect()),
        ];
        let mut warnings: Vec<Warning> = self.review_warning(now, ahead).into_iter().collect();
        warnings.extend(uses.iter().filter_map(|(what, keys)| end_of(what, keys, now, ahead)));
        warnings.iter_mut().for_each(|warning| warning.partner = Some(self.site.clone()));
        warnings
    }

    fn review_warning(&self, now: Timestamp, ahead: Duration) -> Option<Warning> {
        if !self.uses_legacy(now) {
            return None;
        }
        let (review, alias) = (self.legacy, &self.alias);
        let remedy = "move to age; or, where the partner still cannot, set a later review_by in its settings";
        if review.is_overdue(now) {
            let told = review.told();
            let message = format!("the suite des-md5 is in use with {alias}, and {told}: {remedy}");
            return Some(Warning { code: WarningCode::LegacyReviewOverdue, partner: None, message });
        }
        let by = review.by.filter(|by| *by <= now.later(ahead).date())?;
        let message = format!("the suite des-md5 with {alias} is to be reviewed by {by}: {remedy}");
        Some(Warning { code: WarningCode::LegacyReviewDue, partner: None, message })
    }
}

/// Warns where no key of a use is valid, or the time they cover without a gap ends soon.
pub(super) fn end_of(
    what: &str,
    keys: &[(String, Validity)],
    now: Timestamp,
    ahead: Duration,
) -> Option<Warning> {
    let listed =
        || keys.iter().map(|(name, validity)| format!("{name} is valid {validity}")).collect::<Vec<_>>();
    let mut moment = now;
    while let Some(until) = longest_at(keys, moment)? {
        moment = until;
    }
    if moment == now {
        let told = if keys.is_empty() { return None } else { listed().join(", ") };
        let message = format!("{what}: none is valid now ({told}). Agree on a new one");
        return Some(Warning { code: WarningCode::NoValidKey, partner: None, message });
    }
    if moment > now.later(ahead) {
        return None;
    }
    let message =
        format!("{what}: the last one ends at {moment} ({}). Agree on a new one before", listed().join(", "));
    Some(Warning { code: WarningCode::KeyEnding, partner: None, message })
}

/// Until when the keys that are valid at a moment last: `None` for ever, `Some(None)` where none is valid.
fn longest_at(keys: &[(String, Validity)], moment: Timestamp) -> Option<Option<Timestamp>> {
    let mut longest = None;
    for (_, validity) in keys.iter().filter(|(_, validity)| validity.holds_at(moment)) {
        longest = longest.max(Some(validity.until()?));
    }
    Some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    fn at(text: &str) -> Timestamp {
        format!("2026-{text}T00:00:00Z").parse().unwrap()
    }

    fn key(from: Option<&str>, until: Option<&str>) -> (String, Validity) {
        ("one".to_owned(), Validity::new(from.map(at), until.map(at)).unwrap())
    }

    #[track_caller]
    fn warns(keys: &[(String, Validity)], now: &str) -> Option<WarningCode> {
        end_of("the key", keys, at(now), DAYS).map(|warning| warning.code)
    }

    #[test]
    fn a_key_warns_before_its_end_unless_another_follows() {
        let ends = key(None, Some("06-01"));
        for (now, warning) in [
            ("05-01", None),
            ("05-02", Some(WarningCode::KeyEnding)),
            ("05-31", Some(WarningCode::KeyEnding)),
            ("06-01", Some(WarningCode::NoValidKey)),
        ] {
            assert_eq!(warns(std::slice::from_ref(&ends), now), warning, "{now}");
        }
        let follows = key(Some("05-15"), None);
        assert_eq!(warns(&[ends.clone(), follows], "05-20"), None);
        // Each follows the one before, and the last ends in time; and one that leaves a gap.
        let chain = [ends.clone(), key(Some("06-01"), Some("06-10")), key(Some("05-01"), Some("05-05"))];
        assert_eq!(warns(&chain, "05-20"), Some(WarningCode::KeyEnding));
        let gap = [ends, key(Some("06-02"), None)];
        assert_eq!(warns(&gap, "05-20"), Some(WarningCode::KeyEnding));
        assert_eq!(warns(&gap, "06-01"), Some(WarningCode::NoValidKey));
        assert_eq!(warns(&gap, "06-02"), None);
        assert_eq!(warns(&[], "06-02"), None, "what is not used warns of nothing");
    }

    #[test]
    fn the_end_of_time_is_none() {
        let never = key(None, Some("12-31"));
        let ahead = end_of("the key", &[never], at("01-01"), Duration::MAX).unwrap();
        assert_eq!(ahead.code, WarningCode::KeyEnding);
        assert!(ahead.message.contains("2026-12-31"), "{}", ahead.message);
    }
}
