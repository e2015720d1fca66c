//! The one error of the crate: a stable kind for programs, a sentence for the person who meets it.

use crate::Detail;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// What went wrong, to which claim, document or partner, and what to do about it.
///
/// The [`kind`](Error::kind) is stable and meant for programs; the text is meant for people and may change.
/// No text holds a key, a password or a document's content.
///
/// ```
/// use claimwire::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::UnknownSender, "no partner has the site id `XY`; register it first");
/// assert_eq!(error.kind().name(), "unknown-sender");
/// assert!(!error.is_retryable());
/// ```
#[derive(thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    retryable: bool,
    ambiguous: bool,
    retry_after: Option<Duration>,
    details: Vec<Detail>,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            retryable: kind.is_retryable(),
            ambiguous: false,
            retry_after: None,
            details: Vec::new(),
            source: None,
        }))
    }

    /// What a conformance suite says of a promise that an implementation does not keep.
    #[cfg(feature = "exchange")]
    pub(crate) fn ensure(kept: bool, promise: &str) -> Result<()> {
        if kept { Ok(()) } else { Err(Self::new(ErrorKind::Internal, format!("not conforming: {promise}"))) }
    }

    /// The same error with what caused it, kept for logs and for [`std::error::Error::source`] readers.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with one detail for each single fault it sums up; a text is a detail without a code.
    #[must_use]
    pub fn with_details<D: Into<Detail>>(mut self, details: impl IntoIterator<Item = D>) -> Self {
        self.0.details = details.into_iter().map(Into::into).collect();
        self
    }

    /// The same error, with this word on whether a later try may succeed instead of its kind's usual one.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The same error, of which it is not known whether the other side did what was asked: it was sent, and no answer came
    /// that says what became of it. Such an error is [retryable](Self::is_retryable) too.
    #[must_use]
    pub fn ambiguous(mut self) -> Self {
        self.0.ambiguous = true;
        self.0.retryable = true;
        self
    }

    /// The same error, with the time that the other side asks to be left alone for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The same error, told from where it happened: `context` and a colon come before the message.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// What kind of fault this is: stable across versions.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later with nothing changed by a person.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether what was asked may have been done all the same, because it was sent and no answer came: look before it is
    /// asked for again. An error is permanent, or [retryable](Self::is_retryable), or retryable and ambiguous.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.0.ambiguous
    }

    /// For how long the other side asks to be left alone (`Retry-After`, RFC 9110 section 10.2.3), where it does.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// One for each single fault, where the error sums up several (rule violations); else empty.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.0.details
    }

    /// What caused it, where another library or the operating system did.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind.name()).field("message", &self.0.message);
        if !self.0.details.is_empty() {
            out.field("details", &self.0.details);
        }
        if let Some(source) = &self.0.source {
            out.field("source", &source.to_string());
        }
        out.finish()
    }
}

impl From<std::io::Error> for Error {
    /// Keeps an error of ours that travelled through `std::io` as it was.
    fn from(error: std::io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
            let inner = error.into_inner().and_then(|inner| inner.downcast::<Error>().ok());
            return inner.map_or_else(|| Error::new(ErrorKind::Io, "input or output failed"), |inner| *inner);
        }
        Error::new(ErrorKind::Io, error.to_string()).caused_by(error)
    }
}

impl From<Error> for std::io::Error {
    /// Lets our error travel through `Read` and `Write`; [`Error::from`] finds it again.
    fn from(error: Error) -> Self {
        std::io::Error::other(error)
    }
}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $status:literal, $retry:ident;)*) => {
        /// The kinds of fault, stable: each has a number (for C), a name (for logs and problem types) and an
        /// HTTP status (for the receiving side). Numbers and names are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of its number.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$variant,)*];

            /// The stable number, in gapped ranges: 1 general, 100 codec, 200 package, 300 exchange, 400 wire,
            /// 500 storage.
            #[must_use]
            pub fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The stable name, in kebab-case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind with this stable name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The HTTP status (RFC 9110 section 15) a receiver answers with.
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// Whether the same call may succeed later with nothing changed by a person.
            #[must_use]
            pub fn is_retryable(self) -> bool {
                match self { $(Self::$variant => error_kinds!(@retry $retry),)* }
            }
        }
    };
    (@retry later) => { true };
    (@retry never) => { false };
}

