//! Bytes that the library hands out: texts, JSON, keys, sealed packages in memory.

use super::border::quietly;
use super::pointer::free;
use crate::codec::Wiped;
use std::ptr::null;

/// Bytes that the library handed out. They end in a NUL byte that is not counted, so that a text can be read as a C
/// string, and are wiped from memory when the buffer is freed.
pub struct cw_buffer(Wiped);

impl cw_buffer {
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = Wiped::new(bytes.into());
        if bytes.capacity() == bytes.len() {
            // Growing in place would leave a copy behind that nobody wipes.
            let mut roomy = Wiped::new(Vec::with_capacity(bytes.len() + 1));
            roomy.extend_from_slice(&bytes);
            bytes = roomy;
        }
        bytes.push(0);
        Self(bytes)
    }
}

/// The bytes, NUL-terminated. Borrowed from the buffer; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_buffer_data(buffer: *const cw_buffer) -> *const u8 {
    // SAFETY: the host vouches for `buffer`.
    quietly(null(), || unsafe { buffer.as_ref() }.map_or(null(), |buffer| buffer.0.as_ptr()))
}

/// How many bytes there are, the NUL at the end not counted. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_buffer_len(buffer: *const cw_buffer) -> usize {
    // SAFETY: the host vouches for `buffer`.
    quietly(0, || unsafe { buffer.as_ref() }.map_or(0, |buffer| buffer.0.len() - 1))
}

/// Wipes and ends a buffer. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_buffer_free(buffer: *mut cw_buffer) {
    // SAFETY: the host vouches for `buffer`.
    unsafe { free(buffer) }
}
