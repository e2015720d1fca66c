//! Resumable uploads, the receiving side: a package whose connection broke is gone on with where it broke.
//!
//! The address of an upload is made of the package's id, so the sender need not be told it; the partner that began an
//! upload is the only one that can see it; and nothing is promised before the digest over the whole is checked.

use super::Exchange;
use super::partial::{Resumed, Standing, Upload, Whole, gone};
use super::partner::Partner;
use super::sealed::{SealedFile, too_large};
use super::store::Side;
use crate::ledger::Incoming;
use crate::model::{PackageId, PackageKind};
use crate::protocol::{
    Digest, Envelope, Headers, PARTIAL_UPLOAD_MEDIA_TYPE, Peer, Problem, Request, Response, Route,
    UploadState, inconsistent_length, mismatching_offset, put_limits,
};
use crate::trace::span;
use crate::{Error, ErrorKind, Result};
use std::io::Read;
use std::time::Duration;

/// The sealed bytes of a package that came in whole, on their way into the inbox.
pub(super) enum Staged {
    /// In a file without a name.
    File(SealedFile),
    /// In the file of an upload.
    Upload(Upload),
}

impl Staged {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.size(),
            Self::Upload(upload) => upload.offset(),
        }
    }
}

impl Exchange {
    /// Gives a staged package its name in the inbox, durably.
    pub(super) fn place(&self, staged: Staged, file: &str) -> Result<()> {
        match staged {
            Staged::File(sealed) => sealed.place(file).map(drop),
            Staged::Upload(upload) => upload.place(&self.0.store.path_of(Side::In, file)),
        }
    }

    /// Streams the body of a whole package so that what came of it is kept when it breaks off, where the request asks for
    /// that and the partner has room left; else `None`, and nothing is read.
    pub(super) fn stage_resumable(
        &self,
        request: &Request,
        partner: &Partner,
        package: PackageId,
        digest: Digest,
        body: &mut dyn Read,
    ) -> Result<Option<Staged>> {
        let state = UploadState::from_headers(request.headers());
        let Some(length) = state.length.or_else(|| content_length(request)) else { return Ok(None) };
        if state.complete != Some(true) {
            return Ok(None);
        }
        if content_length(request).is_some_and(|content| content != length) {
            return Err(Error::new(
                ErrorKind::BadMessage,
                "Upload-Length and Content-Length contradict each other",
            ));
        }
        self.check_size(length)?;
        let whole = Whole { from: partner.site.clone(), package, digest, length };
        let Some(mut upload) = self.0.uploads.begin(whole)? else { return Ok(None) };
        upload.append(body)?;
        checked(upload).map(Some)
    }

    /// Begins an upload whose parts come by requests of their own.
    pub(super) fn begin_upload(
        &self,
        request: &Request,
        partner: &Partner,
        package: PackageId,
        digest: Digest,
        body: &mut dyn Read,
    ) -> Result<Response> {
        let state = UploadState::from_headers(request.headers());
        let length = state.length.ok_or_else(|| lacks("Upload-Length, the size of the whole"))?;
        self.check_size(length)?;
        let whole = Whole { from: partner.site.clone(), package, digest, length };
        let Some(mut upload) = self.0.uploads.begin(whole)? else {
            let said =
                "as many uploads of this partner wait here as may; finish or delete one, or send it whole";
            return Err(Error::new(ErrorKind::WrongState, said).retryable(true));
        };
        upload.append(body)?;
        upload.sync()?;
        let mut response = Response::new(201, Vec::new())?;
        let location = Route::UploadPart(package).path(&self.0.base_path);
        response.headers_mut().insert("location", location)?;
        let left = self.0.uploads.keep();
        self.tell_standing(response.headers_mut(), upload.offset(), length, left)?;
        Ok(response)
    }

    /// Answers how much of a package is here. Of one that is here whole, that it is.
    pub(super) fn upload_offset(
        &self,
        request: &Request,
        peer: &Peer,
        package: PackageId,
    ) -> Result<Response> {
        let partner = self.asker(request, peer)?;
        span!("upload_offset", package = package, partner = partner.site);
        let mut response = Response::new(204, Vec::new())?;
        response.headers_mut().insert("cache-control", "no-store")?;
        if let Some(known) = self.incoming_of(&partner, package)? {
            let whole = Some(known.size);
            let state = UploadState { offset: whole, complete: Some(true), length: whole };
            state.to_headers(response.headers_mut())?;
            return Ok(response);
        }
        let Some(Standing { whole, offset, left }) = self.0.uploads.standing(&partner.site, package)? else {
            // So a sender learns at once that this site would go on with uploads.
            let mut response = Problem::from_error(&gone(package)).to_response();
            put_limits(response.headers_mut(), self.0.sealed_size_limit, None)?;
            return Ok(response);
        };
        self.tell_standing(response.headers_mut(), offset, whole.length, left)?;
        Ok(response)
    }

