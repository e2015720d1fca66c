//! Malware scanning of what comes in: by a function of the host's, or by ClamAV.

use super::border::call;
use super::callback::{UserData, cw_drop_fn};
use super::error::{c_text, cw_error};
use super::exchange_settings::cw_exchange_settings;
use super::failure::{ask, cw_failure};
use super::pointer::{Options, given_text, misuse, options, unique};
use crate::model::ExchangeId;
use crate::scan::{Clamd, DocumentScan, Verdict};
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::path::Path;
use std::time::Duration;

/// Scans one document for malware. `document` is its exchange id; `path` names a private file with its verified bytes, in
/// UTF-8: only to be read, and gone when the unpack is over. Both are borrowed for the time of the call.
///
/// Return CW_OK when it is clean. When it is infected, name what was found with cw_failure_set, as the message of
/// CW_ERR_INFECTED_DOCUMENT, and return that code. Every other code means that there is no verdict, and fails the unpack
/// with CW_ERR_SCAN_FAILED.
///
/// It is called on the thread that unpacks, and on several at once where several unpack. What is unpacked automatically
/// is unpacked on the library's own thread "claimwire-unpack"; see cw_exchange_free.
pub type cw_scan_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        document: *const c_char,
        path: *const c_char,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// Where a ClamAV daemon listens, and how long it may take.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_clamd_options {
    /// Set to sizeof(cw_clamd_options).
    pub struct_size: usize,
    /// The absolute path of its Unix socket, or "host:port". Required.
    pub address: *const c_char,
    /// The length of `address` in bytes.
    pub address_len: usize,
    /// How long one document may take; by default three minutes.
    pub timeout_ms: u64,
    /// 1 for a "host:port" on another machine: documents go there unencrypted, over a network that is trusted with them.
    pub on_trusted_network: i32,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_clamd_options {
    const FIRST: usize = offset_of!(cw_clamd_options, on_trusted_network) + size_of::<i32>();
}

/// Has `scan` look at every document that comes in, after its package is verified and before anything of it is released.
/// One that is infected holds back the whole package with CW_ERR_INFECTED_DOCUMENT, one that could not be scanned with
/// CW_ERR_SCAN_FAILED. It takes the place of a scanner that was set before. `user_data` is kept until the exchange is
/// closed, and is then ended with `drop`; so it is when this fails.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_document_scan(
    settings: *mut cw_exchange_settings,
    scan: cw_scan_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_document_scan", error, || {
            let settings = unique("settings", settings)?;
            if scan.is_none() {
                return Err(misuse("`scan` is NULL; pass the function to call"));
            }
            settings.change(|settings| settings.with_document_scan(HostScan { scan, data }))
        })
    }
}

/// Has a ClamAV daemon scan every document that comes in, by its command INSTREAM; else as
/// cw_exchange_settings_set_document_scan. In clamd.conf, StreamMaxLength, MaxFileSize and MaxScanSize must be as large as
/// the largest document, and AlertExceedsMax must be "yes": without it clamd calls clean what it did not scan whole.
/// Whether it is there shows with the first document.
///
/// Errors: CW_ERR_INVALID_SETTINGS when the address is none, or is not on this machine and `on_trusted_network` is 0;
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_settings_set_clamd(
    settings: *mut cw_exchange_settings,
    clamd_options: *const cw_clamd_options,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_settings_set_clamd", error, || {
            let settings = unique("settings", settings)?;
            let given = options("clamd_options", clamd_options)?;
            let address = given_text("clamd_options->address", given.address, given.address_len)?;
            let clamd = match given.on_trusted_network {
                0 => Clamd::local(address)?,
                _ => Clamd::on_trusted_network(address)?,
            };
            let clamd = match given.timeout_ms {
                0 => clamd,
                timeout => clamd.with_timeout(Duration::from_millis(timeout)),
            };
            settings.change(|settings| settings.with_document_scan(clamd))
        })
    }
}

struct HostScan {
    scan: cw_scan_fn,
    data: UserData,
}

impl DocumentScan for HostScan {
    fn scan(&self, document: &ExchangeId, file: &Path) -> Result<Verdict> {
        let path = file.to_str().ok_or_else(|| {
            let said =
                "the exchange's folder has a name that is not UTF-8, and cannot be told to the scanner";
            Error::new(ErrorKind::InvalidSettings, said)
        })?;
        let (id, path) = (c_text(document.as_str()), c_text(path));
        // cw_exchange_settings_set_document_scan has seen to it that the function is there.
        let scanned = ask("scan", |failure| {
            self.scan.map_or(i32::from(ErrorKind::Internal.code()), |scan| {
                // SAFETY: the host gave the function for this data; all that is handed over outlives the call.
                unsafe { scan(self.data.get(), id.as_ptr(), path.as_ptr(), failure) }
            })
        });
        match scanned {
            Ok(()) => Ok(Verdict::Clean),
            Err(found) if found.kind() == ErrorKind::InfectedDocument => {
                Ok(Verdict::Infected(found.to_string()))
            }
            Err(error) => Err(error),
        }
    }
}
