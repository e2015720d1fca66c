//! The codec on files, descriptors, and pairs of read and write functions: for packages of any size, in one call.

use super::border::call;
use super::callback::{UserData, cw_read_fn, cw_write_fn};
use super::error::cw_error;
use super::key::{cw_opening_key, cw_sealing_key};
use super::pointer::{misuse, path, shared, tell};
use super::stream::{HostRead, HostWrite};
use super::watch::{HostWatch, cw_watch};
use crate::Result;
use crate::codec::{Watched, decrypt, decrypt_file, encrypt, encrypt_file};
use std::ffi::{c_char, c_void};
use std::fs::File;
use std::mem::ManuallyDrop;

/// Encrypts the file `from` into the file `to`. That is synced to the disk before it gets its name, and readable for
/// this user only; what stood there is replaced, and after a failure stays as it was. `watch` is told of the bytes
/// read; it may be NULL. `written`, unless NULL, gets the number of bytes written.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when a path leads nowhere, CW_ERR_IO, CW_ERR_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encrypt_file(
    key: *const cw_sealing_key,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encrypt_file", error, || {
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let (from, to) = (path("from", from, from_len)?, path("to", to, to_len)?);
            tell(written, encrypt_file(&key.0, &from, &to, &watch)?);
            Ok(())
        })
    }
}

/// Decrypts the file `from` into the file `to`, which gets its name only when all was decrypted and found good; else as
/// cw_encrypt_file. With des-md5 "found good" means the padding alone, so check a digest or a signature as well.
///
/// Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, and those of cw_encrypt_file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decrypt_file(
    key: *const cw_opening_key,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decrypt_file", error, || {
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let (from, to) = (path("from", from, from_len)?, path("to", to, to_len)?);
            tell(written, decrypt_file(&key.0, &from, &to, &watch)?);
            Ok(())
        })
    }
}

/// Encrypts what the descriptor `from` gives up to its end into the descriptor `to`: files, pipes, sockets. Both stay
/// open and are the host's. `watch` is told of the bytes read; it may be NULL. `written`, unless NULL, gets the number
/// of bytes written. On Unix only; elsewhere take cw_encrypt_stream.
///
/// Errors: CW_ERR_IO, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encrypt_fd(
    key: *const cw_sealing_key,
    from: i32,
    to: i32,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers and descriptors.
    unsafe {
        call("cw_encrypt_fd", error, || {
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let (from, to) = (descriptor("from", from)?, descriptor("to", to)?);
            tell(written, encrypt(&key.0, Watched::new(&*from, &watch), &*to)?);
            Ok(())
        })
    }
}

/// Decrypts what the descriptor `from` gives up to its end into the descriptor `to`, which gets nothing before all was
/// decrypted and found good: more than 1 MiB waits in an unnamed file in the system's folder for temporary files. With
/// des-md5 "found good" means the padding alone. Else as cw_encrypt_fd.
///
/// Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, and those of cw_encrypt_fd.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decrypt_fd(
    key: *const cw_opening_key,
    from: i32,
    to: i32,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers and descriptors.
    unsafe {
        call("cw_decrypt_fd", error, || {
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let (from, to) = (descriptor("from", from)?, descriptor("to", to)?);
            tell(written, decrypt(&key.0, Watched::new(&*from, &watch), &*to)?);
            Ok(())
        })
    }
}

/// Encrypts what `read` gives up to its end into `write`. Both are called on this thread, during this call only, each
/// with its own data. `watch` is told of the bytes read; it may be NULL. `written`, unless NULL, gets the number of
/// bytes written.
///
/// Errors: what `read` or `write` returned, CW_ERR_IO, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encrypt_stream(
    key: *const cw_sealing_key,
    read: cw_read_fn,
    read_data: *mut c_void,
    write: cw_write_fn,
    write_data: *mut c_void,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encrypt_stream", error, || {
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let input = HostRead::new(read, UserData::new(read_data, None))?;
            let output = HostWrite::new(write, UserData::new(write_data, None))?;
            tell(written, encrypt(&key.0, Watched::new(input, &watch), output)?);
            Ok(())
        })
    }
}