    /// Appends a part; the last one makes it a package, which is answered as if it had come in one piece.
    pub(super) fn take_part(
        &self,
        request: &Request,
        peer: &Peer,
        package: PackageId,
        body: &mut dyn Read,
    ) -> Result<Response> {
        let envelope = Envelope::from_headers(request.headers())?;
        let partner = &*self.authenticate(request, peer, &envelope.from)?;
        span!("take_part", package = package, partner = partner.site);
        if envelope.package_id != package || envelope.kind == PackageKind::Trial {
            return Err(Error::new(
                ErrorKind::BadMessage,
                "the part belongs to another package than the address",
            ));
        }
        self.check_addressed(&envelope, envelope.kind)?;
        if request.headers().get_only("content-type")? != Some(PARTIAL_UPLOAD_MEDIA_TYPE) {
            return Err(lacks(&format!("Content-Type {PARTIAL_UPLOAD_MEDIA_TYPE}")));
        }
        let digest = representation_digest(request)?;
        let state = UploadState::from_headers(request.headers());
        let offset = state.offset.ok_or_else(|| lacks("Upload-Offset"))?;
        let is_last = state.complete.ok_or_else(|| lacks("Upload-Complete"))?;
        if let Some(known) = self.0.ledger.incoming(package)? {
            return self.answer_again(request, partner, &known, &digest);
        }
        let whole = self.0.uploads.find(&partner.site, package)?.ok_or_else(|| gone(package))?;
        if whole.digest != digest {
            let said =
                format!("other bytes of package {package} are on their way here; export the package anew");
            return Err(Error::new(ErrorKind::IdReused, said));
        }
        let end = content_length(request).map(|content| offset.saturating_add(content));
        if state.length.is_some_and(|length| length != whole.length)
            || end.is_some_and(|end| end > whole.length || (is_last && end != whole.length))
        {
            let said = format!("the whole has {} bytes, as was said at its beginning", whole.length);
            return Ok(inconsistent_length(&said));
        }
        partner.admit(envelope.key_version, &envelope.suite, self.now())?;
        let mut upload = match self.0.uploads.resume(&whole, offset)? {
            Resumed::Upload(upload) => *upload,
            Resumed::StandsAt(stands_at) => return mismatching_offset(stands_at, offset),
            Resumed::Gone => return Err(gone(package)),
        };
        upload.append(body)?;
        if !is_last {
            upload.sync()?;
            let mut response = Response::new(204, Vec::new())?;
            let left = self.0.uploads.keep();
            self.tell_standing(response.headers_mut(), upload.offset(), whole.length, left)?;
            return Ok(response);
        }
        let mut response = self.keep(request, partner, &envelope, &digest, checked(upload)?)?;
        UploadState { complete: Some(true), ..UploadState::default() }.to_headers(response.headers_mut())?;
        Ok(response)
    }

    /// Forgets an upload, as its sender asks.
    pub(super) fn end_upload(&self, request: &Request, peer: &Peer, package: PackageId) -> Result<Response> {
        let partner = self.asker(request, peer)?;
        match self.0.uploads.remove(&partner.site, package)? {
            true => Response::new(204, Vec::new()),
            false => Err(gone(package)),
        }
    }

    /// Tells a partner that uploads can be gone on with here.
    pub(super) fn upload_limits(&self, request: &Request, peer: &Peer) -> Result<Response> {
        self.asker(request, peer)?;
        let mut response = Response::new(204, Vec::new())?;
        let left = self.0.uploads.keep().as_secs();
        put_limits(response.headers_mut(), self.0.sealed_size_limit, Some(left))?;
        Ok(response)
    }

    /// What came in under this id from this partner.
    pub(super) fn incoming_of(&self, partner: &Partner, package: PackageId) -> Result<Option<Incoming>> {
        Ok(self.0.ledger.incoming(package)?.filter(|known| known.from == partner.site))
    }

    fn check_size(&self, length: u64) -> Result<()> {
        let limit = self.0.sealed_size_limit;
        if length > limit { Err(too_large(limit)) } else { Ok(()) }
    }

    fn tell_standing(&self, headers: &mut Headers, offset: u64, length: u64, left: Duration) -> Result<()> {
        let state = UploadState { offset: Some(offset), complete: Some(false), length: Some(length) };
        state.to_headers(headers)?;
        put_limits(headers, self.0.sealed_size_limit, Some(left.as_secs()))
    }
}

/// The digest of the whole, where the request's own content is a part of it.
pub(super) fn representation_digest(request: &Request) -> Result<Digest> {
    request.headers().get_only("repr-digest")?.ok_or_else(|| lacks("Repr-Digest of the whole"))?.parse()
}

/// The upload as a package, when all of it is there and is what was announced.
fn checked(upload: Upload) -> Result<Staged> {
    if !upload.is_whole() {
        let said = "the body ended before its declared length; ask how far the upload is, and send the rest";
        return Err(Error::new(ErrorKind::Truncated, said).retryable(true));
    }
    upload.check()?;
    Ok(Staged::Upload(upload))
}

fn content_length(request: &Request) -> Option<u64> {
    request.headers().get("content-length")?.parse().ok()
}

fn lacks(what: &str) -> Error {
    Error::new(ErrorKind::BadMessage, format!("the request has no {what}"))
}
