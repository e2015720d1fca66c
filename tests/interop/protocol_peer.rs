//! A peer that shares no code with this crate checks what we sign, and we check what it signs: Python's
//! `http-message-signatures` (PyPI).

use claimwire::model::{PackageId, PackageKind, SiteId, Timestamp};
use claimwire::protocol::{
    DEFAULT_WINDOW, Digest, Envelope, PACKAGE_MEDIA_TYPE, Receipt, ReceiptState, Request, SigningKey,
    sign_request, sign_response, verify_request,
};
use std::io::Write;
use std::process::{Command, Stdio};

fn peer_is_there() -> bool {
    let run =
        Command::new("python3").args(["-c", "import http_message_signatures"]).stderr(Stdio::null()).status();
    let there = run.is_ok_and(|status| status.success());
    if !there {
        assert!(std::env::var_os("CI").is_none(), "this test needs Python with http-message-signatures");
        eprintln!("skipped: no Python with http-message-signatures on this machine");
    }
    there
}

fn signed_request(key: &SigningKey) -> Request {
    let (from, to) = (SiteId::new("ON-INS").unwrap(), SiteId::new("IMEX").unwrap());
    let mut request = Request::new("POST", "/claimwire/packages").unwrap();
    let envelope = Envelope::new(PackageId::generate(), PackageKind::Claim, from, to, "age");
    envelope.to_headers(request.headers_mut()).unwrap();
    for name in ["content-digest", "repr-digest"] {
        request.headers_mut().insert(name, Digest::of(b"sealed").to_string()).unwrap();
    }
    request.headers_mut().insert("content-type", PACKAGE_MEDIA_TYPE).unwrap();
    sign_request(&mut request, key, Timestamp::now()).unwrap();
    request
}

#[test]
fn python_checks_what_we_sign_and_we_check_what_python_signs() {
    if !peer_is_there() {
        return;
    }
    for key in [SigningKey::ed25519("key", &[9; 32]).unwrap(), SigningKey::hmac("key", &[9; 32]).unwrap()] {
        let request = signed_request(&key);
        let envelope = Envelope::from_headers(request.headers()).unwrap();
        let (id, digest) = (envelope.package_id, Digest::of(b"sealed"));
        let receipt = Receipt::new(id, envelope.to, envelope.from, ReceiptState::Received, digest);
        let mut response = receipt.to_response().unwrap();
        sign_response(&request, &mut response, &key, Timestamp::now()).unwrap();
        let told = serde_json::json!({
            "algorithm": key.algorithm().name(),
            "seed": 9,
            "request": request,
            "status": response.status(),
            "response_headers": response.headers(),
        });

        let mut peer = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/protocol_peer/peer.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        peer.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
        let output = peer.wait_with_output().unwrap();
        assert!(output.status.success(), "{} was refused", key.algorithm().name());

        let [input, signature]: [String; 2] = serde_json::from_slice(&output.stdout).unwrap();
        let mut theirs = request.clone();
        theirs.headers_mut().insert("signature-input", input).unwrap();
        theirs.headers_mut().insert("signature", signature).unwrap();
        assert_ne!(theirs, request);
        let verified =
            verify_request(&theirs, |_| Ok(key.verifying_key()), Timestamp::now(), DEFAULT_WINDOW).unwrap();
        assert_eq!(verified.nonce, "bm9uY2U=");
    }
}
