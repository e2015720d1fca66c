//! A sealed archive of a directory back into that directory, in one call.

use super::archive_directory::{cw_limits, limits};
use super::archive_writer::as_json;
use super::border::call;
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_read_fn};
use super::error::cw_error;
use super::key::cw_opening_key;
use super::pointer::{Options, Out, options, path, shared};
use super::stream::HostRead;
use super::watch::{HostWatch, cw_watch};
use crate::Result;
use crate::codec::{EntryDigest, UnpackOptions, unpack_file, unpack_stream};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::num::NonZeroUsize;

/// How archives are unpacked. 0 stands for the default in each, and NULL instead of the struct for all defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_unpack_options {
    /// Set to sizeof(cw_unpack_options).
    pub struct_size: usize,
    /// At most this many threads, the caller's among them; they have ended when the call returns. Default: as many as the
    /// machine runs at once, and one for less than 1 MiB.
    pub threads: u32,
    /// Unless NULL, gets a buffer, NULL after a failure, with the files that were unpacked, in the archive's order, as JSON:
    /// [{"name":..,"size":..,"sha256":..},..], each as it was measured.
    pub files: *mut *mut cw_buffer,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_unpack_options {
    const FIRST: usize = offset_of!(cw_unpack_options, threads) + size_of::<u32>();
}

/// The limits and options that the host set, and where it wants the files that were unpacked.
///
/// # Safety
/// Each is NULL, for the defaults, or good for the time of the call.
unsafe fn unpack_options(
    bounds: *const cw_limits,
    given: *const cw_unpack_options,
) -> Result<(UnpackOptions, Option<Out<cw_buffer>>)> {
    let (mut set, mut files) = (UnpackOptions::default(), None);
    if !given.is_null() {
        // SAFETY: the host vouches for it.
        let given = unsafe { options("options", given) }?;
        if let Some(threads) = NonZeroUsize::new(usize::try_from(given.threads).unwrap_or(usize::MAX)) {
            set = set.with_threads(threads);
        }
        // SAFETY: as above.
        files = unsafe { Out::wanted(given.files) };
    }
    // SAFETY: as above.
    Ok((set.with_limits(unsafe { limits(bounds) }?), files))
}

fn tell(files: Option<Out<cw_buffer>>, unpacked: &[(String, EntryDigest)]) {
    if let Some(files) = files {
        files.give(as_json(unpacked));
    }
}

/// Unpacks the file `from`, which cw_pack_directory made, into `directory`, which must be empty or not there yet.
/// Everything is unpacked in a private place first, and checked against the list SHA256SUMS that ends the archive; after
/// a failure nothing is left. With des-md5 the list finds what was damaged, not what was forged. `limits` and `options`
/// may be NULL. `watch` is told of the sealed bytes read, on this thread; it may be NULL.
///
/// Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, CW_ERR_NOT_A_PACKAGE when
/// SHA256SUMS is not the last entry, and those of cw_decompress_directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_unpack_directory(
    key: *const cw_opening_key,
    from: *const c_char,
    from_len: usize,
    directory: *const c_char,
    directory_len: usize,
    limits: *const cw_limits,
    options: *const cw_unpack_options,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_unpack_directory", error, || {
            let (options, files) = unpack_options(limits, options)?;
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let from = path("from", from, from_len)?;
            let directory = path("directory", directory, directory_len)?;
            tell(files, &unpack_file(&from, &key.0, &directory, &options, &watch)?);
            Ok(())
        })
    }
}