/// Decrypts what `read` gives up to its end into `write`, which is not called before all was decrypted and found good:
/// more than 1 MiB waits in an unnamed file in the system's folder for temporary files. With des-md5 "found good" means
/// the padding alone. Else as cw_encrypt_stream.
///
/// Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, and those of
/// cw_encrypt_stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decrypt_stream(
    key: *const cw_opening_key,
    read: cw_read_fn,
    read_data: *mut c_void,
    write: cw_write_fn,
    write_data: *mut c_void,
    watch: *const cw_watch,
    written: *mut u64,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decrypt_stream", error, || {
            let (key, watch) = (shared("key", key)?, HostWatch::new(watch)?);
            let input = HostRead::new(read, UserData::new(read_data, None))?;
            let output = HostWrite::new(write, UserData::new(write_data, None))?;
            tell(written, decrypt(&key.0, Watched::new(input, &watch), output)?);
            Ok(())
        })
    }
}

/// The host's descriptor as a file that is not closed.
///
/// # Safety
/// `fd` stays open during the call.
#[cfg(unix)]
unsafe fn descriptor(what: &str, fd: i32) -> Result<ManuallyDrop<File>> {
    use std::os::fd::FromRawFd;
    if fd < 0 {
        return Err(misuse(format!("`{what}` is {fd}, which is no descriptor; open it first")));
    }
    // SAFETY: the host vouches for it.
    Ok(ManuallyDrop::new(unsafe { File::from_raw_fd(fd) }))
}

