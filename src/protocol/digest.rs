//! Digests of a body: `Content-Digest` and `Repr-Digest` with SHA-256 (RFC 9530).

use crate::{Error, ErrorKind, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;
use subtle::ConstantTimeEq;

/// A SHA-256 digest. Written as RFC 9530 writes it, `sha-256=:…base64…:`, in headers and in JSON alike; compared
/// in constant time.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest that was computed elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest that these 64 hexadecimal digits spell.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        let fits = digits.len() == 64
            && bytes.iter_mut().zip(digits.chunks_exact(2)).all(|(byte, pair)| {
                let value = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
                value.map(|value| *byte = value).is_some()
            });
        if !fits {
            return Err(Error::new(ErrorKind::InvalidArgument, "no SHA-256: it has 64 hexadecimal digits"));
        }
        Ok(Self(bytes))
    }

    /// The digest in lower-case hex, as `sha256sum` prints it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Checks that `actual` is this digest.
    ///
    /// # Errors
    /// [`ErrorKind::DigestMismatch`], with both digests, when it is not.
    pub fn check(&self, actual: &Self) -> Result<()> {
        if self == actual {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::DigestMismatch,
            format!(
                "the body that arrived has the SHA-256 {}, but {} was announced; it was changed or cut on the way",
                actual.to_hex(),
                self.to_hex()
            ),
        ))
    }
}

impl FromStr for Digest {
    type Err = Error;

    /// Reads a `Content-Digest` or `Repr-Digest` value. Other algorithms beside `sha-256` are passed over.
    fn from_str(text: &str) -> Result<Self> {
        let bad =
            |what: &str| Error::new(ErrorKind::BadMessage, format!("the digest header {what} (RFC 9530)"));
        let fields: Dictionary = Parser::new(text)
            .parse()
            .map_err(|error| bad("is no dictionary of byte sequences").caused_by(error.to_string()))?;
        match fields.get("sha-256") {
            None => Err(bad("names no sha-256 digest")),
            Some(ListEntry::Item(item)) => match &item.bare_item {
                BareItem::ByteSequence(bytes) => <[u8; 32]>::try_from(bytes.as_slice())
                    .map(Self)
                    .map_err(|_| bad("has a sha-256 digest that is not 32 bytes long")),
                _ => Err(bad("has a sha-256 digest that is no byte sequence")),
            },
            Some(ListEntry::InnerList(_)) => Err(bad("has a sha-256 digest that is no byte sequence")),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha-256=:{}:", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Computes a [`Digest`] piece by piece, and counts the bytes.
#[derive(Clone, Default)]
pub struct Hasher {
    state: Sha256,
    length: u64,
}

impl Hasher {
    /// Nothing hashed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were added.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.state.finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A reader that hashes what passes through it.
#[derive(Debug)]
pub struct DigestReader<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> DigestReader<R> {
    /// Hashes all that is read from `inner` from now on.
    pub fn new(inner: R) -> Self {
        Self { inner, hasher: Hasher::new() }
    }

    /// How many bytes passed through.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.hasher.length()
    }

    /// The digest of all that passed through.
    #[must_use]
    pub fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 9530 appendix B.1: `{"hello": "world"}` and a line feed.
    const RFC_9530_BODY: &[u8] = b"{\"hello\": \"world\"}\n";
    const RFC_9530_DIGEST: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

    #[test]
    fn the_examples_of_rfc_9530_come_out() {
        let sha_512 = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";
        for (body, digest) in [
            // B.1, and the representation of B.2 and B.3.
            (RFC_9530_BODY, RFC_9530_DIGEST),
            // B.2: the content of an answer to HEAD.
            (b"", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
            // B.3: the content of a 206 with bytes 10 to 18.
            (&RFC_9530_BODY[10..], "sha-256=:jjcgBDWNAtbYUXI37CVG3gRuGOAjaaDRGpIUFsdyepQ=:"),
            // D: without the line feed.
            (b"{\"hello\": \"world\"}", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
        ] {
            assert_eq!(Digest::of(body).to_string(), digest);
            assert_eq!(digest.parse::<Digest>().unwrap(), Digest::of(body));
            // Section 2: several algorithms in one field.
            assert_eq!(format!("{digest}, {sha_512}").parse::<Digest>().unwrap(), Digest::of(body));
        }
    }

    #[test]
    fn other_algorithms_are_passed_over_but_sha_256_is_needed() {
        let both = format!("md5=:AAAA:, {RFC_9530_DIGEST}, unixsum=:AAA=:");
        assert_eq!(both.parse::<Digest>().unwrap(), Digest::of(RFC_9530_BODY));
        for text in [
            "",
            "md5=:AAAA:",
            "sha-256",
            "sha-256=:AAAA:",
            "sha-256=abc",
            "sha-256=(:AA==:)",
            "sha-256=:?:",
            ",,",
        ] {
            assert_eq!(text.parse::<Digest>().unwrap_err().kind(), ErrorKind::BadMessage, "{text}");
        }
    }

    #[test]
    fn a_mismatch_names_both_digests() {
        let error = Digest::of(b"a").check(&Digest::of(b"b")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch);
        assert!(error.to_string().contains(&Digest::of(b"a").to_hex()));
        assert!(error.to_string().contains(&Digest::of(b"b").to_hex()));
    }

    proptest! {
        #[test]
        fn a_reader_passes_all_and_hashes_all(bytes: Vec<u8>) {
            let mut reader = DigestReader::new(bytes.as_slice());
            let mut copy = Vec::new();
            reader.read_to_end(&mut copy).unwrap();
            prop_assert_eq!(reader.length(), bytes.len() as u64);
            prop_assert_eq!(reader.finish(), Digest::of(&bytes));
            prop_assert_eq!(copy, bytes);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = text.parse::<Digest>();
        }
    }
}
