//! The documents of the embedded case system: bytes in and out by functions of the host's, or by files.

use super::border::call;
use super::buffer::cw_buffer;
use super::callback::{UserData, cw_read_fn, cw_write_fn};
use super::case_system::{cw_case_system, json_of, read_json};
use super::error::cw_error;
use super::pointer::{Out, given_text, misuse, path, shared};
use super::stream::{HostRead, HostWrite};
use crate::case_system::SqliteCaseSystem;
use crate::durable_file::{DurableFile, folder_of};
use crate::model::{Document, ExchangeId};
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::fs::File;
use std::io::Read;

/// Adds a document with the bytes that `read` gives, or gives a document new bytes; earlier ones are kept as versions.
/// `document` is JSON, as a claim file has documents; its size and digest are taken from the bytes. Gives the document
/// as it is stored, as JSON; `out` may be NULL. `read` is called on this thread, until it gives no more, and never holds
/// the whole document.
///
/// Errors: what `read` returned; CW_ERR_UNKNOWN_CLAIM; CW_ERR_CASE_SYSTEM; CW_ERR_IO; CW_ERR_INVALID_ARGUMENT, also when
/// another kind of record has the document's id. Nothing is changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_add_document(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    document: *const c_char,
    document_len: usize,
    read: cw_read_fn,
    user_data: *mut c_void,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_add_document", error, || {
            let out = if out.is_null() { None } else { Some(Out::new("out", out)?) };
            let embedded = shared("case_system", case_system)?.embedded()?;
            let claim = given_text("claim", claim, claim_len)?;
            let document = given_text("document", document, document_len)?;
            add_document(embedded, claim, document, HostRead::new(read, UserData::new(user_data, None))?, out)
        })
    }
}

/// The same with the bytes of a file; see cw_case_system_add_document.
///
/// Errors: CW_ERR_IO when the file cannot be read; else as cw_case_system_add_document.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_add_document_file(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    document: *const c_char,
    document_len: usize,
    file: *const c_char,
    file_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_add_document_file", error, || {
            let out = if out.is_null() { None } else { Some(Out::new("out", out)?) };
            let embedded = shared("case_system", case_system)?.embedded()?;
            let claim = given_text("claim", claim, claim_len)?;
            let document = given_text("document", document, document_len)?;
            let file = path("file", file, file_len)?;
            let bytes = File::open(&file)
                .map_err(|error| Error::from(error).within(format_args!("file {}", file.display())))?;
            add_document(embedded, claim, document, bytes, out)
        })
    }
}

/// Hands the bytes of a document to `write`, on this thread: those of now with `version` 0, else those of that version,
/// see cw_case_system_document_versions.
///
/// Errors: what `write` returned; CW_ERR_UNKNOWN_CLAIM when the claim, the document or the version is not here;
/// CW_ERR_STORE_DAMAGED when its bytes are lost; CW_ERR_CASE_SYSTEM; CW_ERR_IO; CW_ERR_INVALID_ARGUMENT, also for a
/// version of a case system that is the host's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_read_document(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    document: *const c_char,
    document_len: usize,
    version: u64,
    write: cw_write_fn,
    user_data: *mut c_void,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_read_document", error, || {
            let case_system = shared("case_system", case_system)?;
            let claim = given_text("claim", claim, claim_len)?.parse()?;
            let document = given_text("document", document, document_len)?.parse()?;
            let mut write = HostWrite::new(write, UserData::new(user_data, None))?;
            std::io::copy(&mut open_document(case_system, &claim, &document, version)?, &mut write)?;
            Ok(())
        })
    }
}