error_kinds! {
    /// A fault of this library, or of a host's callback that broke its contract.
    Internal = 1, "internal", 500, never;
    /// A call was made with a value it does not take.
    InvalidArgument = 2, "invalid-argument", 400, never;
    /// The operating system refused a read or a write.
    Io = 3, "io", 500, later;
    /// The caller stopped the work through its progress hook.
    Cancelled = 4, "cancelled", 503, later;

    /// The key does not open this; or, where a suite cannot tell, the bytes are not what was encrypted.
    WrongKey = 100, "wrong-key", 422, never;
    /// Sealed under a key version that is not known here: the key was rotated on one side only.
    UnknownKeyVersion = 101, "unknown-key-version", 422, never;
    /// The bytes end too early.
    Truncated = 102, "truncated", 422, never;
    /// The bytes were changed after they were written.
    Altered = 103, "altered", 422, never;
    /// A key, password, recipient or identity is not one the suite can use.
    InvalidKey = 104, "invalid-key", 422, never;
    /// The suite or framing is not the one agreed, or not built in.
    UnsupportedSuite = 105, "unsupported-suite", 422, never;
    /// The key is the right one, but not for this time: its validity has ended, or not begun yet.
    KeyNotValid = 106, "key-not-valid", 403, never;
    /// Not a zip archive: with a suite that cannot tell, most likely the wrong key.
    NotAnArchive = 120, "not-an-archive", 422, never;
    /// The archive uses a compression method or a zip feature that packages never use.
    UnsupportedArchive = 121, "unsupported-archive", 422, never;
    /// An entry's name is not one that may be written to a file system.
    HostileName = 122, "hostile-name", 422, never;
    /// The archive contradicts itself: overlapping entries, headers that differ, bytes that belong to nothing.
    InconsistentArchive = 123, "inconsistent-archive", 422, never;
    /// The archive inflates to more than the limit, or by a higher ratio than the limit.
    InflatedTooLarge = 124, "inflated-too-large", 413, never;
    /// The archive has more entries than the limit.
    TooManyEntries = 125, "too-many-entries", 413, never;

    /// An archive, but without a manifest: not a claimwire package.
    NotAPackage = 200, "not-a-package", 422, never;
    /// Written in a format version that this version does not read.
    UnsupportedFormatVersion = 201, "unsupported-format-version", 422, never;
    /// The manifest or the claim file is not valid.
    InvalidPackage = 202, "invalid-package", 422, never;
    /// The sealed package is larger than the limit.
    SealedTooLarge = 203, "sealed-too-large", 413, never;
    /// A package, but addressed to another site.
    WrongRecipient = 204, "wrong-recipient", 403, never;
    /// What the package says of itself differs from what its sender announced.
    EnvelopeMismatch = 205, "envelope-mismatch", 422, never;
    /// A scanner found malware in a document of the package.
    InfectedDocument = 206, "infected-document", 422, never;

    /// No such claim in the case system.
    UnknownClaim = 300, "unknown-claim", 404, never;
    /// No such partner in the settings.
    UnknownPartner = 301, "unknown-partner", 404, never;
    /// No such package in the ledger.
    UnknownPackage = 302, "unknown-package", 404, never;
    /// A setting is not valid.
    InvalidSettings = 303, "invalid-settings", 500, never;
    /// Rules of the partner forbid this export.
    ExportRulesViolated = 310, "export-rules-violated", 422, never;
    /// Rules of this site forbid what the package brings.
    ImportRulesViolated = 311, "import-rules-violated", 422, never;
    /// Both sides changed the same field, and the partner's policy is to stop.
    Conflict = 312, "conflict", 409, never;
    /// The package was already dealt with, or is not yet where this step needs it.
    WrongState = 313, "wrong-state", 409, never;

    /// No partner has this sender's id, or the sender did not prove to be that partner.
    UnknownSender = 400, "unknown-sender", 401, never;
    /// The signature does not match what was sent.
    BadSignature = 401, "bad-signature", 401, never;
    /// The body's digest differs from the one announced.
    DigestMismatch = 402, "digest-mismatch", 400, later;
    /// The other side's certificate is not one that is trusted here; a certificate is renewed, often by itself.
    BadCertificate = 403, "bad-certificate", 403, later;
    /// An address without TLS that is not this machine's own.
    PlainHttp = 404, "plain-http", 403, never;
    /// The request or the answer is not one the protocol knows.
    BadMessage = 405, "bad-message", 400, never;
    /// The same package id was used before for other bytes.
    IdReused = 406, "id-reused", 409, never;
    /// The signature is too old, from the future, or was seen before: who signs anew for each try may come through once the
    /// clocks agree.
    Replayed = 407, "replayed", 401, later;
    /// The partner could not be reached, or the connection broke.
    Unreachable = 410, "unreachable", 503, later;
    /// The partner took longer than a timeout allows.
    TimedOut = 411, "timed-out", 504, later;
    /// The partner answered, but with nothing that proves it holds the package.
    NoReceipt = 412, "no-receipt", 502, later;
    /// The partner refused: its reason is in the message.
    Refused = 413, "refused", 502, never;
    /// This transport cannot carry the request.
    UnsupportedTransport = 414, "unsupported-transport", 501, never;

    /// The ledger could not be read or written.
    Ledger = 500, "ledger", 503, later;
    /// The case system could not be read or written.
    CaseSystem = 501, "case-system", 503, later;
    /// A file the ledger promises is not there or is damaged.
    StoreDamaged = 502, "store-damaged", 500, never;
    /// The malware scanner gave no verdict on a document.
    ScanFailed = 510, "scan-failed", 503, later;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_names_are_unique_and_names_lead_back() {
        let codes: HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_name(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn an_error_survives_the_way_through_std_io() {
        let io: std::io::Error = Error::new(ErrorKind::HostileName, "entry `../x`").into();
        let back = Error::from(io);
        assert_eq!(back.kind(), ErrorKind::HostileName);
        assert_eq!(back.to_string(), "entry `../x`");
    }
}
