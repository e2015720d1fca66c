//! Evidence: a signed message, kept whole, so that what a partner once said can be shown and checked again later.

use super::headers::CREDENTIALS;
use super::signature::{verify_request_at_any_time, verify_response_at_any_time};
use super::{Receipt, Request, Response, VerifyingKey};
use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A receipt with all that its signature covers, as it came over the wire: either the answer to a request of ours,
/// or a request of the partner's to our `/receipts`.
///
/// Credentials (`Authorization`) are not kept. Serialises to JSON, so that it can be stored for as long as a claim lives, and checked by anybody who has the
/// partner's public key. With `hmac-sha256` it proves nothing to a third party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    version: u32,
    request: Request,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response_headers: Option<super::Headers>,
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
            request: without_credentials(request),
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
            request: without_credentials(request),
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

fn without_credentials(request: &Request) -> Request {
    let mut request = request.clone();
    CREDENTIALS.iter().for_each(|name| request.headers_mut().remove(name));
    request
}
