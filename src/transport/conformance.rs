//! What every transport must do, as a suite that anybody can run against a transport of their own.
//!
//! ```
//! use claimwire::protocol::Endpoint;
//! use claimwire::transport::{MemoryTransport, Transport, conformance};
//! use std::sync::Arc;
//!
//! struct InMemory;
//!
//! impl conformance::Fixture for InMemory {
//!     fn connect(&self, endpoint: Arc<dyn Endpoint>) -> claimwire::Result<Box<dyn Transport>> {
//!         Ok(Box::new(MemoryTransport::new(endpoint)))
//!     }
//! }
//!
//! conformance::check(&InMemory).map_err(|failures| failures.join("\n"))?;
//! # Ok::<(), String>(())
//! ```

use super::{Body, Reply, Transport};
use crate::model::PackageId;
use crate::protocol::{Digest, Endpoint, MAX_ANSWER_BYTES, PROBLEM_MEDIA_TYPE, Peer, Request, Response};
use crate::{Error, ErrorKind, Result};
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How often a pending request is asked for before a case fails.
const MOST_ASKS: usize = 10;

/// Sets up a transport for the suite.
pub trait Fixture: Sync {
    /// A transport whose other end is this endpoint. Called once for each case; earlier ones are not used again.
    ///
    /// # Errors
    /// Whatever keeps the transport from being set up; it fails the case.
    fn connect(&self, endpoint: Arc<dyn Endpoint>) -> Result<Box<dyn Transport>>;

    /// Lets what is pending reach the endpoint: called before a pending request is asked for again.
    ///
    /// # Errors
    /// Whatever keeps it from getting there; it fails the case.
    fn settle(&self) -> Result<()> {
        Ok(())
    }
}

type Outcome = std::result::Result<(), String>;
type Case = (&'static str, fn(&dyn Fixture) -> Outcome);

const CASES: &[Case] = &[
    ("bodies arrive byte for byte, from empty to 3 MiB", bodies_arrive),
    ("method, path and header fields arrive as they were sent", heads_arrive),
    ("header fields of the answer come back as they were sent", answer_heads_come_back),
    ("a GET request has no body", get_has_no_body),
    ("every status is an answer", statuses_are_answers),
    ("redirects are not followed", redirects_are_not_followed),
    ("an answer that comes before the body was read is an answer", early_answers_come_back),
    ("a body that ends early is an error, and nobody takes it for whole", short_bodies_fail),
    ("a body that goes on past its length is an error, and nobody takes it for whole", long_bodies_fail),
    ("a body that cannot be read fails with its own error", broken_bodies_fail),
    ("the same request twice is answered twice", repeats_are_answered),
    ("several senders at once each get their own answer", senders_do_not_mix),
    ("an answer of the largest size comes back whole", largest_answers_come_back),
];

/// Runs every case; gives the names of those that failed, each with what happened.
///
/// # Errors
/// One line for each case that failed.
pub fn check(fixture: &dyn Fixture) -> std::result::Result<(), Vec<String>> {
    let failures: Vec<String> = CASES
        .iter()
        .filter_map(|(name, case)| case(fixture).err().map(|what| format!("{name}: {what}")))
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// An endpoint made of a function, which counts the bodies it read to their end.
struct Scripted<F> {
    script: F,
    whole_bodies: Arc<AtomicUsize>,
}

impl<F: Fn(&Request, Option<Vec<u8>>) -> Result<Response> + Send + Sync> Endpoint for Scripted<F> {
    fn answer(&self, request: &Request, _: &Peer, body: &mut dyn Read) -> Response {
        let mut bytes = Vec::new();
        let whole = body.read_to_end(&mut bytes).is_ok();
        if whole {
            self.whole_bodies.fetch_add(1, Ordering::SeqCst);
        }
        let answer = (self.script)(request, whole.then_some(bytes));
        answer.unwrap_or_else(|_| Response::bare(500))
    }
}

struct Setup {
    transport: Box<dyn Transport>,
    whole_bodies: Arc<AtomicUsize>,
}

fn setup(
    fixture: &dyn Fixture,
    script: impl Fn(&Request, Option<Vec<u8>>) -> Result<Response> + Send + Sync + 'static,
) -> std::result::Result<Setup, String> {
    let whole_bodies = Arc::new(AtomicUsize::new(0));
    let endpoint = Scripted { script, whole_bodies: whole_bodies.clone() };
    let transport = fixture.connect(Arc::new(endpoint)).map_err(|error| format!("no transport: {error}"))?;
    Ok(Setup { transport, whole_bodies })
}

fn post(transport: &dyn Transport) -> Result<Request> {
    let mut request = Request::new("POST", &format!("{}/packages", transport.base_path()))?;
    request.headers_mut().append("idempotency-key", format!("\"{}\"", PackageId::generate()))?;
    Ok(request)
}

/// Sends until there is an answer, from a fresh body each time.
fn ask(
    fixture: &dyn Fixture,
    transport: &dyn Transport,
    request: &Request,
    bytes: &[u8],
) -> Result<Response> {
    for _ in 0..MOST_ASKS {
        let mut reader = bytes;
        match transport.send(request, Body::new(bytes.len() as u64, &mut reader))? {
            Reply::Answered(response) => return Ok(response),
            Reply::Collected { request: earlier, response } if earlier == *request => return Ok(response),
            Reply::Collected { .. } => {
                return Err(Error::new(ErrorKind::BadMessage, "the answer belongs to another request"));
            }
            Reply::Pending => fixture.settle()?,
        }
    }
    Err(Error::new(ErrorKind::TimedOut, format!("still pending after {MOST_ASKS} tries")))
}

fn said(error: Error) -> String {
    format!("{} ({error})", error.kind().name())
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what()) }
}

