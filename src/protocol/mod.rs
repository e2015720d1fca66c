//! What stands on the wire: requests, answers, digests, signatures, receipts and problems, without any network.
//!
//! One request carries one sealed package (or a receipt, or a question after a package's state) to one
//! [`Endpoint`], and one answer comes back. Everything here is bytes and headers in, values out: a transport
//! carries them, and any server can hold the receiving end. `docs/protocol.md` shows each message as it is written.
//!
//! | subject | standard |
//! |---|---|
//! | the package's id, the same on every retry | `Idempotency-Key` |
//! | digest of the sealed bytes | `Content-Digest`, `Repr-Digest`: RFC 9530 |
//! | who sent it, and that nothing was changed | HTTP Message Signatures: RFC 9421, Ed25519 or HMAC-SHA-256 |
//! | header syntax | Structured Fields: RFC 9651 |
//! | errors | `application/problem+json`: RFC 9457 |
//! | uploads that go on where they broke off | draft-ietf-httpbis-resumable-upload-12 |

mod challenge;
mod credential;
mod digest;
mod envelope;
mod evidence;
mod headers;
mod keys;
mod message;
mod nonces;
mod problem;
mod pushed;
mod receipt;
mod routes;
pub(crate) mod secret_text;
mod signature;
mod signature_base;
mod trial;
mod upload;
mod validity;

pub(crate) use challenge::challenge;
pub use credential::Credential;
pub use digest::{Digest, DigestReader, Hasher};
pub use envelope::{Envelope, PACKAGE_MEDIA_TYPE};
pub use evidence::Evidence;
pub use headers::Headers;
pub use keys::{Algorithm, SigningKey, VerifyingKey, fingerprint_of};
pub use message::{Endpoint, MAX_ANSWER_BYTES, Peer, Request, Response};
pub(crate) use nonces::Nonces;
pub(crate) use problem::printable;
pub use problem::{PROBLEM_MEDIA_TYPE, Problem};
pub use pushed::PushedRequest;
pub use receipt::{Disposition, RECEIPT_MEDIA_TYPE, Receipt, ReceiptState};
pub use routes::Route;
pub use secret_text::SecretText;
pub(crate) use secret_text::without_line_end;
pub(crate) use signature::RequestSignature;
pub use signature::{
    DEFAULT_WINDOW, VerifiedRequest, is_signed, sign_request, sign_response, signed_at, signer_id,
    verify_request, verify_response,
};
pub use trial::{SealedSample, TRIAL_MEDIA_TYPE, TrialAnswer, TrialCheck, TrialOutcome, TrialSide};
pub use upload::{PARTIAL_UPLOAD_MEDIA_TYPE, UploadState};
pub(crate) use upload::{inconsistent_length, mismatching_offset, put_limits, takes_parts};
pub use validity::Validity;
