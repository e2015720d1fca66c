//! The receipt: the recipient's word on what became of one package.

use super::{Digest, Response, printable};
use crate::model::{Json, PackageId, SiteId, Timestamp};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The media type of a receipt.
pub const RECEIPT_MEDIA_TYPE: &str = "application/vnd.claimwire.receipt+json";

/// How far a package came at the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReceiptState {
    /// The recipient durably holds the sealed bytes; nobody has unpacked them yet.
    Received,
    /// The recipient unpacked it and applied it to its case system.
    Unpacked,
    /// The recipient will not apply it; the disposition and the detail say why.
    Rejected,
}

impl ReceiptState {
    /// The state's stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Unpacked => "unpacked",
            Self::Rejected => "rejected",
        }
    }

    /// The state with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Received, Self::Unpacked, Self::Rejected].into_iter().find(|state| state.name() == name)
    }
}

/// What the recipient did with the content. Lines up with the X12 277CA and the AS2 revision (rfc4130bis).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Disposition {
    /// Applied as it was sent.
    Accepted,
    /// Applied, but the recipient's policies or rules kept or changed some of it.
    AcceptedWithChanges,
    /// Not applied.
    Rejected {
        /// The stable, machine-readable reason: one of AS2's (`integrity-check-failed`, `decryption-failed`,
        /// `decompression-failed`, `illegal-filename`, `duplicate-filename`, `unknown-trading-relationship`,
        /// `insufficient-message-security`) or the name of an [`ErrorKind`].
        code: String,
    },
}

impl Disposition {
    /// The rejection for this kind of fault, under AS2's code where it has one.
    #[must_use]
    pub fn rejected_for(kind: ErrorKind) -> Self {
        let code = match kind {
            ErrorKind::WrongKey
            | ErrorKind::UnknownKeyVersion
            | ErrorKind::InvalidKey
            | ErrorKind::KeyNotValid => "decryption-failed",
            ErrorKind::NotAnArchive
            | ErrorKind::UnsupportedArchive
            | ErrorKind::InconsistentArchive
            | ErrorKind::InflatedTooLarge
            | ErrorKind::TooManyEntries => "decompression-failed",
            ErrorKind::Truncated | ErrorKind::Altered | ErrorKind::DigestMismatch => "integrity-check-failed",
            ErrorKind::HostileName => "illegal-filename",
            other => other.name(),
        };
        Self::Rejected { code: code.to_owned() }
    }
}

/// The recipient's word on one package: a small JSON document, signed as the answer or request that carries it.
///
/// ```
/// use claimwire::model::{PackageId, SiteId};
/// use claimwire::protocol::{Digest, Receipt, ReceiptState};
///
/// let (imex, insurer) = (SiteId::new("IMEX")?, SiteId::new("ON-INS")?);
/// let sealed = b"...";
/// let receipt = Receipt::new(PackageId::generate(), imex, insurer, ReceiptState::Received, Digest::of(sealed));
/// assert_eq!(Receipt::from_json(&receipt.to_json()?)?, receipt);
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The version of this format: 1.
    pub version: u32,
    /// The package this is about.
    pub package_id: PackageId,
    /// The site that gives its word: the package's recipient.
    pub from: SiteId,
    /// The site the word is given to: the package's sender.
    pub to: SiteId,
    /// How far the package came.
    pub state: ReceiptState,
    /// What became of the content, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// The SHA-256 of the sealed bytes the recipient holds.
    pub digest: Digest,
    /// When the package came to this state.
    pub at: Timestamp,
    /// A sentence for a person, such as why a package was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where the package was older than one that was applied before and so changed nothing: the sequence of that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_sequence: Option<u64>,
    /// One for each single fault, such as each import rule that was violated.
    #[serde(flatten, with = "crate::detail::form")]
    pub details: Vec<Detail>,
    /// JSON members that this version does not know, kept.
    #[serde(flatten)]
    pub other: BTreeMap<String, Json>,
}

impl Receipt {
    /// The version of the format this version of the crate writes.
    pub const VERSION: u32 = 1;

    /// A receipt as of now, without disposition and detail.
    #[must_use]
    pub fn new(package_id: PackageId, from: SiteId, to: SiteId, state: ReceiptState, digest: Digest) -> Self {
        Self {
            version: Self::VERSION,
            package_id,
            from,
            to,
            state,
            disposition: None,
            digest,
            at: Timestamp::now(),
            detail: None,
            applied_sequence: None,
            details: Vec::new(),
            other: BTreeMap::new(),
        }
    }

