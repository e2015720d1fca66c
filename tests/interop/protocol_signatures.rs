//! Signed requests, signed answers, and evidence: what is covered, what is bound to what, and what is refused.

use claimwire::model::{PackageId, PackageKind, SiteId, Timestamp};
use claimwire::protocol::{
    DEFAULT_WINDOW, Digest, Envelope, Evidence, PACKAGE_MEDIA_TYPE, RECEIPT_MEDIA_TYPE, Receipt,
    ReceiptState, Request, Response, Route, SigningKey, VerifyingKey, is_signed, sign_request, sign_response,
    verify_request, verify_response,
};
use claimwire::{Error, ErrorKind};
use proptest::prelude::*;

const BODY: &[u8] = b"sealed";

fn now() -> Timestamp {
    "2026-03-02T14:30:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(now().unix_seconds() + seconds).unwrap()
}

fn envelope() -> Envelope {
    let (from, to) = (SiteId::new("ON-INS").unwrap(), SiteId::new("IMEX").unwrap());
    Envelope::new(PackageId::generate(), PackageKind::Claim, from, to, "age")
}

fn package_request() -> Request {
    let mut request = Request::new("POST", &Route::Package.path("/claimwire")).unwrap();
    envelope().to_headers(request.headers_mut()).unwrap();
    for name in ["content-digest", "repr-digest"] {
        request.headers_mut().insert(name, Digest::of(BODY).to_string()).unwrap();
    }
    request.headers_mut().insert("content-type", PACKAGE_MEDIA_TYPE).unwrap();
    request
}

fn signed(key: &SigningKey) -> Request {
    let mut request = package_request();
    sign_request(&mut request, key, now()).unwrap();
    request
}

fn check(request: &Request, key: &SigningKey) -> claimwire::Result<()> {
    verify_request(request, |_| Ok(key.verifying_key()), now(), DEFAULT_WINDOW).map(drop)
}

fn receipt_to(request: &Request) -> Receipt {
    let envelope = Envelope::from_headers(request.headers()).unwrap();
    Receipt::new(envelope.package_id, envelope.to, envelope.from, ReceiptState::Received, Digest::of(BODY))
}

fn answered(request: &Request, key: &SigningKey) -> Response {
    let mut response = receipt_to(request).to_response().unwrap();
    sign_response(request, &mut response, key, now()).unwrap();
    response
}

fn keys() -> [SigningKey; 2] {
    [SigningKey::generate("ON-INS/1").unwrap(), SigningKey::generate_shared("ON-INS/1").unwrap()]
}

#[test]
fn a_signed_request_is_verified_with_the_key_it_names() {
    for key in keys() {
        let request = signed(&key);
        assert!(is_signed(request.headers()) && !is_signed(package_request().headers()));
        let mut asked = String::new();
        let lookup = |id: &str| {
            asked = id.to_owned();
            Ok(key.verifying_key())
        };
        let verified = verify_request(&request, lookup, later(10), DEFAULT_WINDOW).unwrap();
        assert_eq!((asked.as_str(), verified.key_id.as_str()), ("ON-INS/1", "ON-INS/1"));
        assert_eq!((verified.created, verified.content_digest), (now(), Some(Digest::of(BODY))));
        assert_ne!(
            verified.nonce,
            verify_request(&signed(&key), |_| Ok(key.verifying_key()), now(), DEFAULT_WINDOW).unwrap().nonce
        );
    }
}

#[test]
fn a_change_of_anything_covered_is_refused() {
    for key in keys() {
        let request = signed(&key);
        let other = package_request();
        for name in ["content-digest", "repr-digest", "content-type", "idempotency-key", "claimwire-package"]
        {
            let mut changed = request.clone();
            let value = format!("{}x", changed.headers().get(name).unwrap());
            changed.headers_mut().insert(name, value).unwrap();
            assert_eq!(check(&changed, &key).unwrap_err().kind(), ErrorKind::BadSignature, "{name}");
            let mut removed = request.clone();
            removed.headers_mut().remove(name);
            assert_eq!(check(&removed, &key).unwrap_err().kind(), ErrorKind::BadSignature, "{name}");
            let mut doubled = request.clone();
            doubled.headers_mut().append(name, "x").unwrap();
            assert_eq!(check(&doubled, &key).unwrap_err().kind(), ErrorKind::BadSignature, "{name}");
        }
        for (method, path) in [("PUT", "/claimwire/packages"), ("POST", "/claimwire/notes")] {
            let mut moved = Request::new(method, path).unwrap();
            *moved.headers_mut() = request.headers().clone();
            assert_eq!(check(&moved, &key).unwrap_err().kind(), ErrorKind::BadSignature, "{method} {path}");
        }
        let mut swapped = other;
        for name in ["signature-input", "signature"] {
            swapped.headers_mut().insert(name, request.headers().get(name).unwrap()).unwrap();
        }
        assert_eq!(check(&swapped, &key).unwrap_err().kind(), ErrorKind::BadSignature);
    }
}

