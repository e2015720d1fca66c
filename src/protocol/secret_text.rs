//! A key written as text: shown to nobody who does not ask for it, and wiped when dropped.

use std::fmt;
use zeroize::Zeroizing;

/// A key or password as text. `Debug` does not show it; it is wiped from memory when dropped.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a secret, for instance out of a host's secret store.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself: for a secret store, or for the one partner it is meant for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}
