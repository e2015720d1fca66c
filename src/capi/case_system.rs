//! Where a site's claims live: the embedded case system.

use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::pointer::{Out, free, given_text, misuse, optional_text, path, shared};
use crate::case_system::{CaseSystem, SqliteCaseSystem};
use crate::model::{ClaimFile, ExchangeId, Json, Note};
use crate::rules::Catalogue;
use crate::{Error, ErrorKind, Result};
use serde::Serialize;
use std::ffi::c_char;
use std::sync::Arc;

/// Where a site's claims live: the embedded one, or the host's own. May be shared between threads.
pub struct cw_case_system {
    pub(super) shared: Arc<dyn CaseSystem>,
    /// The embedded one's own calls.
    pub(super) embedded: Option<Arc<SqliteCaseSystem>>,
}

impl cw_case_system {
    pub(super) fn embedded(&self) -> Result<&SqliteCaseSystem> {
        self.embedded.as_deref().ok_or_else(|| {
            misuse("this case system is the host's own: only its host can do this; see cw_case_system_open")
        })
    }
}

/// Opens the embedded case system, for hosts without a store of claims: a folder with a database and the bytes of
/// documents, which is made for this user alone when it is not there. What a call changed is on disk when it returns.
/// Any number of threads and processes of one machine may open the same folder. `catalogue` is JSON with the types that
/// are known here, as docs/schemas/catalogue.schema.json has it; with NULL every type is known.
///
/// Errors: CW_ERR_CASE_SYSTEM when the database cannot be opened or belongs to another program or a later version;
/// CW_ERR_STORE_DAMAGED when it is no sound database; CW_ERR_IO; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_open(
    folder: *const c_char,
    folder_len: usize,
    catalogue: *const c_char,
    catalogue_len: usize,
    out: *mut *mut cw_case_system,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_open", error, || {
            let out = Out::new("out", out)?;
            let folder = path("folder", folder, folder_len)?;
            let catalogue = match optional_text("catalogue", catalogue, catalogue_len)? {
                None => Catalogue::new(),
                Some(json) => read_json("catalogue", json)?,
            };
            let embedded = Arc::new(SqliteCaseSystem::open(folder)?.with_catalogue(catalogue));
            out.give(cw_case_system { shared: Arc::clone(&embedded) as _, embedded: Some(embedded) });
            Ok(())
        })
    }
}

/// Stores a claim file as it is; records it no longer has are removed, those among them that came in since it was loaded. A
/// claim that is exchanged is changed by cw_case_system_update instead. `claim_file` is JSON as
/// docs/schemas/claim-file.schema.json has it. The bytes of documents come by cw_case_system_add_document: a document
/// that has none yet is refused, and the size and digest of a known one may be left out.
///
/// Errors: CW_ERR_INVALID_PACKAGE when the JSON is no claim file; CW_ERR_INVALID_ARGUMENT, also when a document's bytes
/// are not here or are others than the file says, or an id stands twice; CW_ERR_CASE_SYSTEM. Nothing is changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_put(
    case_system: *const cw_case_system,
    claim_file: *const c_char,
    claim_file_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_put", error, || {
            let embedded = shared("case_system", case_system)?.embedded()?;
            let file = given_text("claim_file", claim_file, claim_file_len)?;
            embedded.put(&ClaimFile::from_json(file.as_bytes())?)
        })
    }
}

/// Stores what is different between a claim file as cw_case_system_load gave it, `before`, and as it is now, `after`, and
/// nothing else: what was unpacked or added meanwhile stays. Else as cw_case_system_put.
///
/// Errors: CW_ERR_CONFLICT with one detail for each field or record that was changed here too: load the claim again;
/// CW_ERR_UNKNOWN_CLAIM; CW_ERR_INVALID_ARGUMENT, also when the two are of different claims; those of cw_case_system_put.
/// Nothing is changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_update(
    case_system: *const cw_case_system,
    before: *const c_char,
    before_len: usize,
    after: *const c_char,
    after_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_update", error, || {
            let embedded = shared("case_system", case_system)?.embedded()?;
            let (before, after) =
                (given_text("before", before, before_len)?, given_text("after", after, after_len)?);
            let file =
                |what, json: &str| ClaimFile::from_json(json.as_bytes()).map_err(|error| error.within(what));
            embedded.update(&file("`before`", before)?, &file("`after`", after)?)
        })
    }
}

/// The claim file with every record and every field, as JSON; see docs/schemas/claim-file.schema.json.
///
/// Errors: CW_ERR_UNKNOWN_CLAIM when the claim is not here; CW_ERR_CASE_SYSTEM; CW_ERR_STORE_DAMAGED;
/// CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_load(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_load", error, || {
            let out = Out::new("out", out)?;
            let case_system = shared("case_system", case_system)?;
            let claim: ExchangeId = given_text("claim", claim, claim_len)?.parse()?;
            let file = case_system.shared.load(&claim)?.ok_or_else(|| {
                Error::new(ErrorKind::UnknownClaim, format!("claim {claim} is not in the case system"))
            })?;
            out.give(cw_buffer::new(file.to_json()?));
            Ok(())
        })
    }
}