/// Bytes that repeat nowhere within a few MiB, so that a lost or doubled block shows.
fn sample(length: usize) -> Vec<u8> {
    (0u64..).flat_map(|block| *Digest::of(&block.to_be_bytes()).as_bytes()).take(length).collect()
}

fn bodies_arrive(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |_, body| {
        Response::new(
            200,
            body.map_or("broken".into(), |body| format!("{} {}", body.len(), Digest::of(&body))),
        )
    })?;
    for length in [0, 1, 64 * 1024, 3 * 1024 * 1024] {
        let bytes = sample(length);
        let request = post(&*setup.transport).map_err(said)?;
        let answer = ask(fixture, &*setup.transport, &request, &bytes).map_err(said)?;
        let wanted = format!("{length} {}", Digest::of(&bytes));
        let got = String::from_utf8_lossy(answer.body()).into_owned();
        ensure(got == wanted, || format!("of {length} bytes there arrived `{got}`"))?;
    }
    Ok(())
}

fn heads_arrive(fixture: &dyn Fixture) -> Outcome {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let setup = setup(fixture, move |request, _| {
        record.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        Response::new(204, "")
    })?;
    let mut request = post(&*setup.transport).map_err(said)?;
    let long = "x".repeat(4096);
    let fields = [
        ("x-repeated", "one"),
        ("x-long", &long),
        ("x-repeated", "two, three"),
        ("x-quoted", "a=\"b;c\", d"),
    ];
    for (name, value) in fields {
        request.headers_mut().append(name, value).map_err(said)?;
    }
    ask(fixture, &*setup.transport, &request, b"body").map_err(said)?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let arrived = seen.first().ok_or("the endpoint saw no request")?;
    ensure(arrived.method() == "POST", || format!("the method became {}", arrived.method()))?;
    ensure(arrived.path() == request.path(), || format!("the path became {}", arrived.path()))?;
    for name in ["x-repeated", "x-long", "x-quoted", "idempotency-key"] {
        let joined = |request: &Request| request.headers().get_all(name).collect::<Vec<_>>().join(", ");
        ensure(joined(arrived) == joined(&request), || format!("{name} became `{:.80}`", joined(arrived)))?;
    }
    Ok(())
}

