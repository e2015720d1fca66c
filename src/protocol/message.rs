//! A request, its answer, what the connection proves about who asks, and who answers.

use super::Digest;
use super::headers::{Headers, is_token};
use crate::model::SiteId;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

/// The most bytes an answer's body may have: 1 MiB. Answers are receipts and problems, so a few hundred are usual.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A request without its body: method, path and header fields.
///
/// The path is the whole path as it stands on the wire, the base path of the partner's URL included, since that
/// is what the signature covers (`@path`, RFC 9421 section 2.2.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RequestFields")]
pub struct Request {
    method: String,
    path: String,
    headers: Headers,
}

#[derive(Deserialize)]
struct RequestFields {
    method: String,
    path: String,
    headers: Headers,
}

impl TryFrom<RequestFields> for Request {
    type Error = Error;

    fn try_from(fields: RequestFields) -> Result<Self> {
        Ok(Self { headers: fields.headers, ..Self::new(&fields.method, &fields.path)? })
    }
}

impl Request {
    /// The longest path, in bytes.
    pub const MAX_PATH_BYTES: usize = 2048;

    /// A request without header fields.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] when the method is no token, or the path is not an absolute path of printable
    /// ASCII without query and fragment (RFC 9110 section 4.1).
    pub fn new(method: &str, path: &str) -> Result<Self> {
        if !is_token(method) || method.len() > 32 {
            return Err(Error::new(ErrorKind::BadMessage, "the request has no valid method"));
        }
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
        if !path.starts_with('/') || path.len() > Self::MAX_PATH_BYTES || !path.bytes().all(fits) {
            return Err(Error::new(
                ErrorKind::BadMessage,
                "the request's path is not an absolute path without query and fragment",
            ));
        }
        Ok(Self { method: method.to_owned(), path: path.to_owned(), headers: Headers::new() })
    }

    /// The method, such as `POST`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The whole path, such as `/claimwire/packages`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to change.
    #[must_use]
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }
}

/// An answer: status, header fields, and a small body.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Headers,
    body: Vec<u8>,
}

impl Response {
    /// An answer without header fields.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] when the status is not a final one (200 to 599) or the body has more than
    /// [`MAX_ANSWER_BYTES`].
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Result<Self> {
        let body = body.into();
        if !(200..=599).contains(&status) {
            return Err(Error::new(
                ErrorKind::BadMessage,
                format!("{status} is no status of a final answer"),
            ));
        }
        if body.len() > MAX_ANSWER_BYTES {
            return Err(Error::new(
                ErrorKind::BadMessage,
                format!("the answer has {} bytes; {MAX_ANSWER_BYTES} are the limit", body.len()),
            ));
        }
        Ok(Self { status, headers: Headers::new(), body })
    }

    /// An empty answer with a status known to be a final one.
    pub(crate) fn bare(status: u16) -> Self {
        Self { status, headers: Headers::new(), body: Vec::new() }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of success, 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to change.
    #[must_use]
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// What a connection proves about the one who asks: its address, and the certificate whose key it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    certificate: Option<Vec<u8>>,
    remote_address: Option<SocketAddr>,
    stored: bool,
    once_proven: OnceProven,
}

/// What the server does once the endpoint knows who asks. No part of who that is: any two are equal.
#[derive(Clone, Default)]
struct OnceProven(Option<Arc<TellWho>>);

type TellWho = dyn Fn(&SiteId) -> Result<()> + Send + Sync;

impl PartialEq for OnceProven {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for OnceProven {}

impl fmt::Debug for OnceProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "told" } else { "not told" })
    }
}

impl Peer {
    /// Somebody of whom nothing is known: a caller over the network or in the same process.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// A request that lies in a file or a queue until it is answered. Nothing is known of who put it there, and the very
    /// same request may be handed in again, where a crash came between its effect and its removal: so it is no replay
    /// when it comes twice.
    #[must_use]
    pub fn stored() -> Self {
        Self { stored: true, ..Self::default() }
    }

