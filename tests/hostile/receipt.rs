//! Receipts and questions after a package's state: nobody but the package's recipient is believed, and nobody but its
//! sender learns that it is here.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::ledger::{HistoryQuery, PackageQuery, Step};
use claimwire::model::{PackageId, Timestamp};
use claimwire::protocol::{
    Digest, Endpoint, Peer, RECEIPT_MEDIA_TYPE, Receipt, ReceiptState, Request, SigningKey, sign_request,
};

#[test]
fn only_the_sender_learns_that_a_package_is_here() {
    let (sites, third) = with_a_third();
    let here = Delivery::new(&sites, b"sealed".to_vec()).taken(&sites);
    let asked = |package, key: &SigningKey| post(&sites.examiner, &state_request(package, key), b"");
    assert_eq!(receipt_in(&asked(here, &sites.keys.insurer_signs)).unwrap().state, ReceiptState::Received);

    // Another partner gets the same answer whether it is here or not; so does a stranger.
    let absent = PackageId::generate();
    let stranger = SigningKey::generate("on-ins-1").unwrap();
    for (key, status, kind) in
        [(&third, 404, ErrorKind::UnknownPackage), (&stranger, 401, ErrorKind::UnknownSender)]
    {
        let answers = [here, absent].map(|package| {
            let refusal = refusal(&asked(package, key));
            (refusal.status, refusal.kind, refusal.said.replace(&package.to_string(), "ID"))
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!((answers[0].0, answers[0].1), (status, kind), "{}", answers[0].2);
    }
}

/// A package of the insurer's that the examiner holds.
fn delivered(sites: &TwoSites) -> (PackageId, String) {
    let claim = sites.claim_at_insurer();
    let outgoing = sites.export(&claim).unwrap();
    sites.insurer.exchange.send(outgoing.package.id, &()).unwrap();
    (outgoing.package.id, outgoing.sha256)
}

/// Posts a receipt to the insurer and expects that nothing is believed of it.
#[track_caller]
fn disbelieved(sites: &TwoSites, request: &Request, body: &[u8], status: u16, kind: ErrorKind) -> Refusal {
    let insurer = &sites.insurer;
    let seen = || {
        let packages = insurer.exchange.outgoing_packages(&PackageQuery::new()).unwrap();
        (
            packages,
            insurer.exchange.history(&HistoryQuery::new()).unwrap(),
            insurer.events.lock().unwrap().clone(),
        )
    };
    let before = seen();
    let refusal = refusal(&post(insurer, request, body));
    assert_eq!((refusal.status, refusal.kind), (status, kind), "{}", refusal.said);
    assert_eq!(seen(), before);
    refusal
}

#[test]
fn a_forged_receipt_is_not_believed() {
    let (sites, third) = with_a_third();
    let (package, sha256) = delivered(&sites);
    let word = word_on(package, &sha256);
    let same_id = SigningKey::generate("imex-1").unwrap();
    let (request, json) = receipt_request(&word, &same_id);
    disbelieved(&sites, &request, &json, 401, ErrorKind::UnknownSender);
    let stranger = SigningKey::generate("stranger").unwrap();
    let (request, json) = receipt_request(&word, &stranger);
    disbelieved(&sites, &request, &json, 401, ErrorKind::UnknownSender);
    // Another partner can sign, but has no say in this package.
    let (request, json) = receipt_request(&word, &third);
    disbelieved(&sites, &request, &json, 404, ErrorKind::UnknownPackage);
    let mut own = word.clone();
    own.from = third_site();
    let (request, json) = receipt_request(&own, &third);
    disbelieved(&sites, &request, &json, 404, ErrorKind::UnknownPackage);
}

#[test]
fn a_receipt_changed_on_the_way_is_not_believed() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let (request, json) = receipt_request(&word_on(package, &sha256), &sites.keys.examiner_signs);
    let changed = String::from_utf8(json).unwrap().replace("unpacked", "rejected");
    disbelieved(&sites, &request, changed.as_bytes(), 400, ErrorKind::DigestMismatch);
}

#[test]
fn a_receipt_for_other_bytes_or_an_unknown_package_is_not_believed() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let other = word_on(package, &Digest::of(b"other").to_hex());
    let (request, json) = receipt_request(&other, &sites.keys.examiner_signs);
    disbelieved(&sites, &request, &json, 400, ErrorKind::DigestMismatch);
    let never_sent = PackageId::generate();
    let (request, json) = receipt_request(&word_on(never_sent, &sha256), &sites.keys.examiner_signs);
    let refusal = disbelieved(&sites, &request, &json, 404, ErrorKind::UnknownPackage);
    assert!(refusal.said.contains(&never_sent.to_string()), "{}", refusal.said);
    let mut to_another = word_on(package, &sha256);
    to_another.to = third_site();
    let (request, json) = receipt_request(&to_another, &sites.keys.examiner_signs);
    disbelieved(&sites, &request, &json, 404, ErrorKind::UnknownPackage);
}

