//! A case system of the host's own: functions that load a claim, open a document, and apply what came in.

use super::border::call;
use super::callback::{UserData, cw_drop_fn};
use super::case_system::cw_case_system;
use super::claim_out::{cw_catalogue, cw_claim_file, cw_document};
use super::code::CW_ERR_INTERNAL;
use super::error::{c_text, cw_error};
use super::failure::{ask, cw_failure};
use super::pointer::{Options, Out, misuse, options};
use super::staged::cw_staged;
use crate::case_system::{CaseSystem, StagedDocuments};
use crate::merge::ChangeSet;
use crate::model::{ClaimFile, ExchangeId, Json};
use crate::rules::Catalogue;
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::io::Read;
use std::mem::offset_of;
use std::sync::Arc;

/// Loads the claim file with this exchange id: give it with cw_claim_file_give, or give nothing and return CW_OK when
/// there is no such claim. Texts and handles are borrowed for the time of the call. Like all functions of a case system,
/// it is called on the thread that exports, unpacks or answers, and on several at once. For a partner whose packages are
/// unpacked automatically that thread is the library's own, "claimwire-unpack"; see cw_exchange_free.
pub type cw_load_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        claim: *const c_char,
        out: *mut cw_claim_file,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// Opens the bytes of a document as it stands now: give them with cw_document_give_path, _descriptor or _reader. Return
/// CW_ERR_UNKNOWN_CLAIM when the claim or the document is not here, CW_ERR_STORE_DAMAGED when its bytes are lost.
pub type cw_open_document_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        claim: *const c_char,
        document: *const c_char,
        out: *mut cw_document,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// Applies a set of changes to one claim in one transaction: all of it or nothing, durable when it returns CW_OK.
///
/// `changes` is the set as JSON, `claim` the id of the claim it is for, and `by` the person or account that unpacks.
/// `documents` are those whose bytes change, in files that stay the library's: copy them, best with cw_staged_copy, and
/// before the claim file speaks of them. Within the transaction, load the claim file, let cw_changes_apply work out the
/// new one, and store it. Applying the same set again must be harmless, and with cw_changes_apply is.
///
/// Return CW_ERR_CONFLICT when the claim was changed here since it was loaded, CW_ERR_ALTERED when a document's bytes are
/// not those its "sha256" names, CW_ERR_CASE_SYSTEM when the store fails; nothing may be changed then. Return
/// CW_ERR_TIMED_OUT when the store does not know whether it took the set: the package can be unpacked again, and cannot be
/// rejected. The library has refused sets that a person has to settle first, and sets whose documents are not there, before
/// this is called.
pub type cw_apply_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        claim: *const c_char,
        changes: *const c_char,
        changes_len: usize,
        documents: *const cw_staged,
        by: *const c_char,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// Tells which types are known: give them with cw_catalogue_give, or give nothing where every type is.
pub type cw_catalogue_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        out: *mut cw_catalogue,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// A case system of the host's own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_case_system_functions {
    /// Set to sizeof(cw_case_system_functions).
    pub struct_size: usize,
    /// Loads a claim file; must not be NULL.
    pub load: cw_load_fn,
    /// Opens a document; must not be NULL.
    pub open_document: cw_open_document_fn,
    /// Applies changes; must not be NULL.
    pub apply: cw_apply_fn,
    /// Tells the types that are known; NULL where every type is.
    pub catalogue: cw_catalogue_fn,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_case_system_functions {
    const FIRST: usize = offset_of!(cw_case_system_functions, catalogue) + size_of::<cw_catalogue_fn>();
}

/// Makes a case system of the host's own functions. The struct is copied; `user_data` is handed to each function and
/// ended by `drop` when the last exchange that has the case system is closed, or at once when this call fails.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_new(
    functions: *const cw_case_system_functions,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    out: *mut *mut cw_case_system,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_new", error, || {
            let out = Out::new("out", out)?;
            let functions = options("functions", functions)?;
            if functions.load.is_none() || functions.open_document.is_none() || functions.apply.is_none() {
                return Err(misuse("one of `load`, `open_document` and `apply` is NULL; set all three"));
            }
            let host = HostCaseSystem { functions, data };
            out.give(cw_case_system { shared: Arc::new(host), embedded: None });
            Ok(())
        })
    }
}

struct HostCaseSystem {
    functions: cw_case_system_functions,
    data: UserData,
}

/// What stands for a function that is not there; cw_case_system_new has seen to it that it is.
const MISSING: i32 = CW_ERR_INTERNAL;

impl CaseSystem for HostCaseSystem {
    fn load(&self, claim: &ExchangeId) -> Result<Option<ClaimFile>> {
        let id = c_text(claim.as_str());
        let mut file = cw_claim_file::default();
        ask("load", |failure| {
            // SAFETY: the host gave the function for this data; all that is handed over outlives the call.
            self.functions
                .load
                .map_or(MISSING, |load| unsafe { load(self.data.get(), id.as_ptr(), &raw mut file, failure) })
        })
        .map_err(|error| error.within(format_args!("claim {claim}")))?;
        let file = file.0.take("load")?;
        match file {
            Some(file) if file.claim.id != *claim => Err(Error::new(
                ErrorKind::CaseSystem,
                format!("asked for claim {claim}, the host's function `load` gave claim {}", file.claim.id),
            )
            .retryable(false)),
            file => Ok(file),
        }
    }

    fn open_document(&self, claim: &ExchangeId, document: &ExchangeId) -> Result<Box<dyn Read + Send>> {
        let (of, id) = (c_text(claim.as_str()), c_text(document.as_str()));
        let mut opened = cw_document::default();
        let open = |failure| {
            // SAFETY: the host gave the function for this data; all that is handed over outlives the call.
            self.functions.open_document.map_or(MISSING, |open| unsafe {
                open(self.data.get(), of.as_ptr(), id.as_ptr(), &raw mut opened, failure)
            })
        };
        ask("open_document", open)
            .map_err(|error| error.within(format_args!("document {document} of claim {claim}")))?;
        opened.0.take("open_document")?.ok_or_else(|| {
            let said = format!("document {document} of claim {claim} is not in the case system");
            Error::new(ErrorKind::UnknownClaim, said)
        })
    }

    fn apply(&self, changes: &ChangeSet, documents: &StagedDocuments, by: &str) -> Result<()> {
        changes.unless_blocked()?;
        let staged = cw_staged::new(changes, documents)?;
        let json = c_text(&Json::from_serialize(changes)?.to_string());
        let (claim, by) = (c_text(changes.claim.as_str()), c_text(by));
        ask("apply", |failure| {
            // SAFETY: the host gave the function for this data; all that is handed over outlives the call.
            self.functions.apply.map_or(MISSING, |apply| unsafe {
                let length = json.as_bytes().len();
                let (claim, by) = (claim.as_ptr(), by.as_ptr());
                apply(self.data.get(), claim, json.as_ptr(), length, &raw const staged, by, failure)
            })
        })
        .map_err(|error| error.within(format_args!("claim {}", changes.claim)))
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let Some(catalogue) = self.functions.catalogue else { return Ok(Catalogue::new()) };
        let mut known = cw_catalogue::default();
        // SAFETY: the host gave the function for this data; all that is handed over outlives the call.
        ask("catalogue", |failure| unsafe { catalogue(self.data.get(), &raw mut known, failure) })?;
        Ok(known.0.take("catalogue")?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