/// The same into a file, which is there whole or not at all; what stood under its name is replaced. The file is for this
/// user alone.
///
/// Errors: CW_ERR_IO when the file cannot be written; else as cw_case_system_read_document.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_read_document_file(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    document: *const c_char,
    document_len: usize,
    version: u64,
    file: *const c_char,
    file_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_read_document_file", error, || {
            let case_system = shared("case_system", case_system)?;
            let claim = given_text("claim", claim, claim_len)?.parse()?;
            let document = given_text("document", document, document_len)?.parse()?;
            let file = path("file", file, file_len)?;
            let name = file.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| misuse("`file` names no file"))?;
            let mut bytes = open_document(case_system, &claim, &document, version)?;
            let mut place = || {
                let mut into = DurableFile::create_in(folder_of(&file))?;
                std::io::copy(&mut bytes, &mut into)?;
                into.place(name)
            };
            place().map(drop).map_err(|error| error.within(format_args!("file {}", file.display())))
        })
    }
}

/// The versions of a document's bytes, the first one first, as JSON; see docs/schemas/document-versions.schema.json. An
/// empty array when the document is not here.
///
/// Errors: CW_ERR_CASE_SYSTEM; CW_ERR_INVALID_ARGUMENT, also when the case system is the host's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_case_system_document_versions(
    case_system: *const cw_case_system,
    claim: *const c_char,
    claim_len: usize,
    document: *const c_char,
    document_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_case_system_document_versions", error, || {
            let out = Out::new("out", out)?;
            let embedded = shared("case_system", case_system)?.embedded()?;
            let claim = given_text("claim", claim, claim_len)?.parse()?;
            let document = given_text("document", document, document_len)?.parse()?;
            out.give(json_of(&embedded.document_versions(&claim, &document)?)?);
            Ok(())
        })
    }
}

fn add_document(
    embedded: &SqliteCaseSystem,
    claim: &str,
    document: &str,
    bytes: impl Read,
    out: Option<Out<cw_buffer>>,
) -> Result<()> {
    let document: Document = read_json("document", document)?;
    let stored = embedded.add_document(&claim.parse()?, document, bytes)?;
    if let Some(out) = out {
        out.give(json_of(&stored)?);
    }
    Ok(())
}

