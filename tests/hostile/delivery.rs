//! What may arrive over the wire: whoever cannot prove to be a partner costs nothing and learns nothing, and a
//! partner's faulty delivery is refused by its own kind, leaves nothing, and never stands in the way of the right one.

use crate::support::*;
use claimwire::ErrorKind;
use claimwire::exchange::Partner;
use claimwire::ledger::{HistoryQuery, PackageQuery, Step};
use claimwire::model::{PackageId, PackageKind, Timestamp};
use claimwire::protocol::{
    Credential, Digest, Endpoint, Peer, Request, Response, SigningKey, sign_request, verify_response,
};
use std::io::Read;
use std::sync::Barrier;
use std::time::Duration;

fn sealed() -> Vec<u8> {
    b"sealed bytes, whatever is in them. ".repeat(100)
}

/// Answers, and expects a refusal that left the examiner as it was.
#[track_caller]
fn refused(
    sites: &TwoSites,
    request: &Request,
    body: &mut dyn Read,
    status: u16,
    kind: ErrorKind,
) -> Refusal {
    let examiner = &sites.examiner;
    let seen = || {
        let packages = examiner.exchange.incoming_packages(&PackageQuery::new()).unwrap();
        let history = examiner.exchange.history(&HistoryQuery::new()).unwrap();
        (packages, history, examiner.new_packages(), stored(examiner))
    };
    let before = seen();
    let refusal = refusal(&examiner.exchange.answer(request, &Peer::unknown(), body));
    assert_eq!((refusal.status, refusal.kind), (status, kind), "{}", refusal.said);
    assert_eq!(seen(), before);
    assert!(is_tidy(examiner));
    refusal
}

/// The same, of a request that is refused before a byte of its body is read.
#[track_caller]
fn refused_unread(sites: &TwoSites, request: &Request, status: u16, kind: ErrorKind) -> Refusal {
    let mut body = CountedBody::of(1 << 20);
    let refusal = refused(sites, request, &mut body, status, kind);
    assert_eq!(body.read, 0, "the body was read");
    refusal
}

#[test]
fn an_unknown_sender_costs_nothing() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed()).with(|it| it.envelope.from = "NOBODY".parse().unwrap());
    let refusal = refused_unread(&sites, &delivery.request(), 401, ErrorKind::UnknownSender);
    assert!(refusal.said.contains("NOBODY") && refusal.said.contains("register"), "{}", refusal.said);
}

#[test]
fn a_partner_s_name_under_a_stranger_s_key_is_no_partner() {
    let sites = TwoSites::new();
    let stranger = SigningKey::generate("stranger-1").unwrap();
    let delivery = Delivery::new(&sites, sealed()).with(|it| it.signer = stranger);
    let refusal = refused_unread(&sites, &delivery.request(), 401, ErrorKind::UnknownSender);
    assert!(refusal.said.contains("stranger-1"), "{}", refusal.said);
    let same_id = SigningKey::generate("on-ins-1").unwrap();
    let delivery = delivery.with(|it| it.signer = same_id);
    let refusal = refused_unread(&sites, &delivery.request(), 401, ErrorKind::UnknownSender);
    assert!(refusal.said.contains("on-ins-1"), "{}", refusal.said);
}

#[test]
fn a_partner_cannot_send_in_the_name_of_another() {
    let (sites, third) = with_a_third();
    let delivery = Delivery::new(&sites, sealed()).with(|it| it.signer = third);
    refused_unread(&sites, &delivery.request(), 401, ErrorKind::UnknownSender);
}

#[test]
fn an_unsigned_delivery_is_refused_unread() {
    let sites = TwoSites::new();
    let unsigned = Delivery::new(&sites, sealed()).unsigned();
    let refusal = refused_unread(&sites, &unsigned, 401, ErrorKind::UnknownSender);
    assert!(refusal.said.contains("signature"), "{}", refusal.said);
    let mut garbage = unsigned.clone();
    garbage.headers_mut().insert("signature-input", "claimwire=(((").unwrap();
    garbage.headers_mut().insert("signature", "claimwire=:AAAA:").unwrap();
    refused_unread(&sites, &garbage, 401, ErrorKind::UnknownSender);
}

