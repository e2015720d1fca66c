//! Files that somebody puts into a drop folder: as requests, and as answers to a request that waits.

use claimwire::protocol::{Endpoint, Peer, Request, Response};
use claimwire::transport::{Body, DirectoryInbox, DirectoryTransport, Reply, Transport};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

const KEY: &str = "019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77";

/// Says how many bytes came.
struct Counts;

impl Endpoint for Counts {
    fn answer(&self, _: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        assert!(peer.is_stored());
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).expect("a whole body");
        Response::new(200, bytes.len().to_string()).expect("a final status")
    }
}

/// Any file as a request, then as an answer: each is answered or collected, or refused; a request is answered once.
pub(crate) fn drop_folder(bytes: &[u8]) {
    let folder = super::folder();
    let place = |name: &str| folder.path().join(name).join(format!("{KEY}.http"));
    let inbox = DirectoryInbox::new(folder.path()).expect("a folder of our own");
    fs::write(place("requests"), bytes).expect("a file in it");
    assert_eq!(inbox.poll(&Counts).expect("a file that can be read"), 1);
    let answer = fs::read(place("answers")).expect("every request is answered");
    let refused = place("refused").exists();
    assert_eq!(answer.starts_with(b"HTTP/1.1 200 "), !refused);
    assert!(!refused || fs::read(place("refused")).expect("a file of our own") == bytes);
    assert_eq!(inbox.poll(&Counts).expect("a folder without files"), 0);

    let answered = collected(folder.path(), &answer).expect("an answer of our own");
    assert_eq!(answered.is_success(), !refused);
    if let Some(read) = collected(folder.path(), bytes) {
        assert!(bytes.ends_with(read.body()));
    }
}

/// What the sender of the one request reads in this answer.
fn collected(folder: &Path, answer: &[u8]) -> Option<Response> {
    let sender = DirectoryTransport::new(folder).expect("a folder of our own");
    let mut request = Request::new("GET", &format!("/packages/{KEY}")).expect("a route of the protocol");
    request.headers_mut().insert("idempotency-key", format!("\"{KEY}\"")).expect("a field");
    for name in ["requests", "answers"] {
        let _ = fs::remove_file(folder.join(name).join(format!("{KEY}.http")));
    }
    let send = || sender.send(&request, Body::new(0, &mut io::empty()));
    assert!(matches!(send(), Ok(Reply::Pending)));
    fs::write(folder.join("answers").join(format!("{KEY}.http")), answer).expect("a file in it");
    let Reply::Answered(response) = send().ok()? else { unreachable!("the request is the one that waits") };
    Some(response)
}
