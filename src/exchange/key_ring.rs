//! The versions of a key that seals or opens for one partner, and which of them counts at a moment.

use crate::model::Timestamp;
use crate::protocol::Validity;
use std::collections::BTreeMap;

/// Keys by their version.
#[derive(Clone)]
pub(super) struct KeyRing<K>(BTreeMap<u32, Version<K>>);

/// One version of a key.
#[derive(Clone)]
pub(super) struct Version<K> {
    /// None once the version is retired: what is known of it is when that was.
    pub(super) key: Option<K>,
    pub(super) validity: Validity,
}

impl<K> Default for KeyRing<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K> KeyRing<K> {
    pub(super) fn insert(&mut self, version: u32, key: Option<K>, validity: Validity) {
        self.0.insert(version, Version { key, validity });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, version: u32) -> Option<&Version<K>> {
        self.0.get(&version)
    }

    /// The highest version that is valid then.
    pub(super) fn newest_at(&self, moment: Timestamp) -> Option<(u32, &K)> {
        self.held()
            .rev()
            .find(|(_, _, validity)| validity.holds_at(moment))
            .map(|(version, key, _)| (version, key))
    }

    /// Every version, retired ones too.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Version<K>)> {
        self.0.iter().map(|(version, known)| (*version, known))
    }

    /// Every version that is not retired.
    pub(super) fn held(&self) -> impl DoubleEndedIterator<Item = (u32, &K, Validity)> {
        self.0.iter().filter_map(|(version, known)| Some((*version, known.key.as_ref()?, known.validity)))
    }

    /// Every version with its time, for the person who has to see which are there.
    pub(super) fn listed(&self) -> String {
        let each = self.0.iter().map(|(version, known)| match (known.validity, &known.key) {
            (Validity::ALWAYS, _) => version.to_string(),
            (validity, Some(_)) => format!("{version} ({validity})"),
            (validity, None) => format!("{version} (retired, {validity})"),
        });
        let listed = each.collect::<Vec<_>>().join(", ");
        if listed.is_empty() { "none".to_owned() } else { listed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_newest_valid_version_counts_at_each_moment() {
        let until = |end: &str| Validity::new(None, Some(at(end))).unwrap();
        let from = |begin: &str| Validity::new(Some(at(begin)), None).unwrap();
        let mut ring = KeyRing::default();
        ring.insert(1, Some('a'), until("2026-06-01T00:00:00Z"));
        ring.insert(2, Some('b'), from("2026-05-01T00:00:00Z"));
        ring.insert(3, None, Validity::ALWAYS);
        for (moment, newest) in [
            ("2026-04-30T23:59:59Z", (1, &'a')),
            ("2026-05-01T00:00:00Z", (2, &'b')),
            ("2026-07-01T00:00:00Z", (2, &'b')),
        ] {
            assert_eq!(ring.newest_at(at(moment)), Some(newest), "{moment}");
        }
        ring.insert(2, Some('b'), until("2026-05-02T00:00:00Z"));
        assert_eq!(
            ring.newest_at(at("2026-05-10T00:00:00Z")),
            Some((1, &'a')),
            "an older one that is still valid"
        );
        assert_eq!(ring.newest_at(at("2026-06-01T00:00:00Z")), None);
        assert_eq!(ring.listed(), "1 (until 2026-06-01T00:00:00Z), 2 (until 2026-05-02T00:00:00Z), 3");
    }
}
