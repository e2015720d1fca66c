//! A request whose body a server pushes piece by piece, for servers that are not asked for bytes but told of them.

use super::message::{Endpoint, Peer, Request, Response};
use super::problem::Problem;
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// How many pieces wait for the endpoint.
const WINDOW: usize = 2;

/// The most bytes of one piece: with the window, what one request holds in memory.
const PIECE: usize = 64 * 1024;

/// `Some` bytes, or `None` for the end of the body.
type Piece = Option<Vec<u8>>;

/// One request on its way into an [`Endpoint`], which answers on a thread of the request's own.
///
/// Dropping it abandons the request: the endpoint learns that the body broke off, takes it for no whole, and its thread
/// has ended when the drop returns. The server bounds how many requests it begins at once, how large a body it takes,
/// and how long it waits for the client; the endpoint bounds what it stores.
///
/// ```
/// use claimwire::protocol::{Endpoint, Peer, PushedRequest, Request, Response};
/// use std::io::Read;
/// use std::sync::Arc;
///
/// struct Counter;
///
/// impl Endpoint for Counter {
///     fn answer(&self, _: &Request, _: &Peer, body: &mut dyn Read) -> Response {
///         let count = std::io::copy(body, &mut std::io::sink()).unwrap_or_default();
///         Response::new(200, count.to_string()).expect("200 is a final status")
///     }
/// }
///
/// let request = Request::new("POST", "/packages")?;
/// let mut pushed = PushedRequest::begin(Arc::new(Counter), request, Peer::unknown())?;
/// assert!(pushed.wants_body());
/// assert!(pushed.write(b"sealed bytes"));
/// assert_eq!(pushed.finish().body(), b"12");
/// # Ok::<(), claimwire::Error>(())
/// ```
pub struct PushedRequest {
    /// `None` once the endpoint takes no more.
    pieces: Option<SyncSender<Piece>>,
    wanted: Receiver<()>,
    /// What the endpoint said of the body, once it said so.
    wants: Option<bool>,
    thread: Option<JoinHandle<Response>>,
}

impl PushedRequest {
    /// Hands the request's head to the endpoint, on a new thread.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the system gives no thread.
    pub fn begin(endpoint: Arc<dyn Endpoint>, request: Request, peer: Peer) -> Result<Self> {
        let (pieces, taken) = sync_channel(WINDOW);
        let (want, wanted) = channel();
        let mut body =
            PushedBody { pieces: taken, want: Some(want), current: Vec::new(), read: 0, ended: false };
        let answer = move || {
            let answered = catch_unwind(AssertUnwindSafe(|| endpoint.answer(&request, &peer, &mut body)));
            answered.unwrap_or_else(|_| internal("the endpoint panicked"))
        };
        let thread = Builder::new().name("claimwire-request".into()).spawn(answer)?;
        Ok(Self { pieces: Some(pieces), wanted, wants: None, thread: Some(thread) })
    }

    /// Waits until the endpoint asks for the body (`true`), or has answered without it (`false`). With `true`, a client
    /// that sent `Expect: 100-continue` (RFC 9110 section 10.1.1) is told to go on; with `false`, it is not.
    pub fn wants_body(&mut self) -> bool {
        // The sending half goes when the endpoint is done.
        *self.wants.get_or_insert_with(|| self.wanted.recv().is_ok())
    }

    /// Hands over the next bytes of the body; waits while the endpoint has not taken the earlier ones. `false` when it
    /// has answered and takes no more: the rest need not be read.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        for piece in bytes.chunks(PIECE) {
            let sent = self.pieces.as_ref().is_some_and(|pieces| pieces.send(Some(piece.to_vec())).is_ok());
            if !sent {
                self.pieces = None;
                return false;
            }
        }
        self.pieces.is_some() && !self.answered()
    }

    /// Whether the answer is there already.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The body is at its end, or was broken off by an early answer: gives the answer, and waits for it.
    #[must_use]
    pub fn finish(mut self) -> Response {
        if let Some(pieces) = self.pieces.take() {
            // It fails only when the endpoint has answered already.
            let _ = pieces.send(None);
        }
        let joined = self.thread.take().map(JoinHandle::join);
        joined
            .and_then(Result::ok)
            .unwrap_or_else(|| internal("the endpoint's thread ended without an answer"))
    }
}

