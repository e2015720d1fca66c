//! Writes a zip archive entry by entry, from memory or from read functions.

use super::border::call;
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_drop_fn, cw_read_fn, cw_write_fn};
use super::error::cw_error;
use super::pack::{cw_pack_options, pack_options};
use super::pointer::{Out, bytes, free, given_text, unique};
use super::sink::{Held, Sink, over, take_held};
use super::stream::HostRead;
use super::watch::{HostWatch, cw_watch};
use crate::Result;
use crate::codec::{ArchiveWriter, EntryDigest, Watched};
use std::ffi::{c_char, c_void};
use std::ptr::null;

/// A zip archive in the making, for one call at a time: cw_archive_writer_add or cw_archive_writer_queue for each entry,
/// then cw_archive_writer_finish, without which nobody can read it.
pub struct cw_archive_writer {
    archive: Option<ArchiveWriter<Sink>>,
    held: Option<Held>,
}

impl cw_archive_writer {
    /// The archive, as long as it was not finished.
    fn open(&mut self) -> Result<&mut ArchiveWriter<Sink>> {
        self.archive.as_mut().ok_or_else(over)
    }
}

/// Starts an archive. Its bytes go to `write`, from within the calls and on their thread. With `write` NULL they wait
/// until cw_archive_writer_take gives them out. `user_data` is handed to `write` and ended by `drop`, which may be NULL.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_new(
    write: cw_write_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    out: *mut *mut cw_archive_writer,
    error: *mut *mut cw_error,
) -> i32 {
    let user_data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe { call("cw_archive_writer_new", error, || start(write, user_data, null(), Out::new("out", out)?)) }
}

/// Starts an archive as cw_archive_writer_new does, and says how it is compressed. `options` may be NULL. Threads that
/// help are started once enough content waits, and have ended when cw_archive_writer_finish or cw_archive_writer_free
/// returns; they call no function of the host's.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_new_with_options(
    write: cw_write_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    options: *const cw_pack_options,
    out: *mut *mut cw_archive_writer,
    error: *mut *mut cw_error,
) -> i32 {
    let user_data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_new_with_options", error, || {
            start(write, user_data, options, Out::new("out", out)?)
        })
    }
}

/// # Safety
/// `options` is NULL or good for the time of the call.
unsafe fn start(
    write: cw_write_fn,
    user_data: UserData,
    options: *const cw_pack_options,
    out: Out<cw_archive_writer>,
) -> Result<()> {
    // SAFETY: the caller says so.
    let options = unsafe { pack_options(options) }?;
    let (sink, held) = Sink::new(write, user_data)?;
    out.give(cw_archive_writer { archive: Some(ArchiveWriter::with_options(sink, &options)), held });
    Ok(())
}

/// Adds an entry with content from memory. `name` is a relative path with "/" between its parts, in Unicode form C.
///
/// Errors: CW_ERR_HOSTILE_NAME and CW_ERR_INVALID_ARGUMENT for a name that cannot be written everywhere, is not in form
/// C, or would meet an earlier one: the archive goes on without this entry. What `write` returned, after which the
/// archive is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_add(
    writer: *mut cw_archive_writer,
    name: *const c_char,
    name_len: usize,
    content: *const u8,
    content_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_add", error, || {
            let archive = unique("writer", writer)?.open()?;
            let name = given_text("name", name, name_len)?;
            archive.add(name, bytes("content", content, content_len)?).map(|_| ())
        })
    }
}

/// Adds an entry with the content that `read` gives up to its end, on this thread and during this call only. `watch` is
/// told of the bytes read; it may be NULL.
///
/// Errors: what `read` returned, CW_ERR_CANCELLED, after which the archive may be lost, as the next call then says;
/// and those of cw_archive_writer_add.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_add_stream(
    writer: *mut cw_archive_writer,
    name: *const c_char,
    name_len: usize,
    read: cw_read_fn,
    user_data: *mut c_void,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_add_stream", error, || {
            let archive = unique("writer", writer)?.open()?;
            let name = given_text("name", name, name_len)?;
            let (content, watch) =
                (HostRead::new(read, UserData::new(user_data, None))?, HostWatch::new(watch)?);
            archive.add(name, Watched::new(content, &watch)).map(|_| ())
        })
    }
}

/// Adds an entry as cw_archive_writer_add does, but may return before it is written, so that entries are compressed side
/// by side. cw_archive_writer_settle waits for it.
///
/// Errors: those of cw_archive_writer_add. What `write` returned may be told by a later call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_queue(
    writer: *mut cw_archive_writer,
    name: *const c_char,
    name_len: usize,
    content: *const u8,
    content_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_queue", error, || {
            let archive = unique("writer", writer)?.open()?;
            let name = given_text("name", name, name_len)?;
            archive.queue(name, bytes("content", content, content_len)?)
        })
    }
}

/// Adds an entry as cw_archive_writer_add_stream does, but may return before it is written, though not before it is
/// read. cw_archive_writer_settle waits for it.
///
/// Errors: those of cw_archive_writer_add_stream. What `write` returned may be told by a later call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_queue_stream(
    writer: *mut cw_archive_writer,
    name: *const c_char,
    name_len: usize,
    read: cw_read_fn,
    user_data: *mut c_void,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_queue_stream", error, || {
            let archive = unique("writer", writer)?.open()?;
            let name = given_text("name", name, name_len)?;
            let (content, watch) =
                (HostRead::new(read, UserData::new(user_data, None))?, HostWatch::new(watch)?);
            archive.queue(name, Watched::new(content, &watch))
        })
    }
}

/// Waits until all that was queued is written. `entries`, unless NULL, gets these entries in their order, without those
/// that an earlier call told, as JSON: [{"name":..,"size":..,"sha256":..},..]. The SHA-256 is in lower-case hexadecimal.
///
/// Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT, also when the archive was lost at an earlier entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_settle(
    writer: *mut cw_archive_writer,
    entries: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_settle", error, || {
            let entries = Out::wanted(entries);
            let settled = unique("writer", writer)?.open()?.settle()?;
            if let Some(entries) = entries {
                entries.give(as_json(&settled));
            }
            Ok(())
        })
    }
}

/// The list of entries that hosts get.
pub(super) fn as_json(entries: &[(String, EntryDigest)]) -> cw_buffer {
    let of_entry = |(name, digest): &(String, EntryDigest)| {
        let (size, sha256) = (digest.size(), digest.to_hex());
        serde_json::json!({ "name": name, "size": size, "sha256": sha256 })
    };
    cw_buffer::new(serde_json::Value::from_iter(entries.iter().map(of_entry)).to_string())
}

/// Writes the archive's directory. Only after this the archive is complete; every further call fails with
/// CW_ERR_INVALID_ARGUMENT.
///
/// Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT, also when the archive was lost at an earlier entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_finish(
    writer: *mut cw_archive_writer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_finish", error, || {
            let archive = unique("writer", writer)?.archive.take().ok_or_else(over)?;
            archive.finish().map(|_| ())
        })
    }
}

/// Gives out the bytes that came since the last time, of a writer that was made without `write`. It may be empty.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_take(
    writer: *mut cw_archive_writer,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_writer_take", error, || {
            let out = Out::new("out", out)?;
            out.give(take_held(unique("writer", writer)?.held.as_ref())?);
            Ok(())
        })
    }
}

/// Ends an archive, finished or not; it finishes nothing. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_writer_free(writer: *mut cw_archive_writer) {
    // SAFETY: the host vouches for `writer`.
    unsafe { free(writer) }
}
