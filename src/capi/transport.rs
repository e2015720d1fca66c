//! Ways to a partner's one target server: a drop folder, another site of this process. HTTPS has a file of its own.

use super::border::call;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::pointer::{Out, free, optional_text, path, shared};
use crate::transport::{DirectoryTransport, MemoryTransport, Transport};
use std::ffi::c_char;
use std::sync::Arc;

/// A way to one partner's target server. May be shared between threads and given to several partners.
pub struct cw_transport(pub(super) Arc<dyn Transport>);

/// Drops requests into a folder, for a partner that reads them there with a cw_directory_inbox or that something else
/// (SFTP, a synced share) carries them to. The folder, and those in it, are made when they are not there. What is sent
/// is pending until the answer lies there and the same package is sent again. `base_path` is the path below which the
/// partner's endpoint answers, such as "/claimwire"; NULL for the root. A request waits in the folder: the partner needs
/// a `signature_window_seconds` of as long.
///
/// Errors: CW_ERR_IO when the folder cannot be made, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_transport_directory(
    folder: *const c_char,
    folder_len: usize,
    base_path: *const c_char,
    base_path_len: usize,
    out: *mut *mut cw_transport,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_transport_directory", error, || {
            let out = Out::new("out", out)?;
            let folder = path("folder", folder, folder_len)?;
            let base_path = optional_text("base_path", base_path, base_path_len)?.unwrap_or_default();
            let transport = DirectoryTransport::new(folder)?.with_base_path(base_path);
            out.give(cw_transport(Arc::new(transport)));
            Ok(())
        })
    }
}

/// Calls the exchange of another site in this process. The transport keeps that exchange open, also after
/// cw_exchange_free, until the transport and every partner that was given it are freed: of two exchanges that reach
/// each other so, end one side's partner first.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_transport_memory(
    exchange: *const cw_exchange,
    out: *mut *mut cw_transport,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_transport_memory", error, || {
            let out = Out::new("out", out)?;
            let endpoint = shared("exchange", exchange)?.0.clone();
            out.give(cw_transport(Arc::new(MemoryTransport::new(Arc::new(endpoint)))));
            Ok(())
        })
    }
}

/// Ends a transport; a partner that was given it keeps it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_transport_free(transport: *mut cw_transport) {
    // SAFETY: the host vouches for `transport`.
    unsafe { free(transport) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_ERR_IO};
    use super::super::trial::{failed, handle, ptr};
    use super::*;
    use std::ptr::{null, null_mut};

    #[test]
    #[cfg_attr(miri, ignore = "it makes folders")]
    fn a_drop_folder_is_made_on_first_use() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("drop").to_str().unwrap().to_owned();
        let transport = handle(|out, error| unsafe {
            cw_transport_directory(ptr(&at), at.len(), ptr("/claimwire/"), 11, out, error)
        });
        unsafe {
            assert_eq!((*transport).0.base_path(), "/claimwire");
            cw_transport_free(transport);
        }
        assert!(folder.path().join("drop/requests").is_dir());

        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let file = file.to_str().unwrap();
        let refused = failed(|out, error| unsafe {
            cw_transport_directory(ptr(file), file.len(), null(), 0, out, error)
        });
        assert_eq!(refused.code, CW_ERR_IO);
    }

    #[test]
    fn misuse_is_told() {
        let of = |folder: *const c_char, len: usize| {
            failed(|out, error| unsafe { cw_transport_directory(folder, len, null(), 0, out, error) }).code
        };
        assert_eq!(of(null(), 0), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(of(null(), 1), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(of(ptr("x"), 0), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(of(ptr("a\0b"), 3), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(of(b"\xff".as_ptr().cast(), 1), CW_ERR_INVALID_ARGUMENT);
        let none = failed(|out, error| unsafe { cw_transport_memory(null(), out, error) });
        assert_eq!(none.code, CW_ERR_INVALID_ARGUMENT);
        unsafe {
            let code = cw_transport_memory(null(), null_mut(), null_mut());
            assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
            cw_transport_free(null_mut());
        }
    }
}
