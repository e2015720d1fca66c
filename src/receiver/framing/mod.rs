//! Watches the head of a connection's one request for ambiguous framing.
//!
//! The HTTP library drops `Content-Length` when there is a `Transfer-Encoding` too, as RFC 9112 section 6.3 allows.
//! Such a request is an attempt to smuggle another one past a proxy, or a broken sender: it is refused here, and to
//! refuse it one must have seen both.

#[cfg(test)]
mod conversation;

use crate::protocol::Headers;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of a head.
const MAX_HEAD: usize = 64 * 1024;

/// HTTP/1.1, one request for each connection, with its bounds.
pub(super) fn http(header_deadline: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).keep_alive(false).header_read_timeout(header_deadline);
    http.max_headers(Headers::MAX_FIELDS).max_buf_size(MAX_HEAD);
    http
}

/// A connection that raises `ambiguous` before it gives away the end of such a head.
pub(super) struct Watched<S> {
    stream: S,
    head: Option<Head>,
    ambiguous: Arc<AtomicBool>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, ambiguous: Arc<AtomicBool>) -> Self {
        Self { stream, head: Some(Head::default()), ambiguous }
    }

    /// Looks at what was read; an overlong head is an error, which closes the connection.
    fn look(&mut self, read: &[u8]) -> io::Result<()> {
        let Some(head) = &mut self.head else { return Ok(()) };
        let end = head.take(read);
        if end.unwrap_or(head.bytes.len()) > MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head is too long"));
        }
        if let Some(end) = end {
            if is_ambiguous(&head.bytes[..end]) {
                self.ambiguous.store(true, Ordering::Release);
            }
            self.head = None;
        }
        Ok(())
    }
}

/// The head as far as it came. It ends where the HTTP library takes it to end: at the first empty line behind the request's
/// own, whichever of the two line ends each line has.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    /// Where the line begins that has no end yet.
    line: usize,
    /// Whether the request's own line is there. Empty lines before it mean nothing.
    begun: bool,
}

impl Head {
    /// Takes what was read; the length of the head once its end is there.
    fn take(&mut self, read: &[u8]) -> Option<usize> {
        let mut from = self.bytes.len();
        self.bytes.extend_from_slice(read);
        while let Some(length) = self.bytes[from..].iter().position(|byte| *byte == b'\n') {
            let end = from + length;
            let is_empty = matches!(&self.bytes[self.line..end], b"" | b"\r");
            if is_empty && self.begun {
                return Some(self.line);
            }
            self.begun |= !is_empty;
            (from, self.line) = (end + 1, end + 1);
        }
        None
    }
}

fn is_ambiguous(head: &[u8]) -> bool {
    let has = |name: &[u8]| {
        head.split(|byte| *byte == b'\n').any(|line| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
                && line[name.len()..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
        })
    };
    has(b"content-length") && has(b"transfer-encoding")
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(self.look(&buffer.filled()[before..])),
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pieces: &[&[u8]]) -> bool {
        let mut watched = Watched::new((), Arc::default());
        pieces.iter().for_each(|piece| watched.look(piece).unwrap());
        watched.ambiguous.load(Ordering::Acquire)
    }

    #[test]
    fn both_headers_are_seen_however_the_head_arrives() {
        let head = b"POST / HTTP/1.1\r\ncontent-LENGTH: 3\r\nTransfer-Encoding : chunked\r\n\r\n";
        assert!(seen(&[head]));
        assert!(seen(&head.chunks(1).collect::<Vec<_>>()));
        for split in 1..head.len() {
            assert!(seen(&[&head[..split], &head[split..]]), "{split}");
        }
    }

    #[test]
    fn one_header_or_a_body_that_speaks_of_both_is_no_matter() {
        assert!(!seen(&[b"POST / HTTP/1.1\r\nContent-Length: 60\r\n\r\nTransfer-Encoding: x\r\n\r\n"]));
        assert!(!seen(&[b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-Content-Length: 1\r\n\r\n"]));
        assert!(!seen(&[b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"]));
    }

    #[test]
    fn a_head_has_no_more_than_64_kib_and_a_body_may() {
        let mut watched = Watched::new((), Arc::default());
        assert!(watched.look(&vec![b'x'; MAX_HEAD + 1]).is_err());
        let mut watched = Watched::new((), Arc::default());
        watched.look(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        watched.look(&vec![b'x'; MAX_HEAD + 1]).unwrap();
    }

    #[test]
    fn the_end_of_a_head_is_where_the_http_library_sees_it() {
        let fields = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
        for head in [
            format!("\r\n\r\nPOST / HTTP/1.1\r\n{fields}\r\n"),
            format!("\nPOST / HTTP/1.1\r\n{fields}\r\n"),
            format!("POST / HTTP/1.1\n{}\r\n", fields.replace('\r', "")),
            format!("POST / HTTP/1.1\r\n{fields}\n"),
        ] {
            assert!(seen(&[head.as_bytes()]), "{head:?}");
            assert!(seen(&head.as_bytes().chunks(1).collect::<Vec<_>>()), "{head:?}");
        }
        assert!(!seen(&[b"GET / HTTP/1.1\nTransfer-Encoding: x\n\nContent-Length: 3\r\n\r\n"]));
    }

    #[test]
    fn the_fuzz_target_holds_on_its_corpus_and_on_what_is_changed_of_it() {
        crate::replay::replay("framing", conversation::conversation);
    }
}
