//! Who sends, proven over the network: a signature admits one request, and a refusal says how to prove it. What those
//! cost who cannot is measured in `tests/strangers_memory.rs`.

use crate::support::*;
use crate::transport_tls::Authority;
use claimwire::ErrorKind;
use claimwire::case_system::SqliteCaseSystem;
use claimwire::exchange::{Exchange, ExchangeSettings, Partner};
use claimwire::ledger::{HistoryQuery, PackageQuery, Step};
use claimwire::model::Timestamp;
use claimwire::protocol::{Credential, Digest, Endpoint, Peer, Problem, Request, Response, sign_request};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use std::sync::{Arc, Barrier};

const TOKEN: &str = "legacy-token-0123456789-abcdefghij";

fn sealed() -> Vec<u8> {
    b"sealed bytes, whatever is in them. ".repeat(100)
}

#[track_caller]
fn is_a_replay(response: &Response) {
    let refused = refusal(response);
    assert_eq!((refused.status, refused.kind), (401, ErrorKind::Replayed));
    assert!(refused.said.contains("taken before"), "{}", refused.said);
    // It may be the honest sender's own request, doubled by a proxy: it is told to come again, and signs anew.
    assert!(Problem::from_response(response).into_error("IMEX").is_retryable());
}

#[test]
fn a_signed_request_is_taken_once_whatever_it_asks() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let request = delivery.request();
    assert_eq!(post(&sites.examiner, &request, &delivery.body).status(), 200);
    let question = state_request(delivery.id(), &sites.keys.insurer_signs);
    assert_eq!(post(&sites.examiner, &question, b"").status(), 200);
    let before = kept(&sites.examiner);
    let mut body = CountedBody::of(1 << 20);
    is_a_replay(&sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body));
    assert_eq!(body.read, 0, "a replay is refused unread");
    is_a_replay(&post(&sites.examiner, &question, b""));
    // Signed anew it is a request of its own, and gets the stored receipt.
    assert_eq!(post(&sites.examiner, &delivery.request(), &delivery.body).status(), 200);

    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let sha256 = sites.insurer.exchange.send(package, &()).unwrap().sha256;
    let (word, json) = receipt_request(&word_on(package, &sha256), &sites.keys.examiner_signs);
    assert_eq!(post(&sites.insurer, &word, &json).status(), 204);
    is_a_replay(&post(&sites.insurer, &word, &json));
    assert_eq!(steps(&sites.examiner, delivery.id()), [Step::Received, Step::Notified]);
    assert!(before.contains(&delivery.id().to_string()));
}

#[test]
fn two_digests_that_differ_are_refused_unread() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    for (other, word) in [(Digest::of(b"other").to_string(), "differ"), ("md5=:AAAA:".to_owned(), "sha-256")]
    {
        let mut request = delivery.unsigned();
        request.headers_mut().insert("repr-digest", other).unwrap();
        sign_request(&mut request, &delivery.signer, Timestamp::now()).unwrap();
        let mut body = CountedBody::of(1 << 20);
        let refused = refusal(&sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body));
        assert_eq!((refused.status, refused.kind, body.read), (400, ErrorKind::BadMessage, 0));
        assert!(refused.said.contains(word), "{}", refused.said);
    }
    delivery.taken(&sites);
}

#[test]
fn of_one_request_that_comes_many_times_at_once_one_is_taken() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let (request, meet) = (delivery.request(), Barrier::new(4));
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| {
            scope.spawn(|| {
                meet.wait();
                post(&sites.examiner, &request, &delivery.body).status()
            })
        });
        threads.map(|thread| thread.join().unwrap()).into()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401]);
}

#[test]
fn a_request_that_is_refused_for_its_signature_uses_up_no_nonce() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let honest = delivery.request();
    // A stranger who saw the head cannot take its nonce away from the sender.
    let mut spoiled = honest.clone();
    spoiled.headers_mut().insert("content-type", "text/plain").unwrap();
    assert_eq!(refusal(&post(&sites.examiner, &spoiled, &delivery.body)).kind, ErrorKind::UnknownSender);
    assert_eq!(post(&sites.examiner, &honest, &delivery.body).status(), 200);
}

