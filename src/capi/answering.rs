//! Receiving, fed by the host's own web server, in the pulling form: the library asks for the body.

use super::border::call;
use super::callback::{UserData, cw_read_fn};
use super::code::known_kind;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::message::{cw_header, cw_response, head};
use super::pointer::{Options, Out, bytes, misuse, optional_text, options, shared, switch};
use super::stream::HostRead;
use crate::protocol::{Endpoint, Peer, Problem, Request, Response};
use crate::{ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;

/// What the connection proves about the one who asks.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cw_peer {
    /// Set to sizeof(cw_peer).
    pub struct_size: usize,
    /// The client certificate, DER, once the TLS layer has checked that the client holds its key. NULL for none.
    pub certificate: *const u8,
    /// Its length in bytes.
    pub certificate_len: usize,
    /// Where the connection comes from, such as "192.0.2.7:50123" or "[2001:db8::7]:50123". NULL when not known.
    pub address: *const c_char,
    /// The length of `address` in bytes.
    pub address_len: usize,
    /// 1 when the request lies in a file or a queue until it is answered, and may be handed in again after a crash: the
    /// very same request is then no replay. 0 for one that comes over the network.
    pub stored: i32,
}

// SAFETY: `repr(C)`, the size comes first, and zero is a good value of each member.
unsafe impl Options for cw_peer {
    const FIRST: usize = offset_of!(cw_peer, address_len) + size_of::<usize>();
}

/// Answers one request that the host's own web server took in; for servers that read the body when they are asked to.
/// It works on the caller's thread, and on as many at once as call it.
///
/// `path` is the whole path as it stands on the wire, without a query, and `headers` are all header fields in their
/// order. `read` is asked for the body: it gives the bytes that the server's framing (Content-Length or chunks) says, 0
/// at their end, and a code when the connection breaks before, so that what came is not taken for the whole. NULL where
/// there is no body. `peer` may be NULL.
///
/// What the server sees to:
/// - Hand over every request below the base path, whatever its method: POST, GET, HEAD, PATCH with a body, DELETE, OPTIONS.
/// - Send the status, header fields and body of the response, with a Content-Length, but none with status 204.
/// - `read` is not called before the sender has proven who it is. When the request has "Expect: 100-continue", write
///   "HTTP/1.1 100 Continue" at the first call of `read`; when there was none, the body never comes.
/// - When the answer is there before the body was read to its end, send "Connection: close" with it, then read and drop
///   what still comes for a second or two, and close: a connection closed over unread bytes is reset, and the sender may
///   lose the answer. Do not wait for a body that was held back for a 100 Continue.
/// - Bound header bytes, the number of requests at once, the time `read` waits. Refuse requests with both Content-Length
///   and Transfer-Encoding. A body that is longer than what the sender's agreement allows is refused by the library.
///
/// A request that is none is answered too, with status 400: errors are of the call itself.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_answer(
    exchange: *const cw_exchange,
    method: *const c_char,
    method_len: usize,
    path: *const c_char,
    path_len: usize,
    headers: *const cw_header,
    header_count: usize,
    peer: *const cw_peer,
    read: cw_read_fn,
    user_data: *mut c_void,
    out: *mut *mut cw_response,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_answer", error, || {
            let out = Out::new("out", out)?;
            let exchange = shared("exchange", exchange)?;
            let peer = peer_of(peer)?;
            let head = head((method, method_len), (path, path_len), (headers, header_count));
            let request = admitted(&exchange.0, head)?;
            let response = match request {
                Err(refused) => refused,
                Ok(request) if read.is_none() => exchange.0.answer(&request, &peer, &mut std::io::empty()),
                Ok(request) => {
                    let mut body = HostRead::new(read, UserData::new(user_data, None))?;
                    exchange.0.answer(&request, &peer, &mut body)
                }
            };
            out.give(cw_response::new(response));
            Ok(())
        })
    }
}

/// Tells the exchange of a request that the host's own server refused by itself, before it asked for an answer: too many at
/// once, a body above the server's bound, a head that is no request. It counts in the metrics. `code` is the CW_ERR_* that
/// comes nearest.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_refused(
    exchange: *const cw_exchange,
    code: i32,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_refused", error, || {
            let exchange = shared("exchange", exchange)?;
            exchange.0.refused(known_kind(code)?);
            Ok(())
        })
    }
}

/// The request, or the answer that refuses one that is none; what is the host's own mistake stays an error.
pub(super) fn admitted(endpoint: &dyn Endpoint, head: Result<Request>) -> Result<Result<Request, Response>> {
    match head {
        Ok(request) => Ok(Ok(request)),
        Err(error) if error.kind() == ErrorKind::BadMessage => {
            endpoint.refused(error.kind());
            Ok(Err(Problem::from_error(&error).to_response()))
        }
        Err(error) => Err(error),
    }
}

/// # Safety
/// `peer` is NULL or good for the time of the call, with all it points to.
pub(super) unsafe fn peer_of(peer: *const cw_peer) -> Result<Peer> {
    if peer.is_null() {
        return Ok(Peer::unknown());
    }
    // SAFETY: the host vouches for its pointers.
    let (certificate, address, stored) = unsafe {
        let peer = options("peer", peer)?;
        (
            bytes("peer->certificate", peer.certificate, peer.certificate_len)?,
            optional_text("peer->address", peer.address, peer.address_len)?,
            switch("peer->stored", peer.stored)?,
        )
    };
    let mut known = if stored { Peer::stored() } else { Peer::unknown() };
    if !certificate.is_empty() {
        known = known.with_certificate(certificate);
    }
    if let Some(address) = address {
        let address = address
            .parse()
            .map_err(|_| misuse("`peer->address` is no address with a port, such as \"192.0.2.7:50123\""))?;
        known = known.with_remote_address(address);
    }
    Ok(known)
}
