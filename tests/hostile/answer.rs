//! What a partner may answer to a package: nothing but its signed receipt for these very bytes makes a delivery.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::exchange::Event;
use claimwire::ledger::{OutgoingState, Step};
use claimwire::model::{PackageId, Timestamp};
use claimwire::protocol::{
    Digest, Endpoint, Envelope, MAX_ANSWER_BYTES, Peer, Problem, Receipt, ReceiptState, Request, Response,
    SigningKey, sign_response,
};
use claimwire::transport::MemoryTransport;
use std::io::Read;
use std::sync::{Arc, Mutex};

type Answer = dyn Fn(&Request, &Keys) -> Response + Send + Sync;

/// A partner that holds nothing, and answers what the test makes up, until it is told to be honest.
struct Liar {
    keys: Keys,
    answer: Box<Answer>,
    honest: Mutex<bool>,
}

impl Endpoint for Liar {
    fn answer(&self, request: &Request, _peer: &Peer, body: &mut dyn Read) -> Response {
        std::io::copy(body, &mut std::io::sink()).unwrap();
        if *self.honest.lock().unwrap() {
            if request.method() == "GET" {
                let holds_nothing = claimwire::Error::new(ErrorKind::UnknownPackage, "no such package");
                return Problem::from_error(&holds_nothing).to_response();
            }
            return signed(request, &receipt_for(request), &self.keys.examiner_signs);
        }
        (self.answer)(request, &self.keys)
    }
}

/// The receipt that an honest examiner gives for this request.
fn receipt_for(request: &Request) -> Receipt {
    let envelope = Envelope::from_headers(request.headers()).unwrap();
    let digest: Digest = request.headers().get("content-digest").unwrap().parse().unwrap();
    Receipt::new(envelope.package_id, envelope.to, envelope.from, ReceiptState::Received, digest)
}

fn signed(request: &Request, receipt: &Receipt, key: &SigningKey) -> Response {
    let mut response = receipt.to_response().unwrap();
    sign_response(request, &mut response, key, Timestamp::now()).unwrap();
    response
}

