//! What a transport of the host's own is asked, and what becomes of its answers.

use super::*;
use crate::capi::code::{
    CW_ERR_BAD_CERTIFICATE, CW_ERR_BAD_MESSAGE, CW_ERR_INTERNAL, CW_ERR_INVALID_ARGUMENT, CW_ERR_TIMED_OUT,
    CW_OK,
};
use crate::capi::host_reply::{
    cw_reply_body, cw_reply_collected, cw_reply_header, cw_reply_pending, cw_reply_status,
};
use crate::capi::message::{
    cw_request_header_count, cw_request_header_name, cw_request_header_value, cw_request_method,
    cw_request_path,
};
use crate::protocol::{Endpoint, Peer};
use crate::transport::conformance::{Fixture, check};
use std::ffi::CStr;
use std::io;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

type Send = unsafe extern "C-unwind" fn(
    *mut c_void,
    *const cw_request,
    *mut cw_body,
    *mut cw_reply,
    *mut cw_failure,
) -> i32;

fn functions(send: Option<Send>) -> cw_transport_functions {
    let base_path = c"/claims/";
    cw_transport_functions {
        struct_size: size_of::<cw_transport_functions>(),
        // The lifetime of a body is one that C does not know.
        send: send.map(|send| send as _),
        base_path: base_path.as_ptr(),
        base_path_len: base_path.to_bytes().len(),
        answers_later: 0,
        resume_from_bytes: 0,
        part_bytes: 0,
    }
}

fn transport(send: Send, data: *mut c_void, drop: cw_drop_fn) -> Box<cw_transport> {
    let mut out = null_mut();
    // SAFETY: all of it is good for the call.
    let code = unsafe { cw_transport_new(&functions(Some(send)), data, drop, &raw mut out, null_mut()) };
    assert_eq!(code, CW_OK);
    // SAFETY: the call gave it out.
    unsafe { Box::from_raw(out) }
}

/// Reads the body as a C host does.
struct CBody<'a>(*mut cw_body<'a>);

impl Read for CBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        // SAFETY: the callback's body, and a buffer of ours.
        let code =
            unsafe { cw_body_read(self.0, buffer.as_mut_ptr(), buffer.len(), &raw mut count, null_mut()) };
        if code == CW_OK { Ok(count) } else { Err(io::Error::other(code.to_string())) }
    }
}

