//! Ways to carry a request to a partner and bring the answer back: HTTPS, a drop folder, or a call in this process.
//!
//! A host can bring its own: implement [`Transport`], then run the [`conformance`] suite against it.

mod body;
pub mod conformance;
mod directory;
#[cfg(feature = "https")]
mod https;
mod memory;
#[cfg(any(feature = "https", feature = "receiver"))]
pub(crate) mod pem;
#[cfg(any(feature = "https", feature = "receiver"))]
pub(crate) mod tls_key;

pub use body::Body;
pub use directory::{DirectoryInbox, DirectoryTransport};
#[cfg(feature = "https")]
pub use https::{HttpsSettings, HttpsTransport, Timeouts};
pub use memory::MemoryTransport;

use crate::Result;
use crate::protocol::{Request, Response};
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Carries requests to one partner.
///
/// # Advice for implementers
/// - Leave method, path, header fields and body exactly as they are: they are signed. Fields that belong to the
///   hop (`Host`, `Content-Length`, `Connection`) are yours.
/// - Send exactly [`Body::length`] bytes. [`Body`] itself fails when its reader ends early or goes on; when that
///   happens, the partner must not take what arrived for a whole request (break the connection, drop the file).
/// - Every status is an answer, an error status too: return it as [`Reply::Answered`]. An `Err` means that no
///   answer came. Do not follow redirects.
/// - Do not retry. The exchange does, with the same package id, so that a retry never makes a second package.
/// - Bound what the partner can make you hold: no answer has more than
///   [`MAX_ANSWER_BYTES`](crate::protocol::MAX_ANSWER_BYTES).
/// - Bound the time: a partner that says nothing must end in [`ErrorKind::TimedOut`](crate::ErrorKind::TimedOut).
/// - `Debug` must show no secret.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request with its body and waits for the answer.
    ///
    /// # Errors
    /// No answer came: [`ErrorKind::Unreachable`](crate::ErrorKind::Unreachable),
    /// [`TimedOut`](crate::ErrorKind::TimedOut), [`BadCertificate`](crate::ErrorKind::BadCertificate),
    /// [`BadMessage`](crate::ErrorKind::BadMessage) for an answer that is none,
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a body of another length than it declares, or
    /// what reading the body failed with. Once the body began to leave, the partner may have taken the request all the
    /// same, and the exchange asks for the package before it sends that again.
    fn send(&self, request: &Request, body: Body<'_>) -> Result<Reply>;

    /// The path of the partner's endpoint, to build a request's path with
    /// ([`Route::path`](crate::protocol::Route::path)): empty, or such as `/claimwire`.
    fn base_path(&self) -> &str {
        ""
    }

    /// Whether answers come later ([`Reply::Pending`]), so that sending a request again collects its answer. By default
    /// they come at once, and a partner is asked for a package whose answer was lost before that is sent again.
    fn answers_later(&self) -> bool {
        false
    }

    /// From which size on a package is sent so that it can be gone on with when it is cut off. Then `send` is called
    /// with `HEAD`, and with `PATCH` and a body, too. `None`, the default, for a transport that carries whole packages
    /// only.
    fn resumption(&self) -> Option<Resumption> {
        None
    }
}

/// From which size on, and in which pieces, packages are sent so that they can be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resumption {
    /// The size of the smallest such package, sealed: 8,388,608 (8 MiB). A smaller one is sent anew as a whole.
    pub from_bytes: u64,
    /// The most bytes of one request, where something between the sites takes no more; `None`, the default, sends all
    /// there is in one.
    pub part_bytes: Option<NonZeroU64>,
}

impl Default for Resumption {
    fn default() -> Self {
        Self { from_bytes: 8 << 20, part_bytes: None }
    }
}

impl Resumption {
    /// The same for packages of this size, in bytes, and above.
    #[must_use]
    pub fn from_bytes(mut self, bytes: u64) -> Self {
        self.from_bytes = bytes;
        self
    }

    /// The same in parts of at most so many bytes.
    #[must_use]
    pub fn in_parts_of(mut self, bytes: NonZeroU64) -> Self {
        self.part_bytes = Some(bytes);
        self
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: &Request, body: Body<'_>) -> Result<Reply> {
        (**self).send(request, body)
    }

    fn base_path(&self) -> &str {
        (**self).base_path()
    }

    fn answers_later(&self) -> bool {
        (**self).answers_later()
    }

    fn resumption(&self) -> Option<Resumption> {
        (**self).resumption()
    }
}

/// What came of sending.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// The partner's answer to this request.
    Answered(Response),
    /// The partner's answer to the request of the same key that was sent earlier and was pending; `request` is what
    /// was sent then, and what the answer's signature is bound to. Nothing was sent now.
    Collected {
        /// The request that was answered.
        request: Request,
        /// The answer.
        response: Response,
    },
    /// The request lies where the partner will find it. Ask again to collect the answer.
    Pending,
}

impl Reply {
    /// The answer and the request it belongs to, where `sent` is the one this reply came back for; `None` while
    /// the answer is pending.
    #[must_use]
    pub fn into_answer(self, sent: &Request) -> Option<(Request, Response)> {
        match self {
            Self::Answered(response) => Some((sent.clone(), response)),
            Self::Collected { request, response } => Some((request, response)),
            Self::Pending => None,
        }
    }
}
