//! What a connection is made with: TLS private keys of both ends, and bearer tokens on their way.

use super::process::{Lent, Secret};
use super::transport_tls::{Answering, Authority, ok, post};
use super::{base64, noise, nothing_is_left};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport as _};
use std::sync::Arc;
use std::time::Duration;

const PATIENT: Duration = Duration::from_secs(10);

/// What a process plays.
pub(crate) fn play(case: &str, lent: &Lent) -> Vec<u8> {
    match case {
        "a client's key" => {
            let settings = trusting(lent, |url| HttpsSettings::new(url).unwrap());
            let settings = lent.lend_text("chain", |chain| {
                lent.lend_text("key", |key| settings.client_certificate(chain, key))
            });
            asks(settings);
        }
        "a token on its way" => {
            let settings = trusting(lent, |url| HttpsSettings::new(url).unwrap());
            asks(lent.lend_text("token", |token| settings.bearer_token(token)));
        }
        "a receiver's key" => {
            let tls =
                lent.lend_text("chain", |chain| lent.lend_text("key", |key| TlsSettings::new(chain, key)));
            let running = receives(tls.clone());
            drop(tls);
            asks(trusting(lent, |_| HttpsSettings::new(&address(&running)).unwrap()));
            running.shutdown(PATIENT).unwrap();
        }
        other => panic!("no such case: {other}"),
    }
    Vec::new()
}

fn trusting(lent: &Lent, settings: impl FnOnce(&str) -> HttpsSettings) -> HttpsSettings {
    let settings = lent.lend_text("url", settings);
    lent.lend_text("roots", |roots| settings.root_certificates(roots))
}

fn asks(settings: HttpsSettings) {
    let transport = HttpsTransport::new(settings.clone()).unwrap();
    drop(settings);
    for _ in 0..2 {
        let mut body = &b"sealed"[..];
        let sent = transport.send(&post(), Body::new(body.len() as u64, &mut body)).unwrap();
        let Reply::Answered(answer) = sent else { panic!("no answer") };
        assert_eq!(answer.status(), 200);
    }
}

fn receives(tls: TlsSettings) -> Running {
    let endpoint = Answering(|_: &_, _: &_, body: &mut dyn std::io::Read| {
        std::io::copy(body, &mut std::io::sink()).unwrap();
        ok("seen")
    });
    Receiver::bind("127.0.0.1:0", tls, Arc::new(endpoint), ReceiverSettings::default()).unwrap()
}

fn address(running: &Running) -> String {
    format!("https://127.0.0.1:{}", running.local_addr().port())
}

/// A receiver of this process, and what another one is lent to reach it.
fn reachable(servers: &Authority, clients: &Authority) -> (Running, Vec<Secret>) {
    let server = servers.server();
    let running =
        receives(TlsSettings::new(server.chain, server.key).accept_client_certificates(clients.pem.as_str()));
    let lent = vec![("url", address(&running).into_bytes()), ("roots", servers.pem.clone().into_bytes())];
    (running, lent)
}

#[test]
fn of_a_clients_tls_key_nothing_is_left() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let (running, mut lent) = reachable(&servers, &clients);
    let client = clients.client();
    let sought = forms_of(&client.key);
    lent.extend([("chain", client.chain.into_bytes()), ("key", client.key.into_bytes())]);
    nothing_is_left("a client's key", lent, |_| sought);
    running.shutdown(PATIENT).unwrap();
}

#[test]
fn of_a_receivers_tls_key_nothing_is_left() {
    let servers = Authority::new();
    let server = servers.server();
    let sought = forms_of(&server.key);
    let lent = vec![
        ("url", b"https://127.0.0.1".to_vec()),
        ("roots", servers.pem.into_bytes()),
        ("chain", server.chain.into_bytes()),
        ("key", server.key.into_bytes()),
    ];
    nothing_is_left("a receiver's key", lent, |_| sought);
}

#[test]
fn of_a_token_that_was_sent_nothing_is_left() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let (running, mut lent) = reachable(&servers, &clients);
    let token = base64(&noise(11, 48));
    lent.push(("token", token.clone().into_bytes()));
    nothing_is_left("a token on its way", lent, |_| vec![("the token", token.into_bytes())]);
    running.shutdown(PATIENT).unwrap();
}

/// Every form that the private key of a certificate takes; it is on P-256 and in PEM (PKCS #8).
pub(crate) fn forms_of(pem: &str) -> Vec<Secret> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = super::decoded(&text);
    // Before it stand the names of the algorithms, behind it is the public key.
    let start = der.windows(5).position(|window| window == [2, 1, 1, 4, 32]).unwrap() + 5;
    let scalar = &der[start..start + 32];
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    assert_eq!(start % 3, 0, "the base64 of the key begins with it");
    vec![
        ("the key", scalar.to_vec()),
        ("the base64", text.as_bytes()[start / 3 * 4..][..40].to_vec()),
        ("the limbs", reversed(scalar)),
        ("the Montgomery form", reversed(&in_montgomery_form(scalar))),
    ]
}

/// The scalar times 2^256, modulo the order of P-256.
fn in_montgomery_form(scalar: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut value = scalar.to_vec();
    for _ in 0..256 {
        let mut carry = 0;
        for byte in value.iter_mut().rev() {
            let doubled = u16::from(*byte) << 1 | carry;
            (*byte, carry) = (doubled.to_le_bytes()[0], doubled >> 8);
        }
        if carry == 1 || value.as_slice() >= &ORDER[..] {
            let mut borrow = 0;
            for (byte, less) in value.iter_mut().zip(ORDER).rev() {
                let difference = 0x100 + u16::from(*byte) - u16::from(less) - borrow;
                (*byte, borrow) = (difference.to_le_bytes()[0], 1 - (difference >> 8));
            }
        }
    }
    value
}