#[test]
fn a_refusal_tells_no_stranger_who_is_a_partner_by_which_key_or_who_need_not_sign() {
    let (sites, _) = with_a_third();
    let token = Credential::bearer_token("0123456789-0123456789-0123456789").unwrap();
    let third = Partner::clone(&sites.examiner.exchange.partner(&third_site()).unwrap());
    sites.examiner.exchange.set_partner(third.accept_unsigned(token));
    let answered = |request: &Request, from: &str, key: &str| {
        let response = sites.examiner.exchange.answer(request, &Peer::unknown(), &mut std::io::empty());
        assert_eq!(response.status(), 401);
        let fields: Vec<_> =
            response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let said = String::from_utf8(response.body().to_vec()).unwrap();
        assert!(!said.contains("Northern Mutual") && !said.contains("Third Party"), "{said}");
        (said.replace(from, "SITE").replace(key, "KEY"), fields)
    };
    let from =
        |site: &str| Delivery::new(&sites, sealed()).with(|it| it.envelope.from = site.parse().unwrap());
    let sites_asked = ["NOBODY", "ON-INS", "THIRD"];
    let mut signed = Vec::new();
    for key in ["strange-1", "on-ins-1", "third-1"] {
        let signer = SigningKey::generate(key).unwrap();
        signed
            .extend(sites_asked.map(|site| {
                answered(&from(site).with(|it| it.signer = signer.clone()).request(), site, key)
            }));
        // And where the request does not say who asks.
        let question = state_request(PackageId::generate(), &signer);
        let (said, _) = answered(&question, "the sender of this request", key);
        assert_eq!(said, signed[0].0.replace("site SITE", "SITE"));
    }
    let unsigned = sites_asked.map(|site| answered(&from(site).unsigned(), site, "no key"));
    let less = sites_asked.map(|site| {
        let mut request = from(site).request();
        request.headers_mut().remove("repr-digest");
        answered(&request, site, "on-ins-1")
    });
    for alike in [&signed[..], &unsigned, &less] {
        assert!(alike.iter().all(|answer| answer == &alike[0]), "{alike:#?}");
    }
    let metrics = sites.examiner.exchange.metrics().unwrap();
    assert_eq!(metrics.refused_requests["bad-signature"], 7, "what was wrong is known here");
    assert_eq!(metrics.refused_requests["unknown-sender"], 11);
}

#[test]
fn a_signature_from_another_time_is_refused_and_both_clocks_are_named() {
    let sites = TwoSites::new();
    let now = Timestamp::now().unix_seconds();
    for seconds in [-3600, -301, 301, 3600, i64::from(u32::MAX)] {
        let at = Timestamp::from_unix_seconds(now + seconds * if seconds == 301 { 2 } else { 1 }).unwrap();
        let delivery = Delivery::new(&sites, sealed()).with(|it| it.signed_at = at);
        let refusal = refused_unread(&sites, &delivery.request(), 401, ErrorKind::Replayed);
        assert!(refusal.said.contains("clock"), "{}", refusal.said);
    }
}

#[test]
fn a_header_changed_or_added_after_the_signing_breaks_it() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let other = Digest::of(b"other").to_string();
    let envelope = delivery.request().headers().get("claimwire-package").unwrap().to_owned();
    for (name, value) in [
        ("claimwire-package", envelope.replace("key-version=1", "key-version=2")),
        ("claimwire-package", envelope.replace("des-md5", "age")),
        ("claimwire-package", format!("{envelope}, more=1")),
        ("idempotency-key", format!("\"{}\"", PackageId::generate())),
        ("content-digest", other.clone()),
        ("repr-digest", other),
        ("content-type", "text/plain".into()),
    ] {
        let mut request = delivery.request();
        request.headers_mut().insert(name, value).unwrap();
        refused_unread(&sites, &request, 401, ErrorKind::UnknownSender);
    }
    for name in ["content-digest", "content-type", "repr-digest"] {
        let mut request = delivery.request();
        let again = request.headers().get(name).unwrap().to_owned();
        request.headers_mut().append(name, again).unwrap();
        refused_unread(&sites, &request, 401, ErrorKind::UnknownSender);
        request.headers_mut().remove(name);
        refused_unread(&sites, &request, 401, ErrorKind::UnknownSender);
    }
    delivery.taken(&sites);
}