    /// The receipt as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it has no JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "the receipt could not be written as JSON").caused_by(error)
        })
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFormatVersion`] for a later version, naming both; [`ErrorKind::BadMessage`] when
    /// this is no receipt.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let malformed = |error: serde_json::Error| {
            let said = format!("not a receipt: {}", printable(&error.to_string()));
            Error::new(ErrorKind::BadMessage, said).caused_by(error)
        };
        let Versioned { version } = serde_json::from_slice(json).map_err(malformed)?;
        if version != Self::VERSION {
            return Err(Error::new(
                ErrorKind::UnsupportedFormatVersion,
                format!(
                    "the receipt has format version {version}; this version of claimwire reads {}",
                    Self::VERSION
                ),
            ));
        }
        serde_json::from_slice(json).map_err(malformed)
    }

    /// The receipt as an answer with status 200, unsigned.
    ///
    /// # Errors
    /// As [`to_json`](Self::to_json); [`ErrorKind::BadMessage`] when it is larger than an answer may be.
    pub fn to_response(&self) -> Result<Response> {
        let mut response = Response::new(200, self.to_json()?)?;
        response.headers_mut().insert("content-type", RECEIPT_MEDIA_TYPE)?;
        Ok(response)
    }

    /// Reads the receipt out of a successful answer; its signature is checked elsewhere.
    ///
    /// # Errors
    /// [`ErrorKind::NoReceipt`] when the answer carries no receipt: a proxy's or another service's page.
    pub fn from_response(response: &Response) -> Result<Self> {
        let media_type = response.headers().get("content-type").unwrap_or("no media type");
        if !response.is_success() || !is_media_type(media_type, RECEIPT_MEDIA_TYPE) {
            return Err(Error::new(
                ErrorKind::NoReceipt,
                format!(
                    "the partner answered with status {} and {}, not with a receipt; is the URL a claimwire endpoint?",
                    response.status(),
                    media_type.chars().take(100).collect::<String>().escape_debug()
                ),
            ));
        }
        Self::from_json(response.body())
            .map_err(|error| Error::new(ErrorKind::NoReceipt, error.to_string()).caused_by(error))
    }
}

/// Whether a `Content-Type` names this media type, whatever its parameters.
pub(super) fn is_media_type(value: &str, media_type: &str) -> bool {
    value.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"version":1,"package_id":"01978f6e-0a3b-7c11-9d52-3f0c5a1b7e90","from":"IMEX","to":"ON-INS","state":"rejected","disposition":{"type":"rejected","code":"decryption-failed"},"digest":"sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:","at":"2026-03-02T14:30:00Z","detail":"The key does not open this package.","later":{"a":1.50}}"#;

    #[test]
    fn it_round_trips_with_members_of_later_versions() {
        let receipt = Receipt::from_json(JSON.as_bytes()).unwrap();
        assert_eq!(receipt.state, ReceiptState::Rejected);
        assert_eq!(receipt.disposition, Some(Disposition::Rejected { code: "decryption-failed".into() }));
        assert_eq!(String::from_utf8(receipt.to_json().unwrap()).unwrap(), JSON);
    }

    #[test]
    fn details_say_to_programs_what_they_are_about() {
        let member =
            r#""details":["Add it.","Ask."],"findings":[{"code":"unknown-bill-type","subject":"A/B-7"},{}]"#;
        let json = JSON.replace(r#""later""#, &format!(r#"{member},"later""#));
        let receipt = Receipt::from_json(json.as_bytes()).unwrap();
        let coded = Detail::new("Add it.").coded("unknown-bill-type").about("A/B-7");
        assert_eq!(receipt.details, [coded, Detail::new("Ask.")]);
        assert_eq!(receipt.other.len(), 1, "{:?}", receipt.other);
        assert_eq!(String::from_utf8(receipt.to_json().unwrap()).unwrap(), json);
        // An earlier version writes the sentences alone.
        let plain = json.replace(r#","findings":[{"code":"unknown-bill-type","subject":"A/B-7"},{}]"#, "");
        let receipt = Receipt::from_json(plain.as_bytes()).unwrap();
        assert_eq!(receipt.details, [Detail::new("Add it."), Detail::new("Ask.")]);
        assert_eq!(String::from_utf8(receipt.to_json().unwrap()).unwrap(), plain);
    }

    #[test]
    fn a_later_version_is_refused_by_both_numbers() {
        let error = Receipt::from_json(br#"{"version":2,"state":"somewhere"}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormatVersion);
        assert!(error.to_string().contains('2') && error.to_string().contains('1'));
    }

    #[test]
    fn what_is_no_receipt_is_refused() {
        let long = format!("{{\"version\":1,\"other\":{}", "[".repeat(100_000));
        for json in ["", "[]", "null", r#"{"version":1}"#, long.as_str()] {
            assert_eq!(Receipt::from_json(json.as_bytes()).unwrap_err().kind(), ErrorKind::BadMessage);
        }
        let mut page = Response::new(200, "<html>").unwrap();
        page.headers_mut().insert("content-type", "text/html").unwrap();
        assert_eq!(Receipt::from_response(&page).unwrap_err().kind(), ErrorKind::NoReceipt);
    }

    #[test]
    fn what_is_no_receipt_fills_no_log_and_forges_no_line_of_it() {
        let forged = JSON.replace("IMEX", &format!("IMEX\\nall is well\\u001b[2J{}", "x".repeat(2_000_000)));
        let state =
            JSON.replace(r#""state":"rejected""#, &format!(r#""state":"\n{}""#, "y".repeat(2_000_000)));
        for json in [forged, state] {
            let said = Receipt::from_json(json.as_bytes()).unwrap_err().to_string();
            assert!(
                said.len() < 1200 && !said.contains(char::is_control),
                "{} bytes: {said:.200}",
                said.len()
            );
        }
        let mut page = Response::new(200, "<html>").unwrap();
        page.headers_mut().insert("content-type", "text/html; ".repeat(5000)).unwrap();
        assert!(Receipt::from_response(&page).unwrap_err().to_string().len() < 400);
    }

    #[test]
    fn an_answer_carries_it() {
        let receipt = Receipt::from_json(JSON.as_bytes()).unwrap();
        let mut response = receipt.to_response().unwrap();
        assert_eq!(Receipt::from_response(&response).unwrap(), receipt);
        response
            .headers_mut()
            .insert("content-type", format!("{RECEIPT_MEDIA_TYPE}; charset=utf-8"))
            .unwrap();
        assert_eq!(Receipt::from_response(&response).unwrap(), receipt);
    }

    #[test]
    fn names_lead_back() {
        for state in [ReceiptState::Received, ReceiptState::Unpacked, ReceiptState::Rejected] {
            assert_eq!(ReceiptState::from_name(state.name()), Some(state));
        }
    }
}
