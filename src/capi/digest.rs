//! The SHA-256 of what a host holds, as documents, packages and archives have it.

use super::border::call;
use super::callback::{UserData, cw_read_fn};
use super::error::cw_error;
use super::pointer::{bytes, path, tell};
use super::stream::HostRead;
use super::watch::{HostWatch, cw_watch};
use crate::codec::Watched;
use crate::protocol::DigestReader;
use crate::{Error, Result};
use std::ffi::{c_char, c_void};
use std::fs::File;
use std::io::{self, Read};

/// Room for a SHA-256 in hexadecimal with its NUL.
pub const CW_SHA256_SIZE: usize = 65;

/// The "sha256" and "size" of a file's bytes, as a document's record has them. `sha256` has room for CW_SHA256_SIZE bytes;
/// both may be NULL.
///
/// Errors: CW_ERR_IO when it cannot be read; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_file_digest(
    file: *const c_char,
    file_len: usize,
    sha256: *mut c_char,
    size: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_file_digest", error, || {
            let path = path("file", file, file_len)?;
            let of_file = |fault: Error| fault.within(format_args!("file {}", path.display()));
            let file = File::open(&path).map_err(|fault| of_file(fault.into()))?;
            measure(file, sha256, size).map_err(of_file)
        })
    }
}

/// The "sha256" of bytes in memory. `sha256` has room for CW_SHA256_SIZE bytes.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_bytes_digest(
    data: *const u8,
    data_len: usize,
    sha256: *mut c_char,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_bytes_digest", error, || {
            measure(bytes("data", data, data_len)?, sha256, std::ptr::null_mut())
        })
    }
}

/// The "sha256" and "size" of the bytes that `read` gives up to its end, on this thread and during this call only.
/// `sha256` has room for CW_SHA256_SIZE bytes; both may be NULL. `watch` is told of the bytes read; it may be NULL.
///
/// Errors: what `read` returned, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_stream_digest(
    read: cw_read_fn,
    user_data: *mut c_void,
    watch: *const cw_watch,
    sha256: *mut c_char,
    size: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_stream_digest", error, || {
            let (input, watch) =
                (HostRead::new(read, UserData::new(user_data, None))?, HostWatch::new(watch)?);
            measure(Watched::new(input, &watch), sha256, size)
        })
    }
}

/// # Safety
/// As for [`tell_sha256`] and [`tell`].
unsafe fn measure(input: impl Read, sha256: *mut c_char, size: *mut u64) -> Result<()> {
    let mut measured = DigestReader::new(input);
    let length = io::copy(&mut measured, &mut io::sink())?;
    // SAFETY: the caller says so.
    unsafe {
        tell(size, length);
        tell_sha256(sha256, &measured.finish().to_hex());
    }
    Ok(())
}

/// Writes 64 digits and a NUL where the host asked for them.
///
/// # Safety
/// `sha256` is NULL or has room for [`CW_SHA256_SIZE`] bytes.
pub(super) unsafe fn tell_sha256(sha256: *mut c_char, hex: &str) {
    let mut digits = [0; CW_SHA256_SIZE];
    digits[..CW_SHA256_SIZE - 1].copy_from_slice(hex.as_bytes());
    // SAFETY: the caller says so.
    unsafe { tell(sha256.cast(), digits) };
}

#[cfg(test)]
mod tests {
    use super::super::code::{CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO, CW_ERR_UNREACHABLE};
    use super::super::host_for_tests::{data, fails, give, refuse_to_give, stop, works};
    use super::*;
    use crate::protocol::Digest;
    use std::ffi::CStr;
    use std::ptr::{null, null_mut};

    fn hex(sha256: &[c_char; CW_SHA256_SIZE]) -> &str {
        // SAFETY: the functions end what they write.
        unsafe { CStr::from_ptr(sha256.as_ptr()) }.to_str().unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "files")]
    fn the_digest_of_a_file_is_that_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen");
        std::fs::write(&file, "seen").unwrap();
        let path = file.to_str().unwrap();
        let (at, length) = (path.as_ptr().cast(), path.len());
        let (mut sha256, mut size) = ([1; CW_SHA256_SIZE], 0);
        let (digest, none) = (sha256.as_mut_ptr(), null_mut());
        // SAFETY: texts and room of ours.
        unsafe {
            works(|error| cw_file_digest(at, length, digest, &raw mut size, error));
            works(|error| cw_file_digest(at, length, none, null_mut(), error));
            fails(CW_ERR_IO, "file ", |error| cw_file_digest(at, length - 1, digest, &raw mut size, error));
            fails(CW_ERR_INVALID_ARGUMENT, "`file`", |error| {
                cw_file_digest(null(), 0, digest, &raw mut size, error)
            });
        }
        assert_eq!((hex(&sha256), size), (Digest::of(b"seen").to_hex().as_str(), 4));
    }

    #[test]
    fn the_digest_of_bytes_and_of_a_stream_is_that_of_a_file() {
        let (mut of_bytes, mut of_stream, mut size) = ([1; CW_SHA256_SIZE], [1; CW_SHA256_SIZE], 0);
        let (into, from) = (of_stream.as_mut_ptr(), &mut &b"seen"[..]);
        let halt =
            cw_watch { struct_size: size_of::<cw_watch>(), progress: Some(stop), user_data: null_mut() };
        let mut unreachable = CW_ERR_UNREACHABLE;
        // SAFETY: texts and room of ours.
        unsafe {
            works(|error| cw_bytes_digest(b"seen".as_ptr(), 4, of_bytes.as_mut_ptr(), error));
            works(|error| cw_stream_digest(Some(give), data(from), null(), into, &raw mut size, error));
            fails(CW_ERR_INVALID_ARGUMENT, "`data`", |error| cw_bytes_digest(null(), 4, into, error));
            fails(CW_ERR_INVALID_ARGUMENT, "`read`", |error| {
                cw_stream_digest(None, null_mut(), null(), into, null_mut(), error)
            });
            fails(CW_ERR_UNREACHABLE, "`read`", |error| {
                let from = data(&mut unreachable);
                cw_stream_digest(Some(refuse_to_give), from, null(), into, null_mut(), error)
            });
            fails(CW_ERR_CANCELLED, "", |error| {
                let from = data(&mut &b"seen"[..]);
                cw_stream_digest(Some(give), from, &raw const halt, into, null_mut(), error)
            });
        }
        let expected = Digest::of(b"seen").to_hex();
        assert_eq!((hex(&of_bytes), hex(&of_stream), size), (expected.as_str(), expected.as_str(), 4));
    }
}
