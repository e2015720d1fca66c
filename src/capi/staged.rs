//! What a case system of the host's own applies: the set of changes, and the documents that come with it.

use super::border::{call, quietly};
use super::buffer::cw_buffer;
use super::error::{c_text, cw_error};
use super::pointer::{Out, given_text, misuse, optional_text, path, shared};
use crate::case_system::StagedDocuments;
use crate::durable_file::{DurableFile, folder_of};
use crate::merge::ChangeSet;
use crate::model::{ClaimFile, Json};
use crate::protocol::DigestReader;
use crate::{Error, ErrorKind, Result};
use std::ffi::{CString, c_char};
use std::fs::File;
use std::path::PathBuf;
use std::ptr::null;

/// The documents whose bytes a set of changes brings, in files that stay the library's. Borrowed for the time of the
/// call that it is handed to.
pub struct cw_staged(Vec<Staged>);

struct Staged {
    document: CString,
    path: CString,
    file: PathBuf,
    sha256: CString,
    size: Option<String>,
}

impl cw_staged {
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when one of them is not staged.
    pub(super) fn new(changes: &ChangeSet, documents: &StagedDocuments) -> Result<Self> {
        let bringing = changes.records.iter().filter(|change| change.brings_bytes());
        let staged = bringing.map(|change| {
            let (id, fields) = (&change.after.id, &change.after.fields);
            documents.open(id)?;
            let file = documents.path(id).map(PathBuf::from).unwrap_or_default();
            Ok(Staged {
                document: c_text(id.as_str()),
                path: CString::new(file.as_os_str().as_encoded_bytes()).unwrap_or_default(),
                file,
                sha256: c_text(fields.get("sha256").and_then(Json::as_str).unwrap_or_default()),
                size: fields.get("size").map(Json::to_string),
            })
        });
        staged.collect::<Result<_>>().map(Self)
    }
}

impl Staged {
    /// The bytes in `copy`, found to be those that the change set names.
    fn copied(&self, mut copy: DurableFile) -> Result<DurableFile> {
        let mut bytes = DigestReader::new(File::open(&self.file)?);
        let size = std::io::copy(&mut bytes, &mut copy)?;
        let sha256 = bytes.finish().to_hex();
        if sha256.as_bytes() != self.sha256.as_bytes()
            || self.size.as_ref().is_some_and(|named| *named != size.to_string())
        {
            return Err(Error::new(
                ErrorKind::Altered,
                format!(
                    "document {}: the staged file has {size} bytes with SHA-256 {sha256}, not those the package names",
                    self.document.to_string_lossy()
                ),
            ));
        }
        Ok(copy)
    }
}

/// How many documents bring new bytes. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_staged_count(staged: *const cw_staged) -> usize {
    // SAFETY: the host vouches for `staged`.
    quietly(0, || unsafe { staged.as_ref() }.map_or(0, |staged| staged.0.len()))
}

/// The exchange id of a document, counted from 0. Borrowed from `staged`; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_staged_document(staged: *const cw_staged, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `staged`.
    let document = || Some(unsafe { staged.as_ref() }?.0.get(index)?.document.as_ptr());
    quietly(null(), || document().unwrap_or(null()))
}

/// The file that holds its bytes, to be copied and not to be changed. Borrowed from `staged`; NULL when there are not so
/// many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_staged_path(staged: *const cw_staged, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `staged`.
    let path = || Some(unsafe { staged.as_ref() }?.0.get(index)?.path.as_ptr());
    quietly(null(), || path().unwrap_or(null()))
}

/// The SHA-256 that the change set names for its bytes, in lower-case hexadecimal. Borrowed from `staged`; NULL when there
/// are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_staged_sha256(staged: *const cw_staged, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `staged`.
    let sha256 = || Some(unsafe { staged.as_ref() }?.0.get(index)?.sha256.as_ptr());
    quietly(null(), || sha256().unwrap_or(null()))
}