fn answer_heads_come_back(fixture: &dyn Fixture) -> Outcome {
    let long = "y".repeat(4096);
    let value = long.clone();
    let setup = setup(fixture, move |_, _| {
        let mut response = Response::new(200, "ok")?;
        for (name, value) in [("x-repeated", "one"), ("x-long", &value), ("x-repeated", "two")] {
            response.headers_mut().append(name, value)?;
        }
        Ok(response)
    })?;
    let request = post(&*setup.transport).map_err(said)?;
    let answer = ask(fixture, &*setup.transport, &request, b"body").map_err(said)?;
    let repeated = answer.headers().get_all("x-repeated").collect::<Vec<_>>().join(", ");
    ensure(repeated == "one, two", || format!("x-repeated became `{repeated}`"))?;
    ensure(answer.headers().get("x-long") == Some(&long), || "x-long was changed".to_owned())
}

fn get_has_no_body(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |request, body| {
        Response::new(200, format!("{} {:?}", request.method(), body.map(|body| body.len())))
    })?;
    let path = format!("{}/packages/{}", setup.transport.base_path(), PackageId::generate());
    let request = Request::new("GET", &path).map_err(said)?;
    let answer = ask(fixture, &*setup.transport, &request, b"").map_err(said)?;
    let got = String::from_utf8_lossy(answer.body()).into_owned();
    ensure(got == "GET Some(0)", || format!("there arrived `{got}`"))
}

fn statuses_are_answers(fixture: &dyn Fixture) -> Outcome {
    const BODY: &str = r#"{"type":"about:blank","detail":"no"}"#;
    let setup = setup(fixture, |request, _| {
        let status = request.headers().get("x-status").and_then(|status| status.parse().ok());
        let mut response = Response::new(status.unwrap_or(500), BODY)?;
        response.headers_mut().insert("content-type", PROBLEM_MEDIA_TYPE)?;
        response.headers_mut().insert("retry-after", "30")?;
        Ok(response)
    })?;
    for status in [200, 202, 400, 401, 403, 404, 409, 413, 422, 500, 503, 504] {
        let mut request = post(&*setup.transport).map_err(said)?;
        request.headers_mut().insert("x-status", status.to_string()).map_err(said)?;
        let answer = ask(fixture, &*setup.transport, &request, b"body");
        let answer = answer.map_err(|error| format!("{status} became the error {}", said(error)))?;
        ensure(answer.status() == status, || format!("{status} became {}", answer.status()))?;
        ensure(answer.body() == BODY.as_bytes(), || format!("the body of the answer {status} was changed"))?;
        let fields = [("content-type", PROBLEM_MEDIA_TYPE), ("retry-after", "30")];
        let kept = fields.iter().all(|(name, value)| answer.headers().get(name) == Some(value));
        ensure(kept, || format!("the header fields of the answer {status} were changed"))?;
    }
    Ok(())
}

fn redirects_are_not_followed(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |request, _| {
        let status = request.headers().get("x-status").and_then(|status| status.parse().ok());
        let mut response = Response::new(status.unwrap_or(500), "")?;
        response.headers_mut().insert("location", request.path())?;
        Ok(response)
    })?;
    for status in [301, 302, 303, 307, 308] {
        let mut request = post(&*setup.transport).map_err(said)?;
        request.headers_mut().insert("x-status", status.to_string()).map_err(said)?;
        let before = setup.whole_bodies.load(Ordering::SeqCst);
        let answer = ask(fixture, &*setup.transport, &request, b"body").map_err(said)?;
        ensure(answer.status() == status, || format!("{status} became {}", answer.status()))?;
        let asked = setup.whole_bodies.load(Ordering::SeqCst) - before;
        ensure(asked == 1, || format!("after {status} the endpoint was asked {asked} times"))?;
    }
    Ok(())
}

/// Answers without reading.
struct Hasty;

impl Endpoint for Hasty {
    fn answer(&self, _: &Request, _: &Peer, _: &mut dyn Read) -> Response {
        Response::bare(403)
    }
}

fn early_answers_come_back(fixture: &dyn Fixture) -> Outcome {
    let transport = fixture.connect(Arc::new(Hasty)).map_err(said)?;
    for length in [0, 10, 3 * 1024 * 1024] {
        let request = post(&*transport).map_err(said)?;
        let answer = ask(fixture, &*transport, &request, &sample(length));
        let answer = answer.map_err(|error| format!("with {length} bytes: {}", said(error)))?;
        ensure(answer.status() == 403, || format!("the status became {}", answer.status()))?;
    }
    Ok(())
}

