//! Reads a zip archive from outside entry by entry; nothing in it is believed.

use super::archive_directory::{cw_limits, limits};
use super::border::{call, quietly};
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_write_fn};
use super::digest::tell_sha256;
use super::error::{c_text, cw_error};
use super::pointer::{Out, bytes, free, misuse, path, shared, unique};
use super::sink::Held;
use super::stream::HostWrite;
use super::watch::{HostWatch, cw_watch};
use crate::codec::{ArchiveReader, EntryDigest, Limits, Watched, Wiped};
use crate::{Error, ErrorKind, Result};
use std::ffi::{CString, c_char, c_void};
use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::ptr::null;

/// An archive whose directory was found good. The names and sizes of its files may be asked for on several threads at
/// once; reading content is for one call at a time.
pub struct cw_archive_reader {
    archive: ArchiveReader<Box<dyn Source>>,
    files: Vec<Listed>,
}

/// Where an archive lies.
trait Source: Read + Seek + Send + Sync {}

impl<S: Read + Seek + Send + Sync> Source for S {}

/// A file in it.
struct Listed {
    name: String,
    c_name: CString,
    size: u64,
    /// As measured when it was read.
    digest: Option<EntryDigest>,
}

impl cw_archive_reader {
    fn new(source: Box<dyn Source>, limits: &Limits) -> Result<Self> {
        let archive = ArchiveReader::open(source, limits)?;
        let files = archive.entries().map(|entry| Listed {
            name: entry.name().to_owned(),
            c_name: c_text(entry.name()),
            size: entry.size(),
            digest: None,
        });
        Ok(Self { files: files.collect(), archive })
    }

    /// Reads a file, and keeps what was measured.
    fn read(&mut self, index: usize, output: impl Write) -> Result<()> {
        let many = self.files.len();
        let listed = self.files.get_mut(index).ok_or_else(|| no_such_file(index, many))?;
        listed.digest = Some(self.archive.read(&listed.name, output)?);
        Ok(())
    }
}

fn no_such_file(index: usize, many: usize) -> Error {
    misuse(format!("`index` is {index}, but the archive has {many} files, from 0 on"))
}

/// Opens the zip archive at `from`. The archive is refused as a whole when anything in its directory is hostile, beyond
/// the limits or contradictory; nothing is inflated for that. `limits` may be NULL.
///
/// Errors: CW_ERR_NOT_AN_ARCHIVE, CW_ERR_UNSUPPORTED_ARCHIVE, CW_ERR_HOSTILE_NAME, CW_ERR_INCONSISTENT_ARCHIVE,
/// CW_ERR_INFLATED_TOO_LARGE, CW_ERR_TOO_MANY_ENTRIES, CW_ERR_TRUNCATED, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_open(
    from: *const c_char,
    from_len: usize,
    limits: *const cw_limits,
    out: *mut *mut cw_archive_reader,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_reader_open", error, || {
            let out = Out::new("out", out)?;
            let from = path("from", from, from_len)?;
            let limits = self::limits(limits)?;
            let file = File::open(&from).map_err(|fault| {
                Error::new(ErrorKind::InvalidArgument, format!("`{}`: {fault}", from.display()))
                    .caused_by(fault)
            })?;
            out.give(cw_archive_reader::new(Box::new(file), &limits)?);
            Ok(())
        })
    }
}

/// Opens a zip archive in memory, of which a copy is kept. Else as cw_archive_reader_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_open_bytes(
    archive: *const u8,
    archive_len: usize,
    limits: *const cw_limits,
    out: *mut *mut cw_archive_reader,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_reader_open_bytes", error, || {
            let out = Out::new("out", out)?;
            let copy = Wiped::new(bytes("archive", archive, archive_len)?.to_vec());
            let source = Box::new(Cursor::new(copy));
            out.give(cw_archive_reader::new(source, &self::limits(limits)?)?);
            Ok(())
        })
    }
}

/// How many files the archive has; directories are not counted. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_count(reader: *const cw_archive_reader) -> usize {
    // SAFETY: the host vouches for `reader`.
    quietly(0, || unsafe { shared("reader", reader) }.map_or(0, |reader| reader.files.len()))
}

/// The name of a file, counted from 0 in the order of the archive's directory: a path that was checked, relative, with
/// "/" between its parts. Borrowed from the reader; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_name(
    reader: *const cw_archive_reader,
    index: usize,
) -> *const c_char {
    // SAFETY: the host vouches for `reader`.
    let name = || Some(unsafe { reader.as_ref() }?.files.get(index)?.c_name.as_ptr());
    quietly(null(), || name().unwrap_or(null()))
}

/// The size of a file that its header declares; reading fails where the content has another. 0 when there are not so
/// many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_size(reader: *const cw_archive_reader, index: usize) -> u64 {
    // SAFETY: the host vouches for `reader`.
    let size = || Some(unsafe { reader.as_ref() }?.files.get(index)?.size);
    quietly(0, || size().unwrap_or(0))
}

/// Gives the content of a file to `write`, on this thread and during this call only. It is verified only when CW_OK is
/// returned: after a failure throw away what `write` got. `watch` is told of the bytes written; it may be NULL.
///
/// Errors: CW_ERR_ALTERED, CW_ERR_INCONSISTENT_ARCHIVE, what `write` returned, CW_ERR_IO, CW_ERR_CANCELLED,
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_read(
    reader: *mut cw_archive_reader,
    index: usize,
    write: cw_write_fn,
    user_data: *mut c_void,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_reader_read", error, || {
            let reader = unique("reader", reader)?;
            let (output, watch) =
                (HostWrite::new(write, UserData::new(user_data, None))?, HostWatch::new(watch)?);
            reader.read(index, Watched::new(output, &watch))
        })
    }
}

/// Gives out the content of a file that fits into memory, after it was verified; its size is bounded by the limits.
///
/// Errors: CW_ERR_ALTERED, CW_ERR_INCONSISTENT_ARCHIVE, CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_read_bytes(
    reader: *mut cw_archive_reader,
    index: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_reader_read_bytes", error, || {
            let out = Out::new("out", out)?;
            let reader = unique("reader", reader)?;
            let content = Held::default();
            reader.read(index, content.clone())?;
            out.give(content.take());
            Ok(())
        })
    }
}

/// The SHA-256 of a file that was read before, as measured when it was read; cw_archive_reader_size is its size. `sha256`
/// has room for CW_SHA256_SIZE bytes and gets lower-case hexadecimal.
///
/// Errors: CW_ERR_WRONG_STATE when it was not read yet, or not without a failure; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_digest(
    reader: *const cw_archive_reader,
    index: usize,
    sha256: *mut c_char,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_reader_digest", error, || {
            let files = &shared("reader", reader)?.files;
            let listed = files.get(index).ok_or_else(|| no_such_file(index, files.len()))?;
            let digest = listed.digest.ok_or_else(|| {
                let message = format!("`{}` was not read yet; read it, then ask for its digest", listed.name);
                Error::new(ErrorKind::WrongState, message)
            })?;
            tell_sha256(sha256, &digest.to_hex());
            Ok(())
        })
    }
}

/// Closes an archive, and ends all names borrowed from it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_reader_free(reader: *mut cw_archive_reader) {
    // SAFETY: the host vouches for `reader`.
    unsafe { free(reader) }
}
