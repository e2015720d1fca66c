//! The host's read and write functions as Rust's `Read` and `Write`, and output that waits until the host takes it.

use super::buffer::cw_buffer;
use super::callback::{UserData, believe, cw_read_fn, cw_write_fn};
use super::pointer::misuse;
use crate::{Error, ErrorKind, Result};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Writes by a function of the host's; what it is given is not copied.
pub(super) struct HostWrite {
    write: cw_write_fn,
    user_data: UserData,
}

impl HostWrite {
    pub(super) fn new(write: cw_write_fn, user_data: UserData) -> Result<Self> {
        if write.is_none() {
            return Err(misuse("`write` is NULL; pass the function that takes the output"));
        }
        Ok(Self { write, user_data })
    }
}

impl Write for HostWrite {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(write) = self.write.filter(|_| !bytes.is_empty()) {
            // SAFETY: the host gave the function for this data; the bytes live as long as the call.
            let code = unsafe { write(self.user_data.get(), bytes.as_ptr(), bytes.len()) };
            believe("write", code, None)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads by a function of the host's.
pub(super) struct HostRead {
    read: cw_read_fn,
    user_data: UserData,
}

impl HostRead {
    pub(super) fn new(read: cw_read_fn, user_data: UserData) -> Result<Self> {
        if read.is_none() {
            return Err(misuse("`read` is NULL; pass the function that gives the input"));
        }
        Ok(Self { read, user_data })
    }
}

impl Read for HostRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(read) = self.read.filter(|_| !buffer.is_empty()) else { return Ok(0) };
        let mut length = 0;
        // SAFETY: the host gave the function for this data; buffer and length live as long as the call.
        let code = unsafe { read(self.user_data.get(), buffer.as_mut_ptr(), buffer.len(), &raw mut length) };
        believe("read", code, None)?;
        if length > buffer.len() {
            let said = format!("the host's function `read` says {length} bytes, {} had room", buffer.len());
            return Err(Error::new(ErrorKind::Internal, said).into());
        }
        Ok(length)
    }
}

/// Output that waits for the host, wiped when nobody takes it.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<Vec<Zeroizing<Vec<u8>>>>>);

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
            let piece = Zeroizing::new(bytes.to_vec());
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