fn short_bodies_fail(fixture: &dyn Fixture) -> Outcome {
    a_wrong_length_fails(fixture, &[(1, 0), (100_000, 99_999), (3_000_000, 70_000)])
}

fn long_bodies_fail(fixture: &dyn Fixture) -> Outcome {
    a_wrong_length_fails(fixture, &[(0, 1), (10, 11), (100_000, 3_000_000)])
}

fn a_wrong_length_fails(fixture: &dyn Fixture, lengths: &[(u64, usize)]) -> Outcome {
    let setup = setup(fixture, |_, _| Response::new(200, ""))?;
    for (declared, real) in lengths {
        let request = post(&*setup.transport).map_err(said)?;
        let bytes = sample(*real);
        let sent = setup.transport.send(&request, Body::new(*declared, &mut bytes.as_slice()));
        expect_fault(fixture, &setup, sent, ErrorKind::InvalidArgument)
            .map_err(|what| format!("{declared} bytes declared, {real} given: {what}"))?;
    }
    Ok(())
}

fn expect_fault(fixture: &dyn Fixture, setup: &Setup, sent: Result<Reply>, kind: ErrorKind) -> Outcome {
    match sent {
        Err(error) if error.kind() == kind => {}
        Err(error) => return Err(format!("the error was {}", said(error))),
        Ok(reply) => return Err(format!("it was taken: {reply:?}")),
    }
    fixture.settle().map_err(said)?;
    let whole = setup.whole_bodies.load(Ordering::SeqCst);
    ensure(whole == 0, || "the endpoint took it for a whole body".to_owned())
}

/// Gives some bytes, then fails as a cancelled copy does.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(Error::new(ErrorKind::Cancelled, "stopped by the user").into());
        }
        let count = self.0.min(buffer.len());
        buffer[..count].fill(b'x');
        self.0 -= count;
        Ok(count)
    }
}

fn broken_bodies_fail(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |_, _| Response::new(200, ""))?;
    for given in [0, 1000, 1_000_000] {
        let request = post(&*setup.transport).map_err(said)?;
        let sent = setup.transport.send(&request, Body::new(2_000_000, &mut Broken(given)));
        expect_fault(fixture, &setup, sent, ErrorKind::Cancelled)
            .map_err(|what| format!("broken after {given} bytes: {what}"))?;
    }
    Ok(())
}

fn repeats_are_answered(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |_, body| Response::new(200, body.unwrap_or_default()))?;
    let request = post(&*setup.transport).map_err(said)?;
    for time in ["first", "second"] {
        let answer = ask(fixture, &*setup.transport, &request, b"again").map_err(said)?;
        ensure(answer.body() == b"again", || format!("the {time} answer was {answer:?}"))?;
    }
    Ok(())
}

fn senders_do_not_mix(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |_, body| Response::new(200, Digest::of(&body.unwrap_or_default()).to_hex()))?;
    let transport = &*setup.transport;
    let outcomes = std::thread::scope(|scope| {
        let senders: Vec<_> = (1..=8)
            .map(|number| {
                scope.spawn(move || -> Outcome {
                    let bytes = sample(number * 10_007);
                    let request = post(transport).map_err(said)?;
                    let answer = ask(fixture, transport, &request, &bytes).map_err(said)?;
                    ensure(answer.body() == Digest::of(&bytes).to_hex().as_bytes(), || {
                        "answers were mixed up".into()
                    })
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join()).collect::<Vec<_>>()
    });
    outcomes
        .into_iter()
        .try_for_each(|outcome| outcome.unwrap_or_else(|_| Err("a sender panicked".to_owned())))
}

fn largest_answers_come_back(fixture: &dyn Fixture) -> Outcome {
    let setup = setup(fixture, |_, _| Response::new(200, sample(MAX_ANSWER_BYTES)))?;
    let request = post(&*setup.transport).map_err(said)?;
    let answer = ask(fixture, &*setup.transport, &request, b"body").map_err(said)?;
    ensure(answer.body() == sample(MAX_ANSWER_BYTES), || format!("there came {} bytes", answer.body().len()))
}
