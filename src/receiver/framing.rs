//! Watches the head of a connection's one request for ambiguous framing.
//!
//! The HTTP library drops `Content-Length` when there is a `Transfer-Encoding` too, as RFC 9112 section 6.3 allows.
//! Such a request is an attempt to smuggle another one past a proxy, or a broken sender: it is refused here, and to
//! refuse it one must have seen both.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of a head.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// A connection that raises `ambiguous` before it gives away the end of such a head.
pub(super) struct Watched<S> {
    stream: S,
    head: Option<Vec<u8>>,
    ambiguous: Arc<AtomicBool>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, ambiguous: Arc<AtomicBool>) -> Self {
        Self { stream, head: Some(Vec::new()), ambiguous }
    }

    /// Looks at what was read; an overlong head is an error, which closes the connection.
    fn look(&mut self, read: &[u8]) -> io::Result<()> {
        let Some(head) = &mut self.head else { return Ok(()) };
        // The end may be split over two reads: look again at the last three bytes.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(read);
        let end = head[from..].windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.or_else(|| head[from..].windows(2).position(|window| window == b"\n\n"));
        if end.map_or(head.len(), |end| from + end) > MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head is too long"));
        }
        if let Some(end) = end {
            if is_ambiguous(&head[..from + end]) {
                self.ambiguous.store(true, Ordering::Release);
            }
            self.head = None;
        }
        Ok(())
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
}
