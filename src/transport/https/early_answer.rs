//! Lets an answer be heard that comes in place of `100 Continue`; and wipes what was sent, when it ends.
//!
//! ureq reads such an answer while it waits for `100 Continue`, takes nothing of it, and then waits for more input
//! before it looks again. A partner that has said all it has to say and keeps the connection open would be waited
//! for until a timeout. This layer sits on the connection and says, once, that the input is there.
//!
//! ureq writes a request's head, and a bearer token with it, into a buffer that it frees as it is.

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use zeroize::Zeroize as _;

/// The last link in the chain of connectors.
#[derive(Debug)]
pub(super) struct EarlyAnswer;

impl<In: Transport> Connector<In> for EarlyAnswer {
    type Out = Connection<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Connection { inner, told: false }))
    }
}

#[derive(Debug)]
pub(super) struct Connection<T: Transport> {
    inner: T,
    told: bool,
}

impl<T: Transport> Transport for Connection<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        if !self.told && is_head(self.inner.buffers().input()) {
            self.told = true;
            return Ok(true);
        }
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl<T: Transport> Drop for Connection<T> {
    fn drop(&mut self) {
        self.inner.buffers().output().zeroize();
    }
}

fn is_head(input: &[u8]) -> bool {
    input.starts_with(b"HTTP/1.") && input.windows(4).any(|window| window == b"\r\n\r\n")
}