#[test]
fn a_request_that_lies_in_a_file_may_be_handed_in_again() {
    let sites = TwoSites::new();
    let delivery = Delivery::new(&sites, sealed());
    let request = delivery.request();
    let hand_in = || {
        let response =
            sites.examiner.exchange.answer(&request, &Peer::stored(), &mut delivery.body.as_slice());
        receipt_in(&response).unwrap()
    };
    assert_eq!(hand_in(), hand_in());
    assert_eq!(steps(&sites.examiner, delivery.id()), [Step::Received, Step::Notified]);
}

#[test]
fn a_replay_after_a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::generate();
    let open = || {
        let cases = SqliteCaseSystem::open(folder.path().join("cases")).unwrap();
        let insurer = Partner::new(insurer_site(), "Northern Mutual")
            .open_with(1, keys.legacy.clone())
            .verify_with(keys.insurer_signs.verifying_key());
        let place = folder.path().join("exchange");
        let settings = ExchangeSettings::new(examiner_site(), place, keys.examiner_signs.clone(), cases);
        Exchange::open(settings.with_partner(insurer)).unwrap()
    };
    let sites = TwoSites::with(Setup { keys: keys.clone(), ..Setup::default() });
    let delivery = Delivery::new(&sites, sealed());
    let request = delivery.request();
    let answer = |exchange: &Exchange| {
        receipt_in(&exchange.answer(&request, &Peer::unknown(), &mut delivery.body.as_slice())).unwrap()
    };
    let exchange = open();
    let first = answer(&exchange);
    drop(exchange);
    // The nonces went with the process; the package's id did not.
    let exchange = open();
    let seen = || {
        let packages = exchange.incoming_packages(&PackageQuery::new()).unwrap();
        (packages, exchange.history(&HistoryQuery::new()).unwrap())
    };
    let before = seen();
    assert_eq!(answer(&exchange), first);
    assert_eq!(seen(), before);
    is_a_replay(&exchange.answer(&request, &Peer::unknown(), &mut delivery.body.as_slice()));
}

/// The examiner behind its own receiver.
struct Online {
    sites: TwoSites,
    running: Running,
    servers: Authority,
    clients: Authority,
}

impl Online {
    fn new(examiner_of_insurer: impl FnOnce(Partner) -> Partner + 'static) -> Self {
        let sites =
            TwoSites::with(Setup { examiner_of_insurer: Box::new(examiner_of_insurer), ..Setup::default() });
        let (servers, clients) = (Authority::new(), Authority::new());
        let server = servers.server();
        let tls = TlsSettings::new(server.chain, server.key).accept_client_certificates(clients.pem.as_str());
        let endpoint = Arc::new(sites.examiner.exchange.clone());
        let running = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default()).unwrap();
        Self { sites, running, servers, clients }
    }

    fn https(&self) -> HttpsSettings {
        let url = format!("https://127.0.0.1:{}", self.running.local_addr().port());
        HttpsSettings::new(&url).unwrap().root_certificates(self.servers.pem.as_str())
    }

    fn send(&self, settings: HttpsSettings, request: &Request, body: &[u8]) -> Response {
        let mut reader = body;
        let body = Body::new(body.len() as u64, &mut reader);
        match HttpsTransport::new(settings).unwrap().send(request, body).unwrap() {
            Reply::Answered(response) => response,
            reply => panic!("{reply:?}"),
        }
    }
}