#[test]
fn a_signature_is_good_for_one_path_and_method_alone() {
    let sites = TwoSites::new();
    let signed = Delivery::new(&sites, sealed()).request();
    let mut elsewhere = Request::new("POST", "/receipts").unwrap();
    *elsewhere.headers_mut() = signed.headers().clone();
    let mut body = sealed();
    body.truncate(10);
    refused(&sites, &elsewhere, &mut body.as_slice(), 401, ErrorKind::UnknownSender);
}

#[test]
fn a_delivery_for_another_site_is_refused_unread() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed()).with(|it| it.envelope.to = "ELSEWHERE".parse().unwrap());
    let refusal = refused_unread(&sites, &delivery.request(), 403, ErrorKind::WrongRecipient);
    assert!(refusal.said.contains("ELSEWHERE") && refusal.said.contains("IMEX"), "{}", refusal.said);
}

#[test]
fn a_body_changed_on_the_way_is_refused_and_the_right_one_taken_after_it() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let mut changed = sealed();
    changed[17] ^= 1;
    let refusal =
        refused(&sites, &delivery.request(), &mut changed.as_slice(), 400, ErrorKind::DigestMismatch);
    for digest in [Digest::of(&changed), Digest::of(&sealed())] {
        assert!(refusal.said.contains(&digest.to_hex()), "{}", refusal.said);
    }
    delivery.taken(&sites);
}

#[test]
fn a_body_shorter_than_declared_is_truncated_and_the_whole_one_taken_after_it() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    for length in [0, 1, sealed().len() - 1] {
        let mut short = &sealed()[..length];
        let refusal = refused(&sites, &delivery.request(), &mut short, 422, ErrorKind::Truncated);
        assert!(refusal.said.contains("send it again"), "{}", refusal.said);
    }
    // Without a declared length the digest tells.
    let undeclared = delivery.clone().with(|it| it.declared = None);
    refused(&sites, &undeclared.request(), &mut &sealed()[..9], 400, ErrorKind::DigestMismatch);
    delivery.taken(&sites);
}

#[test]
fn a_body_longer_than_declared_is_not_read_on() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let mut endless = CountedBody::of(1 << 40);
    let refusal = refused(&sites, &delivery.request(), &mut endless, 400, ErrorKind::BadMessage);
    assert!(refusal.said.contains(&sealed().len().to_string()), "{}", refusal.said);
    assert!(endless.read <= 1 << 17, "{} bytes were read", endless.read);
    delivery.taken(&sites);
}

struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.min(buffer.len());
        self.0 -= length;
        buffer[..length].fill(b's');
        if length > 0 { Ok(length) } else { Err(std::io::ErrorKind::ConnectionReset.into()) }
    }
}

#[test]
fn a_connection_that_breaks_leaves_nothing_and_never_blocks_the_retry() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    for arrived in [0, 1, 1000] {
        let response =
            sites.examiner.exchange.answer(&delivery.request(), &Peer::unknown(), &mut Broken(arrived));
        assert!(response.status() >= 400);
        assert!(stored(&sites.examiner).is_empty());
        assert_eq!(
            sites.examiner.exchange.incoming(delivery.id()).unwrap_err().kind(),
            ErrorKind::UnknownPackage
        );
    }
    delivery.taken(&sites);
}

fn with_limit(bytes: u64) -> TwoSites {
    TwoSites::with(Setup {
        examiner: Box::new(move |settings| settings.with_sealed_size_limit(bytes)),
        ..Setup::default()
    })
}

#[test]
fn a_declared_oversize_is_refused_before_the_body_is_read() {
    let sites = with_limit(1000);
    let delivery = Delivery::new(&sites, vec![7; 1001]);
    let refusal = refused_unread(&sites, &delivery.request(), 413, ErrorKind::SealedTooLarge);
    assert!(refusal.said.contains("1000 bytes"), "{}", refusal.said);
    Delivery::new(&sites, vec![7; 1000]).taken(&sites);
}

