//! Names of entries: what form they have, and which of them every file system can hold.

use super::archive_directory::{cw_limits, limits};
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::pointer::{Out, given_text};
use crate::codec::{check_path, to_nfc};
use std::ffi::c_char;

/// The name in Unicode normalization form C, which names of entries have: the name of a file may come in another, as on
/// macOS.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when the name is empty or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_name_nfc(
    name: *const c_char,
    name_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_name_nfc", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_buffer::new(to_nfc(given_text("name", name, name_len)?).into_owned()));
            Ok(())
        })
    }
}

/// Checks that a name is a relative path of up to 64 parts that every common file system can hold, as archives from outside
/// are checked. The marks `" < > | ? *` pass, which Windows alone refuses to write. `limits` may be NULL.
///
/// Errors: CW_ERR_HOSTILE_NAME, with the reason; CW_ERR_INVALID_ARGUMENT when the name is empty or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_archive_name_check(
    name: *const c_char,
    name_len: usize,
    limits: *const cw_limits,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_archive_name_check", error, || {
            check_path(given_text("name", name, name_len)?, &self::limits(limits)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::{cw_buffer_data, cw_buffer_free};
    use super::super::code::{CW_ERR_HOSTILE_NAME, CW_ERR_INVALID_ARGUMENT};
    use super::super::host_for_tests::{fails, works};
    use super::*;
    use std::ffi::CStr;
    use std::ptr::{null, null_mut};

    fn check(name: &str, limits: *const cw_limits, error: *mut *mut cw_error) -> i32 {
        // SAFETY: all pointers are good.
        unsafe { cw_archive_name_check(name.as_ptr().cast(), name.len(), limits, error) }
    }

    #[test]
    fn a_name_of_macos_becomes_one_of_an_archive() {
        let mut buffer = null_mut();
        let of_macos = "Re\u{301}sume\u{301}.pdf";
        // SAFETY: the handle is live and freed once.
        unsafe {
            works(|error| {
                cw_archive_name_nfc(of_macos.as_ptr().cast(), of_macos.len(), &raw mut buffer, error)
            });
            assert_eq!(
                CStr::from_ptr(cw_buffer_data(buffer).cast()).to_str().unwrap(),
                "R\u{e9}sum\u{e9}.pdf"
            );
            cw_buffer_free(buffer);
            for bad in [(null(), 3), (c"".as_ptr(), 0), (c"\xff".as_ptr(), 1)] {
                fails(CW_ERR_INVALID_ARGUMENT, "`name`", |error| {
                    cw_archive_name_nfc(bad.0, bad.1, &raw mut buffer, error)
                });
                fails(CW_ERR_INVALID_ARGUMENT, "`name`", |error| {
                    cw_archive_name_check(bad.0, bad.1, null(), error)
                });
            }
            assert!(buffer.is_null());
        }
    }

    #[test]
    fn a_name_is_checked_within_limits() {
        let short = cw_limits {
            struct_size: size_of::<cw_limits>(),
            inflated_size: 0,
            entries: 0,
            ratio: 0,
            name_length: 4,
            path_length: 0,
        };
        works(|error| check("documents/1/a.txt", null(), error));
        fails(CW_ERR_HOSTILE_NAME, "../etc", |error| check("../etc", null(), error));
        fails(CW_ERR_HOSTILE_NAME, "documents", |error| check("documents/1", &raw const short, error));
    }
}
