//! The receiving side of a drop folder.

use super::border::call;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::pointer::{Out, free, path, shared, tell};
use crate::transport::DirectoryInbox;
use std::ffi::c_char;

/// A drop folder that partners put requests into. May be shared between threads.
pub struct cw_directory_inbox(DirectoryInbox);

/// Opens a drop folder; makes it, and the folders in it, when they are not there.
///
/// Errors: CW_ERR_IO when they cannot be made, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_directory_inbox_open(
    folder: *const c_char,
    folder_len: usize,
    out: *mut *mut cw_directory_inbox,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_directory_inbox_open", error, || {
            let out = Out::new("out", out)?;
            let folder = path("folder", folder, folder_len)?;
            out.give(cw_directory_inbox(DirectoryInbox::new(folder)?));
            Ok(())
        })
    }
}

/// Lets the exchange answer every request that waits, at most 1000 of them, and puts the answers in place; call it as
/// often as requests shall be looked for. What is no request is answered so and moved to the folder "refused". One
/// poll of an inbox runs at a time; others wait for it. `answered` gets their number, and may be NULL.
///
/// Errors: CW_ERR_IO when the folder cannot be read or written: what was answered before stays answered, and the rest
/// waits. CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_directory_inbox_poll(
    inbox: *const cw_directory_inbox,
    exchange: *const cw_exchange,
    answered: *mut usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_directory_inbox_poll", error, || {
            tell(answered, 0);
            let inbox = shared("inbox", inbox)?;
            let exchange = shared("exchange", exchange)?;
            tell(answered, inbox.0.poll(&exchange.0)?);
            Ok(())
        })
    }
}

/// Ends an inbox; the folder stays as it is. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_directory_inbox_free(inbox: *mut cw_directory_inbox) {
    // SAFETY: the host vouches for `inbox`.
    unsafe { free(inbox) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_OK};
    use super::super::trial::{failed, fails, handle, ptr, works};
    use super::*;
    use crate::case_system::SqliteCaseSystem;
    use crate::exchange::{Exchange, ExchangeSettings};
    use crate::model::SiteId;
    use crate::protocol::SigningKey;
    use std::ptr::{null, null_mut};

    #[test]
    #[cfg_attr(miri, ignore = "it makes folders")]
    fn what_lies_in_the_folder_and_is_no_request_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cases = SqliteCaseSystem::open(folder.path().join("cases")).unwrap();
        let site = SiteId::new("IMEX").unwrap();
        let signing = SigningKey::generate("imex").unwrap();
        let exchange =
            Exchange::open(ExchangeSettings::new(site, folder.path().join("imex"), signing, cases)).unwrap();
        let exchange = cw_exchange(exchange);

        let at = folder.path().join("drop").to_str().unwrap().to_owned();
        let inbox = handle(|out, error| unsafe { cw_directory_inbox_open(ptr(&at), at.len(), out, error) });
        let mut answered = 9;
        works(|error| unsafe {
            cw_directory_inbox_poll(inbox, &raw const exchange, &raw mut answered, error)
        });
        assert_eq!(answered, 0);
        std::fs::write(folder.path().join("drop/requests/stray.txt"), "stray").unwrap();
        let key = "0".repeat(64);
        std::fs::write(folder.path().join(format!("drop/requests/{key}.http")), "no request").unwrap();
        works(|error| unsafe {
            cw_directory_inbox_poll(inbox, &raw const exchange, &raw mut answered, error)
        });
        assert_eq!(answered, 1);
        assert!(folder.path().join("drop/refused/stray.txt").is_file());

        let none = fails(|error| unsafe { cw_directory_inbox_poll(inbox, null(), &raw mut answered, error) });
        assert_eq!((none.code, answered), (CW_ERR_INVALID_ARGUMENT, 0));
        let code = unsafe { cw_directory_inbox_poll(inbox, &raw const exchange, null_mut(), null_mut()) };
        assert_eq!(code, CW_OK);
        unsafe { cw_directory_inbox_free(inbox) };
    }

    #[test]
    fn misuse_is_told() {
        let of = |folder: *const c_char, len: usize| {
            failed(|out, error| unsafe { cw_directory_inbox_open(folder, len, out, error) }).code
        };
        assert_eq!(of(null(), 0), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(of(b"\xff".as_ptr().cast(), 1), CW_ERR_INVALID_ARGUMENT);
        let none = fails(|error| unsafe { cw_directory_inbox_poll(null(), null(), null_mut(), error) });
        assert_eq!(none.code, CW_ERR_INVALID_ARGUMENT);
        unsafe { cw_directory_inbox_free(null_mut()) };
    }
}