#[test]
fn a_receipt_that_is_none_or_too_large_is_refused() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let mut large = word_on(package, &sha256);
    large.detail = Some("x".repeat(70_000));
    let (request, json) = receipt_request(&large, &sites.keys.examiner_signs);
    disbelieved(&sites, &request, &json, 400, ErrorKind::BadMessage);
    let mut later = word_on(package, &sha256);
    later.version = 2;
    let (request, json) = receipt_request(&later, &sites.keys.examiner_signs);
    let refusal = disbelieved(&sites, &request, &json, 422, ErrorKind::UnsupportedFormatVersion);
    assert!(refusal.said.contains('2') && refusal.said.contains('1'), "{}", refusal.said);
    for body in [&b""[..], b"[]", b"<html>", b"{\"version\":1}"] {
        let mut request = Request::new("POST", "/receipts").unwrap();
        request.headers_mut().insert("content-type", RECEIPT_MEDIA_TYPE).unwrap();
        request.headers_mut().insert("content-digest", Digest::of(body).to_string()).unwrap();
        sign_request(&mut request, &sites.keys.examiner_signs, Timestamp::now()).unwrap();
        disbelieved(&sites, &request, body, 400, ErrorKind::BadMessage);
    }
}

#[test]
fn a_receipt_of_nobody_known_is_refused_unread() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let stranger = SigningKey::generate("stranger").unwrap();
    let (signed, _) = receipt_request(&word_on(package, &sha256), &stranger);
    let mut unsigned = signed.clone();
    unsigned.headers_mut().remove("signature");
    for request in [signed, unsigned] {
        let mut body = CountedBody::of(1 << 20);
        let response = sites.insurer.exchange.answer(&request, &Peer::unknown(), &mut body);
        assert_eq!((response.status(), body.read), (401, 0));
    }
}

#[test]
fn a_receipt_too_old_is_a_replay() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let (mut request, json) = receipt_request(&word_on(package, &sha256), &sites.keys.examiner_signs);
    let long_ago = Timestamp::from_unix_seconds(Timestamp::now().unix_seconds() - 3600).unwrap();
    sign_request(&mut request, &sites.keys.examiner_signs, long_ago).unwrap();
    disbelieved(&sites, &request, &json, 401, ErrorKind::Replayed);
}

#[test]
fn a_receipt_that_comes_twice_or_says_less_than_an_earlier_one_changes_nothing_more() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let word = word_on(package, &sha256);
    let post_word = |word: &Receipt| {
        let (request, json) = receipt_request(word, &sites.keys.examiner_signs);
        assert_eq!(post(&sites.insurer, &request, &json).status(), 204);
    };
    post_word(&word);
    let settled = sites.insurer.exchange.outgoing(package).unwrap();
    let told = sites.insurer.events.lock().unwrap().len();
    let mut earlier = word.clone();
    earlier.state = ReceiptState::Received;
    let mut otherwise = word.clone();
    otherwise.state = ReceiptState::Rejected;
    for word in [&word, &earlier, &otherwise] {
        post_word(word);
    }
    assert_eq!(sites.insurer.exchange.outgoing(package).unwrap(), settled);
    assert_eq!(sites.insurer.events.lock().unwrap().len(), told);
    assert_eq!(steps(&sites.insurer, package), [Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked]);
}

#[test]
fn a_receipt_s_sentence_can_neither_forge_a_history_nor_flood_it() {
    let sites = TwoSites::new();
    let (package, sha256) = delivered(&sites);
    let mut word = word_on(package, &sha256);
    word.state = ReceiptState::Rejected;
    word.detail = Some(format!("no\n2026-03-02 delivered\u{1b}[2J{}", "x".repeat(30_000)));
    let (request, json) = receipt_request(&word, &sites.keys.examiner_signs);
    assert_eq!(post(&sites.insurer, &request, &json).status(), 204);
    let said = trail(&sites.insurer, package).pop().unwrap().outcome;
    assert!(said.contains("rejected the package: no"), "{said}");
    assert!(said.len() < 2000 && !said.chars().any(char::is_control), "{} bytes", said.len());
}