fn open_document(
    case_system: &cw_case_system,
    claim: &ExchangeId,
    document: &ExchangeId,
    version: u64,
) -> Result<Box<dyn Read + Send>> {
    if version == 0 {
        return case_system.shared.open_document(claim, document);
    }
    let embedded = case_system.embedded()?;
    let versions = embedded.document_versions(claim, document)?;
    let wanted = versions.iter().find(|known| known.number == version).ok_or_else(|| {
        let said = format!("document {document} of claim {claim} has no version {version} here");
        Error::new(ErrorKind::UnknownClaim, said)
    })?;
    embedded.open_version(wanted)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::case_system::{
        cw_case_system_add_note, cw_case_system_claims, cw_case_system_free, cw_case_system_load,
        cw_case_system_open, cw_case_system_put,
    };
    use super::super::code::{
        CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO, CW_ERR_UNKNOWN_CLAIM, CW_OK,
    };
    use super::super::trial::{failed, fails, handle, ptr, taken, works};
    use super::*;
    use std::ptr::{null, null_mut};

    pub(in super::super) const CLAIM: &str = "ON-INS/C-1";
    pub(in super::super) const REPORT: &str = "ON-INS/D-1";
    pub(in super::super) const FILE: &str = r#"{"claim": {"id": "ON-INS/C-1", "claim_number": "C-1"}}"#;
    const DOCUMENT: &str = r#"{"id": "ON-INS/D-1", "name": "report.txt"}"#;

    /// A case system with one claim, in a folder of its own.
    pub(in super::super) struct Opened {
        pub(in super::super) cases: *mut cw_case_system,
        pub(in super::super) folder: tempfile::TempDir,
    }

    impl Opened {
        pub(in super::super) fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path().join("cases").to_str().unwrap().to_owned();
            let cases = handle(|out, error| unsafe {
                cw_case_system_open(ptr(&at), at.len(), null(), 0, out, error)
            });
            works(|error| unsafe { cw_case_system_put(cases, ptr(FILE), FILE.len(), error) });
            Self { cases, folder }
        }

        fn add(&self, read: cw_read_fn, user_data: *mut c_void) -> String {
            taken(|out, error| unsafe { self.try_add(DOCUMENT, read, user_data, out, error) })
        }

        pub(in super::super) unsafe fn try_add(
            &self,
            document: &str,
            read: cw_read_fn,
            user_data: *mut c_void,
            out: *mut *mut cw_buffer,
            error: *mut *mut cw_error,
        ) -> i32 {
            let (claim, claim_len) = (ptr(CLAIM), CLAIM.len());
            let (document, len) = (ptr(document), document.len());
            unsafe {
                cw_case_system_add_document(
                    self.cases, claim, claim_len, document, len, read, user_data, out, error,
                )
            }
        }

        unsafe fn read(
            &self,
            version: u64,
            write: cw_write_fn,
            user_data: *mut c_void,
            error: *mut *mut cw_error,
        ) -> i32 {
            let (claim, claim_len) = (ptr(CLAIM), CLAIM.len());
            let (report, report_len) = (ptr(REPORT), REPORT.len());
            unsafe {
                cw_case_system_read_document(
                    self.cases, claim, claim_len, report, report_len, version, write, user_data, error,
                )
            }
        }

        fn bytes(&self, version: u64) -> Vec<u8> {
            let mut bytes: Vec<u8> = Vec::new();
            let into = (&raw mut bytes).cast();
            works(|error| unsafe { self.read(version, Some(collect), into, error) });
            bytes
        }
    }

    impl Drop for Opened {
        fn drop(&mut self) {
            unsafe { cw_case_system_free(self.cases) };
        }
    }

    pub(in super::super) unsafe extern "C-unwind" fn give(
        user_data: *mut c_void,
        buffer: *mut u8,
        capacity: usize,
        len: *mut usize,
    ) -> i32 {
        let left = unsafe { &mut *user_data.cast::<&[u8]>() };
        let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, capacity) };
        unsafe { *len = left.read(buffer).unwrap() };
        CW_OK
    }

    pub(in super::super) unsafe extern "C-unwind" fn collect(
        user_data: *mut c_void,
        data: *const u8,
        len: usize,
    ) -> i32 {
        let into = unsafe { &mut *user_data.cast::<Vec<u8>>() };
        into.extend_from_slice(unsafe { std::slice::from_raw_parts(data, len) });
        CW_OK
    }

    unsafe extern "C-unwind" fn give_nothing(_: *mut c_void, _: *mut u8, _: usize, _: *mut usize) -> i32 {
        CW_ERR_IO
    }

    unsafe extern "C-unwind" fn overstate(
        _: *mut c_void,
        _: *mut u8,
        capacity: usize,
        len: *mut usize,
    ) -> i32 {
        unsafe { *len = capacity + 1 };
        CW_OK
    }

    unsafe extern "C-unwind" fn panic_on_read(_: *mut c_void, _: *mut u8, _: usize, _: *mut usize) -> i32 {
        panic!("a fault of the host's")
    }

    unsafe extern "C-unwind" fn refuse(_: *mut c_void, _: *const u8, _: usize) -> i32 {
        4711
    }

    unsafe extern "C-unwind" fn panic_on_write(_: *mut c_void, _: *const u8, _: usize) -> i32 {
        panic!("a fault of the host's")
    }

    #[test]
    #[cfg_attr(miri, ignore = "it opens a database")]
    fn a_claim_its_notes_and_the_versions_of_its_documents_are_kept() {
        let opened = Opened::new();
        for content in ["draft", "final"] {
            let mut left = content.as_bytes();
            let stored = opened.add(Some(give), (&raw mut left).cast());
            assert!(stored.contains("\"size\":5"), "{stored}");
        }
        assert_eq!(opened.bytes(0), b"final");
        assert_eq!(opened.bytes(1), b"draft");
        let versions = taken(|out, error| unsafe {
            let (report, len) = (ptr(REPORT), REPORT.len());
            cw_case_system_document_versions(opened.cases, ptr(CLAIM), CLAIM.len(), report, len, out, error)
        });
        assert!(
            versions.contains("\"number\":2") && versions.contains("\"name\":\"report.txt\""),
            "{versions}"
        );
        let unknown = fails(|error| unsafe { opened.read(3, Some(collect), null_mut(), error) });
        assert_eq!(unknown.code, CW_ERR_UNKNOWN_CLAIM);

        let note = r#"{"id": "ON-INS/N-1", "body": "seen"}"#;
        works(|error| unsafe {
            cw_case_system_add_note(opened.cases, ptr(CLAIM), CLAIM.len(), ptr(note), note.len(), error)
        });
        let file = taken(|out, error| unsafe {
            cw_case_system_load(opened.cases, ptr(CLAIM), CLAIM.len(), out, error)
        });
        assert!(file.contains("\"seen\"") && file.contains("report.txt"), "{file}");
        let claims = taken(|out, error| unsafe { cw_case_system_claims(opened.cases, out, error) });
        assert_eq!(claims, format!("[\"{CLAIM}\"]"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "it opens a database")]
    fn a_document_comes_from_a_file_too() {
        let opened = Opened::new();
        let file = opened.folder.path().join("scan.pdf");
        std::fs::write(&file, "scanned").unwrap();
        let add = |file: &str, out, error| unsafe {
            let (claim, claim_len, len) = (ptr(CLAIM), CLAIM.len(), DOCUMENT.len());
            let (file, file_len) = (ptr(file), file.len());
            cw_case_system_add_document_file(
                opened.cases,
                claim,
                claim_len,
                ptr(DOCUMENT),
                len,
                file,
                file_len,
                out,
                error,
            )
        };
        works(|error| add(file.to_str().unwrap(), null_mut(), error));
        assert_eq!(opened.bytes(0), b"scanned");
        let read = |file: &str, error| unsafe {
            let (claim, len, report, report_len) = (ptr(CLAIM), CLAIM.len(), ptr(REPORT), REPORT.len());
            let (file, file_len) = (ptr(file), file.len());
            cw_case_system_read_document_file(
                opened.cases,
                claim,
                len,
                report,
                report_len,
                0,
                file,
                file_len,
                error,
            )
        };
        let copy = opened.folder.path().join("copy.pdf");
        works(|error| read(copy.to_str().unwrap(), error));
        assert_eq!(std::fs::read(&copy).unwrap(), b"scanned");
        assert_eq!(fails(|error| read("/nowhere/copy.pdf", error)).code, CW_ERR_IO);
        assert_eq!(fails(|error| read("/", error)).code, CW_ERR_INVALID_ARGUMENT);
        let lost = failed(|out, error| add("/nowhere/scan.pdf", out, error));
        assert_eq!(lost.code, CW_ERR_IO);
        assert!(lost.message.contains("/nowhere/scan.pdf"), "{}", lost.message);
    }

    #[test]
    #[cfg_attr(miri, ignore = "it opens a database")]
    fn failing_and_panicking_functions_change_nothing() {
        let opened = Opened::new();
        let add = |read: cw_read_fn| {
            failed(|out, error| unsafe { opened.try_add(DOCUMENT, read, null_mut(), out, error) }).code
        };
        assert_eq!(add(None), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(add(Some(give_nothing)), CW_ERR_IO);
        assert_eq!(add(Some(overstate)), CW_ERR_INTERNAL);
        assert_eq!(add(Some(panic_on_read)), CW_ERR_INTERNAL);
        let unknown = fails(|error| unsafe { opened.read(0, Some(collect), null_mut(), error) });
        assert_eq!(unknown.code, CW_ERR_UNKNOWN_CLAIM);

        let mut left = b"draft".as_slice();
        opened.add(Some(give), (&raw mut left).cast());
        let read =
            |write: cw_write_fn| fails(|error| unsafe { opened.read(0, write, null_mut(), error) }).code;
        assert_eq!(read(None), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(read(Some(refuse)), CW_ERR_INTERNAL);
        assert_eq!(read(Some(panic_on_write)), CW_ERR_INTERNAL);
        assert_eq!(opened.bytes(0), b"draft");
    }
}