/// Unpacks the sealed bytes that `read` gives, on this thread and during this call only, into `directory`. They wait, as
/// they are, in an unnamed file beside it until all of them came. Else as cw_unpack_directory.
///
/// Errors: what `read` returned, and those of cw_unpack_directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_unpack_directory_stream(
    key: *const cw_opening_key,
    read: cw_read_fn,
    user_data: *mut c_void,
    directory: *const c_char,
    directory_len: usize,
    limits: *const cw_limits,
    options: *const cw_unpack_options,
    watch: *const cw_watch,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_unpack_directory_stream", error, || {
            let (options, files) = unpack_options(limits, options)?;
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let directory = path("directory", directory, directory_len)?;
            let input = HostRead::new(read, UserData::new(user_data, None))?;
            tell(files, &unpack_stream(input, &key.0, &directory, &options, &watch)?);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::{cw_buffer_data, cw_buffer_free};
    use super::super::code::{
        CW_ERR_ALTERED, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT, CW_ERR_NOT_A_PACKAGE,
        CW_ERR_TOO_MANY_ENTRIES, CW_ERR_UNREACHABLE,
    };
    use super::super::host_for_tests::{data, fails, give, keys, refuse_to_give, stop, works};
    use super::*;
    use crate::codec::{EntryDigest, compress_bytes, encrypt_bytes};
    use std::ffi::CStr;
    use std::ptr::{from_ref, null, null_mut};

    const NOTE: &[u8] = b"Please call back.";

    /// A note and its digest, and how the list calls it.
    fn archive(listed: &str) -> Vec<u8> {
        let list = format!("{}  {listed}\n", EntryDigest::of(NOTE).to_hex());
        compress_bytes([("note.txt", NOTE), ("SHA256SUMS", list.as_bytes())]).unwrap()
    }

    fn threads(threads: u32) -> cw_unpack_options {
        cw_unpack_options { struct_size: size_of::<cw_unpack_options>(), threads, files: null_mut() }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn a_sealed_directory_is_unpacked_from_a_file_and_from_a_function() {
        for (sealing, opening) in &keys() {
            let folder = tempfile::tempdir().unwrap();
            let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
            let text = |text: &String| (text.as_ptr().cast::<c_char>(), text.len());
            let (from, one, other) = (name("claim.sealed"), name("one"), name("other"));
            let sealed = encrypt_bytes(&sealing.0, &archive("note.txt")).unwrap();
            std::fs::write(&from, &sealed).unwrap();
            let ((from, from_len), (to, to_len)) = (text(&from), text(&one));
            let (mut files, none) = (null_mut(), null());
            let two = cw_unpack_options { files: &raw mut files, ..threads(2) };
            // SAFETY: all pointers are good.
            works(|e| unsafe {
                cw_unpack_directory(opening, from, from_len, to, to_len, null(), &raw const two, none, e)
            });
            let digest = EntryDigest::of(NOTE).to_hex();
            let listed = format!(r#"[{{"name":"note.txt","sha256":"{digest}","size":{}}}]"#, NOTE.len());
            // SAFETY: the handle is live and freed once.
            unsafe {
                assert_eq!(CStr::from_ptr(cw_buffer_data(files).cast()).to_str().unwrap(), listed);
                cw_buffer_free(files);
            }
            let (mut input, (to, to_len)) = (sealed.as_slice(), text(&other));
            // SAFETY: all pointers are good.
            works(|e| unsafe {
                let read: cw_read_fn = Some(give);
                let from = data(&mut input);
                cw_unpack_directory_stream(opening, read, from, to, to_len, null(), null(), none, e)
            });
            for unpacked in [one, other] {
                assert_eq!(std::fs::read_dir(&unpacked).unwrap().count(), 1);
                assert_eq!(std::fs::read(format!("{unpacked}/note.txt")).unwrap(), NOTE);
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn what_does_not_hold_or_is_stopped_leaves_nothing() {
        let (sealing, opening) = &keys()[1];
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new").to_str().unwrap().to_owned();
        let (to, to_len) = (target.as_ptr().cast::<c_char>(), target.len());
        let unpack = |archive: &[u8], limits: *const cw_limits, watch: *const cw_watch, error| {
            let sealed = encrypt_bytes(&sealing.0, archive).unwrap();
            let mut input = sealed.as_slice();
            let (from, none) = (data(&mut input), null());
            // SAFETY: all pointers are good.
            unsafe {
                cw_unpack_directory_stream(opening, Some(give), from, to, to_len, limits, none, watch, error)
            }
        };
        let unlisted = compress_bytes([("note.txt", NOTE)]).unwrap();
        fails(CW_ERR_NOT_A_PACKAGE, "SHA256SUMS", |e| unpack(&unlisted, null(), null(), e));
        let mut damaged = archive("note.txt");
        let place = damaged.windows(NOTE.len()).position(|window| window == NOTE).unwrap();
        damaged[place] ^= 1;
        fails(CW_ERR_ALTERED, "CRC-32", |e| unpack(&damaged, null(), null(), e));
        let other = compress_bytes([
            ("note.txt", NOTE),
            ("SHA256SUMS", format!("{}  note.txt\n", EntryDigest::of(b"").to_hex()).as_bytes()),
        ])
        .unwrap();
        fails(CW_ERR_ALTERED, "note.txt", |e| unpack(&other, null(), null(), e));
        let stopping =
            cw_watch { struct_size: size_of::<cw_watch>(), progress: Some(stop), user_data: null_mut() };
        fails(CW_ERR_CANCELLED, "", |e| unpack(&archive("note.txt"), null(), &raw const stopping, e));
        // SAFETY: zero is the default of each limit.
        let mut tight: cw_limits = unsafe { std::mem::zeroed() };
        (tight.struct_size, tight.entries) = (size_of::<cw_limits>(), 1);
        fails(CW_ERR_TOO_MANY_ENTRIES, "", |e| unpack(&archive("note.txt"), &raw const tight, null(), e));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn null_and_wrong_sizes_are_refused() {
        let (_, opening) = &keys()[1];
        let (code, x, none) = (CW_ERR_INVALID_ARGUMENT, c"x".as_ptr(), null());
        let key = from_ref(opening);
        let mut unreachable = CW_ERR_UNREACHABLE;
        // SAFETY: NULL is checked.
        unsafe {
            let file = |key, from, to, options, error| {
                cw_unpack_directory(key, from, 1, to, 1, null(), options, none, error)
            };
            fails(code, "`key`", |error| file(null(), x, x, null(), error));
            fails(code, "`from`", |error| file(key, null(), x, null(), error));
            fails(code, "`directory`", |error| file(key, x, null(), null(), error));
            let wrong = cw_unpack_options { struct_size: 3, ..threads(1) };
            fails(code, "`options->struct_size`", |error| file(key, x, x, &raw const wrong, error));
            let stream = |read: cw_read_fn, data, error| {
                cw_unpack_directory_stream(key, read, data, x, 1, null(), null(), none, error)
            };
            fails(code, "`read`", |error| stream(None, null_mut(), error));
            let refusing = data(&mut unreachable);
            fails(CW_ERR_UNREACHABLE, "`read`", |error| stream(Some(refuse_to_give), refusing, error));
        }
    }
}
