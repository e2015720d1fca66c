//! A JSON value whose meaning belongs to somebody else: custom fields and members of later versions.

use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Any JSON value, kept exactly: numbers keep all their digits.
///
/// ```
/// use claimwire::model::Json;
///
/// let value: Json = r#"{"rate": 12.500}"#.parse()?;
/// assert_eq!(value.to_string(), r#"{"rate":12.500}"#);
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub(crate) serde_json::Value);

impl Json {
    /// JSON `null`.
    pub const NULL: Self = Self(serde_json::Value::Null);

    /// The text of a JSON string; `None` for every other value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// `value` as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the value has no JSON form (a map with keys that are no strings).
    pub fn from_serialize(value: &impl Serialize) -> Result<Self> {
        serde_json::to_value(value).map(Self).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("the value has no JSON form: {error}"))
                .caused_by(error)
        })
    }

    /// This value read as a `T`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the value does not have `T`'s shape.
    pub fn to<T: for<'de> Deserialize<'de>>(&self) -> Result<T> {
        // By way of the text: a `Value` hands integers past 64 bits to serde in a form it cannot buffer.
        serde_json::from_str(&self.0.to_string()).map_err(|error| {
            let said = without_values(&error);
            Error::new(ErrorKind::InvalidArgument, format!("the JSON has another shape: {said}"))
        })
    }
}

/// Why JSON about a claim cannot be read, without the values that the reason quotes: they are a claimant's. The place
/// stays, and so does the name of a member that is missing or stands twice.
pub(crate) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_a_member = ["missing field `", "duplicate field `"].iter().any(|start| text.starts_with(start));
    if names_a_member {
        return text;
    }
    let mut said = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // Quoted text is escaped by who quotes it, so it ends at the last quote of its kind.
    while let Some((start, quote)) = rest.char_indices().find(|(_, char)| matches!(char, '`' | '"')) {
        let Some(length) = rest[start + 1..].rfind(quote) else { break };
        said.push_str(&rest[..start]);
        said.push('…');
        rest = &rest[start + length + 2..];
    }
    said + rest
}

impl FromStr for Json {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("not JSON: {error}")).caused_by(error)
        })
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_repeats_no_value() {
        let reason = |json: &str| without_values(&serde_json::from_str::<Vec<u64>>(json).unwrap_err());
        for (json, start) in [
            (r#"["Okafor"]"#, "invalid type: string …, expected u64 at line 1"),
            (r#"["O\"kafor` x"]"#, "invalid type: string …, expected u64 at line 1"),
            ("[47.11]", "invalid type: floating point …, expected u64 at line 1"),
        ] {
            assert!(reason(json).starts_with(start), "{}", reason(json));
        }
        let date = serde_json::from_str::<crate::model::Date>(r#""Okafor `s \"""#).unwrap_err();
        assert!(without_values(&date).starts_with("… is no date such as"), "{}", without_values(&date));
        let missing = serde_json::from_str::<crate::model::Note>("{}").unwrap_err();
        assert!(without_values(&missing).starts_with("missing field `id`"), "{missing}");
    }
}
