//! A key written as text: shown to nobody who does not ask for it, and wiped when dropped; and its base64, which leaves no
//! copy behind.

use crate::wiped_stack::on_wiped_stack;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// A secret without the one line end that an editor, or a command that printed it, may have put after it.
pub(crate) fn without_line_end(secret: &str) -> &str {
    secret.strip_suffix('\n').map_or(secret, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// The base64 of a secret's bytes, behind what tells its kind.
pub(crate) fn encoded(prefix: &str, bytes: &[u8]) -> String {
    // All room first, so that no half-written copy is left behind by a growing buffer.
    let mut text = String::with_capacity(prefix.len() + bytes.len().div_ceil(3) * 4);
    text.push_str(prefix);
    on_wiped_stack(|| STANDARD.encode_string(bytes, &mut text));
    text
}

/// The bytes whose base64 this is. The reader's own error is dropped: no part of a secret may come into a message.
pub(crate) fn decoded(text: impl AsRef<[u8]>) -> Option<Zeroizing<Vec<u8>>> {
    // All room first, as above.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.as_ref().len()));
    on_wiped_stack(|| STANDARD.decode_vec(text, &mut bytes)).ok()?;
    Some(bytes)
}
