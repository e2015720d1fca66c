//! A case system of the host's own, played by functions as a host would give them.

use super::*;
use crate::capi::buffer::{cw_buffer_data, cw_buffer_free, cw_buffer_len};
use crate::capi::claim_out::{
    cw_catalogue_give, cw_claim_file_give, cw_document_give_descriptor, cw_document_give_path,
    cw_document_give_reader,
};
use crate::capi::code::{
    CW_ERR_CASE_SYSTEM, CW_ERR_CONFLICT, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO, CW_ERR_UNKNOWN_CLAIM, CW_OK,
};
use crate::capi::staged::{
    cw_changes_apply, cw_staged_copy, cw_staged_count, cw_staged_document, cw_staged_path,
};
use crate::case_system::conformance;
use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A small store: claim files as JSON in memory, documents as files, each opened in another way.
struct Store {
    claims: Mutex<HashMap<String, Vec<u8>>>,
    folder: PathBuf,
    opened: AtomicUsize,
}

impl Store {
    fn document(&self, id: &str) -> PathBuf {
        self.folder.join(id.replace('/', "_"))
    }
}

unsafe fn owned(text: *const c_char) -> String {
    // SAFETY: the library gave it.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

unsafe extern "C-unwind" fn load(
    data: *mut c_void,
    claim: *const c_char,
    out: *mut cw_claim_file,
    _: *mut cw_failure,
) -> i32 {
    // SAFETY: the library's own, for this call.
    unsafe {
        let store = &*data.cast::<Store>();
        match store.claims.lock().unwrap().get(&owned(claim)) {
            Some(json) => cw_claim_file_give(out, json.as_ptr().cast(), json.len(), null_mut()),
            None => CW_OK,
        }
    }
}

unsafe extern "C-unwind" fn read_file(
    file: *mut c_void,
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    // SAFETY: the library's own, for this call; `file` is what `open_document` gave.
    unsafe {
        let mut bytes = vec![0; capacity.min(5)];
        *len = (*file.cast::<std::fs::File>()).read(&mut bytes).unwrap();
        buffer.copy_from_nonoverlapping(bytes.as_ptr(), *len);
    }
    CW_OK
}

unsafe extern "C-unwind" fn close_file(file: *mut c_void) {
    // SAFETY: from `Box::into_raw` in `open_document`.
    drop(unsafe { Box::from_raw(file.cast::<std::fs::File>()) });
}

unsafe extern "C-unwind" fn open_document(
    data: *mut c_void,
    _: *const c_char,
    document: *const c_char,
    out: *mut cw_document,
    _: *mut cw_failure,
) -> i32 {
    // SAFETY: the library's own, for this call.
    unsafe {
        let store = &*data.cast::<Store>();
        let path = store.document(&owned(document));
        let Ok(file) = std::fs::File::open(&path) else { return CW_ERR_UNKNOWN_CLAIM };
        let text = path.to_str().unwrap();
        match store.opened.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => cw_document_give_path(out, text.as_ptr().cast(), text.len(), null_mut()),
            1 => cw_document_give_descriptor(out, file.as_raw_fd(), null_mut()),
            _ => {
                let file = Box::into_raw(Box::new(file)).cast();
                cw_document_give_reader(out, Some(read_file), file, Some(close_file), null_mut())
            }
        }
    }
}

unsafe extern "C-unwind" fn apply(
    data: *mut c_void,
    claim: *const c_char,
    changes: *const c_char,
    changes_len: usize,
    documents: *const cw_staged,
    by: *const c_char,
    _: *mut cw_failure,
) -> i32 {
    // SAFETY: the library's own, for this call.
    unsafe {
        let store = &*data.cast::<Store>();
        assert_eq!(owned(by), "anna");
        let mut claims = store.claims.lock().unwrap();
        let current = claims.get(&owned(claim));
        let (at, len) = current.map_or((null(), 0), |json| (json.as_ptr().cast(), json.len()));
        let mut after = null_mut();
        let code = cw_changes_apply(changes, changes_len, at, len, &raw mut after, null_mut());
        if code != CW_OK {
            return code;
        }
        for index in 0..cw_staged_count(documents) {
            assert!(Path::new(&owned(cw_staged_path(documents, index))).exists());
            let path = store.document(&owned(cw_staged_document(documents, index)));
            let path = path.to_str().unwrap();
            let code = cw_staged_copy(documents, index, path.as_ptr().cast(), path.len(), null_mut());
            if code != CW_OK {
                cw_buffer_free(after);
                return code;
            }
        }
        let json = std::slice::from_raw_parts(cw_buffer_data(after), cw_buffer_len(after)).to_vec();
        cw_buffer_free(after);
        claims.insert(owned(claim), json);
        CW_OK
    }
}

