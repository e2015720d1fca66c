//! Receiving, fed by the host's own web server, in the pushing form: the host hands over the body as it comes.

use super::answering::{admitted, cw_peer, peer_of};
use super::border::{call, quietly};
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::message::{cw_header, cw_response, head};
use super::pointer::{Out, bytes, consumed, free, shared, tell, unique};
use crate::protocol::{PushedRequest, Response};
use std::ffi::c_char;
use std::sync::Arc;

/// A request that a server hands over as it comes in. For one thread at a time.
pub struct cw_incoming_request(State);

enum State {
    /// The exchange answers it on a thread of the request's own.
    Begun(PushedRequest),
    /// Its head was no request.
    Refused(Response),
}

/// Begins a request that the host's own web server takes in; for servers that are told of the body's bytes as they come.
/// The exchange answers it on a thread of the request's own, which holds at most a few pieces of the body in memory.
/// `exchange` may be closed before the request ends. The other parameters, and what the server sees to, are as in
/// cw_exchange_answer; where that speaks of `read`, take cw_incoming_request_wants_body.
///
/// End it with cw_incoming_request_finish, or with cw_incoming_request_free when the connection breaks.
///
/// Errors: CW_ERR_IO when the system gives no thread; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_request_new(
    exchange: *const cw_exchange,
    method: *const c_char,
    method_len: usize,
    path: *const c_char,
    path_len: usize,
    headers: *const cw_header,
    header_count: usize,
    peer: *const cw_peer,
    out: *mut *mut cw_incoming_request,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_incoming_request_new", error, || {
            let out = Out::new("out", out)?;
            let endpoint = Arc::new(shared("exchange", exchange)?.0.clone());
            let peer = peer_of(peer)?;
            let head = head((method, method_len), (path, path_len), (headers, header_count));
            let request = admitted(&endpoint, head)?;
            out.give(cw_incoming_request(match request {
                Ok(request) => State::Begun(PushedRequest::begin(endpoint, request, peer)?),
                Err(refused) => State::Refused(refused),
            }));
            Ok(())
        })
    }
}

/// Waits until the exchange wants the body, or has answered without it: 1 to read the body and to send a "100 Continue"
/// that was asked for, 0 to go to cw_incoming_request_finish at once. It never waits for the network, only for the
/// exchange. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_request_wants_body(request: *mut cw_incoming_request) -> i32 {
    // SAFETY: the host vouches for `request`.
    quietly(0, || match unsafe { request.as_mut() } {
        Some(cw_incoming_request(State::Begun(pushed))) => i32::from(pushed.wants_body()),
        _ => 0,
    })
}

/// 1 when the answer is there already, so that a server which waits for a slow sender can break off: go to
/// cw_incoming_request_finish then, also before the body is at its end. It waits for nothing. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_request_answered(request: *const cw_incoming_request) -> i32 {
    // SAFETY: the host vouches for `request`.
    quietly(0, || match unsafe { request.as_ref() } {
        Some(cw_incoming_request(State::Begun(pushed))) => i32::from(pushed.answered()),
        Some(cw_incoming_request(State::Refused(_))) => 1,
        None => 0,
    })
}

/// Hands over the next bytes of the body, which are copied. It waits while the exchange is busy with the earlier ones,
/// so it holds a sender back that is faster than the disk. `*wanted`, which may be NULL, gets 1, or 0 when the exchange
/// has answered and takes no more: stop reading and go to cw_incoming_request_finish.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_request_write(
    request: *mut cw_incoming_request,
    data: *const u8,
    len: usize,
    wanted: *mut i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_incoming_request_write", error, || {
            tell(wanted, 0);
            let request = unique("request", request)?;
            let data = bytes("data", data, len)?;
            if let State::Begun(pushed) = &mut request.0 {
                tell(wanted, i32::from(pushed.write(data)));
            }
            Ok(())
        })
    }
}

/// The body is at its end, or is no longer wanted: waits for the answer and gives it. Consumes the request. Only call it
/// when the whole body was handed over or the exchange wants no more of it; a body that broke off ends with
/// cw_incoming_request_free.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_request_finish(
    request: *mut cw_incoming_request,
    out: *mut *mut cw_response,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_incoming_request_finish", error, || {
            let request = consumed("request", request);
            let out = Out::new("out", out)?;
            let request = request?;
            out.give(cw_response::new(match request.0 {
                State::Begun(pushed) => pushed.finish(),
                State::Refused(response) => response,
            }));
            Ok(())
        })
    }
}

/// Abandons a request whose connection broke: nothing of it is kept, but of a package whose sender may go on with it where
/// it broke, and its thread is gone when this returns. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_incoming_request_free(request: *mut cw_incoming_request) {
    // SAFETY: the host vouches for `request`.
    unsafe { free(request) }
}

#[cfg(test)]
mod tests;
