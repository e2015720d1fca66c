//! What a stranger can cost: bodies, heads, connections and time are bounded, and each refusal says why.

use crate::transport_tls::{Answering, Authority, Tls, answer_of, ok, post};
use claimwire::protocol::{Digest, DigestReader, Endpoint, Peer, Problem, Response};
use claimwire::receiver::{Receiver, ReceiverSettings, Running, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Reply, Transport};
use claimwire::{Error, ErrorKind};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

struct Site {
    authority: Authority,
    running: Running,
}

fn site(endpoint: impl Endpoint + 'static, settings: ReceiverSettings) -> Site {
    let authority = Authority::new();
    let server = authority.server();
    let tls = TlsSettings::new(server.chain, server.key);
    let running = Receiver::bind("127.0.0.1:0", tls, Arc::new(endpoint), settings).unwrap();
    Site { authority, running }
}

impl Site {
    fn transport(&self) -> HttpsTransport {
        let url = format!("https://localhost:{}", self.running.local_addr().port());
        let settings = HttpsSettings::new(&url).unwrap();
        HttpsTransport::new(settings.root_certificates(self.authority.pem.as_str())).unwrap()
    }

    fn send(&self, length: u64, body: &mut dyn Read) -> Response {
        match self.transport().send(&post(), Body::new(length, body)).unwrap() {
            Reply::Answered(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// A bare TLS connection, to say what no transport would.
    fn connect(&self) -> Tls {
        let stream = TcpStream::connect(self.running.local_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        self.authority.connect(stream)
    }
}

fn settings(change: impl FnOnce(&mut ReceiverSettings)) -> ReceiverSettings {
    let mut settings = ReceiverSettings::default();
    change(&mut settings);
    settings
}

/// Reads the body to its end and says what came.
fn reading() -> impl Endpoint {
    reading_after(channel().0)
}

/// The same, and tells once it is proven who asks.
fn reading_after(entered: Sender<()>) -> impl Endpoint {
    Answering(move |_: &_, peer: &Peer, body: &mut dyn Read| {
        peer.proven(&"ON-INS".parse().unwrap()).unwrap();
        // Not every test listens.
        let _ = entered.send(());
        let mut body = DigestReader::new(body);
        match io::copy(&mut body, &mut io::sink()) {
            Ok(length) => ok(format!("{length} {}", body.finish())),
            Err(error) => Problem::from_error(&Error::from(error)).to_response(),
        }
    })
}

fn kind(response: &Response) -> Option<ErrorKind> {
    Problem::from_response(response).kind()
}

#[test]
fn a_declared_oversize_is_refused_before_it_is_read() {
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let endpoint = Answering(move |_: &_, _: &_, _: &mut dyn Read| {
        *count.lock().unwrap() += 1;
        ok("")
    });
    let site = site(endpoint, settings(|limits| limits.max_body_bytes = 1000));
    let answer = site.send(3_000_000, &mut io::repeat(1).take(3_000_000));
    assert_eq!((answer.status(), kind(&answer)), (413, Some(ErrorKind::SealedTooLarge)));
    assert_eq!(*asked.lock().unwrap(), 0);
    assert_eq!(site.send(1000, &mut io::repeat(1).take(1000)).status(), 200);
}

#[test]
fn an_undeclared_oversize_is_refused_while_it_is_counted() {
    let site = site(reading(), settings(|limits| limits.max_body_bytes = 1000));
    let mut stream = site.connect();
    stream.write_all(b"POST /packages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    for _ in 0..3 {
        stream.write_all(b"190\r\n").unwrap();
        stream.write_all(&[b'x'; 0x190]).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let answer = answer_of(stream);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("urn:claimwire:problem:sealed-too-large"), "{answer}");
}

#[test]
fn a_body_with_two_lengths_is_refused() {
    let site = site(reading(), ReceiverSettings::default());
    for (line, lengths) in [
        ("POST /packages HTTP/1.1\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("POST /packages HTTP/1.1\r\n", "transfer-encoding: chunked\r\nX: y\r\ncontent-length: 5\r\n\r\n"),
        // What the HTTP library takes for a head as well.
        ("\r\n\r\nPOST /packages HTTP/1.1\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("POST /packages HTTP/1.1\n", "Content-Length: 5\nTransfer-Encoding: chunked\n\r\n"),
    ] {
        let mut stream = site.connect();
        write!(stream, "{line}Host: x\r\n{lengths}5\r\nclaim\r\n0\r\n\r\n").unwrap();
        let answer = answer_of(stream);
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("Transfer-Encoding"), "{answer}");
    }
}

#[test]
fn a_refusal_reaches_a_sender_that_does_not_wait_for_it() {
    let endpoint = Answering(|_: &_, _: &_, _: &mut dyn Read| {
        Problem::from_error(&Error::new(ErrorKind::UnknownSender, "who are you?")).to_response()
    });
    let site = site(endpoint, ReceiverSettings::default());
    let mut stream = site.connect();
    write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n").unwrap();
    // The whole body is written although the answer has long been given: the receiver reads and drops it.
    io::copy(&mut io::repeat(b'x').take(8_000_000), &mut stream).unwrap();
    let answer = answer_of(stream);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
}

#[test]
fn nothing_of_a_body_is_asked_for_before_the_endpoint_reads() {
    let site = site(Answering(|_: &_, _: &_, _: &mut dyn Read| ok("unread")), ReceiverSettings::default());
    let mut stream = site.connect();
    write!(stream, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        .unwrap();
    let answer = answer_of(stream);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("unread"), "{answer}");
}

#[test]
fn slow_heads_and_silent_connections_are_closed() {
    let limits = settings(|limits| limits.header_deadline = Duration::from_millis(300));
    let site = site(reading(), limits);
    let started = Instant::now();
    let mut halfway = site.connect();
    halfway.write_all(b"POST /packages HTTP/1.1\r\nHost:").unwrap();
    let answer = answer_of(halfway);
    assert!(!answer.contains("200 OK"), "{answer}");
    // A connection that never begins TLS.
    assert_eq!(answer_of(TcpStream::connect(site.running.local_addr()).unwrap()), "");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn endless_heads_are_refused() {
    let site = site(reading(), ReceiverSettings::default());
    for field in [format!("X: {}\r\n", "y".repeat(80 * 1024)), "X: y\r\n".repeat(200)] {
        let mut stream = site.connect();
        let _ = write!(stream, "GET / HTTP/1.1\r\nHost: x\r\n{field}\r\n");
        let answer = answer_of(stream);
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[test]
fn a_body_that_stands_still_is_given_up() {
    let limits = settings(|limits| limits.body_idle = Duration::from_millis(200));
    let site = site(reading(), limits);
    let mut stream = site.connect();
    write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf").unwrap();
    let answer = answer_of(stream);
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("timed-out"), "{answer}");
}

#[test]
fn a_connection_that_breaks_is_no_end_of_a_body() {
    let (tell, told) = channel();
    let endpoint = Answering(move |_: &_, _: &_, body: &mut dyn Read| {
        let mut bytes = Vec::new();
        tell.send(body.read_to_end(&mut bytes).map_err(|error| Error::from(error).kind())).unwrap();
        ok("")
    });
    let site = site(endpoint, ReceiverSettings::default());
    let mut stream = site.connect();
    write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf").unwrap();
    stream.flush().unwrap();
    drop(stream);
    assert_eq!(told.recv().unwrap(), Err(ErrorKind::Truncated));
}

#[test]
fn more_requests_than_there_may_be_are_asked_to_come_back() {
    let (entered, is_in) = channel();
    let (release, wait) = sync_channel::<()>(0);
    let wait = Mutex::new(wait);
    let endpoint = Answering(move |_: &_, peer: &Peer, _: &mut dyn Read| {
        if let Err(error) = peer.proven(&"ON-INS".parse().unwrap()) {
            return Problem::from_error(&error).to_response();
        }
        entered.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
        ok("done")
    });
    let site = site(endpoint, settings(|limits| limits.max_requests = 1));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| site.send(0, &mut io::empty()));
        is_in.recv().unwrap();
        let second = site.send(0, &mut io::empty());
        assert_eq!(second.status(), 503);
        assert!(second.headers().get("retry-after").is_some());
        assert!(Problem::from_response(&second).into_error("IMEX").is_retryable());
        release.send(()).unwrap();
        assert_eq!(first.join().unwrap().body(), b"done");
    });
}

#[test]
fn more_connections_of_partners_than_there_may_be_are_closed() {
    let (entered, is_in) = channel();
    let site = site(reading_after(entered), settings(|limits| limits.max_connections = 1));
    let mut first = site.connect();
    write!(first, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\ncl").unwrap();
    first.flush().unwrap();
    is_in.recv().unwrap();
    let error = site.transport().send(&post(), Body::new(0, &mut io::empty())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    first.write_all(b"aim").unwrap();
    assert!(answer_of(first).contains(&Digest::of(b"claim").to_string()));
}

#[test]
fn a_shutdown_lets_a_running_request_finish_and_takes_no_new_one() {
    let (entered, is_in) = channel();
    let endpoint = Answering(move |_: &_, peer: &Peer, body: &mut dyn Read| {
        // One that proved nothing may be turned out by the many that connect below.
        peer.proven(&"ON-INS".parse().unwrap()).unwrap();
        entered.send(()).unwrap();
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).unwrap();
        ok(bytes)
    });
    let site = site(endpoint, ReceiverSettings::default());
    let address = site.running.local_addr();
    let mut stream = site.connect();
    write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\ncl").unwrap();
    stream.flush().unwrap();
    is_in.recv().unwrap();
    let stopping = std::thread::spawn(move || site.running.shutdown(Duration::from_secs(20)));
    // The listener is gone before the running request is.
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(b"aim").unwrap();
    let answer = answer_of(stream);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("claim"), "{answer}");
    stopping.join().unwrap().unwrap();
}

#[test]
fn a_shutdown_does_not_wait_past_its_deadline() {
    let site = site(reading(), ReceiverSettings::default());
    let mut stream = site.connect();
    write!(stream, "POST /packages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\ncl").unwrap();
    stream.flush().unwrap();
    let started = Instant::now();
    site.running.shutdown(Duration::from_millis(50)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!answer_of(stream).contains("200 OK"));
}

#[test]
fn an_endpoint_that_panics_costs_one_answer() {
    let endpoint = Answering(|request: &claimwire::protocol::Request, _: &_, _: &mut dyn Read| {
        assert!(request.method() != "POST", "on purpose");
        ok("well")
    });
    let site = site(endpoint, ReceiverSettings::default());
    let answer = site.send(0, &mut io::empty());
    assert_eq!((answer.status(), kind(&answer)), (500, Some(ErrorKind::Internal)));
    let mut stream = site.connect();
    write!(stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(answer_of(stream).ends_with("well"));
}

#[test]
fn curl_posts_a_body() {
    let site = site(reading(), ReceiverSettings::default());
    let folder = tempfile::tempdir().unwrap();
    let (ca, body) = (folder.path().join("ca.pem"), folder.path().join("body"));
    std::fs::write(&ca, &site.authority.pem).unwrap();
    std::fs::write(&body, vec![b'z'; 2_000_000]).unwrap();
    let url = format!("https://localhost:{}/packages", site.running.local_addr().port());
    let run = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--cacert"])
        .arg(&ca)
        .arg("--data-binary")
        .arg(format!("@{}", body.display()))
        .arg(&url)
        .output();
    let output = match run {
        Err(error) if error.kind() == io::ErrorKind::NotFound && std::env::var_os("CI").is_none() => {
            eprintln!("skipped: no curl on this machine");
            return;
        }
        other => other.unwrap(),
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = format!("2000000 {}", Digest::of(&vec![b'z'; 2_000_000]));
    assert_eq!(said, expected, "{}", String::from_utf8_lossy(&output.stderr));
}