#[test]
fn a_401_over_the_network_says_how_to_prove_who_sends() {
    let online = Online::new(|partner| partner.accept_unsigned(Credential::bearer_token(TOKEN).unwrap()));
    let delivery = Delivery::new(&online.sites, sealed()).with(|it| it.declared = None);
    let asked = |request: &Request| {
        let response = online.send(online.https(), request, &delivery.body);
        assert_eq!(response.status(), 401);
        let field = |name: &str| response.headers().get_only(name).unwrap().unwrap().to_owned();
        (field("www-authenticate"), field("accept-signature"))
    };
    let signature = r#"Signature realm="claimwire""#;
    let bearer = r#"Bearer realm="claimwire""#;
    let (schemes, wanted) = asked(&delivery.unsigned());
    assert_eq!(schemes, format!("{signature}, {bearer}"));
    assert!(wanted.starts_with("claimwire=(\"@method\" \"@path\" \"content-digest\""), "{wanted}");
    assert!(wanted.ends_with(";created;tag=\"claimwire\""), "{wanted}");
    let (schemes, _) = asked(&bearing(delivery.unsigned(), "wrong"));
    assert_eq!(schemes, format!("{signature}, {bearer}, error=\"invalid_token\""));
    // The same to one who is no partner at all: a 401 tells nobody which partners there are.
    let mut stranger = delivery.clone();
    stranger.envelope.from = third_site();
    assert_eq!(asked(&stranger.unsigned()).0, format!("{signature}, {bearer}"));
    // The token itself is taken.
    let taken = online.send(online.https(), &bearing(delivery.unsigned(), TOKEN), &delivery.body);
    assert_eq!(taken.status(), 200, "{taken:?}");
}

#[test]
fn a_client_certificate_and_a_signature_prove_it_over_the_network() {
    let clients = Authority::new();
    let client = clients.client();
    let fingerprint = Peer::unknown().with_certificate(client.der.clone()).fingerprint().unwrap();
    let certificate = Credential::client_certificate(&fingerprint).unwrap();
    let mut online = Online::new(|partner| partner.accept_unsigned(certificate));
    // The receiver of this test trusts this authority.
    let server = online.servers.server();
    let tls = TlsSettings::new(server.chain, server.key).accept_client_certificates(clients.pem.as_str());
    let endpoint = Arc::new(online.sites.examiner.exchange.clone());
    online.running = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default()).unwrap();
    online.clients = clients;
    let delivery = Delivery::new(&online.sites, sealed()).with(|it| it.declared = None);
    let refused = online.send(online.https(), &delivery.unsigned(), &delivery.body);
    assert_eq!(refused.headers().get("www-authenticate"), Some(r#"Signature realm="claimwire""#));
    let shown = online.https().client_certificate(client.chain, client.key);
    assert_eq!(online.send(shown, &delivery.unsigned(), &delivery.body).status(), 200);
    let signed = Delivery::new(&online.sites, sealed()).with(|it| it.declared = None).request();
    assert_eq!(online.send(online.https(), &signed, &sealed()).status(), 200);
    is_a_replay(&online.send(online.https(), &signed, &sealed()));
}

#[test]
fn what_the_receiver_refuses_by_itself_is_counted_too() {
    let online = Online::new(|partner| partner);
    let delivery = Delivery::new(&online.sites, sealed()).with(|it| it.declared = None);
    assert_eq!(online.send(online.https(), &delivery.unsigned(), &delivery.body).status(), 401);
    let server = online.servers.server();
    let mut bounds = ReceiverSettings::default();
    bounds.max_body_bytes = 10;
    let endpoint = Arc::new(online.sites.examiner.exchange.clone());
    let small =
        Receiver::bind("127.0.0.1:0", TlsSettings::new(server.chain, server.key), endpoint, bounds).unwrap();
    let url = format!("https://127.0.0.1:{}", small.local_addr().port());
    let https = HttpsSettings::new(&url).unwrap().root_certificates(online.servers.pem.as_str());
    assert_eq!(online.send(https, &delivery.request(), &delivery.body).status(), 413);
    let metrics = online.sites.examiner.exchange.metrics().unwrap();
    let refused: Vec<_> = metrics.refused_requests.iter().map(|(name, count)| (*name, *count)).collect();
    assert_eq!((metrics.requests, refused), (2, vec![("bad-signature", 1), ("sealed-too-large", 1)]));
}