/// # Safety
/// None is needed where there are no descriptors.
#[cfg(not(unix))]
unsafe fn descriptor(what: &str, _fd: i32) -> Result<ManuallyDrop<File>> {
    Err(misuse(format!(
        "`{what}`: there are descriptors on Unix only; take the function that ends in _stream"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::code::{
        CW_ERR_ALTERED, CW_ERR_CANCELLED, CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO,
        CW_ERR_TRUNCATED, CW_ERR_UNREACHABLE,
    };
    use super::super::host_for_tests::{
        NONSENSE, collect, data, fails, give, give_more_than_asked, keys, panic, panic_instead_of_giving,
        refuse, refuse_to_give, stop, works,
    };
    use super::*;
    use std::ptr::{from_ref, null, null_mut};

    fn watch_that_stops() -> cw_watch {
        cw_watch { struct_size: size_of::<cw_watch>(), progress: Some(stop), user_data: null_mut() }
    }

    #[test]
    fn a_stream_goes_there_and_back_and_is_counted() {
        for (sealing, opening) in &keys() {
            let plaintext = vec![7_u8; 1_000];
            let (mut sealed, mut plain) = (Vec::<u8>::new(), Vec::<u8>::new());
            let (mut input, mut written) = (plaintext.as_slice(), 0);
            let (to, count) = (data(&mut sealed), &raw mut written);
            // SAFETY: all pointers are good.
            works(|error| unsafe {
                let from = data(&mut input);
                cw_encrypt_stream(sealing, Some(give), from, Some(collect), to, null(), count, error)
            });
            assert_eq!(written, sealed.len() as u64);
            let mut input = sealed.as_slice();
            let to = data(&mut plain);
            // SAFETY: all pointers are good.
            works(|error| unsafe {
                let from = data(&mut input);
                cw_decrypt_stream(opening, Some(give), from, Some(collect), to, null(), null_mut(), error)
            });
            assert_eq!(plain, plaintext);
        }
    }

    #[test]
    fn a_function_that_fails_breaks_its_word_or_panics_is_told() {
        let (mut unreachable, mut nonsense) = (CW_ERR_UNREACHABLE, NONSENSE);
        for (sealing, opening) in &keys() {
            let cases: [(cw_read_fn, _, _, _); 4] = [
                (Some(refuse_to_give), data(&mut unreachable), CW_ERR_UNREACHABLE, "`read`"),
                (Some(refuse_to_give), data(&mut nonsense), CW_ERR_INTERNAL, "-7"),
                (Some(give_more_than_asked), null_mut(), CW_ERR_INTERNAL, "had room"),
                (Some(panic_instead_of_giving), null_mut(), CW_ERR_INTERNAL, "`read` panicked"),
            ];
            for (read, from, code, words) in cases {
                let mut output = Vec::<u8>::new();
                let to = data(&mut output);
                // SAFETY: all pointers are good.
                fails(code, words, |error| unsafe {
                    cw_encrypt_stream(sealing, read, from, Some(collect), to, null(), null_mut(), error)
                });
                // SAFETY: all pointers are good.
                fails(code, words, |error| unsafe {
                    cw_decrypt_stream(opening, read, from, Some(collect), to, null(), null_mut(), error)
                });
            }
            let cases: [(cw_write_fn, _, _); 2] = [
                (Some(refuse), data(&mut unreachable), CW_ERR_UNREACHABLE),
                (Some(panic), null_mut(), CW_ERR_INTERNAL),
            ];
            for (write, to, code) in cases {
                let mut input = &b"claim"[..];
                // SAFETY: all pointers are good.
                fails(code, "", |error| unsafe {
                    let from = data(&mut input);
                    cw_encrypt_stream(sealing, Some(give), from, write, to, null(), null_mut(), error)
                });
            }
        }
    }

    #[test]
    fn nothing_comes_out_of_a_stream_that_is_cut() {
        // A file of one chunk is taken for changed.
        for ((sealing, opening), code) in keys().iter().zip([CW_ERR_ALTERED, CW_ERR_TRUNCATED]) {
            let sealed = crate::codec::encrypt_bytes(&sealing.0, &[1; 500]).unwrap();
            let (mut input, mut plain) = (&sealed[..sealed.len() - 1], Vec::<u8>::new());
            let to = data(&mut plain);
            // SAFETY: all pointers are good.
            fails(code, "", |error| unsafe {
                let from = data(&mut input);
                cw_decrypt_stream(opening, Some(give), from, Some(collect), to, null(), null_mut(), error)
            });
            assert!(plain.is_empty());
        }
    }

    #[test]
    fn a_watch_stops_the_work_and_its_size_is_checked() {
        let (sealing, _) = &keys()[1];
        let call = |watch: &cw_watch, code, words| {
            let (mut input, mut output) = (&b"claim"[..], Vec::<u8>::new());
            let to = data(&mut output);
            // SAFETY: all pointers are good.
            fails(code, words, |error| unsafe {
                let from = data(&mut input);
                cw_encrypt_stream(sealing, Some(give), from, Some(collect), to, watch, null_mut(), error)
            });
        };
        call(&watch_that_stops(), CW_ERR_CANCELLED, "");
        for struct_size in [0, 8, usize::MAX] {
            call(&cw_watch { struct_size, ..watch_that_stops() }, CW_ERR_INVALID_ARGUMENT, "struct_size");
        }
    }

    #[test]
    fn null_is_refused_everywhere() {
        let (sealing, opening) = &keys()[1];
        let code = CW_ERR_INVALID_ARGUMENT;
        let (no, none, some) = (null_mut::<c_void>(), null(), c"x".as_ptr());
        // SAFETY: NULL is checked.
        unsafe {
            fails(code, "`key`", |error| {
                cw_encrypt_stream(null(), Some(give), no, Some(collect), no, none, null_mut(), error)
            });
            fails(code, "`read`", |error| {
                cw_encrypt_stream(sealing, None, no, Some(collect), no, none, null_mut(), error)
            });
            fails(code, "`write`", |error| {
                cw_encrypt_stream(sealing, Some(give), no, None, no, none, null_mut(), error)
            });
            fails(code, "`key`", |error| {
                cw_decrypt_stream(null(), Some(give), no, Some(collect), no, none, null_mut(), error)
            });
            fails(code, "`read`", |error| {
                cw_decrypt_stream(opening, None, no, Some(collect), no, none, null_mut(), error)
            });
            fails(code, "`write`", |error| {
                cw_decrypt_stream(opening, Some(give), no, None, no, none, null_mut(), error)
            });
            fails(code, "`key`", |error| cw_encrypt_file(null(), some, 1, some, 1, none, null_mut(), error));
            fails(code, "`from`", |error| {
                cw_encrypt_file(sealing, null(), 1, some, 1, none, null_mut(), error)
            });
            fails(code, "`to`", |error| cw_decrypt_file(opening, some, 1, some, 0, none, null_mut(), error));
            fails(code, "UTF-8", |error| {
                cw_decrypt_file(opening, c"\xff".as_ptr(), 1, some, 1, none, null_mut(), error)
            });
            fails(code, "NUL", |error| cw_decrypt_file(opening, some, 2, some, 1, none, null_mut(), error));
            fails(code, "descriptor", |error| cw_encrypt_fd(sealing, -1, 1, none, null_mut(), error));
            fails(code, "descriptor", |error| cw_decrypt_fd(opening, 0, -1, none, null_mut(), error));
            fails(code, "`key`", |error| cw_encrypt_fd(null(), 0, 1, none, null_mut(), error));
            fails(code, "`key`", |error| cw_decrypt_fd(null(), 0, 1, none, null_mut(), error));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "touches files")]
    fn files_go_there_and_back_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (plain, sealed, again) = (name("plain"), name("sealed"), name("again"));
        std::fs::write(&plain, "claim").unwrap();
        for (sealing, opening) in &keys() {
            let file = |from: &str, to: &str, encrypts: bool, watch, error| {
                let (from, from_len) = (from.as_ptr().cast(), from.len());
                let (to, to_len, written) = (to.as_ptr().cast(), to.len(), null_mut());
                // SAFETY: all pointers are good.
                unsafe {
                    match encrypts {
                        true => cw_encrypt_file(sealing, from, from_len, to, to_len, watch, written, error),
                        false => cw_decrypt_file(opening, from, from_len, to, to_len, watch, written, error),
                    }
                }
            };
            works(|error| file(&plain, &sealed, true, null(), error));
            works(|error| file(&sealed, &again, false, null(), error));
            assert_eq!(std::fs::read(&again).unwrap(), b"claim");
            fails(CW_ERR_INVALID_ARGUMENT, "missing", |error| {
                file(&name("missing"), &again, false, null(), error)
            });
            let watch = watch_that_stops();
            fails(CW_ERR_CANCELLED, "", |error| file(&plain, &name("no"), true, &raw const watch, error));
            assert!(!folder.path().join("no").exists());
        }
    }

    #[test]
    #[cfg(unix)]
    #[cfg_attr(miri, ignore = "touches files")]
    fn descriptors_are_read_and_written_from_where_they_stand_and_stay_open() {
        use std::io::{Seek, Write};
        use std::os::fd::AsRawFd;
        for (sealing, opening) in &keys() {
            let mut files = [(); 3].map(|()| tempfile::tempfile().unwrap());
            files[0].write_all(b"claim").unwrap();
            files[0].rewind().unwrap();
            let [plain, sealed, again] = [0, 1, 2].map(|at: usize| files[at].as_raw_fd());
            // SAFETY: the descriptors are open.
            unsafe {
                works(|error| cw_encrypt_fd(sealing, plain, sealed, null(), null_mut(), error));
                files[1].rewind().unwrap();
                let mut written = 0;
                works(|error| cw_decrypt_fd(opening, sealed, again, null(), &raw mut written, error));
                files[2].rewind().unwrap();
                assert_eq!(std::io::read_to_string(&files[2]).unwrap(), "claim");
                assert_eq!(written, 5);
                let folder = File::open(".").unwrap();
                fails(CW_ERR_IO, "", |error| {
                    cw_encrypt_fd(sealing, folder.as_raw_fd(), sealed, null(), null_mut(), error)
                });
            }
            assert!(files.iter().all(|file| file.metadata().is_ok()), "none was closed");
        }
    }

    #[test]
    fn a_length_of_nothing_is_a_path_of_nothing() {
        let (sealing, _) = &keys()[1];
        let x = from_ref(&0_u8).cast();
        // SAFETY: all pointers are good.
        fails(CW_ERR_INVALID_ARGUMENT, "empty", |error| unsafe {
            cw_encrypt_file(sealing, x, 0, x, 0, null(), null_mut(), error)
        });
    }
}
