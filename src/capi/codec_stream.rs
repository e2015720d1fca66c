//! The codec on streams: pieces go in as they come, and what they become goes out at once.

use super::border::call;
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_drop_fn, cw_write_fn};
use super::error::cw_error;
use super::key::{cw_opening_key, cw_sealing_key};
use super::pointer::{Out, bytes, free, shared, unique};
use super::sink::{Held, Sink, over, take_held};
use crate::codec::{Encryptor, PushDecryptor};
use std::ffi::c_void;
use std::io::Write;

/// An encryption under way, for one call at a time: cw_encryptor_update as often as needed, then cw_encryptor_finish,
/// without which nobody can open what was written. After cw_encryptor_finish, and after any failure, every further
/// call fails with CW_ERR_INVALID_ARGUMENT.
pub struct cw_encryptor {
    work: Option<Encryptor<Sink>>,
    held: Option<Held>,
}

/// Starts an encryption for `key`, which is borrowed. Ciphertext goes to `write`, from within the calls and on their
/// thread; the first bytes already from within this one. With `write` NULL it waits until cw_encryptor_take gives it
/// out, for hosts that cannot give functions. `user_data` is handed to `write` and ended by `drop`, which may be NULL.
///
/// Errors: CW_ERR_IO when the system has no randomness to give, what `write` returned, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encryptor_new(
    key: *const cw_sealing_key,
    write: cw_write_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    out: *mut *mut cw_encryptor,
    error: *mut *mut cw_error,
) -> i32 {
    let user_data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encryptor_new", error, || {
            let out = Out::new("out", out)?;
            let (sink, held) = Sink::new(write, user_data)?;
            out.give(cw_encryptor { work: Some(Encryptor::new(&shared("key", key)?.0, sink)?), held });
            Ok(())
        })
    }
}

/// Encrypts the next bytes. Up to 64 KiB are held back until more comes.
///
/// Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encryptor_update(
    encryptor: *mut cw_encryptor,
    plaintext: *const u8,
    plaintext_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encryptor_update", error, || {
            let encryptor = unique("encryptor", encryptor)?;
            let plaintext = bytes("plaintext", plaintext, plaintext_len)?;
            // Taken out: after a failure, or a panic of `write`, nothing goes on.
            let mut work = encryptor.work.take().ok_or_else(over)?;
            work.write_all(plaintext)?;
            encryptor.work = Some(work);
            Ok(())
        })
    }
}

/// Encrypts what was held back. Only after this the sealed bytes are complete.
///
/// Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encryptor_finish(encryptor: *mut cw_encryptor, error: *mut *mut cw_error) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encryptor_finish", error, || {
            let work = unique("encryptor", encryptor)?.work.take().ok_or_else(over)?;
            work.finish().map(|_| ())
        })
    }
}

/// Gives out the ciphertext that came since the last time, of an encryptor that was made without `write`. It may be
/// empty. Take it after each cw_encryptor_update, so that it does not pile up, and after cw_encryptor_finish.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encryptor_take(
    encryptor: *mut cw_encryptor,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_encryptor_take", error, || {
            let out = Out::new("out", out)?;
            out.give(take_held(unique("encryptor", encryptor)?.held.as_ref())?);
            Ok(())
        })
    }
}

/// Wipes and ends an encryption, finished or not; it finishes nothing. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_encryptor_free(encryptor: *mut cw_encryptor) {
    // SAFETY: the host vouches for `encryptor`.
    unsafe { free(encryptor) }
}

/// A decryption under way, for one call at a time: cw_decryptor_update as often as needed, then cw_decryptor_finish.
///
/// WHAT COMES OUT IS NOT VERIFIED BEFORE cw_decryptor_finish RETURNED CW_OK, and with des-md5 not even then: only the
/// padding was checked, which 1 in 256 wrong keys passes. Let it go to a place that can be thrown away, and act on
/// nothing before that. cw_decrypt_file and cw_decrypt_stream hold it back for you.
///
/// After cw_decryptor_finish, and after any failure, every further call fails with CW_ERR_INVALID_ARGUMENT.
pub struct cw_decryptor {
    work: Option<PushDecryptor>,
    sink: Option<Sink>,
    held: Option<Held>,
}

/// Starts a decryption with `key`, which is borrowed. Plaintext goes to `write`, from within the calls and on their
/// thread. With `write` NULL it waits until cw_decryptor_take gives it out, for hosts that cannot give functions.
/// `user_data` is handed to `write` and ended by `drop`, which may be NULL.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decryptor_new(
    key: *const cw_opening_key,
    write: cw_write_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    out: *mut *mut cw_decryptor,
    error: *mut *mut cw_error,
) -> i32 {
    let user_data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decryptor_new", error, || {
            let out = Out::new("out", out)?;
            let (sink, held) = Sink::new(write, user_data)?;
            let work = PushDecryptor::new(&shared("key", key)?.0);
            out.give(cw_decryptor { work: Some(work), sink: Some(sink), held });
            Ok(())
        })
    }
}