impl Drop for PushedRequest {
    fn drop(&mut self) {
        // A channel that closes without an end is a connection that broke.
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for PushedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushedRequest").field("answered", &self.answered()).finish_non_exhaustive()
    }
}

fn internal(what: &str) -> Response {
    Problem::from_error(&Error::new(ErrorKind::Internal, what)).to_response()
}

/// The endpoint's half. Its members go in this order, so that whoever learns that no body is wanted finds nobody who
/// would take it.
struct PushedBody {
    pieces: Receiver<Piece>,
    want: Option<Sender<()>>,
    current: Vec<u8>,
    read: usize,
    ended: bool,
}

impl Read for PushedBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(want) = &self.want.take() {
            // Nobody listens only when the request was abandoned; the closed channel below says so.
            let _ = want.send(());
        }
        while self.read == self.current.len() && !self.ended {
            match self.pieces.recv() {
                Ok(Some(piece)) => (self.current, self.read) = (piece, 0),
                Ok(None) => self.ended = true,
                Err(_) => {
                    let said = "the connection broke inside the body";
                    return Err(Error::new(ErrorKind::Truncated, said).retryable(true).into());
                }
            }
        }
        let rest = &self.current[self.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Answers with what it read; takes nothing of a path that says so.
    #[derive(Default)]
    struct Reads {
        broken: Mutex<Vec<String>>,
    }

    impl Endpoint for Reads {
        fn answer(&self, request: &Request, _: &Peer, body: &mut dyn Read) -> Response {
            match request.path() {
                "/refused" => return Response::bare(403),
                "/panics" => panic!("a fault of the endpoint"),
                _ => {}
            }
            let mut bytes = Vec::new();
            match body.read_to_end(&mut bytes) {
                Ok(_) => Response::new(200, bytes.len().to_string()).unwrap(),
                Err(error) => {
                    self.broken.lock().unwrap().push(error.to_string());
                    Response::bare(422)
                }
            }
        }
    }

    fn begin(endpoint: &Arc<Reads>, path: &str) -> PushedRequest {
        let request = Request::new("POST", path).unwrap();
        PushedRequest::begin(endpoint.clone(), request, Peer::unknown()).unwrap()
    }

    #[test]
    fn what_is_pushed_is_what_is_read() {
        let endpoint = Arc::default();
        for pieces in [&[][..], &[0], &[1], &[3, 0, 70_000, 200_000]] {
            let mut pushed = begin(&endpoint, "/packages");
            for length in pieces {
                assert!(pushed.write(&vec![7; *length]));
            }
            assert_eq!(pushed.finish().body(), pieces.iter().sum::<usize>().to_string().as_bytes());
        }
    }

    #[test]
    fn an_early_answer_is_told_before_the_body_and_stops_it() {
        let endpoint = Arc::default();
        let mut pushed = begin(&endpoint, "/refused");
        assert!(!pushed.wants_body() && !pushed.wants_body());
        assert_eq!(pushed.finish().status(), 403);
        let mut pushed = begin(&endpoint, "/refused");
        while pushed.write(&[0; 1000]) {}
        assert_eq!(pushed.finish().status(), 403);
    }

    #[test]
    fn the_body_is_asked_for_once_it_is_read() {
        let endpoint = Arc::default();
        let mut pushed = begin(&endpoint, "/packages");
        assert!(pushed.wants_body() && pushed.wants_body());
        assert!(!pushed.answered());
        assert_eq!(pushed.finish().status(), 200);
    }

    #[test]
    fn what_is_abandoned_is_broken_off_and_its_thread_is_gone() {
        let endpoint = Arc::new(Reads::default());
        let mut pushed = begin(&endpoint, "/packages");
        assert!(pushed.write(b"half"));
        drop(pushed);
        assert_eq!(*endpoint.broken.lock().unwrap(), ["the connection broke inside the body"]);
        assert_eq!(Arc::strong_count(&endpoint), 1);
    }

    #[test]
    fn a_panic_of_the_endpoint_is_an_answer() {
        let mut pushed = begin(&Arc::default(), "/panics");
        assert!(!pushed.wants_body());
        assert_eq!(pushed.finish().status(), 500);
    }
}
