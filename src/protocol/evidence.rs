//! Evidence: a signed message, kept whole, so that what a partner once said can be shown and checked again later.

use super::signature::{is_evidence, verify_request_at_any_time, verify_response_at_any_time};
use super::{Headers, Receipt, Request, Response, VerifyingKey};
use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A receipt with all that its signature covers, as it came over the wire: either the answer to a request of ours,
/// or a request of the partner's to our `/receipts`.
///
/// Of a request's head it keeps the fields that its signature covers, and that signature: what belongs to a hop, and
/// credentials, are not kept. An answer's signature binds the request's method, path, digests, id, envelope and signature;
/// the request's `Content-Type` and the parameters in its `Signature-Input` are bound by the request's own signature alone.
///
/// Serialises to JSON, so that it can be stored for as long as a claim lives, and checked by anybody who has the partner's
/// public key. With `hmac-sha256` it proves nothing to a third party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    version: u32,
    request: Request,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_headers: Option<Headers>,
    /// The body of the answer, or of the request where there is no answer; base64.
    body: String,
}

impl Evidence {
    const VERSION: u32 = 1;

    /// Keeps an answer, and the head of the request it is bound to.
    #[must_use]
    pub fn of_response(request: &Request, response: &Response) -> Self {
        Self {
            version: Self::VERSION,
            request: what_proves(request),
            status: Some(response.status()),
            response_headers: Some(response.headers().clone()),
            body: STANDARD.encode(response.body()),
        }
    }

    /// Keeps a request that brought a receipt.
    #[must_use]
    pub fn of_request(request: &Request, body: &[u8]) -> Self {
        Self {
            version: Self::VERSION,
            request: what_proves(request),
            status: None,
            response_headers: None,
            body: STANDARD.encode(body),
        }
    }

    /// The receipt, taken at its word: for evidence that was verified before it was stored.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] or [`ErrorKind::UnsupportedFormatVersion`] when there is none to be read.
    pub fn receipt(&self) -> Result<Receipt> {
        Receipt::from_json(&self.body()?)
    }

    /// Checks signature and digest with the partner's key, whatever the time, and reads the receipt.
    ///
    /// # Errors
    /// [`ErrorKind::BadSignature`] or [`ErrorKind::DigestMismatch`] when this is not what the key's owner signed;
    /// [`ErrorKind::NoReceipt`] or [`ErrorKind::BadMessage`] when it is, but is no receipt;
    /// [`ErrorKind::UnsupportedFormatVersion`] for evidence of a later version.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(Receipt, Timestamp)> {
        if self.version != Self::VERSION {
            return Err(Error::new(
                ErrorKind::UnsupportedFormatVersion,
                format!(
                    "the evidence has format version {}; this version of claimwire reads {}",
                    self.version,
                    Self::VERSION
                ),
            ));
        }
        let body = self.body()?;
        let (Some(status), Some(headers)) = (self.status, &self.response_headers) else {
            let found = verify_request_at_any_time(&self.request, &body, key)?;
            return Ok((Receipt::from_json(&body)?, found.created));
        };
        let mut response = Response::new(status, body)?;
        *response.headers_mut() = headers.clone();
        let found = verify_response_at_any_time(&self.request, &response, key)?;
        Ok((Receipt::from_response(&response)?, found.created))
    }

    fn body(&self) -> Result<Vec<u8>> {
        STANDARD.decode(&self.body).map_err(|error| {
            Error::new(ErrorKind::BadMessage, "the evidence's body is not base64").caused_by(error)
        })
    }
}

/// The request with no other fields than those that say something of a receipt.
fn what_proves(request: &Request) -> Request {
    let mut kept = request.clone();
    *kept.headers_mut() = Headers::new();
    for (name, value) in request.headers().iter().filter(|(name, _)| is_evidence(name)) {
        // The field was in a head of these bounds before, so it is taken.
        let _ = kept.headers_mut().append(name, value);
    }
    kept
}