/// Copies the bytes to a file of the host's, for this user alone, and checks them on the way against the digest and size
/// that the change set names. A file that stood there is replaced whole; what was copied survives power loss when this
/// returns. After an error nothing is changed.
///
/// Errors: CW_ERR_ALTERED when they are other bytes, CW_ERR_IO; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_staged_copy(
    staged: *const cw_staged,
    index: usize,
    file: *const c_char,
    file_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_staged_copy", error, || {
            let documents = &shared("staged", staged)?.0;
            let Some(staged) = documents.get(index) else {
                return Err(misuse(format!("there are {} documents, counted from 0", documents.len())));
            };
            let path = path("file", file, file_len)?;
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                return Err(misuse("`file` ends in no file name"));
            };
            let copy = staged.copied(DurableFile::create_in(folder_of(&path))?)?;
            copy.place(name).map(drop)
        })
    }
}

/// Works out the claim file that a set of changes makes of the one that stands now, for hosts that keep a claim as JSON.
/// `claim_file` is NULL when the claim is not there. Only what the set names is changed; applying it again changes
/// nothing. Gives the new claim file as JSON; storing it is the host's.
///
/// Errors: CW_ERR_CONFLICT when the claim was changed here after the set was made, or a person has to settle it first;
/// CW_ERR_UNKNOWN_CLAIM when the claim is gone; CW_ERR_INVALID_PACKAGE when a field would get a value that it cannot
/// have; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_changes_apply(
    changes: *const c_char,
    changes_len: usize,
    claim_file: *const c_char,
    claim_file_len: usize,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_changes_apply", error, || {
            let out = Out::new("out", out)?;
            let changes: ChangeSet = given_text("changes", changes, changes_len)?
                .parse::<Json>()?
                .to()
                .map_err(|fault| misuse(format!("`changes` is no set of changes: {fault}")))?;
            let current = optional_text("claim_file", claim_file, claim_file_len)?
                .map(|json| ClaimFile::from_json(json.as_bytes()))
                .transpose()
                .map_err(|fault| misuse(format!("`claim_file`: {fault}")))?;
            out.give(cw_buffer::new(changes.apply_to(current.as_ref())?.to_json()?));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::code::{
        CW_ERR_ALTERED, CW_ERR_CONFLICT, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO, CW_ERR_UNKNOWN_CLAIM, CW_OK,
    };
    use crate::merge::{ConflictPolicy, merge};
    use crate::model::{Record, RecordKind};
    use crate::protocol::Digest;
    use std::ffi::CStr;
    use std::ptr::null_mut;

    const FILE: &str = r#"{"claim":{"id":"A/C","status":"open"},"x_kept":1.50}"#;

    fn status(value: &str) -> Record {
        let mut record = Record::new(RecordKind::Claim, "A/C".parse().unwrap());
        record.fields.insert("status".into(), value.into());
        record
    }

    fn changes(local: &[Record], incoming: &[Record]) -> String {
        let set = merge(local, incoming, local, ConflictPolicy::Stop).unwrap();
        Json::from_serialize(&set).unwrap().to_string()
    }

    fn applied(changes: &str, file: Option<&str>) -> (i32, String) {
        let mut out = std::ptr::dangling_mut();
        let (at, len) = file.map_or((null(), 0), |file| (file.as_ptr().cast(), file.len()));
        // SAFETY: texts of ours, and the buffer that the call gives out.
        unsafe {
            let code =
                cw_changes_apply(changes.as_ptr().cast(), changes.len(), at, len, &raw mut out, null_mut());
            if code != CW_OK {
                assert!(out.is_null());
                return (code, String::new());
            }
            let file =
                CStr::from_ptr(super::super::buffer::cw_buffer_data(out).cast()).to_str().unwrap().to_owned();
            super::super::buffer::cw_buffer_free(out);
            (code, file)
        }
    }

    #[test]
    fn changes_are_applied_to_the_claim_file_as_it_stands() {
        let closed = changes(&[status("open")], &[status("closed")]);
        let (code, after) = applied(&closed, Some(FILE));
        assert_eq!(code, CW_OK);
        assert!(after.contains(r#""status":"closed""#) && after.contains(r#""x_kept":1.50"#), "{after}");
        assert_eq!(applied(&closed, Some(&after)), (CW_OK, after), "applying it again changes nothing");
        let moved = FILE.replace("open", "paid");
        assert_eq!(applied(&closed, Some(&moved)).0, CW_ERR_CONFLICT);
        assert_eq!(applied(&closed, None).0, CW_ERR_UNKNOWN_CLAIM);
        let added = changes(&[], &[status("open")]);
        assert!(applied(&added, None).1.contains(r#""id":"A/C""#));
    }

    #[test]
    fn what_is_no_set_of_changes_and_no_claim_file_is_refused() {
        let closed = changes(&[status("open")], &[status("closed")]);
        for (changes, file) in [
            ("", Some(FILE)),
            ("{", Some(FILE)),
            ("{}", Some(FILE)),
            (closed.as_str(), Some("")),
            (closed.as_str(), Some("[]")),
            (closed.as_str(), Some("{\"claim\":")),
        ] {
            assert_eq!(applied(changes, file).0, CW_ERR_INVALID_ARGUMENT, "{changes:.20} {file:?}");
        }
        // SAFETY: NULL is one of what may be handed over.
        let code = unsafe { cw_changes_apply(null(), 0, null(), 0, null_mut(), null_mut()) };
        assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
    }

    #[test]
    #[cfg_attr(miri, ignore = "files")]
    fn staged_bytes_are_checked_while_they_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let mut document = Record::new(RecordKind::Document, "A/D".parse().unwrap());
        document.fields.insert("name".into(), "report.txt".into());
        document.fields.insert("size".into(), Json::from(4));
        document.fields.insert("sha256".into(), Digest::of(b"seen").to_hex().into());
        let set = merge(&[], &[status("open"), document.clone()], &[], ConflictPolicy::Stop).unwrap();
        let mut files = StagedDocuments::new();
        let refused = cw_staged::new(&set, &files).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "a document that is not staged");
        files.insert(document.id, folder.path().join("staged"));
        let target = folder.path().join("copy");
        let (at, len) = (target.to_str().unwrap().as_ptr().cast(), target.to_str().unwrap().len());
        for (bytes, code) in [("other bytes", CW_ERR_ALTERED), ("se", CW_ERR_ALTERED), ("seen", CW_OK)] {
            std::fs::write(folder.path().join("staged"), bytes).unwrap();
            let staged = cw_staged::new(&set, &files).unwrap();
            let staged: *const cw_staged = &raw const staged;
            // SAFETY: texts and a handle of ours.
            unsafe {
                assert_eq!(cw_staged_copy(staged, 0, at, len, null_mut()), code);
                assert_eq!(target.exists(), code == CW_OK);
                assert_eq!(cw_staged_copy(staged, 1, at, len, null_mut()), CW_ERR_INVALID_ARGUMENT);
                assert_eq!(cw_staged_copy(staged, 0, at, 0, null_mut()), CW_ERR_INVALID_ARGUMENT);
                assert_eq!(cw_staged_copy(staged, 0, c"/".as_ptr(), 1, null_mut()), CW_ERR_INVALID_ARGUMENT);
                let nowhere = c"/nowhere/at/all";
                assert_eq!(cw_staged_copy(staged, 0, nowhere.as_ptr(), 15, null_mut()), CW_ERR_IO);
                assert_eq!(cw_staged_copy(null(), 0, at, len, null_mut()), CW_ERR_INVALID_ARGUMENT);
                assert_eq!((cw_staged_count(staged), cw_staged_count(null())), (1, 0));
                assert_eq!(CStr::from_ptr(cw_staged_document(staged, 0)).to_str().unwrap(), "A/D");
                assert_eq!(CStr::from_ptr(cw_staged_sha256(staged, 0)).to_bytes().len(), 64);
                assert!(cw_staged_document(staged, 1).is_null() && cw_staged_path(staged, 1).is_null());
                assert!(cw_staged_path(null(), 0).is_null() && cw_staged_sha256(null(), 0).is_null());
            }
        }
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "the staged file stays, and nothing half copied does");
    }
}
