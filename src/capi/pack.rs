//! A whole directory into one sealed archive, and how hard that works.

use super::border::call;
use super::callback::{UserData, cw_write_fn};
use super::error::cw_error;
use super::key::cw_sealing_key;
use super::pointer::{Options, options, parsed, path, shared, switch, tell};
use super::stream::HostWrite;
use super::watch::{HostWatch, cw_watch};
use crate::Result;
use crate::codec::{PackOptions, pack, pack_file};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::num::NonZeroUsize;

/// How archives are compressed. 0 stands for the default in each, and NULL instead of the struct for all defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_pack_options {
    /// Set to sizeof(cw_pack_options).
    pub struct_size: usize,
    /// At most this many threads, the caller's among them; they have ended when the call returns. The number changes
    /// nothing about the bytes. Default: as many as the machine runs at once.
    pub threads: u32,
    /// The level of compression, from 1 (least work) to 9 (most); more work mostly gives less to send, but not for every
    /// content. Default: 3.
    pub level: u32,
    /// What entries are compressed with: "deflate", which every unzip tool reads, or "zstd", Zstandard, for recipients
    /// that read it. Borrowed during the call; NULL for "deflate". An exchange takes the partner's setting instead.
    pub compression: *const c_char,
    /// The length of `compression` in bytes.
    pub compression_len: usize,
    /// 1 to compress nothing: every entry is stored as it is, whatever `level` says. Else 0.
    pub store: i32,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_pack_options {
    const FIRST: usize = offset_of!(cw_pack_options, level) + size_of::<u32>();
}

/// The options that the host set.
///
/// # Safety
/// `given` is NULL, for the defaults, or good for the time of the call.
pub(super) unsafe fn pack_options(given: *const cw_pack_options) -> Result<PackOptions> {
    let mut set = PackOptions::default();
    if given.is_null() {
        return Ok(set);
    }
    // SAFETY: the host vouches for it.
    let given = unsafe { options("options", given) }?;
    if let Some(threads) = NonZeroUsize::new(usize::try_from(given.threads).unwrap_or(usize::MAX)) {
        set = set.with_threads(threads);
    }
    if switch("options->store", given.store)? {
        set = set.with_level(0);
    } else if given.level != 0 {
        set = set.with_level(u8::try_from(given.level).unwrap_or(u8::MAX));
    }
    if !given.compression.is_null() {
        // SAFETY: the host vouches for the text.
        let compression =
            unsafe { parsed("options->compression", given.compression, given.compression_len) }?;
        set = set.with_compression(compression);
    }
    Ok(set)
}

/// Packs all that lies in `directory` into a zip archive and seals that for `key` into the file `to`, in one pass; `to`
/// must not lie in `directory`. The archive's last entry is SHA256SUMS, which lists the SHA-256 of every file as
/// sha256sum writes it. The file is synced to the disk before it gets its name, and readable for this user only; what
/// stood there is replaced, and after a failure stays as it was. `options` may be NULL. `watch` is told of the bytes
/// read, on this thread; it may be NULL. `written`, unless NULL, gets the number of bytes written.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when a path leads nowhere, or for a symbolic link, names that would meet on another
/// system, or a file that is named SHA256SUMS itself; CW_ERR_HOSTILE_NAME, CW_ERR_IO, CW_ERR_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_pack_directory(
    key: *const cw_sealing_key,
    directory: *const c_char,
    directory_len: usize,
    to: *const c_char,
    to_len: usize,
    options: *const cw_pack_options,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_pack_directory", error, || {
            let key = shared("key", key)?;
            let (directory, to) = (path("directory", directory, directory_len)?, path("to", to, to_len)?);
            let (options, watch) = (pack_options(options)?, HostWatch::new(watch)?);
            tell(written, pack_file(&directory, &key.0, &to, &options, &watch)?.bytes_written());
            Ok(())
        })
    }
}