fn page(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Response {
    let mut response = Response::new(status, body).unwrap();
    response.headers_mut().insert("content-type", media_type).unwrap();
    response
}

fn sites_with(answer: impl Fn(&Request, &Keys) -> Response + Send + Sync + 'static) -> (TwoSites, Arc<Liar>) {
    let keys = Keys::generate();
    let liar = Arc::new(Liar { keys: keys.clone(), answer: Box::new(answer), honest: Mutex::default() });
    let reached = MemoryTransport::new(liar.clone());
    let setup = Setup {
        keys,
        insurer_of_examiner: Box::new(|partner| partner.reached_by(reached)),
        ..Setup::default()
    };
    (TwoSites::with(setup), liar)
}

/// Sends a package to a partner that answers so, and expects no delivery; then the same package to the same partner
/// once it is honest, and expects one.
#[track_caller]
fn proves_nothing(
    answer: impl Fn(&Request, &Keys) -> Response + Send + Sync + 'static,
    kind: ErrorKind,
    state: OutgoingState,
) -> String {
    let (sites, liar) = sites_with(answer);
    let insurer = &sites.insurer;
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let held = stored(insurer);
    let error = insurer.exchange.send(package, &()).unwrap_err();
    let said = error.to_string();
    assert_eq!(error.kind(), kind, "{said}");
    assert!(said.contains(&package.to_string()) && said.contains("Independent Medical Examiners"), "{said}");
    assert!(said.len() < 3000 && !said.chars().any(char::is_control), "{said:?}");
    assert_eq!(error.is_retryable(), state != OutgoingState::Failed);
    assert_eq!(error.is_ambiguous(), state == OutgoingState::Sent);

    let outgoing = insurer.exchange.outgoing(package).unwrap();
    assert_eq!((outgoing.state, outgoing.attempts), (state, 1));
    assert_eq!((outgoing.receipt, outgoing.last_receipt), (None, None));
    assert_eq!(outgoing.last_error.unwrap().kind, kind.name());
    assert_eq!(steps(insurer, package), [Step::Exported, Step::Sent, Step::Failed]);
    assert_eq!(trail(insurer, package).pop().unwrap().error.unwrap().message, said);
    let mut events = std::mem::take(&mut *insurer.events.lock().unwrap());
    assert!(matches!(events.remove(0), Event::Exported { package: told, .. } if told == package));
    let failed = |event: &Event| matches!(event, Event::Failed { package: told, .. } if *told == package);
    assert_eq!(events.iter().filter(|event| failed(event)).count(), events.len());
    assert_eq!(events.len(), usize::from(state == OutgoingState::Failed));
    assert_eq!(stored(insurer), held, "the sealed package stays for the next try");

    *liar.honest.lock().unwrap() = true;
    assert_eq!(insurer.exchange.send(package, &()).unwrap().state, OutgoingState::Delivered);
    assert!(insurer.exchange.outgoing(package).unwrap().last_error.is_none());
    said
}

#[test]
fn an_honest_receipt_delivers() {
    let (sites, _) = sites_with(|request, keys| signed(request, &receipt_for(request), &keys.examiner_signs));
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    assert_eq!(sites.insurer.exchange.send(package, &()).unwrap().state, OutgoingState::Delivered);
}

#[test]
fn a_web_page_is_no_receipt() {
    let login = |_: &Request, _: &Keys| page(200, "text/html", "<html>Welcome to the hotel's wifi</html>");
    let said = proves_nothing(login, ErrorKind::NoReceipt, OutgoingState::Sent);
    assert!(said.contains("not signed"), "{said}");
    proves_nothing(|_, _| Response::new(204, "").unwrap(), ErrorKind::NoReceipt, OutgoingState::Sent);
}

#[test]
fn a_signed_page_is_no_receipt() {
    let answer = |request: &Request, keys: &Keys| {
        let mut response = page(200, "text/html", "<html>signed, but no receipt</html>");
        sign_response(request, &mut response, &keys.examiner_signs, Timestamp::now()).unwrap();
        response
    };
    let said = proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
    assert!(said.contains("text/html"), "{said}");
}

#[test]
fn an_unsigned_receipt_is_no_receipt() {
    let answer = |request: &Request, _: &Keys| receipt_for(request).to_response().unwrap();
    proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
}

#[test]
fn a_receipt_for_another_package_is_no_receipt_for_this_one() {
    let answer = |request: &Request, keys: &Keys| {
        let mut receipt = receipt_for(request);
        receipt.package_id = PackageId::generate();
        signed(request, &receipt, &keys.examiner_signs)
    };
    let said = proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
    assert!(said.contains("ask the partner"), "{said}");
}

#[test]
fn a_receipt_for_other_bytes_is_no_receipt_for_these() {
    let answer = |request: &Request, keys: &Keys| {
        let mut receipt = receipt_for(request);
        receipt.digest = Digest::of(b"other bytes");
        signed(request, &receipt, &keys.examiner_signs)
    };
    let said = proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
    assert!(said.contains(&Digest::of(b"other bytes").to_hex()), "{said}");
}

#[test]
fn a_receipt_of_another_site_or_for_another_sender_is_no_receipt() {
    let lies: [fn(&mut Receipt); 2] = [
        |receipt| receipt.from = "ELSEWHERE".parse().unwrap(),
        |receipt| receipt.to = "ELSEWHERE".parse().unwrap(),
    ];
    for lie in lies {
        let answer = move |request: &Request, keys: &Keys| {
            let mut receipt = receipt_for(request);
            lie(&mut receipt);
            signed(request, &receipt, &keys.examiner_signs)
        };
        proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
    }
}

#[test]
fn a_receipt_signed_by_a_stranger_is_no_receipt() {
    for id in ["imex-1", "stranger"] {
        let stranger = SigningKey::generate(id).unwrap();
        let answer = move |request: &Request, _: &Keys| signed(request, &receipt_for(request), &stranger);
        proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
    }
    // Our own signature proves nothing of the partner either.
    let own = |request: &Request, keys: &Keys| signed(request, &receipt_for(request), &keys.insurer_signs);
    proves_nothing(own, ErrorKind::NoReceipt, OutgoingState::Sent);
}

#[test]
fn a_receipt_changed_on_the_way_back_is_no_receipt() {
    let answer = |request: &Request, keys: &Keys| {
        let honest = signed(request, &receipt_for(request), &keys.examiner_signs);
        let body = String::from_utf8(honest.body().to_vec()).unwrap().replace("received", "unpacked");
        let mut changed = Response::new(200, body).unwrap();
        *changed.headers_mut() = honest.headers().clone();
        changed
    };
    proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
    let status = |request: &Request, keys: &Keys| {
        let honest = signed(request, &receipt_for(request), &keys.examiner_signs);
        let mut changed = Response::new(202, honest.body()).unwrap();
        *changed.headers_mut() = honest.headers().clone();
        changed
    };
    proves_nothing(status, ErrorKind::NoReceipt, OutgoingState::Sent);
}

#[test]
fn the_receipt_of_an_earlier_try_or_package_replayed_is_no_receipt() {
    // The answer to one request is bound to it; not even a second try of the same package can be answered with it.
    let first: Mutex<Option<Response>> = Mutex::default();
    let replay = Arc::new(first);
    let keep = replay.clone();
    let (sites, _) = sites_with(move |request, keys| {
        let mut kept = keep.lock().unwrap();
        kept.get_or_insert_with(|| signed(request, &receipt_for(request), &keys.examiner_signs)).clone()
    });
    let claim = sites.claim_at_insurer();
    let earlier = sites.export(&claim).unwrap().package.id;
    assert_eq!(sites.insurer.exchange.send(earlier, &()).unwrap().state, OutgoingState::Delivered);
    add_note(&sites.insurer, &claim, "N-2", "One thing more.");
    let next = sites.export(&claim).unwrap().package.id;
    let error = sites.insurer.exchange.send(next, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoReceipt, "{error}");
    assert_eq!(sites.insurer.exchange.outgoing(next).unwrap().state, OutgoingState::Sent);
}

#[test]
fn the_receipt_of_the_first_try_is_no_receipt_for_the_second() {
    let kept: Arc<Mutex<Vec<Response>>> = Arc::default();
    let keep = kept.clone();
    let (sites, _) = sites_with(move |request, keys| {
        let mut kept = keep.lock().unwrap();
        kept.push(signed(request, &receipt_for(request), &keys.examiner_signs));
        // The first answer is lost to a gateway that refuses; the second try gets it late.
        if kept.len() == 1 { page(429, "text/plain", "") } else { kept[0].clone() }
    });
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    for kind in [ErrorKind::Unreachable, ErrorKind::NoReceipt] {
        assert_eq!(sites.insurer.exchange.send(package, &()).unwrap_err().kind(), kind);
    }
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap().attempts, 2);
}

