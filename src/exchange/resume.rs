//! Resumable uploads, the sending side: a large package that was cut off goes on where it was cut off.
//!
//! Nothing is kept for it here: the upload's address is made of the package's id, and how far it came is asked of the
//! partner. A first try costs nothing more than the plain `POST`; a partner that keeps no uploads gets that again.

use super::Exchange;
use super::send::describe;
use crate::ledger::Outgoing;
use crate::model::PackageKind;
use crate::protocol::{
    Digest, Envelope, PACKAGE_MEDIA_TYPE, PARTIAL_UPLOAD_MEDIA_TYPE, Request, Response, Route, UploadState,
    takes_parts,
};
use crate::transport::{Body, Transport};
use crate::{ErrorKind, Result};
use std::io::{self, Read};

/// A sealed package on its way to its partner.
pub(super) struct Shipment<'a> {
    pub(super) outgoing: &'a Outgoing,
    pub(super) envelope: &'a Envelope,
    pub(super) digest: &'a Digest,
}

impl Exchange {
    /// Carries the sealed bytes to the partner, and gives its answer with the request that it answers; `None` while the
    /// answer is still to come.
    pub(super) fn ship(
        &self,
        transport: &dyn Transport,
        shipment: &Shipment<'_>,
        sealed: &mut dyn Read,
    ) -> Result<Option<(Request, Response)>> {
        let size = shipment.outgoing.size;
        let Some(way) = transport.resumption().filter(|way| size >= way.from_bytes) else {
            let path = shipment.path(transport);
            let request = self.package_request(&path, shipment.envelope, shipment.digest)?;
            return send(transport, request, Body::new(size, sealed));
        };
        let part = way.part_bytes.map_or(size, u64::from).min(size);
        match self.begin_or_find(transport, shipment, part)? {
            Some(offset) => self.send_parts(transport, shipment, part, offset, sealed),
            None => {
                let whole = UploadState { complete: Some(true), length: Some(size), offset: None };
                let request = self.upload_request(transport, shipment, Some(shipment.digest), whole)?;
                send(transport, request, Body::new(size, sealed))
            }
        }
    }

    /// Where to go on: how far an earlier try came, or the beginning of an upload in parts; `None` where the package is
    /// sent whole.
    fn begin_or_find(
        &self,
        transport: &dyn Transport,
        shipment: &Shipment<'_>,
        part: u64,
    ) -> Result<Option<u64>> {
        let size = shipment.outgoing.size;
        let in_parts = part < size;
        if shipment.outgoing.attempts <= 1 && !in_parts {
            return Ok(None);
        }
        let Some(standing) = self.ask_standing(transport, shipment)? else { return Ok(None) };
        let state = UploadState::from_headers(standing.headers());
        match (state.offset, state.complete) {
            // What is there whole already is answered with its receipt before the body is sent.
            (_, Some(true)) => return Ok(None),
            (Some(offset), _) if standing.is_success() && offset <= size => return Ok(Some(offset)),
            _ if !in_parts || !takes_parts(standing.headers()) => return Ok(None),
            _ => {}
        }
        let begun = UploadState { complete: Some(false), length: Some(size), offset: None };
        let request = self.upload_request(transport, shipment, Some(&Digest::of(b"")), begun)?;
        let Some((_, answer)) = send(transport, request, Body::new(0, &mut io::empty()))? else {
            return Ok(None);
        };
        // A refusal is told by the answer to the whole package, which is refused for the same reason.
        Ok(answer.is_success().then_some(0))
    }

    /// Asks the partner how much of the package it has; `None` where the transport cannot ask.
    fn ask_standing(&self, transport: &dyn Transport, shipment: &Shipment<'_>) -> Result<Option<Response>> {
        let route = Route::UploadOffset(shipment.envelope.package_id);
        let mut request = Request::new(route.method(), &route.path(transport.base_path()))?;
        UploadState::default().to_request(request.headers_mut())?;
        self.sign_request(&mut request)?;
        match send(transport, request, Body::new(0, &mut io::empty())) {
            Ok(answered) => Ok(answered.map(|(_, response)| response)),
            Err(error) if is_cannot(error.kind()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends what comes after `offset`, in parts of at most `part` bytes, and gives the answer to the last.
    fn send_parts(
        &self,
        transport: &dyn Transport,
        shipment: &Shipment<'_>,
        part: u64,
        mut offset: u64,
        sealed: &mut dyn Read,
    ) -> Result<Option<(Request, Response)>> {
        let size = shipment.outgoing.size;
        // Read all the same, so that bytes that changed in the outbox are noticed wherever they are.
        io::copy(&mut (&mut *sealed).take(offset), &mut io::sink())?;
        loop {
            let length = part.min(size - offset);
            let is_last = offset + length == size;
            let state = UploadState { offset: Some(offset), complete: Some(is_last), length: Some(size) };
            let request = self.upload_request(transport, shipment, None, state)?;
            let mut bytes = (&mut *sealed).take(length);
            let answered = send(transport, request, Body::new(length, &mut bytes))?;
            match answered {
                Some((_, response)) if response.is_success() && !is_last => offset += length,
                other => return Ok(other),
            }
        }
    }

    /// The signed head of a request of an upload: with the digest of its content one that begins it, else a part.
    fn upload_request(
        &self,
        transport: &dyn Transport,
        shipment: &Shipment<'_>,
        content: Option<&Digest>,
        state: UploadState,
    ) -> Result<Request> {
        let route = Route::UploadPart(shipment.envelope.package_id);
        let mut request = match content {
            Some(_) => Request::new("POST", &shipment.path(transport))?,
            None => Request::new(route.method(), &route.path(transport.base_path()))?,
        };
        let media_type = content.map_or(PARTIAL_UPLOAD_MEDIA_TYPE, |_| PACKAGE_MEDIA_TYPE);
        describe(&mut request, shipment.envelope, media_type, content, shipment.digest)?;
        state.to_request(request.headers_mut())?;
        self.sign_request(&mut request)?;
        Ok(request)
    }
}

impl Shipment<'_> {
    fn path(&self, transport: &dyn Transport) -> String {
        let route = match self.envelope.kind {
            PackageKind::Claim => Route::Package,
            PackageKind::Notes => Route::Notes,
            PackageKind::Trial => Route::Trials,
        };
        route.path(transport.base_path())
    }
}

fn send(transport: &dyn Transport, request: Request, body: Body<'_>) -> Result<Option<(Request, Response)>> {
    Ok(transport.send(&request, body)?.into_answer(&request))
}

/// Whether a transport says that it has no way to ask.
fn is_cannot(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnsupportedTransport | ErrorKind::InvalidArgument)
}
