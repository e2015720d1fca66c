//! A whole connection as the HTTP library and the watcher of its head take it together: what the fuzz target `framing` holds
//! the two to.

use super::{Watched, http};
use crate::protocol::Headers;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

/// What a client sends, in pieces of one length, before it sends no more.
struct Client<'a> {
    rest: &'a [u8],
    piece: usize,
}

impl AsyncRead for Client<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (piece, rest) = self.rest.split_at(self.piece.min(buffer.remaining()).min(self.rest.len()));
        self.rest = rest;
        buffer.put_slice(piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A request as the service gets it.
#[derive(Debug, PartialEq)]
struct Served {
    is_ambiguous: bool,
    /// Unless it breaks off.
    body: Option<Vec<u8>>,
}

/// The one request that these bytes are taken for, if they are for any.
fn served(bytes: &[u8], piece: usize) -> Option<Served> {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());
    let ambiguous = Arc::new(AtomicBool::new(false));
    let stream = TokioIo::new(Watched::new(Client { rest: bytes, piece }, ambiguous.clone()));
    let served = Cell::new(None);
    let answer = service_fn(|request: Request<Incoming>| {
        let (is_ambiguous, served) = (ambiguous.load(Ordering::Acquire), &served);
        async move {
            let body = request.into_body().collect().await;
            let body = body.ok().map(|body| body.to_bytes().to_vec());
            assert!(served.replace(Some(Served { is_ambiguous, body })).is_none(), "a second request");
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    // Whatever goes wrong ends the connection.
    let _ = RUNTIME.block_on(http(Duration::from_secs(30)).serve_connection(stream, answer));
    served.into_inner()
}

/// Any bytes as what a client sends, cut anyhow; the first says into pieces of which length. One request of it reaches the
/// service at most, and is called ambiguous exactly if its head has both lengths; of a body of a declared length all comes
/// or nothing.
pub(crate) fn conversation(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else { return };
    let whole = served(bytes, usize::MAX);
    assert_eq!(served(bytes, usize::from(*piece).max(1)), whole);

    let Some(whole) = whole else { return };
    let mut fields = [httparse::EMPTY_HEADER; Headers::MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let Ok(httparse::Status::Complete(end)) = head.parse(bytes) else { panic!("served without a head") };
    let field = |name: &str| head.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    let (length, encoding) = (field("content-length"), field("transfer-encoding"));
    assert_eq!(whole.is_ambiguous, length.is_some() && encoding.is_some());
    if encoding.is_none() {
        let length = length.map_or(0, |it| std::str::from_utf8(it.value).unwrap().parse().unwrap());
        assert_eq!(whole.body.as_deref(), bytes[end..].get(..length));
    }
}
