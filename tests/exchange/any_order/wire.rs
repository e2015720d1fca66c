//! A wire that loses what a test tells it to lose, and remembers all that travelled.

use claimwire::protocol::{Endpoint, Peer, Request, Response};
use claimwire::transport::{Body, Reply, Transport};
use claimwire::{Error, ErrorKind, Result};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// What becomes of the next request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Arrives,
    ArrivesTwice,
    IsLost,
    AnswerIsLost,
}

/// A request as it travelled.
#[derive(Clone)]
pub(crate) struct Travelled {
    pub(crate) request: Request,
    pub(crate) body: Vec<u8>,
}

/// The way to one site's endpoint; clones share it.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    endpoint: Arc<dyn Endpoint>,
    fate: Mutex<Fate>,
    travelled: Mutex<Vec<Travelled>>,
}

impl Wire {
    pub(crate) fn to(endpoint: Arc<dyn Endpoint>) -> Self {
        let (fate, travelled) = (Mutex::new(Fate::Arrives), Mutex::default());
        Self(Arc::new(Inner { endpoint, fate, travelled }))
    }

    /// Decides over the next request; those after it arrive.
    pub(crate) fn next(&self, fate: Fate) {
        *self.0.fate.lock().unwrap() = fate;
    }

    pub(crate) fn travelled(&self) -> MutexGuard<'_, Vec<Travelled>> {
        self.0.travelled.lock().unwrap()
    }

    /// Puts what travelled before on the wire once more.
    pub(crate) fn replay(&self, index: usize) {
        let Travelled { request, body } = self.travelled()[index].clone();
        self.deliver(&request, &body);
    }

    fn deliver(&self, request: &Request, mut body: &[u8]) -> Response {
        self.0.endpoint.answer(request, &Peer::unknown(), &mut body)
    }
}

impl Transport for Wire {
    fn send(&self, request: &Request, body: Body<'_>) -> Result<Reply> {
        let fate = std::mem::replace(&mut *self.0.fate.lock().unwrap(), Fate::Arrives);
        let body = body.into_vec(1 << 24)?;
        self.travelled().push(Travelled { request: request.clone(), body: body.clone() });
        let lost = || Err(Error::new(ErrorKind::Unreachable, "the wire lost it"));
        if fate == Fate::IsLost {
            return lost();
        }
        let response = self.deliver(request, &body);
        if fate == Fate::ArrivesTwice {
            // What the network doubled is a replay, and its answer reaches nobody.
            assert_eq!(self.deliver(request, &body).status(), 401);
        }
        if fate == Fate::AnswerIsLost { lost() } else { Ok(Reply::Answered(response)) }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}
