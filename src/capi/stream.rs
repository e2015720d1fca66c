//! Bytes that come from a function of the host's, or go to one.

use super::callback::{believe, cw_read_fn, cw_write_fn};
use super::pointer::misuse;
use crate::{Error, ErrorKind, Result};
use std::ffi::c_void;
use std::io::{self, Read, Write};

/// Reads what a host's `read` gives, for the time of one call and on its thread.
pub(super) struct HostReader {
    read: unsafe extern "C-unwind" fn(*mut c_void, *mut u8, usize, *mut usize) -> i32,
    user_data: *mut c_void,
}

impl HostReader {
    pub(super) fn new(read: cw_read_fn, user_data: *mut c_void) -> Result<Self> {
        let read = read.ok_or_else(|| misuse("`read` is NULL; pass the function that gives the bytes"))?;
        Ok(Self { read, user_data })
    }
}

impl Read for HostReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: the host gave the function for this data, for the time of the call; the buffer is as long as told.
        let code = unsafe { (self.read)(self.user_data, buffer.as_mut_ptr(), buffer.len(), &raw mut count) };
        believe("read", code, None)?;
        if count > buffer.len() {
            let said = format!("the host's function `read` says it gave {count} bytes, for {}", buffer.len());
            return Err(Error::new(ErrorKind::Internal, said).into());
        }
        Ok(count)
    }
}

/// Hands bytes to a host's `write`, for the time of one call and on its thread.
pub(super) struct HostWriter {
    write: unsafe extern "C-unwind" fn(*mut c_void, *const u8, usize) -> i32,
    user_data: *mut c_void,
}

impl HostWriter {
    pub(super) fn new(write: cw_write_fn, user_data: *mut c_void) -> Result<Self> {
        let write = write.ok_or_else(|| misuse("`write` is NULL; pass the function that takes the bytes"))?;
        Ok(Self { write, user_data })
    }
}

impl Write for HostWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the host gave the function for this data, for the time of the call.
        let code = unsafe { (self.write)(self.user_data, bytes.as_ptr(), bytes.len()) };
        believe("write", code, None)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
