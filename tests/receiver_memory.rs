//! A large body streams through in constant memory. Alone in its file, since it measures its whole process.
#![cfg(all(feature = "https", feature = "receiver", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod transport_tls;

use claimwire::protocol::DigestReader;
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use std::io::{self, Read};
use std::sync::Arc;
use transport_tls::{Answering, Authority, ok, post};

const LENGTH: u64 = 96 * 1024 * 1024;

/// What both ends together may take: the sender's and the receiver's buffers, TLS, and threads.
const MOST_KIB: u64 = 16 * 1024;

/// The most memory this process ever had resident, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn a_large_body_streams_through_in_constant_memory() {
    let endpoint = Answering(|_: &_, _: &_, body: &mut dyn Read| {
        let mut body = DigestReader::new(body);
        let length = io::copy(&mut body, &mut io::sink()).unwrap();
        ok(format!("{length} {}", body.finish()))
    });
    let authority = Authority::new();
    let server = authority.server();
    let tls = TlsSettings::new(server.chain, server.key);
    let running =
        Receiver::bind("127.0.0.1:0", tls, Arc::new(endpoint), ReceiverSettings::default()).unwrap();
    let url = format!("https://localhost:{}", running.local_addr().port());
    let settings = HttpsSettings::new(&url).unwrap().root_certificates(authority.pem.as_str());
    let transport = HttpsTransport::new(settings).unwrap();
    let send = |length: u64| match transport.send(&post(), Body::new(length, &mut io::repeat(7).take(length)))
    {
        Ok(Reply::Answered(response)) => String::from_utf8(response.body().to_vec()).unwrap(),
        other => panic!("{other:?}"),
    };

    let before = peak_kib();
    let answer = send(LENGTH);
    let grown = peak_kib() - before;

    let mut expected = DigestReader::new(io::repeat(7).take(LENGTH));
    io::copy(&mut expected, &mut io::sink()).unwrap();
    assert_eq!(answer, format!("{LENGTH} {}", expected.finish()));
    eprintln!("{LENGTH} bytes sent and received: memory grew by {grown} KiB");
    assert!(grown < MOST_KIB, "grew by {grown} KiB");
}
