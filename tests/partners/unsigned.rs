//! Partners that cannot sign: what their settings name proves who they are, and nothing else does.

use crate::support::*;
use crate::transport_tls::Authority;
use claimwire::ErrorKind;
use claimwire::codec::encrypt_bytes;
use claimwire::exchange::Partner;
use claimwire::ledger::{HistoryQuery, IncomingState};
use claimwire::protocol::{
    Credential, Endpoint, Peer, ReceiptState, Request, Response, Route, SecretText, verify_response,
};
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use claimwire::settings::{LocalSecrets, PartnerSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use std::sync::Arc;
use std::time::Duration;

const TOKEN: &str = "legacy-token-0123456789-abcdefghij";

/// Sites where the insurer cannot sign, and proves itself to the examiner by this.
fn unsigned_by(credential: Credential) -> TwoSites {
    TwoSites::with(Setup {
        examiner_of_insurer: Box::new(|partner| partner.accept_unsigned(credential)),
        ..Setup::default()
    })
}

fn by_token() -> TwoSites {
    unsigned_by(Credential::bearer_token(TOKEN).unwrap())
}

fn delivery(sites: &TwoSites) -> Delivery {
    let parts = Parts::new();
    Delivery::of_archive(sites, parts.id(), &parts.archive(), 1)
}

fn answer(sites: &TwoSites, request: &Request, peer: &Peer, mut body: &[u8]) -> Response {
    sites.examiner.exchange.answer(request, peer, &mut body)
}

/// Whether the answer is the examiner's signed word on the package, bound to the request.
fn is_receipt(sites: &TwoSites, request: &Request, response: &Response) -> bool {
    let (key, now) = (sites.keys.examiner_signs.verifying_key(), claimwire::model::Timestamp::now());
    response.status() == 200 && verify_response(request, response, &key, now, Duration::from_secs(60)).is_ok()
}

#[test]
fn a_bearer_token_stands_in_for_the_signature() {
    let sites = by_token();
    let delivery = delivery(&sites);
    let request = bearing(delivery.unsigned(), TOKEN);
    let response = answer(&sites, &request, &Peer::unknown(), &delivery.body);
    assert!(is_receipt(&sites, &request, &response), "{response:?}");
    sites.examiner.exchange.unpack(delivery.id(), "front desk", &()).unwrap();
    assert_eq!(sites.examiner.file(&id("ON-INS/C-1")).notes.len(), 1);

    // Delivered again, and asked after, by the same token.
    let again = answer(&sites, &request, &Peer::unknown(), &delivery.body);
    assert_eq!(receipt_in(&again).unwrap().state, ReceiptState::Unpacked);
    let question = Request::new("GET", &Route::State(delivery.id()).path("")).unwrap();
    let told = answer(&sites, &bearing(question.clone(), TOKEN), &Peer::unknown(), b"");
    assert_eq!(receipt_in(&told).unwrap().state, ReceiptState::Unpacked);
    let stranger = answer(&sites, &bearing(question, &"x".repeat(34)), &Peer::unknown(), b"");
    assert_eq!(refusal(&stranger).kind, ErrorKind::UnknownSender);

    // The history says what proved it, and never shows the token.
    let entries = trail(&sites.examiner, delivery.id());
    assert!(entries[0].outcome.ends_with("not signed, proved by its bearer token"), "{}", entries[0].outcome);
    let shown = format!("{entries:?} {:?}", sites.examiner.exchange);
    assert!(!shown.contains(TOKEN));
}

#[test]
fn without_the_agreed_token_an_unsigned_delivery_is_refused_unread() {
    let sites = by_token();
    let delivery = delivery(&sites);
    let unsigned = delivery.unsigned();
    let mut twice = bearing(unsigned.clone(), TOKEN);
    twice.headers_mut().append("authorization", format!("Bearer {TOKEN}")).unwrap();
    for request in [unsigned.clone(), bearing(unsigned.clone(), &TOKEN[1..]), bearing(unsigned, "x"), twice] {
        let mut body = CountedBody::of(1000);
        let refused = refusal(&sites.examiner.exchange.answer(&request, &Peer::unknown(), &mut body));
        assert_eq!((refused.status, refused.kind, body.read), (401, ErrorKind::UnknownSender, 0));
        assert!(!refused.said.contains(TOKEN));
    }
    assert!(stored(&sites.examiner).is_empty());
}

#[test]
fn a_token_opens_nothing_where_the_settings_do_not_name_it() {
    let sites = TwoSites::new();
    let delivery = delivery(&sites);
    let request = bearing(delivery.unsigned(), TOKEN);
    let refused = refusal(&answer(&sites, &request, &Peer::unknown(), &delivery.body));
    assert_eq!((refused.status, refused.kind), (401, ErrorKind::UnknownSender));
}

#[test]
fn a_bad_signature_is_refused_in_spite_of_the_token() {
    let sites = by_token();
    let delivery = delivery(&sites);
    let thief = delivery.clone().with(|it| it.signer = sites.keys.examiner_signs.clone());
    let refused =
        refusal(&answer(&sites, &bearing(thief.request(), TOKEN), &Peer::unknown(), &delivery.body));
    assert_eq!(refused.status, 401);
    // A good one needs no token.
    let request = delivery.request();
    assert!(is_receipt(&sites, &request, &post(&sites.examiner, &request, &delivery.body)));
}

#[test]
fn a_token_is_one_partner_s_and_no_other_s() {
    let (mut sites, third) = with_a_third();
    let insurer = Partner::clone(&sites.examiner.exchange.partner(sites.insurer.site()).unwrap());
    sites.examiner.exchange.set_partner(insurer.accept_unsigned(Credential::bearer_token(TOKEN).unwrap()));
    sites.keys.insurer_signs = third;
    let as_third = delivery(&sites).with(|it| it.envelope.from = third_site());
    let request = bearing(as_third.unsigned(), TOKEN);
    let refused = refusal(&answer(&sites, &request, &Peer::unknown(), &as_third.body));
    assert_eq!(refused.kind, ErrorKind::UnknownSender, "the third has to sign");
}

#[test]
fn a_receipt_is_always_signed() {
    let sites = TwoSites::with(Setup {
        insurer_of_examiner: Box::new(|partner| {
            partner.accept_unsigned(Credential::bearer_token(TOKEN).unwrap())
        }),
        ..Setup::default()
    });
    let claim = sites.claim_at_insurer();
    let package = sites.export(&claim).unwrap().package.id;
    let sent = sites.insurer.exchange.send(package, &()).unwrap();
    let (mut request, json) = receipt_request(&word_on(package, &sent.sha256), &sites.keys.examiner_signs);
    for name in ["signature", "signature-input"] {
        request.headers_mut().remove(name);
    }
    let request = bearing(request, TOKEN);
    let refused = refusal(&sites.insurer.exchange.answer(&request, &Peer::unknown(), &mut json.as_slice()));
    assert_eq!(refused.kind, ErrorKind::UnknownSender);
    assert!(sites.insurer.exchange.outgoing(package).unwrap().last_receipt.is_none());
}

/// The examiner's word on an insurer that cannot sign, as an administrator writes it.
fn settings(unsigned: &str) -> PartnerSettings {
    PartnerSettings::from_toml(&format!(
        "site = \"ON-INS\"\nnumber = 1\nalias = \"Northern Mutual\"\n[keys.unsigned]\n{unsigned}\n\
         [[keys.incoming]]\nversion = 1\nsuite = \"des-md5\"\nframing = \"salt-prefix\"\nsecret = {{ host = \"sealed\" }}\n"
    ))
    .unwrap()
}

fn secrets() -> LocalSecrets {
    LocalSecrets::new().with_host(|name| {
        Ok(SecretText::new(if name == "sealed" { "legacy-Secret1" } else { TOKEN }.to_owned()))
    })
}

#[test]
fn over_tls_a_client_certificate_that_the_settings_name_is_the_sender() {
    let sites = TwoSites::new();
    let (servers, clients) = (Authority::new(), Authority::new());
    let (known, other) = (clients.client(), clients.client());
    let fingerprint = Peer::unknown().with_certificate(known.der.clone()).fingerprint().unwrap();
    let settings = settings(&format!("certificate_sha256 = \"{fingerprint}\""));
    sites.examiner.exchange.set_partner(settings.to_partner(&secrets()).unwrap());

    let server = servers.server();
    let tls = TlsSettings::new(server.chain, server.key).accept_client_certificates(clients.pem.as_str());
    let endpoint = Arc::new(sites.examiner.exchange.clone());
    let running = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default()).unwrap();
    let https = || {
        HttpsSettings::new(&format!("https://127.0.0.1:{}", running.local_addr().port()))
            .unwrap()
            .root_certificates(servers.pem.as_str())
    };
    // The transport declares the length itself.
    let delivery = delivery(&sites).with(|it| it.declared = None);
    let request = delivery.unsigned();
    let send = |settings: HttpsSettings| {
        let mut body = delivery.body.as_slice();
        let body = Body::new(delivery.body.len() as u64, &mut body);
        match HttpsTransport::new(settings).unwrap().send(&request, body).unwrap() {
            Reply::Answered(response) => response,
            reply => panic!("{reply:?}"),
        }
    };
    for stranger in [https(), https().client_certificate(other.chain, other.key)] {
        assert_eq!(refusal(&send(stranger)).kind, ErrorKind::UnknownSender);
    }
    let response = send(https().client_certificate(known.chain, known.key));
    assert!(is_receipt(&sites, &request, &response), "{response:?}");
    let incoming = sites.examiner.exchange.incoming(delivery.id()).unwrap();
    assert_eq!(incoming.state, IncomingState::Received);
    let entry = sites.examiner.exchange.history(&HistoryQuery::new().limit(1)).unwrap().swap_remove(0);
    assert!(entry.outcome.ends_with("proved by its client certificate"), "{}", entry.outcome);
}

#[test]
fn the_token_of_the_settings_comes_from_its_secret_place() {
    let sites = TwoSites::new();
    let settings = settings("token = { host = \"token\" }");
    sites.examiner.exchange.set_partner(settings.to_partner(&secrets()).unwrap());
    let sealed = encrypt_bytes(&sites.keys.legacy.clone().into(), &Parts::new().archive()).unwrap();
    let delivery = Delivery::new(&sites, sealed);
    let response = answer(&sites, &bearing(delivery.unsigned(), TOKEN), &Peer::unknown(), &delivery.body);
    assert_eq!(response.status(), 200, "{response:?}");
    assert!(!format!("{settings:?} {}", settings.to_json().unwrap()).contains(TOKEN));
    assert_eq!(PartnerSettings::from_json(&settings.to_json().unwrap()).unwrap(), settings);

    let short = LocalSecrets::new().with_host(|_| Ok(SecretText::new("hunter2".to_owned())));
    let error = settings.to_partner(&short).unwrap_err();
    assert!(
        error.details()[0].message.starts_with("keys.unsigned: ") && !error.to_string().contains("hunter2"),
        "{error}"
    );
}
