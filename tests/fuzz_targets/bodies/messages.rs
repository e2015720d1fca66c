//! Messages of a partner. Requests and answers are told as in HTTP: a line, header fields, an empty line and a body.

use claimwire::model::Timestamp;
use claimwire::protocol::{
    DEFAULT_WINDOW, Envelope, Headers, Problem, Receipt, Request, Response, Route, SigningKey, TrialAnswer,
    TrialCheck, UploadState, verify_request, verify_response,
};
use std::sync::OnceLock;

/// When the signed messages of the corpus were signed, and the package that they name.
pub(crate) const SIGNED_AT: i64 = 1_775_000_000;
pub(crate) const SIGNED_ID: &str = "019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77";

/// What they were signed with.
pub(crate) fn signer() -> SigningKey {
    SigningKey::hmac("kit", &[7; 32]).expect("a key of 32 bytes")
}

/// A message as it is told: a line, header fields, an empty line and a body.
pub(super) struct Told<'a> {
    pub(super) line: &'a str,
    fields: Vec<(&'a str, &'a str)>,
    pub(super) body: &'a [u8],
}

impl<'a> Told<'a> {
    pub(super) fn by(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
        let mut lines = std::str::from_utf8(head).ok()?.split('\n');
        let line = lines.next()?;
        Some(Self { line, fields: lines.filter_map(|line| line.split_once(": ")).collect(), body })
    }

    pub(super) fn fill(&self, headers: &mut Headers) {
        for (name, value) in &self.fields {
            let _ = headers.append(name, *value);
        }
    }
}

/// Any request: no envelope out of nothing, and no signature for what was not signed.
pub(crate) fn request(bytes: &[u8]) {
    static KEYS: OnceLock<[SigningKey; 2]> = OnceLock::new();
    let Some(told) = Told::by(bytes) else { return };
    let (method, path) = told.line.split_once(' ').unwrap_or(("POST", told.line));
    if let Ok(route) = Route::parse(method, path, "/claimwire") {
        assert_eq!(route.path("/claimwire"), path);
    }
    let Ok(mut request) = Request::new(method, path) else { return };
    told.fill(request.headers_mut());
    let envelope = Envelope::from_headers(request.headers());
    if let Ok(envelope) = &envelope {
        let mut again = Headers::new();
        if envelope.to_headers(&mut again).is_ok() {
            assert_eq!(Envelope::from_headers(&again).ok().as_ref(), Some(envelope));
        }
    }
    let [stranger, signer] = KEYS.get_or_init(|| {
        let stranger = SigningKey::generate("k").expect("random numbers");
        [stranger, signer()]
    });
    let now = signed_at();
    let verify =
        |key: &SigningKey| verify_request(&request, |_| Ok(key.verifying_key()), now, DEFAULT_WINDOW);
    assert!(verify(stranger).is_err(), "nobody signed this");
    if verify(signer).is_ok() {
        assert_eq!((method, path), ("POST", "/packages"));
        if let Ok(envelope) = envelope {
            let sites = (envelope.from.as_str(), envelope.to.as_str());
            assert_eq!((envelope.package_id.to_string().as_str(), sites), (SIGNED_ID, ("ON-INS", "IMEX")));
        }
    }
}

/// When the signed messages of the corpus were signed.
pub(crate) fn signed_at() -> Timestamp {
    Timestamp::from_unix_seconds(SIGNED_AT).expect("a time of our days")
}

/// The request that the signed answers of the corpus answer.
pub(crate) fn answered() -> Request {
    Request::new("GET", &format!("/packages/{SIGNED_ID}")).expect("a route of the protocol")
}

/// Any answer, the status in its first line: an error or a receipt, never a panic, and no signature for what was not
/// signed.
pub(crate) fn answer(bytes: &[u8]) {
    let Some(told) = Told::by(bytes) else { return };
    let Ok(status) = told.line.trim().parse() else { return };
    let Ok(mut response) = Response::new(status, told.body) else { return };
    told.fill(response.headers_mut());
    if let Ok(receipt) = Receipt::from_response(&response) {
        let json = receipt.to_json().expect("what was read can be written");
        assert_eq!(Receipt::from_json(&json).ok(), Some(receipt));
    }
    let _ = TrialAnswer::from_response(&response);
    let key = signer().verifying_key();
    if verify_response(&answered(), &response, &key, signed_at(), DEFAULT_WINDOW).is_ok() {
        let receipt = Receipt::from_response(&response).expect("the corpus has no other signed answer");
        assert_eq!((response.status(), receipt.package_id.to_string().as_str()), (200, SIGNED_ID));
    }
    let error = Problem::from_response(&response).into_error("partner");
    assert!(!error.to_string().is_empty());
}

/// Any answer to a trial: refused, or read into bounded texts that are written and read alike again.
pub(crate) fn trial(json: &[u8]) {
    let Ok(answer) = TrialAnswer::from_json(json) else { return };
    assert!(answer.checks.len() <= TrialAnswer::MAX_CHECKS);
    for check in &answer.checks {
        assert!(check.message.chars().count() <= TrialCheck::MAX_TEXT);
        assert!(!check.message.chars().any(char::is_control));
    }
    let again = answer.to_json().expect("what was read can be written");
    let again = TrialAnswer::from_json(&again).expect("what was written can be read");
    assert_eq!((again.package_id, again.way_back), (answer.package_id, answer.way_back));
}

/// What any header fields say of an upload: written and read again, it says the same.
pub(crate) fn upload(bytes: &[u8]) {
    let Some(told) = Told::by(bytes) else { return };
    let mut headers = Headers::new();
    told.fill(&mut headers);
    let state = UploadState::from_headers(&headers);
    let mut again = Headers::new();
    state.to_headers(&mut again).expect("room for three fields");
    assert_eq!(UploadState::from_headers(&again), state);
    let said = [state.offset.is_some(), state.complete.is_some(), state.length.is_some()];
    assert_eq!(again.iter().count(), said.iter().filter(|said| **said).count());
}
