//! Header fields of a message: ordered, found without regard to case, and free of what could split a message.

use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroize as _;

/// Header fields in the order they stand in the message. Names are kept in lower case; values hold no control
/// character, so that no field can smuggle in another one. `Debug` does not show credentials, and they are wiped from memory.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The most fields one message may have.
    pub const MAX_FIELDS: usize = 100;

    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the first field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of all fields of this name, in order.
    pub fn get_all<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h str> {
        self.0
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of the only field of this name; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] when the field stands there more than once.
    pub fn get_only(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.get_all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Error::new(ErrorKind::BadMessage, format!("the header {name} stands there twice")));
        }
        Ok(first)
    }

    /// Sets the field: every earlier one of this name goes.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn insert(&mut self, name: &str, value: impl Into<String>) -> Result<()> {
        let field = checked(name, value.into())?;
        self.remove(name);
        self.push(field)
    }

    /// Adds a field after those that are there.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] when the name is no token (RFC 9110 section 5.1), the value holds a control
    /// character, or there are [`MAX_FIELDS`](Self::MAX_FIELDS) already.
    pub fn append(&mut self, name: &str, value: impl Into<String>) -> Result<()> {
        self.push(checked(name, value.into())?)
    }

    /// Takes every field of this name away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
    }

    /// All fields, name (in lower case) and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn push(&mut self, field: (String, String)) -> Result<()> {
        if self.0.len() >= Self::MAX_FIELDS {
            return Err(Error::new(
                ErrorKind::BadMessage,
                format!("the message has more than {} header fields", Self::MAX_FIELDS),
            ));
        }
        self.0.push(field);
        Ok(())
    }
}

/// Fields that hold credentials.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value)| (name, if CREDENTIALS.contains(&name) { ".." } else { value });
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

/// The field with its name in lower case and its value without the white space around it (RFC 9110 section 5.5).
fn checked(name: &str, value: String) -> Result<(String, String)> {
    let shown = || name.chars().take(40).collect::<String>();
    if !is_token(name) {
        return Err(Error::new(
            ErrorKind::BadMessage,
            format!("`{}` is no header name", shown().escape_debug()),
        ));
    }
    let fits = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    if !value.bytes().all(fits) {
        return Err(Error::new(
            ErrorKind::BadMessage,
            format!("the header {} holds a control character", shown()),
        ));
    }
    let trimmed = value.trim_matches([' ', '\t']);
    let value = if trimmed.len() == value.len() { value } else { trimmed.to_owned() };
    Ok((name.to_ascii_lowercase(), value))
}

/// Whether the text is a token of RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

impl TryFrom<Vec<(String, String)>> for Headers {
    type Error = Error;

    fn try_from(fields: Vec<(String, String)>) -> Result<Self> {
        let mut headers = Self::new();
        for (name, value) in fields {
            headers.append(&name, value)?;
        }
        Ok(headers)
    }
}

impl From<Headers> for Vec<(String, String)> {
    fn from(mut headers: Headers) -> Self {
        std::mem::take(&mut headers.0)
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        let credentials = |(name, _): &&mut (String, String)| CREDENTIALS.contains(&name.as_str());
        self.0.iter_mut().filter(credentials).for_each(|(_, value)| value.zeroize());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_case_and_in_order() {
        let mut headers = Headers::new();
        headers.append("X-Trace", "a").unwrap();
        headers.append("x-trace", " b\t").unwrap();
        assert_eq!(headers.get_all("X-TRACE").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(headers.get_only("x-trace").unwrap_err().kind(), ErrorKind::BadMessage);
        headers.insert("X-trace", "c").unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("x-trace", "c")]);
        assert_eq!(headers.get_only("x-none").unwrap(), None);
    }

    #[test]
    fn no_field_can_split_a_message() {
        let mut headers = Headers::new();
        for value in ["a\r\nb: c", "a\nb", "a\0b", "a\x7f", "\x1b[0m"] {
            assert_eq!(headers.append("x", value).unwrap_err().kind(), ErrorKind::BadMessage, "{value:?}");
        }
        for name in ["", "a b", "a:b", "é", "a\r\n"] {
            assert_eq!(headers.append(name, "v").unwrap_err().kind(), ErrorKind::BadMessage, "{name:?}");
        }
        assert_eq!(headers, Headers::new());
    }

    #[test]
    fn credentials_are_not_shown() {
        let mut headers = Headers::new();
        headers.append("Authorization", "Bearer hunter2").unwrap();
        headers.append("x", "1").unwrap();
        assert_eq!(format!("{headers:?}"), r#"{"authorization": "..", "x": "1"}"#);
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        let mut headers = Headers::new();
        for _ in 0..Headers::MAX_FIELDS {
            headers.append("x", "1").unwrap();
        }
        assert_eq!(headers.append("x", "1").unwrap_err().kind(), ErrorKind::BadMessage);
        headers.insert("x", "1").unwrap();
    }
}
