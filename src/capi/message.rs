//! Requests and their answers as C reads them: method, path, status, header fields, body.

use super::border::{call, quietly};
use super::buffer::cw_buffer;
use super::error::{c_text, cw_error};
use super::pointer::{Out, bytes, free, items, shared};
use crate::model::Json;
use crate::protocol::{Headers, Request, Response};
use crate::{Error, ErrorKind, Result};
use std::ffi::{CString, c_char};
use std::ptr::null;

/// A header field that the host hands in: bytes as they came off the wire, without the white space around them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_header {
    /// The name, such as "content-length"; upper and lower case are the same.
    pub name: *const c_char,
    /// Its length in bytes.
    pub name_len: usize,
    /// The value.
    pub value: *const c_char,
    /// Its length in bytes.
    pub value_len: usize,
}

/// A request without its body. Borrowed: only what a transport of the host's own is called with has this type.
pub struct cw_request {
    request: Request,
    method: CString,
    path: CString,
    headers: Fields,
}

/// The answer to a request: status, header fields and a small body. May be shared between threads.
pub struct cw_response {
    response: Response,
    headers: Fields,
}

/// Header fields with a NUL after each text.
struct Fields(Vec<(CString, CString)>);

impl Fields {
    fn new(headers: &Headers) -> Self {
        Self(headers.iter().map(|(name, value)| (c_text(name), c_text(value))).collect())
    }

    fn name(&self, index: usize) -> *const c_char {
        self.0.get(index).map_or(null(), |(name, _)| name.as_ptr())
    }

    fn value(&self, index: usize) -> *const c_char {
        self.0.get(index).map_or(null(), |(_, value)| value.as_ptr())
    }
}

impl cw_request {
    pub(super) fn new(request: &Request) -> Self {
        Self {
            method: c_text(request.method()),
            path: c_text(request.path()),
            headers: Fields::new(request.headers()),
            request: request.clone(),
        }
    }
}

impl cw_response {
    pub(super) fn new(response: Response) -> Self {
        Self { headers: Fields::new(response.headers()), response }
    }
}

/// The request's head as it came off the wire. What is wrong with the head itself is
/// [`ErrorKind::BadMessage`], which a partner gets to read; the host's mistakes are of another kind.
///
/// # Safety
/// As for [`bytes`] and [`items`].
pub(super) unsafe fn head(
    method: (*const c_char, usize),
    path: (*const c_char, usize),
    headers: (*const cw_header, usize),
) -> Result<Request> {
    // SAFETY: the host vouches for its pointers, as for those of each field.
    unsafe {
        let method = wire_text("method", bytes("method", method.0.cast(), method.1)?)?;
        let path = wire_text("path", bytes("path", path.0.cast(), path.1)?)?;
        let mut request = Request::new(method, path)?;
        for header in items("headers", headers.0, headers.1)? {
            let name = bytes("headers[].name", header.name.cast(), header.name_len)?;
            let value = bytes("headers[].value", header.value.cast(), header.value_len)?;
            let name = wire_text("header name", name)?;
            request.headers_mut().append(name, wire_text(name, value)?)?;
        }
        Ok(request)
    }
}

fn wire_text<'a>(what: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| {
        Error::new(ErrorKind::BadMessage, format!("the request's {} is not text", what.escape_debug()))
    })
}

/// The method, such as "POST". Borrowed from the request; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_request_method(request: *const cw_request) -> *const c_char {
    // SAFETY: the host vouches for `request`.
    quietly(null(), || unsafe { request.as_ref() }.map_or(null(), |request| request.method.as_ptr()))
}

/// The whole path, base path included, such as "/claimwire/packages". It is signed: send it as it is. Borrowed from the
/// request; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_request_path(request: *const cw_request) -> *const c_char {
    // SAFETY: the host vouches for `request`.
    quietly(null(), || unsafe { request.as_ref() }.map_or(null(), |request| request.path.as_ptr()))
}

/// How many header fields there are, at most 100. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_request_header_count(request: *const cw_request) -> usize {
    // SAFETY: the host vouches for `request`.
    quietly(0, || unsafe { request.as_ref() }.map_or(0, |request| request.headers.0.len()))
}

/// The name of a header field in lower case, counted from 0. Borrowed from the request; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_request_header_name(request: *const cw_request, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `request`.
    quietly(null(), || unsafe { request.as_ref() }.map_or(null(), |request| request.headers.name(index)))
}

/// The value of a header field, counted from 0. Borrowed from the request; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_request_header_value(request: *const cw_request, index: usize) -> *const c_char {
    // SAFETY: the host vouches for `request`.
    quietly(null(), || unsafe { request.as_ref() }.map_or(null(), |request| request.headers.value(index)))
}

/// The request as JSON, for a transport whose answers come later: keep it beside what was sent, and hand it to
/// cw_reply_collected with the answer.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_request_json(
    request: *const cw_request,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_request_json", error, || {
            let out = Out::new("out", out)?;
            out.give(cw_buffer::new(Json::from_serialize(&shared("request", request)?.request)?.to_string()));
            Ok(())
        })
    }
}

/// The status, 200 to 599. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_status(response: *const cw_response) -> i32 {
    // SAFETY: the host vouches for `response`.
    quietly(0, || unsafe { response.as_ref() }.map_or(0, |response| i32::from(response.response.status())))
}

/// How many header fields there are. Content-Length is not among them: the host's server adds it, with all that belongs
/// to the connection. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_header_count(response: *const cw_response) -> usize {
    // SAFETY: the host vouches for `response`.
    quietly(0, || unsafe { response.as_ref() }.map_or(0, |response| response.headers.0.len()))
}

/// The name of a header field in lower case, counted from 0. Borrowed from the response; NULL when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_header_name(
    response: *const cw_response,
    index: usize,
) -> *const c_char {
    // SAFETY: the host vouches for `response`.
    quietly(null(), || unsafe { response.as_ref() }.map_or(null(), |response| response.headers.name(index)))
}

/// The value of a header field, counted from 0. It holds no line end. Borrowed from the response; NULL when there are
/// not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_header_value(
    response: *const cw_response,
    index: usize,
) -> *const c_char {
    // SAFETY: the host vouches for `response`.
    quietly(null(), || unsafe { response.as_ref() }.map_or(null(), |response| response.headers.value(index)))
}

/// The body, at most 1 MiB; it is signed, so send it as it is. Borrowed from the response; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_body(response: *const cw_response) -> *const u8 {
    // SAFETY: the host vouches for `response`.
    let body = || Some(unsafe { response.as_ref() }?.response.body().as_ptr());
    quietly(null(), || body().unwrap_or(null()))
}

/// How many bytes the body has. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_body_len(response: *const cw_response) -> usize {
    // SAFETY: the host vouches for `response`.
    quietly(0, || unsafe { response.as_ref() }.map_or(0, |response| response.response.body().len()))
}

/// Ends a response and all that was borrowed from it. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_response_free(response: *mut cw_response) {
    // SAFETY: the host vouches for `response`.
    unsafe { free(response) }
}