unsafe fn owned(text: *const c_char) -> String {
    // SAFETY: the getter gave it.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

/// Hands the request to the endpoint in `data` by nothing but what C has.
unsafe extern "C-unwind" fn deliver(
    data: *mut c_void,
    request: *const cw_request,
    body: *mut cw_body,
    reply: *mut cw_reply,
    _: *mut cw_failure,
) -> i32 {
    // SAFETY: all of it comes from the library, for this call.
    unsafe {
        let endpoint = &*data.cast::<Arc<dyn Endpoint>>();
        let path = owned(cw_request_path(request));
        let mut arrived = Request::new(&owned(cw_request_method(request)), &path).unwrap();
        for index in 0..cw_request_header_count(request) {
            let name = owned(cw_request_header_name(request, index));
            let value = owned(cw_request_header_value(request, index));
            arrived.headers_mut().append(&name, value).unwrap();
        }
        let answer = endpoint.answer(&arrived, &Peer::unknown(), &mut CBody(body));
        for (name, value) in answer.headers().iter() {
            let (name, value) = ((name.as_ptr(), name.len()), (value.as_ptr(), value.len()));
            let code = cw_reply_header(reply, name.0.cast(), name.1, value.0.cast(), value.1, null_mut());
            assert_eq!(code, CW_OK);
        }
        for piece in answer.body().chunks(100_000) {
            assert_eq!(cw_reply_body(reply, piece.as_ptr(), piece.len(), null_mut()), CW_OK);
        }
        cw_reply_status(reply, answer.status().into(), null_mut())
    }
}

unsafe extern "C-unwind" fn end(data: *mut c_void) {
    // SAFETY: from `Box::into_raw` in the fixture.
    drop(unsafe { Box::from_raw(data.cast::<Arc<dyn Endpoint>>()) });
}

struct Host;

impl Fixture for Host {
    fn connect(&self, endpoint: Arc<dyn Endpoint>) -> Result<Box<dyn Transport>> {
        let data = Box::into_raw(Box::new(endpoint)).cast();
        Ok(Box::new(transport(deliver, data, Some(end)).0))
    }
}

#[test]
#[cfg_attr(miri, ignore = "megabytes")]
fn a_transport_of_the_hosts_own_passes_the_suite() {
    check(&Host).unwrap_or_else(|failures| panic!("{}", failures.join("\n")));
}

/// Sends four bytes by a function that behaves in some way.
fn sent(send: Send) -> Result<Reply> {
    let request = Request::new("POST", "/claims/packages").unwrap();
    transport(send, null_mut(), None).0.send(&request, Body::new(4, &mut &b"body"[..]))
}

macro_rules! host {
    (|$body:ident, $reply:ident, $failure:ident| $work:expr) => {{
        unsafe extern "C-unwind" fn send(
            _: *mut c_void,
            _: *const cw_request,
            $body: *mut cw_body,
            $reply: *mut cw_reply,
            $failure: *mut cw_failure,
        ) -> i32 {
            // SAFETY: what the library handed over, for this call.
            unsafe {
                assert!(cw_body_len($body) == 4 && !$reply.is_null() && !$failure.is_null());
                $work
            }
        }
        sent(send)
    }};
}

fn kind_of(reply: Result<Reply>) -> (i32, bool) {
    let error = reply.unwrap_err();
    (error.kind().code().into(), error.is_retryable())
}

#[test]
fn a_failure_has_the_hosts_own_code_and_word() {
    assert_eq!(kind_of(host!(|_body, _reply, _failure| CW_ERR_TIMED_OUT)), (CW_ERR_TIMED_OUT, true));
    let renewed = host!(|_body, _reply, _failure| CW_ERR_BAD_CERTIFICATE);
    assert_eq!(kind_of(renewed), (CW_ERR_BAD_CERTIFICATE, true), "as with the library's own transport");
    let said = host!(|_body, _reply, failure| {
        crate::capi::failure::cw_failure_set(
            failure,
            CW_ERR_TIMED_OUT,
            c"the line is leased until noon".as_ptr(),
            29,
            0,
            null_mut(),
        );
        CW_ERR_TIMED_OUT
    });
    assert_eq!(kind_of(said), (CW_ERR_TIMED_OUT, false));
    assert_eq!(kind_of(host!(|_body, _reply, _failure| 77_777)), (CW_ERR_INTERNAL, false));
    assert_eq!(kind_of(host!(|_body, _reply, _failure| panic!("a host's fault"))), (CW_ERR_INTERNAL, false));
}

#[test]
fn a_reply_is_given_once_and_whole() {
    let nothing = host!(|_body, _reply, _failure| CW_OK);
    assert_eq!(kind_of(nothing).0, CW_ERR_INTERNAL);
    let twice = host!(|_body, reply, _failure| {
        assert_eq!(cw_reply_status(reply, 200, null_mut()), CW_OK);
        assert_eq!(cw_reply_pending(reply, null_mut()), CW_ERR_INVALID_ARGUMENT);
        CW_OK
    });
    assert_eq!(kind_of(twice).0, CW_ERR_INVALID_ARGUMENT);
    for status in [0, 100, 199, 600, -1, 70_000] {
        static STATUS: AtomicUsize = AtomicUsize::new(0);
        STATUS.store(usize::try_from(status).unwrap_or(usize::MAX), Ordering::SeqCst);
        let odd = host!(|_body, reply, _failure| {
            let status = i32::try_from(STATUS.load(Ordering::SeqCst)).unwrap_or(-1);
            assert_eq!(cw_reply_status(reply, status, null_mut()), CW_ERR_BAD_MESSAGE);
            CW_OK
        });
        assert_eq!(kind_of(odd).0, CW_ERR_BAD_MESSAGE);
    }
    let pending = host!(|_body, reply, _failure| cw_reply_pending(reply, null_mut()));
    assert!(matches!(pending, Ok(Reply::Pending)));
}

#[test]
fn an_answer_that_came_later_keeps_its_request() {
    let request = Request::new("POST", "/claims/packages").unwrap();
    let mut json = null_mut();
    // SAFETY: a request of ours, and the buffer that the call gave out.
    let kept = unsafe {
        use crate::capi::{buffer, message};
        assert_eq!(
            message::cw_request_json(
                &raw const *Box::new(cw_request::new(&request)),
                &raw mut json,
                null_mut()
            ),
            CW_OK
        );
        let kept = owned(buffer::cw_buffer_data(json).cast());
        buffer::cw_buffer_free(json);
        kept
    };
    let mut reply = cw_reply::default();
    let reply_at = &raw mut reply;
    // SAFETY: a reply and a text of ours.
    let code = unsafe { cw_reply_collected(reply_at, kept.as_ptr().cast(), kept.len(), 200, null_mut()) };
    assert_eq!(code, CW_OK);
    let Ok(Reply::Collected { request: earlier, response }) = reply.finish() else {
        panic!("it was not collected")
    };
    assert_eq!((earlier, response.status()), (request, 200));
    // SAFETY: as above.
    let code = unsafe { cw_reply_collected(&mut cw_reply::default(), c"[1]".as_ptr(), 3, 200, null_mut()) };
    assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
}

#[test]
fn header_fields_and_bodies_out_of_bounds_spoil_the_reply() {
    let split = host!(|_body, reply, _failure| {
        let value = c"a\r\nx: b";
        assert_eq!(
            cw_reply_header(reply, c"x".as_ptr(), 1, value.as_ptr(), 7, null_mut()),
            CW_ERR_BAD_MESSAGE
        );
        cw_reply_status(reply, 200, null_mut())
    });
    assert_eq!(kind_of(split).0, CW_ERR_BAD_MESSAGE);
    let not_text = host!(|_body, reply, _failure| {
        assert_eq!(
            cw_reply_header(reply, c"x".as_ptr(), 1, c"\xff".as_ptr(), 1, null_mut()),
            CW_ERR_BAD_MESSAGE
        );
        assert_eq!(cw_reply_header(reply, null(), 1, c"v".as_ptr(), 1, null_mut()), CW_ERR_INVALID_ARGUMENT);
        cw_reply_status(reply, 200, null_mut())
    });
    assert_eq!(kind_of(not_text).0, CW_ERR_BAD_MESSAGE);
    let large = host!(|_body, reply, _failure| {
        let mut code = CW_OK;
        while code == CW_OK {
            code = cw_reply_body(reply, [7; 4096].as_ptr(), 4096, null_mut());
        }
        assert_eq!(code, CW_ERR_BAD_MESSAGE);
        cw_reply_status(reply, 200, null_mut())
    });
    assert_eq!(kind_of(large).0, CW_ERR_BAD_MESSAGE);
}

#[test]
fn a_body_is_read_as_far_as_the_host_likes() {
    let unread = host!(|_body, reply, _failure| cw_reply_status(reply, 403, null_mut()));
    assert!(matches!(unread, Ok(Reply::Answered(response)) if response.status() == 403));
    let past_its_end = host!(|body, reply, _failure| {
        assert_eq!(cw_body_len(body), 4);
        let mut text = String::new();
        CBody(body).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), CBody(body).read(&mut [0; 9]).unwrap()), ("body", 0));
        cw_reply_status(reply, 200, null_mut())
    });
    assert!(past_its_end.is_ok());
    let (mut byte, mut count) = ([0u8], 9usize);
    // SAFETY: NULL is one of what may be handed over, and the others are ours.
    unsafe {
        let refused = cw_body_read(null_mut(), byte.as_mut_ptr(), 1, &raw mut count, null_mut());
        assert_eq!((refused, count), (CW_ERR_INVALID_ARGUMENT, 0));
        assert_eq!(cw_body_len(null()), 0);
    }
    let no_room = host!(|body, reply, _failure| {
        let mut count = 0;
        assert_eq!(cw_body_read(body, null_mut(), 9, &raw mut count, null_mut()), CW_ERR_INVALID_ARGUMENT);
        assert_eq!(cw_body_read(body, [0].as_mut_ptr(), 1, null_mut(), null_mut()), CW_ERR_INVALID_ARGUMENT);
        cw_reply_status(reply, 200, null_mut())
    });
    assert!(no_room.is_ok(), "a call that was not made takes nothing of the body");
}