#[test]
fn a_signature_that_covers_less_is_refused_by_what_it_lacks() {
    let key = &keys()[0];
    for name in ["@method", "@path", "content-digest", "repr-digest", "idempotency-key", "claimwire-package"]
    {
        let mut request = signed(key);
        let input = request.headers().get("signature-input").unwrap().to_owned();
        let less = input.replacen(&format!("\"{name}\" "), "", 1).replacen(&format!(" \"{name}\""), "", 1);
        assert_ne!(less, input);
        request.headers_mut().insert("signature-input", less).unwrap();
        let error = check(&request, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadSignature);
        assert!(error.to_string().contains(&format!("does not cover \"{name}\"")), "{error}");
    }
}

#[test]
fn a_request_without_what_it_needs_is_not_signed() {
    let key = &keys()[0];
    for name in ["content-digest", "repr-digest", "content-type", "idempotency-key", "claimwire-package"] {
        let mut request = package_request();
        request.headers_mut().remove(name);
        let error = sign_request(&mut request, key, now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(name), "{error}");
    }
    let mut question = Request::new("GET", &Route::State(PackageId::generate()).path("")).unwrap();
    sign_request(&mut question, key, now()).unwrap();
    check(&question, key).unwrap();
}

#[test]
fn a_signature_outside_the_window_is_refused_with_both_clocks() {
    let key = &keys()[0];
    let request = signed(key);
    let at = |moment| verify_request(&request, |_| Ok(key.verifying_key()), moment, DEFAULT_WINDOW);
    assert!(at(later(300)).is_ok() && at(later(-300)).is_ok());
    for seconds in [301, -301] {
        let error = at(later(seconds)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Replayed);
        for clock in [now().to_string(), later(seconds).to_string()] {
            assert!(error.to_string().contains(&clock), "{error}");
        }
    }
}

#[test]
fn an_unknown_key_is_the_lookups_own_error_and_another_key_is_a_bad_signature() {
    let [key, shared] = keys();
    let request = signed(&key);
    let unknown = |_: &str| Err(Error::new(ErrorKind::UnknownSender, "no partner has this key"));
    let error = verify_request(&request, unknown, now(), DEFAULT_WINDOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownSender);
    for other in [SigningKey::generate("ON-INS/1").unwrap(), shared] {
        assert_eq!(check(&request, &other).unwrap_err().kind(), ErrorKind::BadSignature);
    }
    assert_eq!(check(&package_request(), &key).unwrap_err().kind(), ErrorKind::BadSignature);
}

#[test]
fn a_second_signature_of_somebody_else_is_no_matter() {
    let key = &keys()[0];
    let mut request = signed(key);
    request.headers_mut().append("signature-input", r#"proxy=("@method");created=1;keyid="p""#).unwrap();
    request.headers_mut().append("signature", "proxy=:AAAA:").unwrap();
    check(&request, key).unwrap();
}

#[test]
fn an_answer_is_bound_to_its_request() {
    for key in keys() {
        let recipient = SigningKey::generate("IMEX/1").unwrap();
        let request = signed(&key);
        let response = answered(&request, &recipient);
        let public = recipient.verifying_key();
        verify_response(&request, &response, &public, later(5), DEFAULT_WINDOW).unwrap();
        // The same request signed once more is another request.
        let mut again = request.clone();
        sign_request(&mut again, &key, now()).unwrap();
        let error = verify_response(&again, &response, &public, now(), DEFAULT_WINDOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadSignature);
        let error = verify_response(&request, &response, &public, later(301), DEFAULT_WINDOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Replayed);
    }
}

#[test]
fn a_changed_answer_is_refused() {
    let (sender, recipient) = (&keys()[0], SigningKey::generate("IMEX/1").unwrap());
    let request = signed(sender);
    let response = answered(&request, &recipient);
    let verify = |response: &Response, key: &VerifyingKey| {
        verify_response(&request, response, key, now(), DEFAULT_WINDOW).map_err(|error| error.kind())
    };
    let rebuilt = |status, body: &[u8]| {
        let mut changed = Response::new(status, body).unwrap();
        *changed.headers_mut() = response.headers().clone();
        changed
    };
    let public = recipient.verifying_key();
    assert_eq!(verify(&rebuilt(200, b"{}"), &public), Err(ErrorKind::DigestMismatch));
    assert_eq!(verify(&rebuilt(202, response.body()), &public), Err(ErrorKind::BadSignature));
    let mut retyped = response.clone();
    retyped.headers_mut().insert("content-type", "text/plain").unwrap();
    assert_eq!(verify(&retyped, &public), Err(ErrorKind::BadSignature));
    let mut unsigned = response.clone();
    unsigned.headers_mut().remove("signature");
    assert_eq!(verify(&unsigned, &public), Err(ErrorKind::NoReceipt));
    let renamed = SigningKey::generate("IMEX/2").unwrap().verifying_key();
    assert_eq!(verify(&response, &renamed), Err(ErrorKind::BadSignature));
    assert!(verify(&response, &public).is_ok());
}

#[test]
fn an_answer_to_an_unsigned_request_is_signed_too() {
    let recipient = SigningKey::generate("IMEX/1").unwrap();
    let request = package_request();
    let response = answered(&request, &recipient);
    verify_response(&request, &response, &recipient.verifying_key(), now(), DEFAULT_WINDOW).unwrap();
    let error =
        verify_response(&package_request(), &response, &recipient.verifying_key(), now(), DEFAULT_WINDOW)
            .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadSignature);
}

