//! A whole directory into a zip archive and back, and what an archive may cost.

use super::border::call;
use super::callback::{UserData, cw_read_fn, cw_write_fn};
use super::error::cw_error;
use super::pointer::{Options, options, path, tell};
use super::stream::{HostRead, HostWrite};
use super::watch::{HostWatch, cw_watch};
use crate::Result;
use crate::codec::{Limits, compress, compress_file, decompress, decompress_file};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;

/// How much an archive from outside may cost before it is refused. 0 stands for the default in each, and NULL instead
/// of the struct for all defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_limits {
    /// Set to sizeof(cw_limits).
    pub struct_size: usize,
    /// All entries together inflate to at most this many bytes. Default: 2 GiB.
    pub inflated_size: u64,
    /// At most this many entries, and at most as many directories on the way to them. Default: 20,000.
    pub entries: u64,
    /// What is compressed inflates to at most this many times its size, looked at beyond 64 MiB. Default: 1000.
    pub ratio: u64,
    /// A name between two slashes has at most this many bytes of UTF-8. Default: 255.
    pub name_length: usize,
    /// A whole path has at most this many bytes of UTF-8. Default: 1024.
    pub path_length: usize,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_limits {
    const FIRST: usize = offset_of!(cw_limits, path_length) + size_of::<usize>();
}

/// The limits that the host set.
///
/// # Safety
/// `given` is NULL, for the defaults, or good for the time of the call.
pub(super) unsafe fn limits(given: *const cw_limits) -> Result<Limits> {
    let mut limits = Limits::default();
    if given.is_null() {
        return Ok(limits);
    }
    // SAFETY: the host vouches for it.
    let set = unsafe { options("limits", given) }?;
    if set.inflated_size != 0 {
        limits = limits.with_inflated_size(set.inflated_size);
    }
    if set.entries != 0 {
        limits = limits.with_entries(set.entries);
    }
    if set.ratio != 0 {
        limits = limits.with_ratio(set.ratio);
    }
    if set.name_length != 0 {
        limits = limits.with_name_length(set.name_length);
    }
    if set.path_length != 0 {
        limits = limits.with_path_length(set.path_length);
    }
    Ok(limits)
}

/// Packs all that lies in `directory` into the zip archive `to`, which must not lie in it. That is synced to the disk
/// before it gets its name, and readable for this user only; what stood there is replaced, and after a failure stays as
/// it was. The same files give the same bytes. `watch` is told of the bytes read; it may be NULL. `written`, unless
/// NULL, gets the number of bytes written.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when a path leads nowhere, or for a symbolic link or names that would meet on
/// another system; CW_ERR_HOSTILE_NAME, CW_ERR_IO, CW_ERR_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_compress_directory(
    directory: *const c_char,
    directory_len: usize,
    to: *const c_char,
    to_len: usize,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_compress_directory", error, || {
            let (directory, to) = (path("directory", directory, directory_len)?, path("to", to, to_len)?);
            tell(written, compress_file(&directory, &to, &HostWatch::new(watch)?)?);
            Ok(())
        })
    }
}

/// Packs all that lies in `directory` into a zip archive that goes to `write`, on this thread and during this call only.
/// Else as cw_compress_directory.
///
/// Errors: what `write` returned, and those of cw_compress_directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_compress_directory_stream(
    directory: *const c_char,
    directory_len: usize,
    write: cw_write_fn,
    user_data: *mut c_void,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_compress_directory_stream", error, || {
            let directory = path("directory", directory, directory_len)?;
            let output = HostWrite::new(write, UserData::new(user_data, None))?;
            tell(written, compress(&directory, output, &HostWatch::new(watch)?)?);
            Ok(())
        })
    }
}

