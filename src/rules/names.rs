//! Sets of names that people type: types and statuses.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names compared without regard to case and outer spaces, kept as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub(super) struct NameSet(BTreeMap<String, String>);

impl NameSet {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(&folded(name))
    }

    /// The names as they were typed.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    pub(super) fn add(&mut self, names: impl IntoIterator<Item = impl Into<String>>) {
        self.0.extend(names.into_iter().map(Into::into).map(|name| (folded(&name), name)));
    }
}

impl From<Vec<String>> for NameSet {
    fn from(names: Vec<String>) -> Self {
        let mut set = Self::default();
        set.add(names);
        set
    }
}

impl From<NameSet> for Vec<String> {
    fn from(set: NameSet) -> Self {
        set.0.into_values().collect()
    }
}

/// The form in which names are compared.
pub(super) fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}
