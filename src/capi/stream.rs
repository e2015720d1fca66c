//! The host's read and write functions as Rust's `Read` and `Write`.

use super::callback::{UserData, cw_read_fn, cw_write_fn};
use super::failure::ask;
use super::pointer::misuse;
use crate::{Error, ErrorKind, Result};
use std::io::{self, Read, Write};

/// Reads by a function of the host's; after a failure it is not asked again.
pub(super) struct HostRead {
    read: cw_read_fn,
    user_data: UserData,
    failed: bool,
}

impl HostRead {
    pub(super) fn new(read: cw_read_fn, user_data: UserData) -> Result<Self> {
        if read.is_none() {
            return Err(misuse("`read` is NULL; pass the function that gives the bytes"));
        }
        Ok(Self { read, user_data, failed: false })
    }

    fn pull(&self, buffer: &mut [u8]) -> Result<usize> {
        let mut length = 0;
        ask("read", |_| {
            let Some(read) = self.read else { return ErrorKind::Internal.code().into() };
            // SAFETY: the host gave the function for this data; buffer and length live as long as the call.
            unsafe { read(self.user_data.get(), buffer.as_mut_ptr(), buffer.len(), &raw mut length) }
        })?;
        if length > buffer.len() {
            let said = format!("the host's function `read` says {length} bytes, {} had room", buffer.len());
            return Err(Error::new(ErrorKind::Internal, said));
        }
        Ok(length)
    }
}

impl Read for HostRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.failed {
            return Err(Error::new(ErrorKind::Truncated, "reading failed before").into());
        }
        self.pull(buffer).map_err(|error| {
            self.failed = true;
            error.into()
        })
    }
}

/// Writes by a function of the host's; what it is given is not copied.
pub(super) struct HostWrite {
    write: cw_write_fn,
    user_data: UserData,
}

impl HostWrite {
    pub(super) fn new(write: cw_write_fn, user_data: UserData) -> Result<Self> {
        if write.is_none() {
            return Err(misuse("`write` is NULL; pass the function that takes the bytes"));
        }
        Ok(Self { write, user_data })
    }
}

impl Write for HostWrite {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(write) = self.write.filter(|_| !bytes.is_empty()) {
            // SAFETY: the host gave the function for this data; the bytes live as long as the call.
            ask("write", |_| unsafe { write(self.user_data.get(), bytes.as_ptr(), bytes.len()) })?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