#[test]
fn a_server_in_trouble_is_tried_again() {
    // What a gateway says of itself tells nothing of the partner behind it; that there were too many requests does.
    let (in_doubt, refused) = (OutgoingState::Sent, OutgoingState::Queued);
    for (status, state) in [(500, in_doubt), (502, in_doubt), (503, in_doubt), (429, refused)] {
        let answer = move |_: &Request, _: &Keys| page(status, "text/html", "<html>Sorry</html>");
        let said = proves_nothing(answer, ErrorKind::Unreachable, state);
        assert!(said.contains(&status.to_string()), "{said}");
    }
}

#[test]
fn a_refusal_is_not_tried_again_by_itself() {
    for status in [400, 403, 404, 302] {
        let answer = move |_: &Request, _: &Keys| page(status, "text/html", "<html>No</html>");
        let said = proves_nothing(answer, ErrorKind::Refused, OutgoingState::Failed);
        assert!(said.contains(&status.to_string()), "{said}");
    }
    let told = |_: &Request, _: &Keys| {
        let error = claimwire::Error::new(ErrorKind::UnknownSender, "register with us first");
        Problem::from_error(&error).to_response()
    };
    let said = proves_nothing(told, ErrorKind::UnknownSender, OutgoingState::Failed);
    assert!(said.contains("register with us first"), "{said}");
}

