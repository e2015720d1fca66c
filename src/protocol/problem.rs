//! Faults on the wire: `application/problem+json` (RFC 9457), in both directions.

use super::Response;
use super::receipt::is_media_type;
use crate::model::{Json, Timestamp};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The media type of a problem.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

const TYPE_PREFIX: &str = "urn:claimwire:problem:";
/// The problems of resumable uploads (draft-ietf-httpbis-resumable-upload-12 section 7) have types of their own.
pub(super) const MISMATCHING_OFFSET: &str =
    "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";
pub(super) const INCONSISTENT_LENGTH: &str =
    "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";
const RETRY_AFTER_SECONDS: u64 = 30;
/// The longest wait a partner can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The most characters of a partner's sentence, and the most of its lines, that are passed on.
const MAX_TEXT: usize = 1000;
const MAX_DETAILS: usize = 100;
/// The most characters of a media type that are passed on.
const MAX_MEDIA_TYPE: usize = 80;

/// A fault as it stands on the wire.
///
/// The `type` is `urn:claimwire:problem:` and the name of an [`ErrorKind`]: stable, never reused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What kind of fault, as a URI.
    #[serde(rename = "type", default = "about_blank")]
    pub problem_type: String,
    /// The same for people, the same for each fault of this kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// One for each single fault, where the problem sums up several.
    #[serde(flatten, with = "crate::detail::form")]
    pub details: Vec<Detail>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Json>,
    /// How long to wait before the same request may succeed; travels as `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

impl Problem {
    /// What a partner is told of an error.
    ///
    /// Faults of this site's own (its disk, its ledger, its case system, its settings, its scanner) carry a fixed sentence, so
    /// that no path and no host's message leaves; their text belongs in this site's log.
    #[must_use]
    pub fn from_error(error: &Error) -> Self {
        let kind = error.kind();
        let own = is_own_fault(kind);
        let detail = if own {
            "This site could not handle the request; its operators find the cause in their log.".to_owned()
        } else {
            error.to_string()
        };
        Self {
            problem_type: format!("{TYPE_PREFIX}{}", kind.name()),
            title: title(kind),
            status: Some(kind.http_status()),
            detail,
            details: if own { Vec::new() } else { error.details().to_vec() },
            other: BTreeMap::new(),
            retry_after: error.is_retryable().then(|| Duration::from_secs(RETRY_AFTER_SECONDS)),
        }
    }

    /// The same problem under another HTTP status, such as 405 or 503.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The answer that carries this problem, unsigned. `Retry-After` is there when a later try may succeed.
    #[must_use]
    pub fn to_response(&self) -> Response {
        let status = self.status.filter(|status| (400..=599).contains(status)).unwrap_or(500);
        let filled = || -> Result<Response> {
            let body = serde_json::to_vec(self)
                .map_err(|error| Error::new(ErrorKind::Internal, "no JSON form").caused_by(error))?;
            let mut response = Response::new(status, body)?;
            response.headers_mut().insert("content-type", PROBLEM_MEDIA_TYPE)?;
            if let Some(wait) = self.retry_after {
                response.headers_mut().insert("retry-after", wait.as_secs().to_string())?;
            }
            Ok(response)
        };
        // A problem of more than a mebibyte is the one case left; its status alone still tells the class.
        filled().unwrap_or_else(|_| Response::bare(status))
    }

    /// Reads the problem out of an answer. An answer of another media type is the page of a server in front of the
    /// partner's endpoint: a problem of type `about:blank` with the answer's status, and a detail that says what such a
    /// server means by it and what to do. Nothing of the page's text is taken over.
    #[must_use]
    pub fn from_response(response: &Response) -> Self {
        let media_type = response.headers().get("content-type").unwrap_or_default();
        let is_problem = is_media_type(media_type, PROBLEM_MEDIA_TYPE);
        let read = is_problem.then(|| serde_json::from_slice::<Self>(response.body()).ok()).flatten();
        let mut problem = read.unwrap_or_else(|| Self {
            problem_type: about_blank(),
            title: String::new(),
            status: None,
            detail: if is_problem { String::new() } else { page(response.status(), media_type) },
            details: Vec::new(),
            other: BTreeMap::new(),
            retry_after: None,
        });
        problem.status = Some(response.status());
        problem.detail = printable(&problem.detail);
        problem.title = printable(&problem.title);
        problem.details.truncate(MAX_DETAILS);
        problem.details = problem.details.into_iter().map(|detail| detail.each_text(printable)).collect();
        problem.retry_after = retry_after(response);
        problem
    }

