//! The reply that a transport of the host's own fills: an answer, one to an earlier request, or none yet.

use super::border::call;
use super::error::cw_error;
use super::pointer::{bytes, given_text, misuse, unique};
use crate::model::Json;
use crate::protocol::{Headers, MAX_ANSWER_BYTES, Request, Response};
use crate::transport::Reply;
use crate::{Error, ErrorKind, Result};
use std::ffi::c_char;

/// Where a transport of the host's own puts what came of sending.
#[derive(Default)]
pub struct cw_reply {
    outcome: Option<Outcome>,
    headers: Headers,
    body: Vec<u8>,
    fault: Option<Error>,
}

enum Outcome {
    Answered(u16),
    Collected(Request, u16),
    Pending,
}

impl cw_reply {
    fn settle(&mut self, outcome: Outcome) -> Result<()> {
        if self.outcome.is_some() {
            return Err(misuse("the reply has its outcome already; set it once"));
        }
        self.outcome = Some(outcome);
        Ok(())
    }

    /// Makes one change; a change that was refused makes the whole reply one that cannot be used.
    fn change(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        work(self).inspect_err(|error| {
            self.fault.get_or_insert_with(|| Error::new(error.kind(), error.to_string()));
        })
    }

    pub(super) fn finish(self) -> Result<Reply> {
        if let Some(fault) = self.fault {
            return Err(fault.within("the host's function `send` gave no usable reply"));
        }
        let respond = |status| {
            let mut response = Response::new(status, self.body)?;
            *response.headers_mut() = self.headers;
            Ok(response)
        };
        match self.outcome {
            Some(Outcome::Answered(status)) => respond(status).map(Reply::Answered),
            Some(Outcome::Collected(request, status)) => {
                respond(status).map(|response| Reply::Collected { request, response })
            }
            Some(Outcome::Pending) => Ok(Reply::Pending),
            None => Err(Error::new(
                ErrorKind::Internal,
                "the host's function `send` returned CW_OK without a reply; it must call cw_reply_status or cw_reply_pending",
            )),
        }
    }
}

fn final_status(status: i32) -> Result<u16> {
    let status = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| {
        Error::new(
            ErrorKind::BadMessage,
            "the status is none of a final answer, 200 to 599; skip interim answers such as 100",
        )
    })
}

/// The partner answered with this status, 200 to 599; to be called once, before or after the other parts.
///
/// Errors: CW_ERR_BAD_MESSAGE for another status; CW_ERR_INVALID_ARGUMENT when the reply has its outcome already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_reply_status(
    reply: *mut cw_reply,
    status: i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_reply_status", error, || {
            unique("reply", reply)?.change(|reply| reply.settle(Outcome::Answered(final_status(status)?)))
        })
    }
}

/// Adds a header field of the answer after those that are there. Hand over all of them: some are signed.
///
/// Errors: CW_ERR_BAD_MESSAGE when it is no header field or there are 100 already; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_reply_header(
    reply: *mut cw_reply,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_reply_header", error, || {
            unique("reply", reply)?.change(|reply| {
                let text = |bytes| {
                    let text = std::str::from_utf8(bytes);
                    text.map_err(|_| Error::new(ErrorKind::BadMessage, "the header field is not text"))
                };
                let name = text(bytes("name", name.cast(), name_len)?)?;
                let value = text(bytes("value", value.cast(), value_len)?)?;
                reply.headers.append(name, value)
            })
        })
    }
}

/// Adds bytes to the answer's body; to be called as often as bytes come. Stop reading from the partner when this fails.
///
/// Errors: CW_ERR_BAD_MESSAGE when the body has more than 1 MiB; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_reply_body(
    reply: *mut cw_reply,
    data: *const u8,
    len: usize,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_reply_body", error, || {
            unique("reply", reply)?.change(|reply| {
                let data = bytes("data", data, len)?;
                if data.len() > MAX_ANSWER_BYTES - reply.body.len() {
                    let said = format!("the answer has more than the {MAX_ANSWER_BYTES} bytes of the limit");
                    return Err(Error::new(ErrorKind::BadMessage, said));
                }
                reply.body.extend_from_slice(data);
                Ok(())
            })
        })
    }
}

/// The request lies where the partner will find it, and there is no answer yet. The library asks again later, with a
/// request of the same idempotency-key; answer that with cw_reply_collected.
///
/// Errors: CW_ERR_INVALID_ARGUMENT when the reply has its outcome already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_reply_pending(reply: *mut cw_reply, error: *mut *mut cw_error) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_reply_pending", error, || {
            unique("reply", reply)?.change(|reply| reply.settle(Outcome::Pending))
        })
    }
}

/// The partner answered a request of the same idempotency-key that was sent earlier and was pending; nothing was sent
/// now. `request` is that request as cw_request_json gave it: the answer's signature is bound to it.
///
/// Errors: as cw_reply_status; CW_ERR_INVALID_ARGUMENT when `request` is no request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_reply_collected(
    reply: *mut cw_reply,
    request: *const c_char,
    request_len: usize,
    status: i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_reply_collected", error, || {
            unique("reply", reply)?.change(|reply| {
                let earlier = given_text("request", request, request_len)?.parse::<Json>()?.to()?;
                reply.settle(Outcome::Collected(earlier, final_status(status)?))
            })
        })
    }
}