#[test]
fn the_number_of_bytes_read_may_be_put_at_an_odd_address() {
    let read = host!(|body, reply, _failure| {
        let (mut record, mut bytes) = ([0xff; size_of::<usize>() + 1], [0; 9]);
        let odd = (record.as_ptr().addr() + 1) % 2;
        let len = record.as_mut_ptr().add(odd).cast::<usize>();
        assert_eq!(cw_body_read(body, bytes.as_mut_ptr(), bytes.len(), len, null_mut()), CW_OK);
        assert_eq!((len.read_unaligned(), &bytes[..4]), (4, &b"body"[..]));
        assert_eq!(cw_body_read(body, bytes.as_mut_ptr(), bytes.len(), len, null_mut()), CW_OK);
        assert_eq!(len.read_unaligned(), 0);
        cw_reply_status(reply, 200, null_mut())
    });
    assert!(read.is_ok());
}

#[test]
fn a_transport_says_from_which_size_on_it_goes_on() {
    let of = |from, part| {
        let mut given = functions(Some(deliver));
        (given.resume_from_bytes, given.part_bytes) = (from, part);
        let mut out = null_mut();
        // SAFETY: all of it is good for the call.
        let code = unsafe { cw_transport_new(&raw const given, null_mut(), None, &raw mut out, null_mut()) };
        assert_eq!(code, CW_OK);
        // SAFETY: the call gave it out.
        unsafe { Box::from_raw(out) }.0.resumption()
    };
    assert_eq!((of(0, 0), of(0, 9), of(u64::MAX, 9)), (None, None, None));
    assert_eq!(of(7, 0).map(|way| (way.from_bytes, way.part_bytes)), Some((7, None)));
    assert_eq!(of(1, 9).and_then(|way| way.part_bytes).map(u64::from), Some(9));
}