/// Unpacks the zip archive `from` into `directory`, which must be empty or not there yet. Everything is unpacked and
/// checked in a private place first; after a failure nothing is left. `limits` may be NULL. `watch` is told of the bytes
/// written; it may be NULL.
///
/// Errors: CW_ERR_NOT_AN_ARCHIVE, CW_ERR_UNSUPPORTED_ARCHIVE, CW_ERR_HOSTILE_NAME, CW_ERR_INCONSISTENT_ARCHIVE,
/// CW_ERR_INFLATED_TOO_LARGE, CW_ERR_TOO_MANY_ENTRIES, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_INVALID_ARGUMENT,
/// CW_ERR_IO, CW_ERR_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decompress_directory(
    from: *const c_char,
    from_len: usize,
    directory: *const c_char,
    directory_len: usize,
    limits: *const cw_limits,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decompress_directory", error, || {
            let from = path("from", from, from_len)?;
            let directory = path("directory", directory, directory_len)?;
            let (limits, watch) = (self::limits(limits)?, HostWatch::new(watch)?);
            decompress_file(&from, &directory, &limits, &watch).map(|_| ())
        })
    }
}

/// Unpacks the zip archive that `read` gives, on this thread and during this call only, into `directory`. Else as
/// cw_decompress_directory.
///
/// Errors: what `read` returned, and those of cw_decompress_directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decompress_directory_stream(
    read: cw_read_fn,
    user_data: *mut c_void,
    directory: *const c_char,
    directory_len: usize,
    limits: *const cw_limits,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decompress_directory_stream", error, || {
            let directory = path("directory", directory, directory_len)?;
            let input = HostRead::new(read, UserData::new(user_data, None))?;
            let (limits, watch) = (self::limits(limits)?, HostWatch::new(watch)?);
            decompress(input, &directory, &limits, &watch).map(|_| ())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::{
        CW_ERR_CANCELLED, CW_ERR_INFLATED_TOO_LARGE, CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT,
        CW_ERR_NOT_AN_ARCHIVE, CW_ERR_TOO_MANY_ENTRIES, CW_ERR_UNREACHABLE,
    };
    use super::super::host_for_tests::{
        collect, data, fails, give, panic, refuse, refuse_to_give, stop, works,
    };
    use super::*;
    use std::ptr::{null, null_mut};

    /// No limit set.
    fn defaults() -> cw_limits {
        let struct_size = size_of::<cw_limits>();
        cw_limits { struct_size, inflated_size: 0, entries: 0, ratio: 0, name_length: 0, path_length: 0 }
    }

    #[test]
    fn zero_stands_for_the_default_and_a_wrong_size_is_refused() {
        // SAFETY: the structs are good.
        unsafe {
            assert_eq!(limits(null()).unwrap(), Limits::default());
            assert_eq!(limits(&defaults()).unwrap(), Limits::default());
            let set = cw_limits {
                inflated_size: 1,
                entries: 2,
                ratio: 3,
                name_length: 4,
                path_length: 5,
                ..defaults()
            };
            let expected = Limits::default().with_inflated_size(1).with_entries(2).with_ratio(3);
            assert_eq!(limits(&raw const set).unwrap(), expected.with_name_length(4).with_path_length(5));
            for struct_size in [0, 1, size_of::<cw_limits>() - 1, usize::MAX] {
                let wrong = cw_limits { struct_size, ..defaults() };
                let error = limits(&raw const wrong).unwrap_err();
                assert!(error.to_string().contains("sizeof"), "{error}");
            }
        }
    }

    #[test]
    fn paths_and_functions_that_are_not_there_are_refused() {
        let code = CW_ERR_INVALID_ARGUMENT;
        let (x, no, none, count) = (c"x".as_ptr(), null_mut(), null(), null_mut());
        // SAFETY: NULL is checked.
        unsafe {
            fails(code, "`directory`", |error| cw_compress_directory(null(), 1, x, 1, none, count, error));
            fails(code, "`to`", |error| cw_compress_directory(x, 1, null(), 0, none, count, error));
            fails(code, "`write`", |error| cw_compress_directory_stream(x, 1, None, no, none, count, error));
            fails(code, "UTF-8", |error| {
                cw_compress_directory_stream(c"\xff".as_ptr(), 1, Some(collect), no, none, count, error)
            });
            fails(code, "`from`", |error| cw_decompress_directory(null(), 1, x, 1, null(), none, error));
            fails(code, "`directory`", |error| cw_decompress_directory(x, 1, x, 0, null(), none, error));
            fails(code, "`read`", |error| {
                cw_decompress_directory_stream(None, no, x, 1, null(), none, error)
            });
            let wrong = cw_limits { struct_size: 3, ..defaults() };
            fails(code, "`limits->struct_size`", |error| {
                cw_decompress_directory_stream(Some(give), no, x, 1, &raw const wrong, none, error)
            });
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn a_directory_goes_there_and_back_by_file_and_by_function() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let text = |text: &String| (text.as_ptr().cast::<c_char>(), text.len());
        let (claim, archive, again, third) = (name("claim"), name("claim.zip"), name("again"), name("third"));
        std::fs::create_dir(&claim).unwrap();
        std::fs::write(folder.path().join("claim/note.txt"), "Please call back.").unwrap();
        let ((from, from_len), (to, to_len)) = (text(&claim), text(&archive));
        let mut written = 0;
        let mut bytes = Vec::<u8>::new();
        let into = data(&mut bytes);
        // SAFETY: all pointers are good.
        unsafe {
            works(|e| cw_compress_directory(from, from_len, to, to_len, null(), &raw mut written, e));
            works(|e| {
                cw_compress_directory_stream(from, from_len, Some(collect), into, null(), null_mut(), e)
            });
        }
        assert_eq!(std::fs::read(&archive).unwrap(), bytes);
        assert_eq!(written, bytes.len() as u64);
        let ((new, new_len), (other, other_len)) = (text(&again), text(&third));
        let mut input = bytes.as_slice();
        // SAFETY: all pointers are good.
        unsafe {
            works(|e| cw_decompress_directory(to, to_len, new, new_len, null(), null(), e));
            let from = data(&mut input);
            works(|e| cw_decompress_directory_stream(Some(give), from, other, other_len, null(), null(), e));
        }
        for unpacked in [again, third] {
            let note = std::path::Path::new(&unpacked).join("note.txt");
            assert_eq!(std::fs::read(note).unwrap(), b"Please call back.");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn what_stops_the_work_is_told_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let claim = folder.path().to_str().unwrap().to_owned();
        let (from, from_len) = (claim.as_ptr().cast::<c_char>(), claim.len());
        std::fs::write(folder.path().join("note.txt"), "Please call back.").unwrap();
        let archive = crate::codec::compress_bytes([("note.txt", "Please call back."), ("b", "b")]).unwrap();
        let target = format!("{claim}/new");
        let (to, to_len) = (target.as_ptr().cast::<c_char>(), target.len());
        let mut unreachable = CW_ERR_UNREACHABLE;
        let unreachable = data(&mut unreachable);
        let stopping =
            cw_watch { struct_size: size_of::<cw_watch>(), progress: Some(stop), user_data: null_mut() };
        let unpack = |bytes: &[u8], limits: cw_limits, watch: *const cw_watch, error| {
            let mut input = bytes;
            let from = data(&mut input);
            // SAFETY: all pointers are good.
            unsafe {
                cw_decompress_directory_stream(Some(give), from, to, to_len, &raw const limits, watch, error)
            }
        };
        // SAFETY: all pointers are good.
        unsafe {
            fails(CW_ERR_UNREACHABLE, "`write`", |e| {
                cw_compress_directory_stream(from, from_len, Some(refuse), unreachable, null(), null_mut(), e)
            });
            fails(CW_ERR_INTERNAL, "", |e| {
                cw_compress_directory_stream(from, from_len, Some(panic), null_mut(), null(), null_mut(), e)
            });
            fails(CW_ERR_UNREACHABLE, "`read`", |e| {
                let read: cw_read_fn = Some(refuse_to_give);
                cw_decompress_directory_stream(read, unreachable, to, to_len, null(), null(), e)
            });
        }
        fails(CW_ERR_NOT_AN_ARCHIVE, "", |e| unpack(b"no archive", defaults(), null(), e));
        fails(CW_ERR_CANCELLED, "", |e| unpack(&archive, defaults(), &raw const stopping, e));
        let tight = cw_limits { entries: 1, ..defaults() };
        fails(CW_ERR_TOO_MANY_ENTRIES, "", |e| unpack(&archive, tight, null(), e));
        let tight = cw_limits { inflated_size: 4, ..defaults() };
        fails(CW_ERR_INFLATED_TOO_LARGE, "", |e| unpack(&archive, tight, null(), e));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
