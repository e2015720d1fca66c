//! Who comes in: certificates on both sides, and no plain http.

use crate::transport_tls::{Answering, Authority, Identity, ok, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claimwire::ErrorKind;
use claimwire::protocol::Peer;
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use rcgen::KeyPair;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Site {
    running: Running,
    asked: Arc<AtomicUsize>,
}

/// A site that answers with what the connection proves of its caller.
fn site(server: Identity, clients: impl FnOnce(TlsSettings) -> TlsSettings) -> Site {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let endpoint = Answering(move |_: &_, peer: &Peer, _: &mut dyn Read| {
        count.fetch_add(1, Ordering::SeqCst);
        assert!(peer.remote_address().unwrap().ip().is_loopback());
        ok(peer.fingerprint().unwrap_or_default())
    });
    let tls = clients(TlsSettings::new(server.chain, server.key));
    let running =
        Receiver::bind("127.0.0.1:0", tls, Arc::new(endpoint), ReceiverSettings::default()).unwrap();
    Site { running, asked }
}

fn settings(site: &Site, trusted: &Authority) -> HttpsSettings {
    HttpsSettings::new(&format!("https://127.0.0.1:{}", site.running.local_addr().port()))
        .unwrap()
        .root_certificates(trusted.pem.as_str())
}

fn send(settings: HttpsSettings) -> claimwire::Result<Reply> {
    HttpsTransport::new(settings)?.send(&post(), Body::new(5, &mut &b"claim"[..]))
}

#[test]
fn the_client_certificate_reaches_the_endpoint() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let client = clients.client();
    let fingerprint = Peer::unknown().with_certificate(client.der.clone()).fingerprint().unwrap();
    let site = site(servers.server(), |tls| tls.require_client_certificates(clients.pem.as_str()));
    let reply = send(settings(&site, &servers).client_certificate(client.chain, client.key)).unwrap();
    let Reply::Answered(response) = reply else { panic!("{reply:?}") };
    assert_eq!(response.body(), fingerprint.as_bytes());
}

#[test]
fn keys_of_every_kind_prove_both_ends() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let kinds = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
    for kind in kinds {
        let [server, client] = [(); 2].map(|()| KeyPair::generate_for(kind).unwrap());
        let (server, client) = (servers.server_with(&server), clients.client_with(&client));
        let site = site(server, |tls| tls.require_client_certificates(clients.pem.as_str()));
        send(settings(&site, &servers).client_certificate(client.chain, client.key)).unwrap();
    }
}

#[test]
fn a_key_is_found_between_other_texts_and_in_the_older_form() {
    let (servers, key) = (Authority::new(), KeyPair::generate().unwrap());
    let (server, der) = (servers.server_with(&key), key.serialize_der());
    // The inner octet string of PKCS #8 (RFC 5958) is the older form (RFC 5915).
    let older = format!(
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n",
        STANDARD.encode(&der[29..])
    );
    let commented = format!("our key\r\n{}\r\n{}", server.chain, server.key.replace('\n', "\r\n"));
    for key in [older, commented] {
        let identity = Identity { chain: server.chain.clone(), key, der: Vec::new() };
        let site = site(identity, |tls| tls);
        send(settings(&site, &servers)).unwrap();
    }
}

