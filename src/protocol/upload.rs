//! Uploads that can be resumed: header fields and problems of draft-ietf-httpbis-resumable-upload-12.

use super::problem::{INCONSISTENT_LENGTH, MISMATCHING_OFFSET, Problem};
use super::{Headers, Response};
use crate::model::Json;
use crate::{Error, ErrorKind, Result};
use sfv::{BareItem, Item, Parser};

/// The media type of a part, which a `PATCH` appends to an upload.
pub const PARTIAL_UPLOAD_MEDIA_TYPE: &str = "application/partial-upload";

/// The version of the draft's wire format, which a client tells while it is a draft.
const INTEROP_VERSION: &str = "8";

const OFFSET: &str = "upload-offset";
const COMPLETE: &str = "upload-complete";
const LENGTH: &str = "upload-length";
const LIMIT: &str = "upload-limit";
const DRAFT: &str = "upload-draft-interop-version";

/// What a request or an answer says of an upload, each in a header field of its own.
///
/// ```
/// use claimwire::protocol::{Headers, UploadState};
///
/// let mut headers = Headers::new();
/// let state = UploadState::new(Some(100), Some(false), None);
/// state.to_headers(&mut headers)?;
/// assert_eq!(headers.get("upload-complete"), Some("?0"));
/// assert_eq!(UploadState::from_headers(&headers), state);
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadState {
    /// `Upload-Offset`: how many bytes of the whole come before this request, or are held by who answers.
    pub offset: Option<u64>,
    /// `Upload-Complete`: of a request, whether it brings all that was still to come; of an answer, whether all is there.
    pub complete: Option<bool>,
    /// `Upload-Length`: how many bytes the whole has.
    pub length: Option<u64>,
}

impl UploadState {
    /// What these three say.
    #[must_use]
    pub fn new(offset: Option<u64>, complete: Option<bool>, length: Option<u64>) -> Self {
        Self { offset, complete, length }
    }

    /// Reads the fields. One that is malformed, or stands there twice, counts as not there, as the draft has it.
    #[must_use]
    pub fn from_headers(headers: &Headers) -> Self {
        let number = |name| match item(headers, name)? {
            BareItem::Integer(number) => u64::try_from(i64::from(number)).ok(),
            _ => None,
        };
        let complete = match item(headers, COMPLETE) {
            Some(BareItem::Boolean(complete)) => Some(complete),
            _ => None,
        };
        Self { offset: number(OFFSET), complete, length: number(LENGTH) }
    }

    /// Writes the fields that are known, in place of earlier ones.
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] when there is no room for another field.
    pub fn to_headers(&self, headers: &mut Headers) -> Result<()> {
        let complete = self.complete.map(|complete| if complete { "?1" } else { "?0" }.to_owned());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        for (name, value) in
            [(OFFSET, number(self.offset)), (COMPLETE, complete), (LENGTH, number(self.length))]
        {
            if let Some(value) = value {
                headers.insert(name, value)?;
            }
        }
        Ok(())
    }

    /// The same for a request: with the version of the draft, as a client has to tell it.
    pub(crate) fn to_request(self, headers: &mut Headers) -> Result<()> {
        headers.insert(DRAFT, INTEROP_VERSION)?;
        self.to_headers(headers)
    }
}

fn item(headers: &Headers, name: &str) -> Option<BareItem> {
    let text = headers.get_only(name).ok()??;
    let item: Item = Parser::new(text).parse().ok()?;
    Some(item.bare_item)
}

/// Says what an endpoint takes: `Accept-Patch`, and `Upload-Limit` with the largest whole and, of an upload that is
/// there, the seconds that it still is.
pub(crate) fn put_limits(headers: &mut Headers, max_size: u64, max_age: Option<u64>) -> Result<()> {
    headers.insert("accept-patch", PARTIAL_UPLOAD_MEDIA_TYPE)?;
    let age = max_age.map(|age| format!(", max-age={age}")).unwrap_or_default();
    headers.insert(LIMIT, format!("max-size={max_size}{age}"))
}

