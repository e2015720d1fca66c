//! The fingerprint of a public key: short enough for two people to read to each other over the phone.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::{Error, ErrorKind, Result};

/// Bytes that are kept of the hash. To find another key with the same 128 bits takes 2^128 tries; that a thief who makes
/// both keys finds two alike in fewer helps nobody, since the key compared is the partner's own.
const KEPT: usize = 16;

/// What identifies a public key: the first 128 bits of the SHA-256 of its text, in eight groups of four hexadecimal
/// digits.
///
/// The text is the one that is handed over, such as `age1…`, so that any tool shows the same digits:
/// `printf %s age1… | sha256sum | cut -c 1-32`.
///
/// Secrets have none. A hash of a shared password would let whoever hears it try passwords at leisure;
#[cfg_attr(
    feature = "exchange",
    doc = "[`Exchange::try_partner`](crate::exchange::Exchange::try_partner) shows whether both sides hold the same one."
)]
#[cfg_attr(not(feature = "exchange"), doc = "open a sample to see whether both sides hold the same one.")]
///
/// ```
/// # #[cfg(feature = "age")] {
/// use claimwire::codec::{AgeRecipient, Fingerprint};
///
/// let handed_over: AgeRecipient = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg".parse()?;
/// let shown = handed_over.fingerprint();
/// assert_eq!(shown.to_string(), "05fd 3231 7993 0a65 868e 8e43 66ed 0f61");
/// // As it was heard over the phone and typed in.
/// assert_eq!("05FD3231 79930A65 868E8E43 66ED0F61".parse::<Fingerprint>()?, shown);
/// # }
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; KEPT]);

impl Fingerprint {
    /// The fingerprint of a public key by its text.
    pub(crate) fn of(text: &str) -> Self {
        let hash = Sha256::digest(text);
        let mut kept = [0; KEPT];
        kept.iter_mut().zip(hash).for_each(|(kept, byte)| *kept = byte);
        Self(kept)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let gap = if index > 0 && index % 2 == 0 { " " } else { "" };
            write!(f, "{gap}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// Reads 32 hexadecimal digits, however they are grouped.
    fn from_str(text: &str) -> Result<Self> {
        let digits: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        let whole = digits.len() == 2 * KEPT && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = whole.then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
        let number = number.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "a fingerprint has 32 hexadecimal digits, in groups of four",
            )
        })?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_or_heard() {
        // SHA-256 of `abc`, FIPS 180-4.
        let shown = Fingerprint::of("abc");
        assert_eq!(shown.to_string(), "ba78 16bf 8f01 cfea 4141 40de 5dae 2223");
        for heard in ["ba7816bf8f01cfea414140de5dae2223", " BA78 16bf\n8f01 cfea 4141 40de 5dae 2223 "] {
            assert_eq!(heard.parse::<Fingerprint>().unwrap(), shown);
        }
        for wrong in ["", "ba78", "+a7816bf8f01cfea414140de5dae2223", "ba7816bf8f01cfea414140de5dae22233"] {
            assert_eq!(wrong.parse::<Fingerprint>().unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        assert_ne!(Fingerprint::of("abd"), shown);
    }
}