#[test]
fn evidence_is_stored_and_checked_again_years_later() {
    let (sender, recipient) = (&keys()[0], SigningKey::generate("IMEX/1").unwrap());
    let request = signed(sender);
    let kept =
        serde_json::to_string(&Evidence::of_response(&request, &answered(&request, &recipient))).unwrap();
    let evidence: Evidence = serde_json::from_str(&kept).unwrap();
    let (receipt, at) = evidence.verify(&recipient.verifying_key()).unwrap();
    assert_eq!((receipt.package_id, at), (receipt_to(&request).package_id, now()));

    let mut word = Request::new("POST", &Route::Receipts.path("")).unwrap();
    let body = receipt_to(&request).to_json().unwrap();
    word.headers_mut().insert("content-type", RECEIPT_MEDIA_TYPE).unwrap();
    word.headers_mut().insert("content-digest", Digest::of(&body).to_string()).unwrap();
    sign_request(&mut word, &recipient, now()).unwrap();
    word.headers_mut().insert("authorization", "Bearer hunter2").unwrap();
    let kept = serde_json::to_string(&Evidence::of_request(&word, &body)).unwrap();
    let evidence: Evidence = serde_json::from_str(&kept).unwrap();
    assert_eq!(evidence.verify(&recipient.verifying_key()).unwrap().0.package_id, receipt.package_id);

    assert!(!kept.contains("hunter2"));
    assert!(!kept.contains("authorization"));
    let other = SigningKey::generate("IMEX/1").unwrap().verifying_key();
    assert_eq!(evidence.verify(&other).unwrap_err().kind(), ErrorKind::BadSignature);
    let forged = Evidence::of_request(&word, &[&body[..], b" "].concat());
    assert_eq!(forged.verify(&recipient.verifying_key()).unwrap_err().kind(), ErrorKind::DigestMismatch);
    let later_version = kept.replacen("\"version\":1", "\"version\":2", 1);
    let evidence: Evidence = serde_json::from_str(&later_version).unwrap();
    let error = evidence.verify(&recipient.verifying_key()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFormatVersion);
}

/// What the recipient's word binds of the request it answers, and what is not kept since nothing binds it.
#[test]
fn evidence_holds_no_field_of_the_request_that_no_signature_covers() {
    let (sender, recipient) = (&keys()[0], SigningKey::generate("IMEX/1").unwrap());
    let mut request = signed(sender);
    let response = answered(&request, &recipient);
    for (name, value) in [("user-agent", "x"), ("content-length", "6"), ("cookie", "a=b")] {
        request.headers_mut().insert(name, value).unwrap();
    }
    let evidence = serde_json::to_value(Evidence::of_response(&request, &response)).unwrap();
    let fields = evidence["request"]["headers"].as_array().unwrap().clone();
    let mut names: Vec<&str> = fields.iter().map(|field| field[0].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "claimwire-package",
            "content-digest",
            "content-type",
            "idempotency-key",
            "repr-digest",
            "signature",
            "signature-input"
        ]
    );
    let verify = |evidence: &serde_json::Value| {
        let evidence: Evidence = serde_json::from_value(evidence.clone()).unwrap();
        evidence.verify(&recipient.verifying_key()).map_err(|error| error.kind())
    };
    verify(&evidence).unwrap();
    for (place, field) in fields.iter().enumerate() {
        let mut forged = evidence.clone();
        let value = field[1].as_str().unwrap();
        let changed = match field[0].as_str().unwrap() {
            // These two are bound by the request's own signature, not by the recipient's word.
            "content-type" | "signature-input" => continue,
            "signature" => value.replacen("=:", "=:AAAA", 1),
            _ => format!("{value}, x=1"),
        };
        forged["request"]["headers"][place][1] = changed.into();
        assert_eq!(verify(&forged).map(drop), Err(ErrorKind::BadSignature), "{field}");
    }
    for (member, other) in [("method", "PUT"), ("path", "/claimwire/notes")] {
        let mut forged = evidence.clone();
        forged["request"][member] = other.into();
        assert_eq!(verify(&forged).map(drop), Err(ErrorKind::BadSignature), "{member}");
    }
}

proptest! {
    #[test]
    fn any_signature_header_is_refused_without_a_fault(input in "(claimwire=)?[ -~]{0,100}", signature in "(claimwire=:)?[ -~]{0,60}") {
        let key = SigningKey::ed25519("ON-INS/1", &[7; 32]).unwrap();
        let mut request = package_request();
        request.headers_mut().insert("signature-input", input).unwrap();
        request.headers_mut().insert("signature", signature).unwrap();
        prop_assert!(check(&request, &key).is_err());
    }
}