#[test]
fn a_refusal_that_tries_to_forge_a_log_is_cleaned_and_cut() {
    let answer = |_: &Request, _: &Keys| {
        let detail = format!("no\\n2026-03-02 INFO delivered {}", "x".repeat(10_000));
        let body = format!(r#"{{"type":"urn:claimwire:problem:refused","detail":"{detail}"}}"#);
        page(403, "application/problem+json", body)
    };
    proves_nothing(answer, ErrorKind::Refused, OutgoingState::Failed);
}

#[test]
fn the_largest_answer_there_can_be_is_no_receipt() {
    let answer = |request: &Request, keys: &Keys| {
        let mut response = page(200, claimwire::protocol::RECEIPT_MEDIA_TYPE, "[".repeat(MAX_ANSWER_BYTES));
        sign_response(request, &mut response, &keys.examiner_signs, Timestamp::now()).unwrap();
        response
    };
    proves_nothing(answer, ErrorKind::NoReceipt, OutgoingState::Sent);
}

#[test]
fn a_state_that_cannot_be_believed_changes_nothing() {
    let (sites, liar) = sites_with(|request, keys| {
        let stranger = SigningKey::generate("imex-1").unwrap();
        let _ = keys;
        let Some(id) = request.path().rsplit('/').next().and_then(|id| id.parse().ok()) else {
            return page(404, "text/plain", "");
        };
        let receipt = Receipt::new(
            id,
            examiner_site(),
            insurer_site(),
            ReceiptState::Unpacked,
            Digest::of(b"whatever"),
        );
        signed(request, &receipt, &stranger)
    });
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    *liar.honest.lock().unwrap() = true;
    let delivered = sites.insurer.exchange.send(package, &()).unwrap();
    *liar.honest.lock().unwrap() = false;
    let error = sites.insurer.exchange.poll(package).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoReceipt, "{error}");
    let after = sites.insurer.exchange.outgoing(package).unwrap();
    assert_eq!((after.state, after.receipt), (OutgoingState::Delivered, delivered.receipt));
}

#[test]
fn a_state_of_another_package_is_no_answer_to_the_question_after_this_one() {
    let kept: Arc<Mutex<Option<(PackageId, Digest)>>> = Arc::default();
    let other = kept.clone();
    let (sites, liar) = sites_with(move |request, keys| {
        let (package, digest) = other.lock().unwrap().unwrap();
        let receipt = Receipt::new(package, examiner_site(), insurer_site(), ReceiptState::Unpacked, digest);
        signed(request, &receipt, &keys.examiner_signs)
    });
    *liar.honest.lock().unwrap() = true;
    let claim = sites.claim_at_insurer();
    let first = sites.export(&claim).unwrap();
    sites.insurer.exchange.send(first.package.id, &()).unwrap();
    *liar.honest.lock().unwrap() = false;
    // Right bytes under another id, and under the right id the word of another site.
    let digest = Digest::from_hex(&first.sha256).unwrap();
    *kept.lock().unwrap() = Some((PackageId::generate(), digest));
    let error = sites.insurer.exchange.poll(first.package.id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoReceipt, "{error}");
    assert_eq!(sites.insurer.exchange.outgoing(first.package.id).unwrap().state, OutgoingState::Delivered);
}
