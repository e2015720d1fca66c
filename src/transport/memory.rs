//! The transport within one process: it calls the partner's endpoint.

use super::{Body, Reply, Transport};
use crate::protocol::{Endpoint, Peer, Request};
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// Calls an [`Endpoint`] directly: for two sites in one process, and for tests.
#[derive(Clone)]
pub struct MemoryTransport {
    endpoint: Arc<dyn Endpoint>,
    peer: Peer,
}

impl MemoryTransport {
    /// Calls `endpoint` as a peer of whom nothing is known.
    pub fn new(endpoint: Arc<dyn Endpoint>) -> Self {
        Self { endpoint, peer: Peer::unknown() }
    }

    /// The same, called as this peer: as if a TLS layer had proven it.
    #[must_use]
    pub fn with_peer(mut self, peer: Peer) -> Self {
        self.peer = peer;
        self
    }
}

impl Transport for MemoryTransport {
    fn send(&self, request: &Request, mut body: Body<'_>) -> Result<Reply> {
        let mut watched = Watched { inner: &mut body, failed: None };
        let response = self.endpoint.answer(request, &self.peer, &mut watched);
        match watched.failed {
            // The endpoint saw a broken body, as behind a broken connection: its answer reaches nobody.
            Some(error) => Err(error),
            None => Ok(Reply::Answered(response)),
        }
    }
}

impl fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTransport").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Keeps the first fault of the body for the sender; the endpoint only learns that the body broke off.
struct Watched<'a, 'b> {
    inner: &'a mut Body<'b>,
    failed: Option<Error>,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_none() {
            match self.inner.read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) => self.failed = Some(error.into()),
            }
        }
        Err(Error::new(ErrorKind::Truncated, "the request's body broke off").into())
    }
}