    /// Whether the request lies [stored](Self::stored) and may be handed in again.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.stored
    }

    /// The same peer, which has proven to hold the key of this certificate (DER).
    #[must_use]
    pub fn with_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificate = Some(der.into());
        self
    }

    /// The same peer, calling from this address.
    #[must_use]
    pub fn with_remote_address(mut self, address: SocketAddr) -> Self {
        self.remote_address = Some(address);
        self
    }

    /// The client certificate, DER; the TLS layer has checked that the peer holds its key.
    #[must_use]
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// The SHA-256 of the client certificate's DER form in lower-case hex: what `openssl x509 -fingerprint -sha256`
    /// prints, without colons.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.certificate.as_deref().map(|der| Digest::of(der).to_hex())
    }

    /// Where the connection came from; a proxy's address when one stands in between.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.remote_address
    }

    /// Says that the request is proven to be this partner's, before anything else is done for it: the built-in receiver
    /// keeps its places for such requests, lets no stranger wait in one, and no partner take them all.
    ///
    /// # Errors
    /// What the request is to be answered with instead: [`ErrorKind::Unreachable`](crate::ErrorKind::Unreachable) when
    /// no place is left for it, which a later try may not find.
    pub fn proven(&self, partner: &SiteId) -> Result<()> {
        self.once_proven.0.as_ref().map_or(Ok(()), |tell| tell(partner))
    }

    /// The same peer, of which `tell` hears when it is [proven](Self::proven), perhaps more than once.
    #[cfg(feature = "receiver")]
    pub(crate) fn once_proven(
        mut self,
        tell: impl Fn(&SiteId) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.once_proven = OnceProven(Some(Arc::new(tell)));
        self
    }
}

/// Whatever answers requests. The exchange is one; a test may bring its own.
///
/// A server calls [`answer`](Endpoint::answer) once per request, from any thread, several at a time. It blocks
/// until the answer is there.
pub trait Endpoint: Send + Sync {
    /// Answers one request.
    ///
    /// The body arrives as it is pulled from `body`; the server buffers no more than a small window ahead. An
    /// implementation authenticates the request before it pulls, and says so with [`Peer::proven`] (pulling says it
    /// too). It may answer without pulling everything, and must treat an error of `body` as "the request is not
    /// complete": nothing is promised for it. A fault is an answer too (see [`Problem`](super::Problem)).
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response;

    /// Hears of a request that the server refused by itself, before it asked for an answer: too many at once, a body
    /// above the server's own bound, a head that is no request. For counters; by default it is passed over.
    fn refused(&self, kind: ErrorKind) {
        let _ = kind;
    }
}

impl<E: Endpoint + ?Sized> Endpoint for Arc<E> {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        (**self).answer(request, peer, body)
    }

    fn refused(&self, kind: ErrorKind) {
        (**self).refused(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_has_no_query() {
        for path in ["", "packages", "/a?b", "/a#b", "/a b", "/ü", "/a\r\nb"] {
            assert_eq!(Request::new("POST", path).unwrap_err().kind(), ErrorKind::BadMessage, "{path:?}");
        }
        assert_eq!(Request::new("PO ST", "/").unwrap_err().kind(), ErrorKind::BadMessage);
        assert_eq!(Request::new("POST", "/a%20b/c").unwrap().path(), "/a%20b/c");
    }

    #[test]
    fn an_answer_is_final_and_bounded() {
        assert!(Response::new(100, "").is_err());
        assert!(Response::new(600, "").is_err());
        assert!(Response::new(200, vec![0; MAX_ANSWER_BYTES]).is_ok());
        assert!(Response::new(200, vec![0; MAX_ANSWER_BYTES + 1]).is_err());
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_certificate() {
        let peer = Peer::unknown().with_certificate(*b"abc");
        assert_eq!(
            peer.fingerprint().unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Peer::unknown().fingerprint(), None);
    }
}
