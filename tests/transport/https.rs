//! The HTTPS transport against partners that are not there, too slow, or speak something else.

use claimwire::protocol::Request;
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Timeouts, Transport};
use claimwire::{Error, ErrorKind};
use rcgen::{CertificateParams, KeyPair};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

/// A partner on loopback that does what the function does with its one connection.
fn partner<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, std::thread::spawn(move || serve(listener.accept().unwrap().0)))
}

fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn send(settings: HttpsSettings, body: &[u8]) -> Result<Reply, Error> {
    let request = Request::new("POST", "/packages").unwrap();
    HttpsTransport::new(settings)?.send(&request, Body::new(body.len() as u64, &mut &body[..]))
}

fn impatient(settings: HttpsSettings) -> HttpsSettings {
    let mut timeouts = Timeouts::default();
    timeouts.first_byte = Some(Duration::from_millis(200));
    settings.timeouts(timeouts)
}

#[test]
fn nobody_there_is_unreachable_and_may_pass() {
    // The near end of a connection: its port is taken, so that no test beside this one is given it to listen on.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = taken.local_addr().unwrap();
    let error = send(HttpsSettings::new(&format!("http://{address}")).unwrap(), b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.is_retryable() && error.to_string().contains("127.0.0.1"), "{error}");
}

#[test]
fn a_silent_partner_is_given_up() {
    let (url, silent) = partner(|mut stream| {
        head_of(&mut stream);
        // Holds the connection until the sender closes it.
        io::copy(&mut stream, &mut io::sink())
    });
    let error = send(impatient(HttpsSettings::new(&url).unwrap()), b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    silent.join().unwrap().unwrap();
}

#[test]
fn a_body_is_announced_and_its_refusal_heard_before_it_is_sent() {
    let (url, refusing) = partner(|mut stream| {
        let head = head_of(&mut stream);
        stream.write_all(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        let rest = io::copy(&mut stream, &mut io::sink()).unwrap();
        (head.to_lowercase(), rest)
    });
    let settings = HttpsSettings::new(&url).unwrap().bearer_token("open sesame");
    let reply = send(settings, &[7; 500_000]).unwrap();
    assert!(matches!(reply, Reply::Answered(response) if response.status() == 413));
    let (head, rest) = refusing.join().unwrap();
    assert_eq!(rest, 0, "bytes of the body");
    for field in ["expect: 100-continue", "content-length: 500000", "authorization: bearer open sesame"] {
        assert!(head.contains(field), "{head}");
    }
    assert!(head.contains(&format!("user-agent: claimwire/{}", env!("CARGO_PKG_VERSION"))), "{head}");
}

#[test]
fn an_answer_larger_than_an_answer_may_be_is_refused() {
    let (url, large) = partner(|mut stream| {
        head_of(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n").unwrap();
        // Writes until the sender has had enough.
        let _ = io::copy(&mut io::repeat(b'x').take(9_000_000), &mut stream);
    });
    let error = send(HttpsSettings::new(&url).unwrap(), b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadMessage, "{error}");
    large.join().unwrap();
}

#[test]
fn what_is_no_http_or_breaks_off_is_an_error() {
    for (answer, kind) in [
        ("", ErrorKind::Unreachable),
        ("SSH-2.0-OpenSSH_9.7\r\n\r\n", ErrorKind::BadMessage),
        ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", ErrorKind::Unreachable),
    ] {
        let (url, odd) = partner(move |mut stream| {
            head_of(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let error = send(HttpsSettings::new(&url).unwrap(), b"").unwrap_err();
        assert_eq!(error.kind(), kind, "{answer:?}: {error}");
        odd.join().unwrap();
    }
}

#[test]
fn a_cut_body_reaches_the_partner_as_a_broken_connection() {
    let (url, reading) = partner(|mut stream| {
        head_of(&mut stream);
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        io::copy(&mut stream, &mut io::sink()).unwrap_or_default()
    });
    let transport = HttpsTransport::new(HttpsSettings::new(&url).unwrap()).unwrap();
    let request = Request::new("POST", "/packages").unwrap();
    let error = transport.send(&request, Body::new(100_000, &mut &[7; 90_000][..])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(reading.join().unwrap() <= 90_000);
}

#[test]
fn a_proxy_is_asked_only_when_it_is_set() {
    let (proxy, asked) = partner(|mut stream| {
        let head = head_of(&mut stream);
        stream.write_all(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        head
    });
    let (key, params) = (KeyPair::generate().unwrap(), CertificateParams::new(Vec::new()).unwrap());
    let root = params.self_signed(&key).unwrap().pem();
    let settings = HttpsSettings::new("https://localhost:9/claimwire").unwrap().root_certificates(root);
    send(settings.proxy(proxy).bearer_token("sesame"), b"").unwrap_err();
    let head = asked.join().unwrap();
    assert!(head.starts_with("CONNECT localhost:9 ") && !head.contains("sesame"), "{head}");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_with_what_can() {
    let local = HttpsSettings::new("http://localhost:9/claimwire").unwrap();
    let remote = HttpsSettings::new("https://localhost:9/claimwire").unwrap();
    for (settings, says) in [
        (local.proxy("http://127.0.0.1:3128"), "without a proxy"),
        (remote.clone().proxy("https://127.0.0.1:3128"), "neither https:// nor SOCKS"),
        (remote.proxy("socks5://127.0.0.1:1080"), "neither https:// nor SOCKS"),
    ] {
        let error = HttpsTransport::new(settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

/// Where the other process of the test finds its partner.
const PARTNER: &str = "CLAIMWIRE_TEST_PARTNER";

#[test]
fn plain_http_stays_on_this_machine_whatever_the_environment_says() {
    if let Ok(url) = std::env::var(PARTNER) {
        let settings = HttpsSettings::new(&url).unwrap().proxy_from_environment();
        let reply = send(settings.bearer_token("sesame"), b"").unwrap();
        assert!(matches!(reply, Reply::Answered(response) if response.status() == 204));
        return;
    }
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let (url, asked) = partner(|mut stream| {
        let head = head_of(&mut stream);
        stream.write_all(b"HTTP/1.1 204 Yes\r\nConnection: close\r\n\r\n").unwrap();
        head
    });
    let mut there = Command::new(std::env::current_exe().unwrap());
    there.args(["--exact", "https::plain_http_stays_on_this_machine_whatever_the_environment_says"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"] {
        there.env(name, format!("http://{}", proxy.local_addr().unwrap()));
    }
    let there = there.env_remove("NO_PROXY").env_remove("no_proxy").env(PARTNER, url);
    let output = there.output().unwrap();
    assert_eq!(proxy.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "the proxy was asked");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(asked.join().unwrap().to_lowercase().contains("authorization: bearer sesame"));
}

#[test]
fn a_token_is_taken_without_its_line_end_and_refused_where_no_header_can_hold_it() {
    for token in ["open sesame\n", "open sesame\r\n", "open sesame"] {
        let (url, asked) = partner(|mut stream| {
            let head = head_of(&mut stream);
            stream.write_all(b"HTTP/1.1 204 Yes\r\nConnection: close\r\n\r\n").unwrap();
            head
        });
        send(HttpsSettings::new(&url).unwrap().bearer_token(token), b"").unwrap();
        assert!(asked.join().unwrap().to_lowercase().contains("authorization: bearer open sesame\r\n"));
    }
    for token in ["open\nsesame", "open sesame\n\n", "open sesame\r", "open\u{0}sesame"] {
        let settings = HttpsSettings::new("http://localhost:9").unwrap().bearer_token(token);
        let error = HttpsTransport::new(settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{token:?}");
        assert!(
            error.to_string().contains("no header may") && !error.to_string().contains("sesame"),
            "{error}"
        );
    }
}
