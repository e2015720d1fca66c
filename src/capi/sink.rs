//! Where the output of a codec handle goes: to the host's function, or held until the host takes it.

use super::buffer::cw_buffer;
use super::callback::{UserData, cw_write_fn};
use super::pointer::misuse;
use super::stream::HostWrite;
use crate::codec::Wiped;
use crate::{Error, Result};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Output that waits for the host, wiped when nobody takes it.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<Vec<Wiped>>>);

impl Held {
    /// Gives out what came since the last time.
    pub(super) fn take(&self) -> cw_buffer {
        let pieces = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        // Made in one go: a vector that grew would leave copies behind that nobody wipes.
        let mut bytes = Vec::with_capacity(length + 1);
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        cw_buffer::new(bytes)
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let piece = Wiped::new(bytes.to_vec());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the output of a handle goes.
pub(super) enum Sink {
    Host(HostWrite),
    Held(Held),
}

impl Sink {
    /// The host's function, or, where that is NULL, output that is held; the second value takes it out.
    pub(super) fn new(write: cw_write_fn, user_data: UserData) -> Result<(Self, Option<Held>)> {
        if write.is_some() {
            return Ok((Self::Host(HostWrite::new(write, user_data)?), None));
        }
        let held = Held::default();
        Ok((Self::Held(held.clone()), Some(held)))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Host(host) => host.write(bytes),
            Self::Held(held) => held.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a handle has waiting.
pub(super) fn take_held(held: Option<&Held>) -> Result<cw_buffer> {
    let held = held.ok_or_else(|| misuse("the output goes to `write`; only without that it can be taken"))?;
    Ok(held.take())
}

/// Why a handle does nothing more.
pub(super) fn over() -> Error {
    misuse("this handle was finished or failed before; free it and make a new one")
}