/// Packs and seals all that lies in `directory` into what `write` takes, which is called on this thread and during this
/// call only. Else as cw_pack_directory.
///
/// Errors: what `write` returned, and those of cw_pack_directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_pack_directory_stream(
    key: *const cw_sealing_key,
    directory: *const c_char,
    directory_len: usize,
    write: cw_write_fn,
    user_data: *mut c_void,
    options: *const cw_pack_options,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_pack_directory_stream", error, || {
            let key = shared("key", key)?;
            let directory = path("directory", directory, directory_len)?;
            let output = HostWrite::new(write, UserData::new(user_data, None))?;
            let (options, watch) = (pack_options(options)?, HostWatch::new(watch)?);
            tell(written, pack(&directory, &key.0, output, &options, &watch)?.bytes_written());
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::{CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT, CW_ERR_UNREACHABLE};
    use super::super::host_for_tests::{collect, data, fails, refuse, stop, works};
    use super::*;
    use crate::codec::{
        Compression, DesMd5Key, Framing, Limits, OpeningKey, SealingKey, decompress_bytes, decrypt_bytes,
    };
    use std::ptr::{null, null_mut};

    fn key() -> DesMd5Key {
        DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).unwrap()
    }

    fn sealing() -> cw_sealing_key {
        cw_sealing_key(SealingKey::from(key()))
    }

    fn set(threads: u32, level: u32) -> cw_pack_options {
        let (struct_size, compression) = (size_of::<cw_pack_options>(), null());
        cw_pack_options { struct_size, threads, level, compression, compression_len: 0, store: 0 }
    }

    #[test]
    fn zero_stands_for_the_default_and_a_wrong_size_is_refused() {
        // SAFETY: the structs are good.
        unsafe {
            assert_eq!(pack_options(null()).unwrap(), PackOptions::default());
            let three = PackOptions::default().with_threads(NonZeroUsize::new(3).unwrap());
            for (given, expected) in [
                (set(0, 0), PackOptions::default()),
                (set(3, 9), three.with_level(9)),
                (set(3, 900), three.with_level(9)),
                (cw_pack_options { store: 1, ..set(3, 9) }, three.with_level(0)),
            ] {
                assert_eq!(pack_options(&raw const given).unwrap(), expected);
            }
            for (name, expected) in [("deflate", Compression::Deflate), ("zstd", Compression::Zstd)] {
                let named = cw_pack_options {
                    compression: name.as_ptr().cast(),
                    compression_len: name.len(),
                    ..set(0, 0)
                };
                assert_eq!(pack_options(&raw const named).unwrap().compression(), expected);
                // A host compiled for the struct as it was before has no such member.
                let older = cw_pack_options { struct_size: cw_pack_options::FIRST, ..named };
                assert_eq!(pack_options(&raw const older).unwrap(), PackOptions::default());
            }
            let unknown = cw_pack_options { compression: c"lzma".as_ptr(), compression_len: 4, ..set(0, 0) };
            let error = pack_options(&raw const unknown).unwrap_err();
            assert!(error.to_string().contains("`deflate` and `zstd`"), "{error}");
            for struct_size in [0, cw_pack_options::FIRST - 1, usize::MAX] {
                let wrong = cw_pack_options { struct_size, ..set(0, 0) };
                let error = pack_options(&raw const wrong).unwrap_err();
                assert!(error.to_string().contains("sizeof"), "{error}");
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn a_directory_is_packed_by_file_and_by_function() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (claim, sealed) = (name("claim"), name("claim.sealed"));
        std::fs::create_dir(&claim).unwrap();
        std::fs::write(folder.path().join("claim/note.txt"), "Please call back.").unwrap();
        let (from, from_len) = (claim.as_ptr().cast::<c_char>(), claim.len());
        let (to, to_len) = (sealed.as_ptr().cast::<c_char>(), sealed.len());
        let (key, options) = (sealing(), set(2, 1));
        let (mut written, mut bytes) = (0, Vec::<u8>::new());
        let into = data(&mut bytes);
        // SAFETY: all pointers are good.
        unsafe {
            works(|e| {
                let (key, written) = (&raw const key, &raw mut written);
                cw_pack_directory(key, from, from_len, to, to_len, null(), null(), written, e)
            });
            works(|e| {
                let (key, options, write) = (&raw const key, &raw const options, Some(collect as _));
                cw_pack_directory_stream(key, from, from_len, write, into, options, null(), null_mut(), e)
            });
        }
        let file = std::fs::read(&sealed).unwrap();
        assert_eq!(written, file.len() as u64);
        for sealed in [file, bytes] {
            let archive = decrypt_bytes(&OpeningKey::from(self::key()), &sealed).unwrap();
            let files = decompress_bytes(&archive, &Limits::default()).unwrap();
            let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["note.txt", "SHA256SUMS"]);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn what_stops_the_work_is_told_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let claim = folder.path().join("claim").to_str().unwrap().to_owned();
        let target = folder.path().join("sealed").to_str().unwrap().to_owned();
        std::fs::create_dir(&claim).unwrap();
        std::fs::write(folder.path().join("claim/note.txt"), "Please call back.").unwrap();
        let (from, from_len) = (claim.as_ptr().cast::<c_char>(), claim.len());
        let (to, to_len) = (target.as_ptr().cast::<c_char>(), target.len());
        let (key, no, count) = (sealing(), null(), null_mut());
        let key = &raw const key;
        let mut unreachable = CW_ERR_UNREACHABLE;
        let unreachable = data(&mut unreachable);
        let stopping =
            cw_watch { struct_size: size_of::<cw_watch>(), progress: Some(stop), user_data: null_mut() };
        let watch = &raw const stopping;
        let code = CW_ERR_INVALID_ARGUMENT;
        // SAFETY: all pointers are good, or NULL, which is checked.
        unsafe {
            fails(CW_ERR_CANCELLED, "", |e| {
                cw_pack_directory(key, from, from_len, to, to_len, null(), watch, count, e)
            });
            fails(code, "`key`", |e| {
                cw_pack_directory(null(), from, from_len, to, to_len, null(), no, count, e)
            });
            fails(code, "`to`", |e| cw_pack_directory(key, from, from_len, null(), 0, null(), no, count, e));
            fails(code, "`write`", |e| {
                cw_pack_directory_stream(key, from, from_len, None, null_mut(), null(), no, count, e)
            });
            fails(CW_ERR_UNREACHABLE, "`write`", |e| {
                let write: cw_write_fn = Some(refuse);
                cw_pack_directory_stream(key, from, from_len, write, unreachable, null(), no, count, e)
            });
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
