//! What proves a partner that cannot sign its requests: its client certificate, or a bearer token.

use super::{Digest, Peer, Request};
use crate::{Error, ErrorKind, Result};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The least characters of a bearer token.
const MIN_TOKEN: usize = 32;
/// The most characters of a bearer token.
const MAX_TOKEN: usize = 1024;

/// What stands in for the signature of a partner that cannot sign. It proves who asks, and nothing later: what came in
/// under it is no evidence to a third party.
///
/// Of a token only the SHA-256 is kept. `Debug` and `Display` name the kind alone.
///
/// ```
/// use claimwire::protocol::{Credential, Peer, Request};
///
/// let token = Credential::bearer_token("dGhlIHRva2VuIG9mIGEgbGVnYWN5IHBhcnRuZXI=")?;
/// let mut request = Request::new("POST", "/packages")?;
/// assert!(!token.proves(&request, &Peer::unknown()));
/// request.headers_mut().insert("authorization", "Bearer dGhlIHRva2VuIG9mIGEgbGVnYWN5IHBhcnRuZXI=")?;
/// assert!(token.proves(&request, &Peer::unknown()));
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone)]
pub struct Credential(Proof);

#[derive(Clone)]
enum Proof {
    Certificate([u8; 32]),
    Token([u8; 32]),
}

impl Credential {
    /// The client certificate whose DER form has this SHA-256: 64 hexadecimal digits, with or without the colons that
    /// `openssl x509 -fingerprint -sha256` prints.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] for every other text.
    pub fn client_certificate(sha256: &str) -> Result<Self> {
        let hex = match sha256.len() {
            95 => sha256.split(':').collect::<String>(),
            _ => sha256.to_owned(),
        };
        let digest = Digest::from_hex(&hex.to_ascii_lowercase()).map_err(|error| {
            invalid("the SHA-256 of a certificate has 64 hexadecimal digits").caused_by(error)
        })?;
        Ok(Self(Proof::Certificate(*digest.as_bytes())))
    }

    /// This bearer token (RFC 6750), which the partner sends as `Authorization: Bearer …`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`] when it has less than 32 or more than 1024 characters, or others than RFC 6750
    /// section 2.1 allows: letters, digits, `-._~+/`, and `=` at the end.
    pub fn bearer_token(token: &str) -> Result<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        if !(MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) {
            return Err(invalid(format!("a bearer token has {MIN_TOKEN} to {MAX_TOKEN} characters")));
        }
        if !token.trim_end_matches('=').bytes().all(fits) {
            return Err(invalid("a bearer token has letters, digits, `-._~+/`, and `=` at the end alone"));
        }
        Ok(Self(Proof::Token(hash(token.as_bytes()))))
    }

    /// Whether it is a bearer token.
    pub(crate) fn is_token(&self) -> bool {
        matches!(self.0, Proof::Token(_))
    }

    /// Whether this request, over a connection with this peer, is the partner's; in constant time.
    #[must_use]
    pub fn proves(&self, request: &Request, peer: &Peer) -> bool {
        let (shown, known) = match &self.0 {
            Proof::Certificate(known) => (peer.certificate().map(hash), known),
            Proof::Token(known) => (token_of(request).map(|token| hash(token.as_bytes())), known),
        };
        shown.is_some_and(|shown| bool::from(shown.ct_eq(known)))
    }
}

/// The token of the request's one `Authorization` field (RFC 6750 section 2.1); the scheme's case does not matter
/// (RFC 9110 section 11.1).
fn token_of(request: &Request) -> Option<&str> {
    let (scheme, token) = request.headers().get_only("authorization").ok()??.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    *Digest::of(bytes).as_bytes()
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidKey, message)
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Proof::Certificate(_) => "client certificate",
            Proof::Token(_) => "bearer token",
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdefABCDEF-._~+/xyz=";

    fn with(fields: &[&str]) -> Request {
        let mut request = Request::new("POST", "/packages").unwrap();
        fields.iter().for_each(|field| request.headers_mut().append("authorization", *field).unwrap());
        request
    }

    #[test]
    fn a_token_is_proved_by_itself_alone() {
        let token = Credential::bearer_token(TOKEN).unwrap();
        let proves = |fields: &[&str]| token.proves(&with(fields), &Peer::unknown());
        let whole = format!("Bearer {TOKEN}");
        assert!(proves(&[&whole]) && proves(&[&whole.replace("Bearer", "bearer")]));
        let short = &whole[..whole.len() - 1];
        for fields in [
            &[][..],
            &[""],
            &["Bearer"],
            &[TOKEN],
            &[short],
            &[&whole.replace("Bearer", "Basic")],
            &[&whole.to_lowercase()],
            &[&whole, &whole],
        ] {
            assert!(!proves(fields), "{fields:?}");
        }
    }

    #[test]
    fn a_certificate_is_found_by_either_form_of_its_fingerprint() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let pairs: Vec<&str> =
            hex.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap()).collect();
        let peer = Peer::unknown().with_certificate(*b"abc");
        for text in [hex.to_owned(), hex.to_uppercase(), pairs.join(":").to_uppercase()] {
            let certificate = Credential::client_certificate(&text).unwrap();
            assert!(certificate.proves(&with(&[]), &peer));
            assert!(!certificate.proves(&with(&[]), &Peer::unknown().with_certificate(*b"abd")));
            assert!(!certificate.proves(&with(&[]), &Peer::unknown()));
        }
        for text in ["", "ba78", &hex[1..], &format!("{hex}0"), &hex.replace('a', "g"), &pairs.join("-")] {
            assert!(Credential::client_certificate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_nothing_of_it_is_shown() {
        let long = "x".repeat(MAX_TOKEN + 1);
        for text in
            ["", "hunter2", &TOKEN[1..], &long, &format!("{TOKEN} {TOKEN}"), &format!("{TOKEN}\u{e9}")]
        {
            let error = Credential::bearer_token(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
        let shown = format!("{0:?} {0}", Credential::bearer_token(TOKEN).unwrap());
        assert_eq!(shown, "Credential(bearer token) bearer token");
    }
}