/// Decrypts the next sealed bytes, of any number. Up to 64 KiB are held back until more comes.
///
/// Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, as soon as they show; what
/// `write` returned; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decryptor_update(
    decryptor: *mut cw_decryptor,
    sealed: *const u8,
    sealed_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decryptor_update", error, || {
            let decryptor = unique("decryptor", decryptor)?;
            let sealed = bytes("sealed", sealed, sealed_len)?;
            // Taken out: after a failure, or a panic of `write`, nothing goes on.
            let (mut work, mut sink) = (decryptor.work.take()).zip(decryptor.sink.take()).ok_or_else(over)?;
            work.update(sealed, &mut sink)?;
            (decryptor.work, decryptor.sink) = (Some(work), Some(sink));
            Ok(())
        })
    }
}

/// Decrypts what was held back, and says whether everything that came out was good: only after CW_OK it is.
///
/// Errors: as for cw_decryptor_update.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decryptor_finish(decryptor: *mut cw_decryptor, error: *mut *mut cw_error) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decryptor_finish", error, || {
            let decryptor = unique("decryptor", decryptor)?;
            let (work, mut sink) = (decryptor.work.take()).zip(decryptor.sink.take()).ok_or_else(over)?;
            work.finish(&mut sink)
        })
    }
}

/// Gives out the plaintext that came since the last time, of a decryptor that was made without `write`: not verified
/// before cw_decryptor_finish. It may be empty. Take it after each cw_decryptor_update, so that it does not pile up,
/// and after cw_decryptor_finish.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decryptor_take(
    decryptor: *mut cw_decryptor,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_decryptor_take", error, || {
            let out = Out::new("out", out)?;
            out.give(take_held(unique("decryptor", decryptor)?.held.as_ref())?);
            Ok(())
        })
    }
}

