//! The worked example of docs/protocol.md is a real one: its signatures, digests and receipt are checked here.

use claimwire::model::Timestamp;
use claimwire::protocol::{
    DEFAULT_WINDOW, Digest, Envelope, Receipt, ReceiptState, Request, Response, VerifyingKey, sign_request,
    verify_request, verify_response,
};
use claimwire::protocol::{Headers, Route, SigningKey};

const DOCUMENT: &str = include_str!("../../docs/protocol.md");

/// The text of every block of this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    DOCUMENT.split(&opening).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// First line, header fields without the length, and body.
fn parts(message: &'static str) -> (&'static str, Headers, &'static [u8]) {
    let (head, body) = message.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    let mut headers = Headers::new();
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        match name {
            "content-length" => assert_eq!(value.parse::<usize>().unwrap(), body.len()),
            _ => headers.append(name, value).unwrap(),
        }
    }
    (first, headers, body.as_bytes())
}

fn key(id: &str) -> VerifyingKey {
    let line = blocks("keys")[0].lines().find_map(|line| line.strip_prefix(&format!("{id} "))).unwrap();
    VerifyingKey::from_text(id, line).unwrap()
}

#[test]
fn the_worked_example_is_verified() {
    let now: Timestamp = "2026-03-02T14:30:02Z".parse().unwrap();
    let messages = blocks("http");
    let (line, headers, body) = parts(messages[0]);
    let mut words = line.split(' ');
    let mut request = Request::new(words.next().unwrap(), words.next().unwrap()).unwrap();
    *request.headers_mut() = headers;
    let verified = verify_request(&request, |id| Ok(key(id)), now, DEFAULT_WINDOW).unwrap();
    verified.content_digest.unwrap().check(&Digest::of(body)).unwrap();
    assert_eq!(Route::parse(request.method(), request.path(), "/claimwire").unwrap(), Route::Package);
    let envelope = Envelope::from_headers(request.headers()).unwrap();

    let (line, headers, body) = parts(messages[1]);
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut response = Response::new(status, body).unwrap();
    *response.headers_mut() = headers;
    verify_response(&request, &response, &key("IMEX/1"), now, DEFAULT_WINDOW).unwrap();
    let receipt = Receipt::from_response(&response).unwrap();
    assert_eq!((receipt.package_id, receipt.state), (envelope.package_id, ReceiptState::Received));
    assert_eq!(receipt.digest, verified.content_digest.unwrap());

    // The seeds that the document names are those of its keys.
    for (id, seed) in [("ON-INS/1", 1), ("IMEX/1", 2)] {
        let signing = SigningKey::ed25519(id, &[seed; 32]).unwrap();
        let mut anew = request.clone();
        sign_request(&mut anew, &signing, now).unwrap();
        verify_request(&anew, |_| Ok(key(id)), now, DEFAULT_WINDOW).unwrap();
    }
}
