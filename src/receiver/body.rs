//! A request's body on its way from the asynchronous connection to the blocking endpoint: one small window, bounded
//! in bytes and in time, and not a byte before the endpoint asks.

use super::ReceiverSettings;
use super::slots::Held;
use crate::{Error, ErrorKind};
use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// How many pieces wait between connection and endpoint; the server bounds each to its read buffer.
const WINDOW: usize = 2;

type Piece = Result<Bytes, Error>;

/// The body as the connection brings it, with its bounds.
pub(super) struct Incoming {
    body: Body,
    max_bytes: u64,
    idle: Duration,
    min_rate: u64,
    bytes: u64,
    waited: Duration,
    /// Whether anything was asked of the connection.
    pub(super) touched: bool,
    /// Whether the body was read to its end.
    pub(super) ended: bool,
}

impl Incoming {
    pub(super) fn new(body: Body, settings: &ReceiverSettings) -> Self {
        Self {
            body,
            max_bytes: settings.max_body_bytes,
            idle: settings.body_idle,
            min_rate: settings.min_body_rate,
            bytes: 0,
            waited: Duration::ZERO,
            touched: false,
            ended: false,
        }
    }

    /// Feeds the endpoint until it has the whole body or wants no more of it.
    pub(super) async fn feed(&mut self, to: Feed) {
        if to.wanted.await.is_err() {
            return;
        }
        loop {
            let piece = self.next().await;
            let Some(piece) = piece.transpose() else {
                // An empty piece is the end; a channel that just closes is a connection that broke.
                let _ = to.pieces.send(Ok(Bytes::new())).await;
                return;
            };
            let failed = piece.is_err();
            if to.pieces.send(piece).await.is_err() || failed {
                return;
            }
        }
    }

    /// The next bytes, never empty; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.touched = true;
        loop {
            let asked = Instant::now();
            let frame = timeout(self.idle, self.body.frame()).await;
            self.waited += asked.elapsed();
            let data = match frame {
                Err(_) => return Err(self.too_slow("it stood still")),
                Ok(None) => {
                    self.ended = true;
                    return Ok(None);
                }
                Ok(Some(Err(error))) => {
                    return Err(Error::new(ErrorKind::Truncated, "the connection broke inside the body")
                        .caused_by(error)
                        .retryable(true));
                }
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            if data.is_empty() {
                continue;
            }
            self.bytes += data.len() as u64;
            if self.bytes > self.max_bytes {
                return Err(too_large(self.max_bytes));
            }
            if drips(self.bytes, self.waited, self.idle, self.min_rate) {
                return Err(self.too_slow("it comes slower than the least rate"));
            }
            return Ok(Some(data));
        }
    }

    fn too_slow(&self, how: &str) -> Error {
        Error::new(ErrorKind::TimedOut, format!("the body was given up after {} bytes: {how}", self.bytes))
    }

    /// Reads what is left and drops it, for a bounded time.
    pub(super) async fn drain(mut self, time: Duration) {
        let rest = async { while let Some(Ok(_)) = self.body.frame().await {} };
        let _ = timeout(time, rest).await;
    }
}

/// Whether so many bytes in so much time of waiting are less than `min_rate` a second; the first `grace` is free.
fn drips(bytes: u64, waited: Duration, grace: Duration, min_rate: u64) -> bool {
    waited > grace && u128::from(bytes) * 1000 < waited.as_millis() * u128::from(min_rate)
}

/// The refusal of a body that is larger than a sealed package may be.
pub(super) fn too_large(max_bytes: u64) -> Error {
    Error::new(
        ErrorKind::SealedTooLarge,
        format!("the body is larger than the {max_bytes} bytes that this site takes"),
    )
}

/// The sending half: what [`Incoming::feed`] writes to.
pub(super) struct Feed {
    wanted: oneshot::Receiver<()>,
    pieces: mpsc::Sender<Piece>,
}

/// The receiving half: a blocking reader for the endpoint.
pub(super) struct Reader {
    want: Option<oneshot::Sender<()>>,
    held: Arc<Held>,
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    ended: bool,
}

/// The way of the body of a request that is handled.
pub(super) fn channel(held: Arc<Held>) -> (Feed, Reader) {
    let (want, wanted) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(WINDOW);
    let reader = Reader { want: Some(want), held, pieces: receiver, current: Bytes::new(), ended: false };
    (Feed { wanted, pieces: sender }, reader)
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(want) = self.want.take() {
            // Whoever pulls takes the request for a partner's, and may have said whose.
            self.held.proven(None)?;
            // Nobody listens only when the connection is gone; the empty channel below says so.
            let _ = want.send(());
        }
        if self.current.is_empty() && !self.ended && !buffer.is_empty() {
            self.current = self.pieces.blocking_recv().unwrap_or_else(|| {
                Err(Error::new(ErrorKind::Truncated, "the connection broke inside the body").retryable(true))
            })?;
            self.ended = self.current.is_empty();
        }
        let count = self.current.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_is_one_only_after_its_grace() {
        let seconds = Duration::from_secs;
        assert!(!drips(1, seconds(30), seconds(30), 4096));
        assert!(drips(1, seconds(31), seconds(30), 4096));
        assert!(drips(31 * 4096 - 1, seconds(31), seconds(30), 4096));
        assert!(!drips(31 * 4096, seconds(31), seconds(30), 4096));
        assert!(!drips(0, seconds(31), seconds(30), 0));
    }
}