/// Wipes and ends a decryption, finished or not. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_decryptor_free(decryptor: *mut cw_decryptor) {
    // SAFETY: the host vouches for `decryptor`.
    unsafe { free(decryptor) }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::{cw_buffer_data, cw_buffer_free, cw_buffer_len};
    use super::super::code::{
        CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT, CW_ERR_TRUNCATED, CW_ERR_UNREACHABLE,
        CW_ERR_UNSUPPORTED_SUITE,
    };
    use super::super::host_for_tests::{NONSENSE, collect, count, data, fails, keys, panic, refuse, works};
    use super::*;
    use std::ptr::{from_ref, null, null_mut};

    /// What a function with a buffer as `out` gives.
    fn taken(take: impl Fn(*mut *mut cw_buffer, *mut *mut cw_error) -> i32) -> Vec<u8> {
        let mut buffer = null_mut();
        works(|error| take(&raw mut buffer, error));
        // SAFETY: the buffer is live, and freed once.
        unsafe {
            let bytes = std::slice::from_raw_parts(cw_buffer_data(buffer), cw_buffer_len(buffer)).to_vec();
            cw_buffer_free(buffer);
            bytes
        }
    }

    fn encryptor(key: &cw_sealing_key, write: cw_write_fn, user_data: *mut c_void) -> *mut cw_encryptor {
        let mut encryptor = null_mut();
        // SAFETY: all pointers are good.
        works(|error| unsafe { cw_encryptor_new(key, write, user_data, None, &raw mut encryptor, error) });
        encryptor
    }

    fn decryptor(key: &cw_opening_key, write: cw_write_fn, user_data: *mut c_void) -> *mut cw_decryptor {
        let mut decryptor = null_mut();
        // SAFETY: all pointers are good.
        works(|error| unsafe { cw_decryptor_new(key, write, user_data, None, &raw mut decryptor, error) });
        decryptor
    }

    fn sealed(key: &cw_sealing_key, plaintext: &[u8]) -> Vec<u8> {
        crate::codec::encrypt_bytes(&key.0, plaintext).unwrap()
    }

    #[test]
    fn pieces_go_through_both_handles_into_the_hosts_functions() {
        for (sealing, opening) in &keys() {
            let (mut sealed, mut plain) = (Vec::<u8>::new(), Vec::<u8>::new());
            let working = encryptor(sealing, Some(collect), data(&mut sealed));
            // SAFETY: the handles are live and freed once.
            unsafe {
                for piece in [&b"Please "[..], b"", b"call back."] {
                    works(|error| cw_encryptor_update(working, piece.as_ptr(), piece.len(), error));
                }
                works(|error| cw_encryptor_update(working, null(), 0, error));
                works(|error| cw_encryptor_finish(working, error));
                cw_encryptor_free(working);
                let working = decryptor(opening, Some(collect), data(&mut plain));
                for piece in sealed.chunks(7) {
                    works(|error| cw_decryptor_update(working, piece.as_ptr(), piece.len(), error));
                }
                works(|error| cw_decryptor_finish(working, error));
                cw_decryptor_free(working);
            }
            assert_eq!(plain, b"Please call back.");
        }
    }

    #[test]
    fn without_a_function_the_output_waits_until_it_is_taken() {
        for (sealing, opening) in &keys() {
            // SAFETY: the handles are live and freed once.
            unsafe {
                let working = encryptor(sealing, None, null_mut());
                let mut sealed = taken(|out, error| cw_encryptor_take(working, out, error));
                works(|error| cw_encryptor_update(working, b"claim".as_ptr(), 5, error));
                works(|error| cw_encryptor_finish(working, error));
                sealed.extend(taken(|out, error| cw_encryptor_take(working, out, error)));
                assert_eq!(taken(|out, error| cw_encryptor_take(working, out, error)), b"");
                cw_encryptor_free(working);
                let working = decryptor(opening, None, null_mut());
                works(|error| cw_decryptor_update(working, sealed.as_ptr(), sealed.len(), error));
                works(|error| cw_decryptor_finish(working, error));
                assert_eq!(taken(|out, error| cw_decryptor_take(working, out, error)), b"claim");
                cw_decryptor_free(working);
            }
        }
    }

    #[test]
    fn output_that_goes_to_a_function_cannot_be_taken() {
        let (sealing, opening) = &keys()[1];
        let (mut bytes, mut buffer) = (Vec::<u8>::new(), null_mut());
        let buffer = &raw mut buffer;
        // SAFETY: the handles are live and freed once.
        unsafe {
            let working = encryptor(sealing, Some(collect), data(&mut bytes));
            fails(CW_ERR_INVALID_ARGUMENT, "`write`", |error| cw_encryptor_take(working, buffer, error));
            cw_encryptor_free(working);
            let working = decryptor(opening, Some(collect), data(&mut bytes));
            fails(CW_ERR_INVALID_ARGUMENT, "`write`", |error| cw_decryptor_take(working, buffer, error));
            cw_decryptor_free(working);
        }
    }

    #[test]
    fn data_is_ended_once_also_when_nothing_was_made() {
        let (sealing, opening) = &keys()[1];
        let mut ended = 0_usize;
        let ended = &raw mut ended;
        // SAFETY: the handles are live and freed once; the data is a `usize`.
        unsafe {
            let mut made = null_mut();
            let out = &raw mut made;
            let end: cw_drop_fn = Some(count);
            let data = ended.cast();
            fails(CW_ERR_INVALID_ARGUMENT, "`key`", |error| {
                cw_encryptor_new(null(), None, data, end, out, error)
            });
            fails(CW_ERR_INVALID_ARGUMENT, "`out`", |error| {
                cw_encryptor_new(sealing, None, data, end, null_mut(), error)
            });
            assert_eq!((*ended, made), (2, null_mut()));
            works(|error| cw_encryptor_new(sealing, Some(collect_nothing), data, end, out, error));
            works(|error| cw_encryptor_finish(made, error));
            cw_encryptor_free(made);
            assert_eq!(*ended, 3);
            let mut made = null_mut();
            let out = &raw mut made;
            fails(CW_ERR_INVALID_ARGUMENT, "`key`", |error| {
                cw_decryptor_new(null(), None, data, end, out, error)
            });
            works(|error| cw_decryptor_new(opening, Some(collect_nothing), data, end, out, error));
            cw_decryptor_free(made);
            assert_eq!(*ended, 5);
        }
    }

    unsafe extern "C-unwind" fn collect_nothing(_data: *mut c_void, _bytes: *const u8, _len: usize) -> i32 {
        0
    }

    #[test]
    fn a_function_that_fails_or_panics_stops_the_work_for_good() {
        let long = vec![1; 200_000];
        let mut unreachable = CW_ERR_UNREACHABLE;
        let mut nonsense = NONSENSE;
        for (sealing, opening) in &keys() {
            let bytes = sealed(sealing, &long);
            let cases: [(cw_write_fn, _, _, _); 3] = [
                (Some(refuse), data(&mut unreachable), CW_ERR_UNREACHABLE, "`write`"),
                (Some(refuse), data(&mut nonsense), CW_ERR_INTERNAL, "-7"),
                (Some(panic), null_mut(), CW_ERR_INTERNAL, "`write` panicked"),
            ];
            for (write, user_data, code, words) in cases {
                // SAFETY: the handles are live and freed once.
                unsafe {
                    let working = decryptor(opening, write, user_data);
                    fails(code, words, |error| {
                        cw_decryptor_update(working, bytes.as_ptr(), bytes.len(), error)
                    });
                    fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| {
                        cw_decryptor_update(working, null(), 0, error)
                    });
                    fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| {
                        cw_decryptor_finish(working, error)
                    });
                    cw_decryptor_free(working);
                    let mut none = null_mut();
                    fails(code, words, |error| {
                        cw_encryptor_new(sealing, write, user_data, None, &raw mut none, error)
                    });
                    assert!(none.is_null());
                }
            }
        }
    }

    #[test]
    fn a_failing_function_stops_an_encryption_that_had_begun() {
        unsafe extern "C-unwind" fn once(user_data: *mut c_void, _bytes: *const u8, _len: usize) -> i32 {
            // SAFETY: the test gives an `i32`.
            unsafe { std::mem::replace(&mut *user_data.cast::<i32>(), CW_ERR_UNREACHABLE) }
        }
        let (sealing, _) = &keys()[1];
        let (mut first, long) = (0, vec![1; 200_000]);
        // SAFETY: the handles are live and freed once.
        unsafe {
            // The framing `openssl` writes its magic and its salt apart; the second of them is refused.
            let mut none = null_mut();
            fails(CW_ERR_UNREACHABLE, "`write`", |error| {
                cw_encryptor_new(sealing, Some(once), data(&mut first), None, &raw mut none, error)
            });
            let mut unwritten = Vec::<u8>::new();
            let working = encryptor(sealing, Some(collect), data(&mut unwritten));
            works(|error| cw_encryptor_update(working, long.as_ptr(), long.len(), error));
            fails(CW_ERR_INVALID_ARGUMENT, "NULL", |error| cw_encryptor_update(working, null(), 3, error));
            works(|error| cw_encryptor_finish(working, error));
            fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| cw_encryptor_finish(working, error));
            fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| {
                cw_encryptor_update(working, null(), 0, error)
            });
            cw_encryptor_free(working);
        }
    }

    #[test]
    fn what_is_not_sealed_or_cut_is_told() {
        for (sealing, opening) in &keys() {
            let bytes = sealed(sealing, b"claim");
            // SAFETY: the handles are live and freed once.
            unsafe {
                let working = decryptor(opening, None, null_mut());
                works(|error| cw_decryptor_update(working, bytes.as_ptr(), 9, error));
                fails(CW_ERR_TRUNCATED, "too early", |error| cw_decryptor_finish(working, error));
                fails(CW_ERR_INVALID_ARGUMENT, "make a new one", |error| cw_decryptor_finish(working, error));
                cw_decryptor_free(working);
                let working = decryptor(opening, None, null_mut());
                let other = b"PK\x03\x04 is how archives begin\n";
                fails(CW_ERR_UNSUPPORTED_SUITE, "", |error| {
                    cw_decryptor_update(working, other.as_ptr(), other.len(), error)
                });
                cw_decryptor_free(working);
            }
        }
    }

    #[test]
    fn null_and_impossible_lengths_are_refused() {
        let (sealing, opening) = &keys()[1];
        let mut buffer = null_mut();
        let buffer = &raw mut buffer;
        // SAFETY: NULL is checked, and the handles are live and freed once.
        unsafe {
            let code = CW_ERR_INVALID_ARGUMENT;
            fails(code, "`encryptor`", |error| cw_encryptor_update(null_mut(), null(), 0, error));
            fails(code, "`encryptor`", |error| cw_encryptor_finish(null_mut(), error));
            fails(code, "`encryptor`", |error| cw_encryptor_take(null_mut(), buffer, error));
            fails(code, "`decryptor`", |error| cw_decryptor_update(null_mut(), null(), 0, error));
            fails(code, "`decryptor`", |error| cw_decryptor_finish(null_mut(), error));
            fails(code, "`decryptor`", |error| cw_decryptor_take(null_mut(), buffer, error));
            fails(code, "`out`", |error| {
                cw_decryptor_new(opening, None, null_mut(), None, null_mut(), error)
            });
            let working = encryptor(sealing, None, null_mut());
            fails(code, "`out`", |error| cw_encryptor_take(working, null_mut(), error));
            fails(code, "impossible", |error| {
                cw_encryptor_update(working, from_ref(&0_u8), usize::MAX, error)
            });
            cw_encryptor_free(working);
            let working = decryptor(opening, None, null_mut());
            fails(code, "impossible", |error| {
                cw_decryptor_update(working, from_ref(&0_u8), usize::MAX, error)
            });
            cw_decryptor_free(working);
            cw_encryptor_free(null_mut());
            cw_decryptor_free(null_mut());
            assert_eq!(cw_encryptor_finish(null_mut(), null_mut()), code);
        }
    }

    #[test]
    fn handles_go_from_thread_to_thread() {
        fn moves<T: Send>() {}
        moves::<cw_encryptor>();
        moves::<cw_decryptor>();
    }
}