#[test]
fn an_undeclared_oversize_stops_at_the_limit_on_disk_and_on_the_wire() {
    let sites = with_limit(100_000);
    let delivery = Delivery::new(&sites, vec![0; 1 << 20]).with(|it| it.declared = None);
    let mut endless = CountedBody::of(1 << 40);
    refused(&sites, &delivery.request(), &mut endless, 413, ErrorKind::SealedTooLarge);
    assert!(endless.read <= 100_000 + (1 << 16), "{} bytes were read", endless.read);
}

#[test]
fn the_same_package_again_gets_the_same_word_again() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let first = receipt_in(&delivery.post(&sites)).unwrap();
    let again = delivery.request();
    let response = post(&sites.examiner, &again, &sealed());
    assert_eq!(receipt_in(&response).unwrap(), first);
    // A word signed anew, for this very request.
    let key = sites.keys.examiner_signs.verifying_key();
    verify_response(&again, &response, &key, Timestamp::now(), Duration::from_secs(60)).unwrap();
    assert_eq!(sites.examiner.new_packages(), [delivery.id()]);
    assert_eq!(steps(&sites.examiner, delivery.id()), [Step::Received, Step::Notified]);
    assert_eq!(stored(&sites.examiner).len(), 1);
}

#[test]
fn a_repeated_delivery_is_answered_without_its_body() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    delivery.taken(&sites);
    let mut body = CountedBody::of(sealed().len() as u64);
    let response = sites.examiner.exchange.answer(&delivery.request(), &Peer::unknown(), &mut body);
    assert_eq!((response.status(), body.read), (200, 0));
}

#[test]
fn the_same_id_for_other_bytes_is_refused_and_the_first_stays() {
    let sites = TwoSites::new();
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    sites.insurer.exchange.send(package, &()).unwrap();
    let reused = Delivery::new(&sites, sealed()).with(|it| it.envelope.package_id = package);
    let refusal = refused_unread(&sites, &reused.request(), 409, ErrorKind::IdReused);
    assert!(refusal.said.contains(&package.to_string()) && refusal.said.contains("anew"), "{}", refusal.said);
    sites.examiner.exchange.unpack(package, "front desk", &()).unwrap();
}