fn functions() -> cw_case_system_functions {
    cw_case_system_functions {
        struct_size: size_of::<cw_case_system_functions>(),
        load: Some(load),
        open_document: Some(open_document),
        apply: Some(apply),
        catalogue: None,
    }
}

fn case_system(functions: &cw_case_system_functions, data: *mut c_void) -> Arc<dyn CaseSystem> {
    let mut out = null_mut();
    // SAFETY: all of it is good for the call, which gives out what is boxed again.
    unsafe {
        assert_eq!(cw_case_system_new(functions, data, None, &raw mut out, null_mut()), CW_OK);
        Box::from_raw(out).shared
    }
}

#[test]
#[cfg_attr(miri, ignore = "files")]
fn a_case_system_of_the_hosts_own_passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        Store { claims: Mutex::default(), folder: folder.path().to_owned(), opened: AtomicUsize::new(0) };
    let data = (&raw const store).cast_mut().cast();
    conformance::check(|| Ok(case_system(&functions(), data))).unwrap();
    assert!(store.opened.load(Ordering::SeqCst) > 3, "documents were opened in every way");
}

fn code<T>(result: Result<T>) -> i32 {
    result.err().map_or(CW_OK, |error| error.kind().code().into())
}

fn id(text: &str) -> ExchangeId {
    text.parse().unwrap()
}

fn loaded(load: cw_load_fn) -> Result<Option<ClaimFile>> {
    case_system(&cw_case_system_functions { load, ..functions() }, null_mut()).load(&id("A/1"))
}

#[test]
fn a_claim_file_that_cannot_be_used_is_never_taken_for_none() {
    macro_rules! gives {
        ($($json:expr),*) => {{
            unsafe extern "C-unwind" fn load(
                _: *mut c_void,
                _: *const c_char,
                out: *mut cw_claim_file,
                _: *mut cw_failure,
            ) -> i32 {
                $({
                    let json: &[u8] = $json;
                    // SAFETY: the library's own, for this call. What it says is overlooked on purpose.
                    let _ = unsafe { cw_claim_file_give(out, json.as_ptr().cast(), json.len(), null_mut()) };
                })*
                let _ = out;
                CW_OK
            }
            loaded(Some(load))
        }};
    }
    const GOOD: &[u8] = br#"{"claim":{"id":"A/1"}}"#;
    assert_eq!(gives!().unwrap(), None);
    assert!(gives!(GOOD).unwrap().is_some());
    for spoiled in [
        gives!(b""),
        gives!(b"\xff"),
        gives!(b"{}"),
        gives!(b"{", GOOD),
        gives!(GOOD, GOOD),
        gives!(br#"{"claim":{"id":"A/2"}}"#),
    ] {
        let error = spoiled.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::CaseSystem, false), "{error}");
    }
    unsafe extern "C-unwind" fn panics(
        _: *mut c_void,
        _: *const c_char,
        _: *mut cw_claim_file,
        _: *mut cw_failure,
    ) -> i32 {
        panic!("a host's fault")
    }
    assert_eq!(code(loaded(Some(panics))), CW_ERR_INTERNAL);
}

fn opened(open_document: cw_open_document_fn) -> Result<Box<dyn Read + Send>> {
    let functions = cw_case_system_functions { open_document, ..functions() };
    case_system(&functions, null_mut()).open_document(&id("A/1"), &id("A/2"))
}

#[test]
fn a_document_that_is_not_given_is_not_there() {
    macro_rules! opens {
        (|$out:ident| $work:expr) => {{
            unsafe extern "C-unwind" fn open(
                _: *mut c_void,
                _: *const c_char,
                _: *const c_char,
                $out: *mut cw_document,
                _: *mut cw_failure,
            ) -> i32 {
                assert!(!$out.is_null());
                $work
            }
            opened(Some(open))
        }};
    }
    assert_eq!(code(opens!(|out| CW_OK)), CW_ERR_UNKNOWN_CLAIM);
    let no_descriptor = opens!(|out| {
        // SAFETY: the library's own, for this call.
        assert_eq!(unsafe { cw_document_give_descriptor(out, -1, null_mut()) }, CW_ERR_INVALID_ARGUMENT);
        CW_OK
    });
    assert_eq!(code(no_descriptor), CW_ERR_CASE_SYSTEM);
    let no_file = opens!(|out| {
        let path = c"/nowhere/at/all";
        // SAFETY: the library's own, for this call.
        assert_eq!(unsafe { cw_document_give_path(out, path.as_ptr(), 15, null_mut()) }, CW_ERR_IO);
        CW_ERR_IO
    });
    assert_eq!(code(no_file), CW_ERR_IO);
    let no_function = opens!(|out| {
        // SAFETY: the library's own, for this call.
        unsafe { cw_document_give_reader(out, None, null_mut(), None, null_mut()) }
    });
    assert_eq!(code(no_function), CW_ERR_INVALID_ARGUMENT);
}

