//! What a case system of the host's own hands over when it is asked: a claim file, a document's bytes, its catalogue.

use super::border::call;
use super::callback::{UserData, cw_drop_fn, cw_read_fn};
use super::error::cw_error;
use super::pointer::{bytes, misuse, path, unique};
use super::stream::HostRead;
use crate::model::ClaimFile;
use crate::rules::Catalogue;
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::fs::File;
use std::io::Read;

/// What the host gave, once. A second one or a refused one spoils the answer, so that a host that overlooks the code it
/// got is not taken to have given nothing.
pub(super) struct Given<T> {
    value: Option<T>,
    fault: Option<Error>,
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self { value: None, fault: None }
    }
}

impl<T> Given<T> {
    fn give(&mut self, make: impl FnOnce() -> Result<T>) -> Result<()> {
        let given = if self.value.is_some() {
            Err(misuse("it was given already; give it once"))
        } else {
            make().map(|value| self.value = Some(value))
        };
        given.inspect_err(|error| {
            self.fault.get_or_insert_with(|| Error::new(error.kind(), error.to_string()));
        })
    }

    pub(super) fn take(self, function: &str) -> Result<Option<T>> {
        match self.fault {
            Some(fault) => Err(Error::new(
                ErrorKind::CaseSystem,
                format!("the host's function `{function}` gave what cannot be used: {fault}"),
            )
            .retryable(false)),
            None => Ok(self.value),
        }
    }
}

/// Where `load` puts the claim file. Borrowed for the time of that call.
#[derive(Default)]
pub struct cw_claim_file(pub(super) Given<ClaimFile>);

/// Where `open_document` puts the bytes of a document. Borrowed for the time of that call.
#[derive(Default)]
pub struct cw_document(pub(super) Given<Box<dyn Read + Send>>);

/// Where `catalogue` puts the types that are known. Borrowed for the time of that call.
#[derive(Default)]
pub struct cw_catalogue(pub(super) Given<Catalogue>);

/// Gives the claim file as JSON, with every record and field, also those that never leave. Each document has the "size"
/// and "sha256" of its bytes. To be called once; the JSON is borrowed.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when it is no claim file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_claim_file_give(
    out: *mut cw_claim_file,
    json: *const c_char,
    json_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_claim_file_give", error, || {
            unique("out", out)?.0.give(|| {
                ClaimFile::from_json(bytes("json", json.cast(), json_len)?)
                    .map_err(|fault| misuse(format!("`json`: {fault}")))
            })
        })
    }
}

/// Gives the file that holds the document's bytes; it is opened at once. To be called once.
///
/// Errors: CW_ERR_IO when it cannot be opened; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_document_give_path(
    out: *mut cw_document,
    file: *const c_char,
    file_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_document_give_path", error, || {
            unique("out", out)?.0.give(|| {
                let path = path("file", file, file_len)?;
                let opened = File::open(&path)
                    .map_err(|fault| Error::from(fault).within(format_args!("file {}", path.display())))?;
                Ok(Box::new(opened))
            })
        })
    }
}

/// Gives a file descriptor that the document's bytes are read from, from where it stands to its end: a file, a pipe or a
/// socket. It is duplicated; yours stays yours to close. To be called once. On Unix only.
///
/// Errors: CW_ERR_IO when it is no open descriptor; CW_ERR_INVALID_ARGUMENT, also on other systems.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_document_give_descriptor(
    out: *mut cw_document,
    descriptor: i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_document_give_descriptor", error, || {
            unique("out", out)?.0.give(|| Ok(Box::new(duplicate(descriptor)?)))
        })
    }
}

#[cfg(unix)]
fn duplicate(descriptor: i32) -> Result<File> {
    if descriptor < 0 {
        return Err(misuse(format!("{descriptor} is no descriptor; check that the file was opened")));
    }
    // SAFETY: it is used for this one call; a number that is no open descriptor makes it fail.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
    Ok(borrowed.try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn duplicate(_: i32) -> Result<File> {
    Err(misuse("this system has no file descriptors; give a path or a reader"))
}

/// Gives a function that the document's bytes are read by, until it says that they end. It is called on one thread at a
/// time, after `open_document` returned; `drop` closes it, also when reading stops early or this call fails. To be
/// called once.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_document_give_reader(
    out: *mut cw_document,
    read: cw_read_fn,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_document_give_reader", error, || {
            unique("out", out)?.0.give(|| Ok(Box::new(HostRead::new(read, data)?)))
        })
    }
}

/// Gives the claim, assessment and bill types that this system knows, as JSON:
/// {"claim_types":[..],"assessment_types":[..],"bill_types":[..]}. A list that is left out knows every type. To be called
/// once.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_catalogue_give(
    out: *mut cw_catalogue,
    json: *const c_char,
    json_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_catalogue_give", error, || {
            unique("out", out)?.0.give(|| {
                serde_json::from_slice(bytes("json", json.cast(), json_len)?)
                    .map_err(|fault| misuse(format!("`json` is no catalogue: {fault}")))
            })
        })
    }
}