    /// The kind of fault, when the type is one this version knows.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match self.problem_type.as_str() {
            MISMATCHING_OFFSET => Some(ErrorKind::WrongState),
            INCONSISTENT_LENGTH => Some(ErrorKind::BadMessage),
            other => other.strip_prefix(TYPE_PREFIX).and_then(ErrorKind::from_name),
        }
    }

    /// This problem, told at this site as the refusal of `partner`.
    ///
    /// A known type keeps its kind. Of an unknown one the status decides: 408, 425, 429 and 5xx may pass
    /// ([`ErrorKind::Unreachable`]), 2xx proves nothing ([`ErrorKind::NoReceipt`]), the rest is
    /// [`ErrorKind::Refused`], a redirect among them: none is followed.
    #[must_use]
    pub fn into_error(self, partner: &str) -> Error {
        let status = self.status.unwrap_or(500);
        let kind = self.kind().unwrap_or(match status {
            408 | 425 | 429 | 500.. => ErrorKind::Unreachable,
            ..300 => ErrorKind::NoReceipt,
            _ => ErrorKind::Refused,
        });
        let reason = [self.detail, self.title].into_iter().find(|text| !text.is_empty());
        let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
        let wait = self.retry_after.map_or_else(String::new, |wait| {
            format!("; it asks to wait {} s before the next try", wait.as_secs())
        });
        let error = Error::new(kind, format!("{partner} refused: {reason} (HTTP {status}){wait}"))
            .with_details(self.details);
        // A partner that names a time to come back says that it may pass, whatever the kind.
        match self.retry_after {
            Some(wait) => error.retryable(true).with_retry_after(wait),
            None => error,
        }
    }
}

/// What is said of an answer that a server in front of the partner's endpoint gave: its media type, and what such servers
/// mostly mean by that status.
fn page(status: u16, media_type: &str) -> String {
    let meaning = match status {
        ..300 => "no claimwire endpoint is at this address: check the partner's URL",
        300..=399 => "it redirects, which is not followed; ask for the right address",
        401 | 403 | 407 => {
            "it does not let this site pass: ask the partner's operators which address, token or client certificate it \
             takes"
        }
        404 | 405 | 410 => "it has no claimwire endpoint at this path: check the partner's URL",
        408 => {
            "it waited too long for the package: its time limit of a body is too short, or the line too slow"
        }
        411 => "it takes no body without a declared length: let its operators allow chunked bodies",
        413 => {
            "its limit of a body is below this package: let the partner's operators raise it above the site's limit of \
             a sealed package (nginx: client_max_body_size), or send in parts that it takes"
        }
        414 | 431 => {
            "its limit of header fields is too low: let the partner's operators raise it (nginx: \
             large_client_header_buffers)"
        }
        429 => "it has a limit of requests (nginx: limit_req, limit_conn): it may pass later",
        502 => "it does not reach the claimwire endpoint behind it, which may be down or restarting",
        503 => "it is overloaded or under maintenance, or the claimwire endpoint behind it is down",
        504 => "the claimwire endpoint behind it did not answer in its time (nginx: proxy_read_timeout)",
        500.. => "it failed: the partner's operators find the cause in its log",
        _ => "ask the partner's operators what it wants",
    };
    // Enough for the longest media types; a hostile one must not fill a log.
    let media_type: String = media_type.chars().take(MAX_MEDIA_TYPE).collect();
    let told = if media_type.is_empty() { "no content type" } else { &media_type };
    format!("a server in front of it answered, not its claimwire endpoint ({told}): {meaning}")
}

/// Whether the fault is one of this site's own, of which a partner learns nothing but that it happened.
fn is_own_fault(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Internal
            | ErrorKind::Io
            | ErrorKind::Ledger
            | ErrorKind::CaseSystem
            | ErrorKind::StoreDamaged
            | ErrorKind::InvalidSettings
            | ErrorKind::ScanFailed
    )
}