/// The ids of all claims, in their order: a JSON array of strings.
///
/// Errors: CW_ERR_CASE_SYSTEM; CW_ERR_INVALID_ARGUMENT, also when the case system is the host's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_claims(
    case_system: *const cw_case_system,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_claims", error, || {
            let out = Out::new("out", out)?;
            out.give(json_of(&shared("case_system", case_system)?.embedded()?.claims()?)?);
            Ok(())
        })
    }
}

/// Adds a note, or replaces the one with the same id. `note` is JSON, as a claim file has notes.
///
/// Errors: CW_ERR_UNKNOWN_CLAIM; CW_ERR_CASE_SYSTEM; CW_ERR_INVALID_ARGUMENT, also when another kind of record has the
/// note's id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_add_note(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    note: *const c_char,
    note_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_add_note", error, || {
            let embedded = shared("case_system", case_system)?.embedded()?;
            let claim = given_text("claim", claim, claim_len)?.parse()?;
            let note: Note = read_json("note", given_text("note", note, note_len)?)?;
            embedded.add_note(&claim, &note)
        })
    }
}

/// Ends a case system; an exchange that was given it keeps it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_free(case_system: *mut cw_case_system) {
    // SAFETY: the host vouches for `case_system`.
    unsafe { free(case_system) }
}

/// Reads a JSON object; in an array, serde would take the members by their order.
pub(super) fn read_json<T: for<'de> serde::Deserialize<'de>>(what: &str, json: &str) -> Result<T> {
    let read = json.parse::<Json>().and_then(|json| match json.0 {
        serde_json::Value::Object(_) => json.to(),
        _ => Err(misuse("it is no JSON object")),
    });
    read.map_err(|error| error.within(format_args!("`{what}`")))
}