static ENDED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C-unwind" fn count_end(_: *mut c_void) {
    ENDED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn what_is_no_transport_is_refused_and_its_data_ended() {
    let good = functions(Some(deliver));
    let long = "/".to_owned() + &"x".repeat(Request::MAX_PATH_BYTES);
    let wrong = [
        functions(None),
        cw_transport_functions { struct_size: 0, ..good },
        cw_transport_functions { struct_size: <cw_transport_functions as Options>::FIRST - 1, ..good },
        cw_transport_functions { base_path: c"claims".as_ptr(), base_path_len: 6, ..good },
        cw_transport_functions { base_path: c"/\xff".as_ptr(), base_path_len: 2, ..good },
        cw_transport_functions { base_path_len: usize::MAX, ..good },
        cw_transport_functions { answers_later: 2, ..good },
        cw_transport_functions { base_path: long.as_ptr().cast(), base_path_len: long.len(), ..good },
    ];
    let mut out = null_mut();
    for functions in &wrong {
        out = std::ptr::dangling_mut();
        // SAFETY: what is wrong about it is what the function checks.
        let code =
            unsafe { cw_transport_new(functions, null_mut(), Some(count_end), &raw mut out, null_mut()) };
        assert_eq!((code, out), (CW_ERR_INVALID_ARGUMENT, null_mut()));
    }
    // SAFETY: NULL is one of what may be handed over.
    unsafe {
        let code = cw_transport_new(null(), null_mut(), Some(count_end), &raw mut out, null_mut());
        assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
        let code = cw_transport_new(&raw const good, null_mut(), Some(count_end), null_mut(), null_mut());
        assert_eq!(code, CW_ERR_INVALID_ARGUMENT);
    }
    assert_eq!(ENDED.load(Ordering::SeqCst), wrong.len() + 2);
}