#[test]
fn without_a_client_certificate_nobody_reaches_an_endpoint_that_requires_one() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let site = site(servers.server(), |tls| tls.require_client_certificates(clients.pem.as_str()));
    let error = send(settings(&site, &servers)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCertificate, "{error}");
    assert_eq!(site.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_client_certificate_of_another_authority_is_refused_even_where_none_is_required() {
    let (servers, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let site = site(servers.server(), |tls| tls.accept_client_certificates(clients.pem.as_str()));
    let stranger = others.client();
    let error = send(settings(&site, &servers).client_certificate(stranger.chain, stranger.key)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCertificate, "{error}");
    assert_eq!(site.asked.load(Ordering::SeqCst), 0);
    let reply = send(settings(&site, &servers)).unwrap();
    assert!(matches!(reply, Reply::Answered(response) if response.body().is_empty()));
}

#[test]
fn a_server_certificate_of_another_authority_or_name_is_refused_before_anything_is_sent() {
    let (servers, others) = (Authority::new(), Authority::new());
    let trusted_elsewhere = site(others.server(), |tls| tls);
    let error = send(settings(&trusted_elsewhere, &servers)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCertificate, "{error}");
    let other_name = site(servers.server_for(&["exchange.example.com"]), |tls| tls);
    let error = send(settings(&other_name, &servers)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCertificate, "{error}");
    assert!(error.is_retryable(), "the site may get another one");
    assert_eq!(other_name.asked.load(Ordering::SeqCst) + trusted_elsewhere.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn plain_http_reaches_nobody() {
    let servers = Authority::new();
    let site = site(servers.server(), |tls| tls);
    let mut stream = TcpStream::connect(site.running.local_addr()).unwrap();
    stream.write_all(b"GET /packages HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is as good as an end: either way there is no HTTP answer.
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(site.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_renewed_certificate_is_shown_to_the_next_connection_while_an_open_one_goes_on() {
    let [old, new] = [(); 2].map(|()| Authority::new());
    let site = site(old.server(), |tls| tls);
    let mut open = old.connect(TcpStream::connect(site.running.local_addr()).unwrap());
    // All but the last line of the head: TLS is there, the request is not.
    open.write_all(b"POST /packages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n").unwrap();
    open.flush().unwrap();
    while open.conn.is_handshaking() {
        open.conn.complete_io(&mut open.sock).unwrap();
    }
    let renewed = new.server();
    site.running.set_tls(TlsSettings::new(renewed.chain, renewed.key)).unwrap();
    send(settings(&site, &new)).unwrap();
    assert_eq!(send(settings(&site, &old)).unwrap_err().kind(), ErrorKind::BadCertificate);
    open.write_all(b"\r\n").unwrap();
    let mut answer = Vec::new();
    // How the connection ends does not matter, once the answer is there.
    let _ = open.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(site.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn renewed_authorities_of_clients_count_from_the_next_connection_on() {
    let (servers, [old, new]) = (Authority::new(), [(); 2].map(|()| Authority::new()));
    let site = site(servers.server(), |tls| tls.require_client_certificates(old.pem.as_str()));
    let [old_client, new_client] = [&old, &new].map(Authority::client);
    let takes = |client: &Identity| {
        let settings = settings(&site, &servers);
        send(settings.client_certificate(client.chain.as_str(), client.key.as_str())).is_ok()
    };
    assert!(takes(&old_client) && !takes(&new_client));
    let server = servers.server();
    let renewed = TlsSettings::new(server.chain, server.key).require_client_certificates(new.pem.as_str());
    site.running.set_tls(renewed).unwrap();
    assert!(takes(&new_client) && !takes(&old_client));
}

#[test]
fn a_certificate_that_cannot_be_used_leaves_the_old_one_in_place() {
    let servers = Authority::new();
    let site = site(servers.server(), |tls| tls);
    let (server, other) = (servers.server(), servers.server());
    for tls in [
        TlsSettings::new(server.chain.as_str(), other.key),
        TlsSettings::new("", server.key.as_str()),
        TlsSettings::new(server.chain.as_str(), server.key.as_str()).require_client_certificates("none"),
    ] {
        assert_eq!(site.running.set_tls(tls).unwrap_err().kind(), ErrorKind::InvalidSettings);
        send(settings(&site, &servers)).unwrap();
    }
}

#[test]
fn wrong_tls_settings_are_told_before_anything_listens() {
    let servers = Authority::new();
    let (server, other) = (servers.server(), servers.server());
    let wrong = [
        TlsSettings::new(server.chain.as_str(), other.key.as_str()),
        TlsSettings::new("", server.key.as_str()),
        TlsSettings::new(server.chain.as_str(), "no key"),
        TlsSettings::new(server.chain.as_str(), server.key.split("-----END").next().unwrap()),
        TlsSettings::new(server.chain.as_str(), server.key.replace("MIG", "!!!")),
        TlsSettings::new(server.chain.as_str(), server.key.as_str()).require_client_certificates("none"),
    ];
    for tls in wrong {
        let endpoint = Arc::new(Answering(|_: &_, _: &_, _: &mut dyn Read| ok("")));
        let error = Receiver::bind("127.0.0.1:0", tls, endpoint, ReceiverSettings::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{error}");
    }
    let url = || HttpsSettings::new("https://localhost").unwrap();
    let wrong = [
        url(),
        url().root_certificates("no PEM"),
        url()
            .root_certificates(servers.pem.as_str())
            .client_certificate(server.chain.as_str(), other.key.as_str()),
        url().root_certificates(servers.pem.as_str()).client_certificate(server.chain.as_str(), "no key"),
        url().root_certificates(servers.pem.as_str()).proxy("not a proxy"),
        url().root_certificates(servers.pem.as_str()).proxy("socks5://127.0.0.1:1080"),
        url().root_certificates(servers.pem.as_str()).proxy("https://127.0.0.1:3128"),
        url().root_certificates(servers.pem.as_str()).bearer_token("two\nlines"),
    ];
    for settings in wrong {
        assert_eq!(HttpsTransport::new(settings).unwrap_err().kind(), ErrorKind::InvalidSettings);
    }
}