/// Whether an answer says that uploads can be resumed where it came from.
pub(crate) fn takes_parts(headers: &Headers) -> bool {
    headers.get_all("accept-patch").flat_map(|value| value.split(',')).any(|media_type| {
        media_type.split(';').next().is_some_and(|name| name.trim() == PARTIAL_UPLOAD_MEDIA_TYPE)
    })
}

/// The refusal of a part that does not begin where the upload ends.
pub(crate) fn mismatching_offset(expected: u64, provided: u64) -> Result<Response> {
    let said = format!("the upload stands at byte {expected}, the part begins at byte {provided}");
    // Another try asks for the offset first.
    let error = Error::new(ErrorKind::WrongState, said).retryable(true);
    let mut problem = typed(&error, MISMATCHING_OFFSET);
    let offsets = [("expected-offset", expected), ("provided-offset", provided)];
    for (name, offset) in offsets {
        problem.other.insert(name.to_owned(), Json::from_serialize(&offset)?);
    }
    let mut response = problem.to_response();
    let state = UploadState { offset: Some(expected), complete: Some(false), length: None };
    state.to_headers(response.headers_mut())?;
    Ok(response)
}

/// The refusal of a request whose lengths contradict each other, or what was said before.
pub(crate) fn inconsistent_length(said: &str) -> Response {
    typed(&Error::new(ErrorKind::BadMessage, said), INCONSISTENT_LENGTH).to_response()
}

fn typed(error: &Error, problem_type: &str) -> Problem {
    let mut problem = Problem::from_error(error);
    problem.problem_type = problem_type.to_owned();
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> UploadState {
        let mut headers = Headers::new();
        headers.append(name, value).unwrap();
        UploadState::from_headers(&headers)
    }

    #[test]
    fn what_is_no_such_item_counts_as_not_there() {
        assert_eq!(with(OFFSET, "7;x=1").offset, Some(7));
        for value in ["-1", "1.5", "\"1\"", "", "1, 2", "99999999999999999999"] {
            assert_eq!(with(OFFSET, value), UploadState::default(), "{value}");
        }
        for value in ["1", "true", "?2", ""] {
            assert_eq!(with(COMPLETE, value), UploadState::default(), "{value}");
        }
        let mut twice = Headers::new();
        twice.append(LENGTH, "1").unwrap();
        twice.append(LENGTH, "2").unwrap();
        assert_eq!(UploadState::from_headers(&twice), UploadState::default());
    }

    #[test]
    fn an_endpoint_that_takes_parts_is_told_from_others() {
        let mut headers = Headers::new();
        assert!(!takes_parts(&headers));
        put_limits(&mut headers, 10, Some(3)).unwrap();
        assert_eq!(headers.get(LIMIT), Some("max-size=10, max-age=3"));
        assert!(takes_parts(&headers));
        headers.insert("accept-patch", "text/x, application/partial-upload;v=1").unwrap();
        assert!(takes_parts(&headers));
        headers.insert("accept-patch", "application/*").unwrap();
        assert!(!takes_parts(&headers));
    }

    #[test]
    fn a_wrong_offset_names_both_and_may_be_tried_again() {
        let response = mismatching_offset(12, 25).unwrap();
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers().get(OFFSET), Some("12"));
        let problem = Problem::from_response(&response);
        let number = |name: &str| problem.other[name].to_string();
        assert_eq!((number("expected-offset"), number("provided-offset")), ("12".into(), "25".into()));
        let error = problem.into_error("IMEX");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::WrongState, true));
        let length = Problem::from_response(&inconsistent_length("more than it said")).into_error("IMEX");
        assert_eq!((length.kind(), length.is_retryable()), (ErrorKind::BadMessage, false));
    }
}