/// The kind's name as a phrase: `bad-signature` gives `Bad signature`.
fn title(kind: ErrorKind) -> String {
    let mut words = kind.name().replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// A partner's text, cut to length and without control characters, which could forge lines of a log.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `Retry-After`, seconds or a date (RFC 9110 section 10.2.3), at most a day from now.
fn retry_after(response: &Response) -> Option<Duration> {
    let asked = crate::retry::retry_after(response.headers().get("retry-after")?, Timestamp::now())?;
    Some(asked.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back_as_itself() {
        for kind in ErrorKind::ALL {
            let error = Error::new(*kind, "the reason")
                .with_details([Detail::new("one").coded("code").about("A/1"), "two".into()]);
            let response = Problem::from_error(&error).to_response();
            assert_eq!(response.status(), kind.http_status());
            let back = Problem::from_response(&response).into_error("IMEX");
            assert_eq!(back.kind(), *kind);
            assert_eq!(back.is_retryable(), error.is_retryable());
            assert!(back.to_string().starts_with("IMEX refused: "), "{back}");
            assert_eq!(response.headers().get("retry-after").is_some(), error.is_retryable());
            if !is_own_fault(*kind) {
                assert!(back.to_string().contains("the reason"));
                assert_eq!(back.details(), error.details());
            }
        }
    }

    #[test]
    fn own_faults_tell_nothing_of_this_site() {
        for kind in [ErrorKind::Io, ErrorKind::Internal, ErrorKind::Ledger, ErrorKind::CaseSystem] {
            let error = Error::new(kind, "/srv/claims/secret.db is locked").with_details(["/srv"]);
            let response = Problem::from_error(&error).to_response();
            assert!(!String::from_utf8(response.body().to_vec()).unwrap().contains("srv"));
        }
    }

    #[test]
    fn a_page_of_a_proxy_is_judged_by_its_status() {
        for (status, kind) in [
            (204, ErrorKind::NoReceipt),
            (302, ErrorKind::Refused),
            (404, ErrorKind::Refused),
            (429, ErrorKind::Unreachable),
            (502, ErrorKind::Unreachable),
        ] {
            let error = Problem::from_response(&page_of(status, "text/html")).into_error("IMEX");
            assert_eq!(error.kind(), kind, "{status}");
        }
    }

    fn page_of(status: u16, media_type: &str) -> Response {
        let mut response = Response::new(status, "<html>secret of the page</html>").unwrap();
        response.headers_mut().insert("content-type", media_type).unwrap();
        response
    }

    #[test]
    fn a_page_of_a_proxy_is_told_as_such_with_what_to_do() {
        for (status, remedy) in [
            (302, "ask for the right address"),
            (403, "client certificate"),
            (413, "client_max_body_size"),
            (418, "ask the partner's operators"),
            (429, "limit_req"),
            (502, "does not reach the claimwire endpoint"),
            (503, "under maintenance"),
            (504, "proxy_read_timeout"),
        ] {
            let said = Problem::from_response(&page_of(status, "text/html; charset=utf-8"))
                .into_error("IMEX")
                .to_string();
            let begins = "IMEX refused: a server in front of it answered, not its claimwire endpoint (text/html; charset=utf-8)";
            assert!(said.starts_with(begins) && said.contains(remedy), "{said}");
            assert!(said.ends_with(&format!("(HTTP {status})")) && !said.contains("secret"), "{said}");
        }
        let long = Problem::from_response(&page_of(413, &"x".repeat(5000))).into_error("IMEX").to_string();
        assert!(long.len() < 500, "{long}");
        let bare = Problem::from_response(&Response::bare(502)).into_error("IMEX").to_string();
        assert!(bare.contains("(no content type)"), "{bare}");
    }

    #[test]
    fn an_answer_to_a_head_request_is_no_page() {
        let mut response = Response::bare(404);
        response.headers_mut().insert("content-type", PROBLEM_MEDIA_TYPE).unwrap();
        let said = Problem::from_response(&response).into_error("IMEX").to_string();
        assert_eq!(said, "IMEX refused: no reason given (HTTP 404)");
    }

    #[test]
    fn a_hostile_problem_is_cut_and_cleaned() {
        let body = format!(
            r#"{{"type":"urn:claimwire:problem:refused","detail":"a\nERROR forged {}","details":[{}"x"],"findings":[{{"code":"a\nb{}"}}]}}"#,
            "y".repeat(5000),
            "\"x\",".repeat(500),
            "z".repeat(5000)
        );
        let mut response = Response::new(400, body).unwrap();
        response.headers_mut().insert("content-type", PROBLEM_MEDIA_TYPE).unwrap();
        response.headers_mut().insert("retry-after", "99999999999").unwrap();
        let problem = Problem::from_response(&response);
        assert_eq!(problem.retry_after, Some(Duration::from_secs(86_400)));
        let error = problem.into_error("IMEX");
        assert!(!error.to_string().contains('\n') && error.to_string().len() < 1200);
        assert_eq!(error.details().len(), MAX_DETAILS);
        let code = error.details()[0].code.as_deref().unwrap();
        assert!(code.starts_with("a bz") && code.len() == MAX_TEXT, "{code}");
        assert!(error.is_retryable());
    }
}
