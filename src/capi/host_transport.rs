//! A transport of the host's own: a function that carries one request to the partner and brings the answer back.

use super::border::{call, quietly};
use super::callback::{UserData, cw_drop_fn};
use super::error::cw_error;
use super::failure::{ask, cw_failure};
use super::host_reply::cw_reply;
use super::message::cw_request;
use super::pointer::{Options, Out, is_null, misuse, optional_text, options, room, switch, tell, unique};
use super::transport::cw_transport;
use super::transport_https::resumption;
use crate::protocol::Request;
use crate::transport::{Body, Reply, Resumption, Transport};
use crate::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::fmt;
use std::io::Read;
use std::mem::offset_of;
use std::sync::Arc;

/// Carries one request to the partner, waits for the answer, and puts it into `reply`. Called on the thread that sends,
/// and on several threads at once when several send. All handles are borrowed for the time of the call. An unpack sends
/// its acknowledgement; the thread of an automatic one is the library's own, "claimwire-unpack"; see cw_exchange_free.
///
/// - Send method, path, header fields and body exactly as they are: they are signed. Host, Content-Length, Connection
///   and the like are yours to add.
/// - Send exactly cw_body_len bytes, read by cw_body_read. When reading fails, break the connection off, so that the
///   partner does not take what it has for the whole, and return the code.
/// - Every status is an answer, also one that refuses: CW_OK, with cw_reply_status. It may come before the body was
///   sent; then stop sending and take it. Do not follow redirects, and do not retry: the library does.
/// - Bound the time you wait, and return CW_ERR_TIMED_OUT when it is over. Return CW_ERR_UNREACHABLE when there is no
///   connection or it breaks, CW_ERR_BAD_CERTIFICATE when the partner is not who it shall be, CW_ERR_BAD_MESSAGE for an
///   answer that is none. The code decides whether the package is sent again by itself, unless cw_failure_set said so.
pub type cw_send_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        request: *const cw_request,
        body: *mut cw_body,
        reply: *mut cw_reply,
        failure: *mut cw_failure,
    ) -> i32,
>;

/// A transport of the host's own.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_transport_functions {
    /// Set to sizeof(cw_transport_functions).
    pub struct_size: usize,
    /// Carries a request; must not be NULL.
    pub send: cw_send_fn,
    /// The path of the partner's endpoint, which every request's path begins with, such as "/claimwire". Borrowed; NULL
    /// where the endpoint has none.
    pub base_path: *const c_char,
    /// The length of `base_path` in bytes.
    pub base_path_len: usize,
    /// 1 when answers come later, by cw_reply_pending and then by sending the request again; 0 when they come at once: then
    /// the partner is asked for a package whose answer was lost before that is sent again.
    pub answers_later: i32,
    /// From how many bytes on a package is sent so that it can be gone on with when it is cut off. Then `send` is also
    /// given the method HEAD, and PATCH with a body. 0, or CW_NO_LIMIT, for never.
    pub resume_from_bytes: u64,
    /// The most bytes of one request of such a package, where something between the sites takes no more; 0 sends all
    /// there is in one.
    pub part_bytes: u64,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_transport_functions {
    const FIRST: usize = offset_of!(cw_transport_functions, base_path_len) + size_of::<usize>();
}

/// Makes a transport of the host's own function. The struct is copied; `user_data` is handed to the function and ended
/// by `drop` when the last partner that has the transport is gone, or at once when this call fails.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_transport_new(
    functions: *const cw_transport_functions,
    user_data: *mut c_void,
    drop: cw_drop_fn,
    out: *mut *mut cw_transport,
    error: *mut *mut cw_error,
) -> i32 {
    let data = UserData::new(user_data, drop);
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_transport_new", error, || {
            let out = Out::new("out", out)?;
            let functions = options("functions", functions)?;
            if functions.send.is_none() {
                return Err(misuse("`functions->send` is NULL; set it to the function that sends"));
            }
            let answers_later = switch("functions->answers_later", functions.answers_later)?;
            let base = optional_text("functions->base_path", functions.base_path, functions.base_path_len)?;
            let base_path = checked_base_path(base.unwrap_or_default())?;
            let resumption = match functions.resume_from_bytes {
                0 => None,
                bytes => resumption(bytes, functions.part_bytes),
            };
            out.give(cw_transport(Arc::new(HostTransport {
                send: functions.send,
                base_path,
                answers_later,
                resumption,
                data,
            })));
            Ok(())
        })
    }
}

fn checked_base_path(base: &str) -> Result<String> {
    let base = base.trim_end_matches('/');
    if !base.is_empty() {
        Request::new("POST", base)
            .map_err(|_| misuse("`functions->base_path` is no path such as \"/claimwire\""))?;
    }
    Ok(base.to_owned())
}

struct HostTransport {
    send: cw_send_fn,
    base_path: String,
    answers_later: bool,
    resumption: Option<Resumption>,
    data: UserData,
}

impl Transport for HostTransport {
    fn send(&self, request: &Request, mut body: Body<'_>) -> Result<Reply> {
        // A host that sees no bytes need not ask for any.
        body.check_empty()?;
        let request = cw_request::new(request);
        let mut body = cw_body { body, failed: None };
        let mut reply = cw_reply::default();
        let sent = ask("send", |failure| {
            let Some(send) = self.send else { return ErrorKind::Internal.code().into() };
            // SAFETY: the host gave this function for this data; all handles outlive the call.
            unsafe { send(self.data.get(), &raw const request, &raw mut body, &raw mut reply, failure) }
        });
        // A body that broke is the sender's own fault, whatever the host and the partner made of it.
        match body.failed {
            Some(error) => Err(error),
            None => sent.and_then(|()| reply.finish()),
        }
    }

    fn base_path(&self) -> &str {
        &self.base_path
    }

    fn answers_later(&self) -> bool {
        self.answers_later
    }

    fn resumption(&self) -> Option<Resumption> {
        self.resumption
    }
}

impl fmt::Debug for HostTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTransport").field("base_path", &self.base_path).finish_non_exhaustive()
    }
}

/// A request's body, read once, from its beginning to its end.
pub struct cw_body<'a> {
    body: Body<'a>,
    failed: Option<Error>,
}

/// How many bytes the body has: what Content-Length says. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_body_len(body: *const cw_body<'_>) -> u64 {
    // SAFETY: the host vouches for `body`.
    quietly(0, || unsafe { body.as_ref() }.map_or(0, |body| body.body.length()))
}

/// Puts up to `capacity` bytes of the body into `buffer` and their number into `*len`; 0 is the end. A code is final:
/// the body cannot be had whole, and the request must not reach the partner as if it were.
///
/// Errors: what reading failed with, CW_ERR_CANCELLED when the sender stopped it; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_body_read(
    body: *mut cw_body<'_>,
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_body_read", error, || {
            tell(len, 0);
            let body = unique("body", body)?;
            if let Some(fault) = &body.failed {
                return Err(Error::new(fault.kind(), fault.to_string()).retryable(fault.is_retryable()));
            }
            if len.is_null() {
                return Err(is_null("len"));
            }
            match body.body.read(room("buffer", buffer, capacity)?) {
                Ok(count) => tell(len, count),
                Err(fault) => {
                    let fault = Error::from(fault);
                    let told = Error::new(fault.kind(), fault.to_string()).retryable(fault.is_retryable());
                    body.failed = Some(fault);
                    return Err(told);
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