#[test]
fn two_deliveries_of_one_package_at_once_make_one_package_and_two_receipts() {
    let sites = TwoSites::new();
    for _ in 0..10 {
        let delivery = Delivery::new(&sites, sealed());
        let (first, second) = (delivery.request(), delivery.request());
        let meet = Barrier::new(2);
        let answer = |request: &Request| {
            meet.wait();
            post(&sites.examiner, request, &delivery.body)
        };
        let [first, second]: [Response; 2] = std::thread::scope(|scope| {
            let threads = [&first, &second].map(|request| scope.spawn(|| answer(request)));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_eq!(receipt_in(&first).unwrap(), receipt_in(&second).unwrap());
        assert_eq!(steps(&sites.examiner, delivery.id()), [Step::Received, Step::Notified]);
        assert!(is_tidy(&sites.examiner));
    }
    assert_eq!(sites.examiner.new_packages().len(), 10);
    assert_eq!(stored(&sites.examiner).len(), 10);
}

#[test]
fn two_packages_under_one_id_at_once_leave_one_and_only_its_bytes() {
    let sites = TwoSites::new();
    for round in 1..=10 {
        let one = Delivery::new(&sites, sealed());
        let other = Delivery::new(&sites, b"other".to_vec()).with(|it| it.envelope.package_id = one.id());
        let meet = Barrier::new(2);
        let answer = |delivery: &Delivery| {
            meet.wait();
            delivery.post(&sites).status()
        };
        let mut answers = std::thread::scope(|scope| {
            let threads = [&one, &other].map(|delivery| scope.spawn(|| answer(delivery)));
            threads.map(|thread| thread.join().unwrap())
        });
        answers.sort_unstable();
        assert_eq!(answers, [200, 409]);
        assert_eq!(stored(&sites.examiner).len(), round);
    }
}

#[test]
fn what_is_no_address_of_this_protocol_is_told_by_its_status() {
    let sites = TwoSites::new();
    let mut cases = vec![("PUT", "/packages".to_owned(), 405), ("GET", "/receipts".to_owned(), 405)];
    cases.push(("POST", format!("/packages/{}", PackageId::generate()), 405));
    for path in ["/", "/packages/", "/packages/1", "/admin", "//packages", "/packages/../receipts"] {
        cases.push(("POST", path.to_owned(), 404));
        cases.push(("GET", path.to_owned(), 404));
    }
    for (method, path, status) in cases {
        let request = Request::new(method, &path).unwrap();
        let refusal = refused_unread(&sites, &request, status, ErrorKind::BadMessage);
        assert!(!refusal.said.contains("IMEX"), "{}", refusal.said);
    }
}

#[test]
fn headers_that_are_garbage_are_refused_unread() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let id = delivery.id();
    let envelopes = [
        "",
        "from",
        "from=\"ON-INS\"",
        "((((",
        "from=\"../..\", to=\"IMEX\", kind=claim, suite=age, key-version=1",
    ];
    let whole = |version: &str, kind: &str| {
        format!("from=\"ON-INS\", to=\"IMEX\", kind={kind}, suite=des-md5, key-version={version}")
    };
    let mut lies: Vec<(&str, String)> = Vec::new();
    lies.extend(envelopes.map(|envelope| ("claimwire-package", envelope.to_owned())));
    lies.extend(
        ["0", "-1", "1.5", "4294967296", "x"].map(|version| ("claimwire-package", whole(version, "claim"))),
    );
    lies.push(("claimwire-package", whole("1", "virus")));
    lies.extend(["", "1", "\"1\"", "\"../../etc/passwd\""].map(|id| ("idempotency-key", id.to_owned())));
    lies.push(("idempotency-key", format!("\"{}\"", id.to_string().to_uppercase())));
    for (name, value) in lies {
        let mut request = delivery.unsigned();
        request.headers_mut().insert(name, value).unwrap();
        sign_request(&mut request, &delivery.signer, Timestamp::now()).unwrap();
        let refusal = refused_unread(&sites, &request, 400, ErrorKind::BadMessage);
        assert!(refusal.said.to_lowercase().contains(name), "{name}: {}", refusal.said);
    }
    for name in ["claimwire-package", "idempotency-key"] {
        let mut request = delivery.request();
        request.headers_mut().remove(name);
        refused_unread(&sites, &request, 400, ErrorKind::BadMessage);
    }
}

#[test]
fn a_digest_header_that_is_garbage_or_stands_twice_is_refused_unread() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    for value in ["", "md5=:AAAA:", "sha-256=:AAAA:", "sha-256"] {
        let mut request = delivery.unsigned();
        request.headers_mut().insert("content-digest", value).unwrap();
        sign_request(&mut request, &delivery.signer, Timestamp::now()).unwrap();
        refused_unread(&sites, &request, 400, ErrorKind::BadMessage);
    }
    let mut request = delivery.unsigned();
    request.headers_mut().append("content-digest", Digest::of(b"other").to_string()).unwrap();
    sign_request(&mut request, &delivery.signer, Timestamp::now()).unwrap();
    refused_unread(&sites, &request, 400, ErrorKind::BadMessage);
}

#[test]
fn a_kind_of_package_is_taken_at_its_own_address_alone() {
    let sites = TwoSites::new();
    let notes = Delivery::new(&sites, sealed()).with(|it| it.envelope.kind = PackageKind::Notes);
    refused_unread(&sites, &notes.request(), 400, ErrorKind::BadMessage);
}

#[test]
fn no_refusal_tells_of_this_site_s_own_faults() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    std::fs::remove_dir(sites.examiner.folder.join("exchange/inbox")).unwrap();
    let response = delivery.post(&sites);
    let refusal = refusal(&response);
    assert_eq!((refusal.status, refusal.kind), (500, ErrorKind::Io));
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(!body.contains("inbox") && !body.contains("exchange"), "{body}");
    std::fs::create_dir(sites.examiner.folder.join("exchange/inbox")).unwrap();
    delivery.taken(&sites);
}