#[test]
fn a_reader_that_fails_or_lies_is_an_error_for_good() {
    static CLOSED: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "C-unwind" fn close(_: *mut c_void) {
        CLOSED.fetch_add(1, Ordering::SeqCst);
    }
    macro_rules! reads {
        ($count:expr, $code:expr) => {{
            unsafe extern "C-unwind" fn read(
                _: *mut c_void,
                _: *mut u8,
                _capacity: usize,
                len: *mut usize,
            ) -> i32 {
                // SAFETY: the library's own, for this call.
                unsafe { *len = $count };
                $code
            }
            unsafe extern "C-unwind" fn open(
                _: *mut c_void,
                _: *const c_char,
                _: *const c_char,
                out: *mut cw_document,
                _: *mut cw_failure,
            ) -> i32 {
                // SAFETY: the library's own, for this call.
                unsafe { cw_document_give_reader(out, Some(read), null_mut(), Some(close), null_mut()) }
            }
            let mut document = opened(Some(open)).unwrap();
            let first = code(document.read(&mut [0; 8]).map_err(Error::from));
            (first, document.read(&mut [0; 8]).is_err())
        }};
    }
    assert_eq!(reads!(3, CW_ERR_CONFLICT), (CW_ERR_CONFLICT, true));
    assert_eq!(reads!(9, CW_OK), (CW_ERR_INTERNAL, true));
    assert_eq!(reads!(1, panic!("a host's fault")), (CW_ERR_INTERNAL, true));
    assert_eq!(CLOSED.load(Ordering::SeqCst), 3);
}

#[test]
fn a_catalogue_is_read_and_a_wrong_one_refused() {
    macro_rules! known {
        ($json:expr) => {{
            unsafe extern "C-unwind" fn catalogue(
                _: *mut c_void,
                out: *mut cw_catalogue,
                _: *mut cw_failure,
            ) -> i32 {
                let json: &str = $json;
                // SAFETY: the library's own, for this call.
                unsafe { cw_catalogue_give(out, json.as_ptr().cast(), json.len(), null_mut()) }
            }
            let functions = cw_case_system_functions { catalogue: Some(catalogue), ..functions() };
            case_system(&functions, null_mut()).catalogue()
        }};
    }
    let known_types = known!(r#"{"bill_types":["Invoice"]}"#).unwrap();
    assert!(known_types.knows_bill_type("invoice") && !known_types.knows_bill_type("Fee"));
    assert_eq!(code(known!(r#"{"bil_types":[]}"#)), CW_ERR_INVALID_ARGUMENT);
    assert!(case_system(&functions(), null_mut()).catalogue().unwrap().knows_claim_type("any"));
}

#[test]
fn what_is_no_case_system_is_refused_and_its_data_ended() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "C-unwind" fn end(_: *mut c_void) {
        ENDED.fetch_add(1, Ordering::SeqCst);
    }
    let good = functions();
    let wrong = [
        cw_case_system_functions { load: None, ..good },
        cw_case_system_functions { open_document: None, ..good },
        cw_case_system_functions { apply: None, ..good },
        cw_case_system_functions { struct_size: 8, ..good },
    ];
    for functions in &wrong {
        let mut out = std::ptr::dangling_mut();
        // SAFETY: what is wrong about it is what the function checks.
        let code = unsafe { cw_case_system_new(functions, null_mut(), Some(end), &raw mut out, null_mut()) };
        assert_eq!((code, out), (CW_ERR_INVALID_ARGUMENT, null_mut()));
    }
    // SAFETY: NULL is one of what may be handed over.
    let code = unsafe { cw_case_system_new(null(), null_mut(), Some(end), null_mut(), null_mut()) };
    assert_eq!((code, ENDED.load(Ordering::SeqCst)), (CW_ERR_INVALID_ARGUMENT, wrong.len() + 1));
}