pub(super) fn json_of(value: &impl Serialize) -> Result<cw_buffer> {
    Ok(cw_buffer::new(Json::from_serialize(value)?.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::case_documents::tests::{CLAIM, FILE, Opened, REPORT, collect, give};
    use super::super::case_documents::{
        cw_case_system_add_document, cw_case_system_add_document_file, cw_case_system_document_versions,
        cw_case_system_read_document,
    };
    use super::super::code::{
        CW_ERR_CONFLICT, CW_ERR_INVALID_ARGUMENT, CW_ERR_INVALID_PACKAGE, CW_ERR_UNKNOWN_CLAIM, CW_OK,
    };
    use super::super::trial::{failed, fails, ptr, taken, works};
    use super::*;
    use crate::case_system::StagedDocuments;
    use crate::merge::ChangeSet;
    use std::io::Read;
    use std::ptr::{null, null_mut};

    #[test]
    #[cfg_attr(miri, ignore = "it opens a database")]
    fn what_was_changed_meanwhile_stays_or_is_told() {
        let opened = Opened::new();
        let claim = |number: &str, status: &str| {
            format!(r#"{{"claim":{{"id":"ON-INS/C-1","claim_number":"{number}","status":"{status}"}}}}"#)
        };
        let put = |json: String| {
            works(|error| unsafe { cw_case_system_put(opened.cases, ptr(&json), json.len(), error) });
        };
        let update = |before: &str, after: &str, error| unsafe {
            let (before, after) = ((ptr(before), before.len()), (ptr(after), after.len()));
            cw_case_system_update(opened.cases, before.0, before.1, after.0, after.1, error)
        };
        let (before, after) = (claim("CLM-1", "open"), claim("CLM-1", "in review"));
        put(before.clone());
        put(claim("CLM-2", "open"));
        works(|error| update(&before, &after, error));
        let now = taken(|out, error| unsafe {
            cw_case_system_load(opened.cases, ptr(CLAIM), CLAIM.len(), out, error)
        });
        assert!(now.contains("CLM-2") && now.contains("in review"), "{now}");
        let both = fails(|error| update(&before, &claim("CLM-1", "closed"), error));
        assert_eq!((both.code, both.details.len()), (CW_ERR_CONFLICT, 1), "{both:?}");
        let none = fails(|error| update("{}", &after, error));
        assert!(none.code == CW_ERR_INVALID_PACKAGE && none.message.contains("`before`"), "{none:?}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "it opens a database")]
    fn what_is_no_claim_no_document_and_no_catalogue_is_refused() {
        let opened = Opened::new();
        let put = |json: &str| {
            fails(|error| unsafe { cw_case_system_put(opened.cases, ptr(json), json.len(), error) }).code
        };
        assert_eq!(put("{}"), CW_ERR_INVALID_PACKAGE);
        assert_eq!(put("no json"), CW_ERR_INVALID_PACKAGE);
        assert_eq!(put(""), CW_ERR_INVALID_ARGUMENT);
        let unstored = r#"{"claim": {"id": "ON-INS/C-1"}, "documents": [{"id": "ON-INS/D-9"}]}"#;
        assert_eq!(put(unstored), CW_ERR_INVALID_ARGUMENT);
        for document in ["{}", "no json", r#"{"id": "no id"}"#] {
            let mut left = b"draft".as_slice();
            let add = failed(|out, error| unsafe {
                opened.try_add(document, Some(give), (&raw mut left).cast(), out, error)
            });
            assert_eq!(add.code, CW_ERR_INVALID_ARGUMENT, "{document}");
        }
        let load = |claim: &str| {
            failed(|out, error| unsafe {
                cw_case_system_load(opened.cases, ptr(claim), claim.len(), out, error)
            })
            .code
        };
        assert_eq!(load("ON-INS/C-9"), CW_ERR_UNKNOWN_CLAIM);
        assert_eq!(load("no id"), CW_ERR_INVALID_ARGUMENT);

        let at = opened.folder.path().join("other").to_str().unwrap().to_owned();
        for (catalogue, takes) in
            [(r#"{"claim_types": ["AB"]}"#, true), (r#"{"colours": []}"#, false), ("[", false), ("", false)]
        {
            let mut cases = null_mut();
            let code = unsafe {
                let (catalogue, len) = (ptr(catalogue), catalogue.len());
                cw_case_system_open(ptr(&at), at.len(), catalogue, len, &raw mut cases, null_mut())
            };
            assert_eq!(code, if takes { CW_OK } else { CW_ERR_INVALID_ARGUMENT }, "{catalogue}");
            unsafe { cw_case_system_free(cases) };
        }
    }

    /// A case system of a host's own, without any claim.
    struct Empty;

    impl CaseSystem for Empty {
        fn load(&self, _: &ExchangeId) -> Result<Option<ClaimFile>> {
            Ok(None)
        }

        fn open_document(&self, _: &ExchangeId, _: &ExchangeId) -> Result<Box<dyn Read + Send>> {
            Ok(Box::new(std::io::empty()))
        }

        fn apply(&self, _: &ChangeSet, _: &StagedDocuments, _: &str) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_hosts_own_case_system_says_that_only_the_host_can_do_this() {
        let own = cw_case_system { shared: Arc::new(Empty), embedded: None };
        let put = fails(|error| unsafe { cw_case_system_put(&raw const own, ptr(FILE), FILE.len(), error) });
        let claims = failed(|out, error| unsafe { cw_case_system_claims(&raw const own, out, error) });
        let version = fails(|error| unsafe {
            let (claim, len, report) = (ptr(CLAIM), CLAIM.len(), ptr(REPORT));
            let own = &raw const own;
            cw_case_system_read_document(
                own,
                claim,
                len,
                report,
                REPORT.len(),
                1,
                Some(collect),
                null_mut(),
                error,
            )
        });
        for refused in [put, claims, version] {
            assert_eq!(refused.code, CW_ERR_INVALID_ARGUMENT);
            assert!(refused.message.contains("the host's own"), "{}", refused.message);
        }
        let unknown = failed(|out, error| unsafe {
            cw_case_system_load(&raw const own, ptr(CLAIM), CLAIM.len(), out, error)
        });
        assert_eq!(unknown.code, CW_ERR_UNKNOWN_CLAIM);
    }

    #[test]
    fn null_is_told() {
        let (id, len) = (ptr(CLAIM), CLAIM.len());
        let codes = unsafe {
            [
                fails(|error| cw_case_system_put(null(), ptr(FILE), FILE.len(), error)).code,
                failed(|out, error| cw_case_system_load(null(), id, len, out, error)).code,
                failed(|out, error| cw_case_system_claims(null(), out, error)).code,
                fails(|error| cw_case_system_add_note(null(), id, len, id, len, error)).code,
                failed(|out, error| {
                    cw_case_system_add_document(null(), id, len, id, len, None, null_mut(), out, error)
                })
                .code,
                failed(|out, error| {
                    cw_case_system_add_document_file(null(), id, len, id, len, id, len, out, error)
                })
                .code,
                fails(|error| {
                    cw_case_system_read_document(null(), id, len, id, len, 0, None, null_mut(), error)
                })
                .code,
                failed(|out, error| cw_case_system_document_versions(null(), id, len, id, len, out, error))
                    .code,
                failed(|out, error| cw_case_system_open(null(), 0, null(), 0, out, error)).code,
                failed(|out, error| cw_case_system_open(b"\xff".as_ptr().cast(), 1, null(), 0, out, error))
                    .code,
            ]
        };
        assert_eq!(codes, [CW_ERR_INVALID_ARGUMENT; 10]);
        unsafe { cw_case_system_free(null_mut()) };
    }
}
