//! Receive: take the sealed bytes in durably, and give a signed receipt.

use super::Exchange;
use super::event::Event;
use super::partner::Partner;
use super::proof::reason_of;
use super::sealed::{SealedFile, too_large};
use super::store::Side;
use super::told::told;
use super::upload::{Staged, representation_digest};
use crate::failpoint::failpoint;
use crate::ledger::{Change, Direction, HistoryEntry, Incoming, IncomingState, Step};
use crate::model::{Json, PackageId, PackageKind};
use crate::protocol::{
    Credential, Digest, Disposition, Endpoint, Envelope, Peer, Problem, Receipt, ReceiptState, Request,
    Response, Route, UploadState, challenge, is_signed, put_limits,
};
use crate::trace::{event, span};
use crate::{Detail, Error, ErrorKind, Result};
use std::io::{Read, Write};

impl Endpoint for Exchange {
    /// Answers a partner's request. Whoever cannot prove to be a partner costs no disk and gets nothing.
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        span!("answer");
        if let Some(response) = self.health_answer(request) {
            return response;
        }
        if let Err(_error) = self.0.uploads.sweep() {
            event!(warn, "expired uploads could not be removed", error = _error.kind().name());
        }
        let base = &self.0.base_path;
        let answered = Route::parse(request.method(), request.path(), base).and_then(|route| match route {
            Route::Package => self.take_in(request, peer, PackageKind::Claim, body),
            Route::Notes => self.take_in(request, peer, PackageKind::Notes, body),
            Route::State(package) => self.state_of(request, peer, package),
            Route::Receipts => self.take_receipt(request, peer, body),
            Route::Trials => self.answer_trial(request, peer, body),
            Route::UploadLimits => self.upload_limits(request, peer),
            Route::UploadOffset(package) => self.upload_offset(request, peer, package),
            Route::UploadPart(package) => self.take_part(request, peer, package, body),
            Route::UploadEnd(package) => self.end_upload(request, peer, package),
        });
        self.0.counters.answered(answered.as_ref().err().map(reason_of));
        let response = answered.unwrap_or_else(|error| {
            let kind = error.kind();
            event!(warn, "refused", error = reason_of(&error).name());
            let mut problem = Problem::from_error(&told(error));
            if let Some(status) = Route::status_of(request.method(), request.path(), base) {
                problem = problem.with_status(status);
            }
            let mut response = problem.to_response();
            if kind == ErrorKind::SealedTooLarge {
                // It fails only where a problem has no room for two more header fields.
                let _ = put_limits(response.headers_mut(), self.0.sealed_size_limit, None);
            }
            // Both fields are of fixed text, so neither fails; without them the answer still refuses.
            let _ = challenge(request, &mut response, self.takes_tokens());
            response
        });
        if request.method() != "HEAD" {
            return response;
        }
        // An answer to it has no body (RFC 9110 section 9.3.2), whichever server sends it.
        let mut bare = Response::bare(response.status());
        *bare.headers_mut() = response.headers().clone();
        bare
    }

    fn refused(&self, kind: ErrorKind) {
        self.0.counters.answered(Some(kind));
    }
}

impl Exchange {
    fn take_in(
        &self,
        request: &Request,
        peer: &Peer,
        kind: PackageKind,
        body: &mut dyn Read,
    ) -> Result<Response> {
        let envelope = Envelope::from_headers(request.headers())?;
        let partner = &*self.authenticate(request, peer, &envelope.from)?;
        span!("receive", package = envelope.package_id, partner = partner.site, kind = kind.name());
        self.check_addressed(&envelope, kind)?;
        let is_begun = UploadState::from_headers(request.headers()).complete == Some(false);
        let digest = if is_begun { representation_digest(request) } else { whole_digest(request) }?;
        let package = envelope.package_id;
        if let Some(known) = self.0.ledger.incoming(package)? {
            return self.answer_again(request, partner, &known, &digest);
        }
        // Without a key there is no receipt, so nothing is taken in that one would be owed for.
        self.answering_key()?;
        partner.admit(envelope.key_version, &envelope.suite, self.now())?;
        self.log_warnings(partner);
        if is_begun {
            return self.begin_upload(request, partner, package, digest, body);
        }
        let staged = match self.stage_resumable(request, partner, package, digest, body)? {
            Some(staged) => staged,
            None => Staged::File(self.stage(request, &digest, body)?),
        };
        self.keep(request, partner, &envelope, &digest, staged)
    }

    /// Takes a package that came in whole into the inbox, and answers with its receipt.
    pub(super) fn keep(
        &self,
        request: &Request,
        partner: &Partner,
        envelope: &Envelope,
        digest: &Digest,
        staged: Staged,
    ) -> Result<Response> {
        let unsigned = partner.stand_in(is_signed(request.headers()));
        match self.put_in_inbox(partner, envelope, digest, staged, unsigned) {
            Ok(incoming) => {
                if envelope.kind == PackageKind::Claim {
                    self.announce(partner, &incoming)?;
                }
                self.answer_for(request, partner, incoming)
            }
            // The same package came in twice at once, and the other was faster.
            Err(error) if error.kind() == ErrorKind::WrongState => {
                match self.0.ledger.incoming(envelope.package_id)? {
                    Some(known) => self.answer_again(request, partner, &known, digest),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the package is meant for this site, and for this address of it.
    pub(super) fn check_addressed(&self, envelope: &Envelope, kind: PackageKind) -> Result<()> {
        if envelope.to != self.0.site {
            return Err(Error::new(
                ErrorKind::WrongRecipient,
                format!(
                    "the package is addressed to {}, this is {}; check the partner's URL",
                    envelope.to, self.0.site
                ),
            ));
        }
        if envelope.kind != kind {
            let said = "claim packages go to /packages, packages of notes to /notes, trials to /trials";
            return Err(Error::new(ErrorKind::BadMessage, said));
        }
        Ok(())
    }

    /// New Package: tells the host, and writes down that it was told.
    fn announce(&self, partner: &Partner, incoming: &Incoming) -> Result<()> {
        if self.0.listeners.is_empty() {
            return Ok(());
        }
        self.tell(&Event::NewPackage { package: incoming.id, from: partner.site.clone() });
        let said = format!("New Package from {} was announced here", partner.alias);
        let entry = incoming_entry(incoming, Step::Notified, self.0.site.as_str(), said);
        self.0.ledger.commit(&[Change::Append(entry)])
    }

    /// The same id and bytes again: the same word again. The same id for other bytes: refused.
    pub(super) fn answer_again(
        &self,
        request: &Request,
        partner: &Partner,
        known: &Incoming,
        digest: &Digest,
    ) -> Result<Response> {
        if known.from != partner.site || known.sha256 != digest.to_hex() {
            return Err(Error::new(
                ErrorKind::IdReused,
                format!("package id {} was used before for other bytes; export the package anew", known.id),
            ));
        }
        self.answer_for(request, partner, known.clone())
    }

    /// The receipt of a package that is durably held. Notes are applied first; a claim that is to be unpacked by
    /// itself is unpacked apart from this, whatever comes of it.
    fn answer_for(&self, request: &Request, partner: &Partner, incoming: Incoming) -> Result<Response> {
        if incoming.kind == PackageKind::Notes {
            self.apply_notes(partner, incoming.id, self.0.site.as_str(), false, &())?;
            return self.signed_receipt(request, &self.incoming(incoming.id)?);
        }
        let response = self.signed_receipt(request, &incoming)?;
        failpoint!("receipt-signed");
        if incoming.state == IncomingState::Received && partner.unpacks_as.is_some() {
            self.unpack_soon(incoming.id);
        }
        Ok(response)
    }

    /// Streams the body to a file of the inbox that has no name yet.
    fn stage(&self, request: &Request, digest: &Digest, body: &mut dyn Read) -> Result<SealedFile> {
        let limit = self.0.sealed_size_limit;
        let declared = request.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
        if declared.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        let mut file = SealedFile::limited(self.0.store.create(Side::In)?, limit);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match body.read(&mut buffer)? {
                0 => break,
                length => file.write_all(&buffer[..length])?,
            }
            if let Some(declared) = declared.filter(|declared| *declared < file.size()) {
                return Err(Error::new(
                    ErrorKind::BadMessage,
                    format!("the body goes on past its declared length of {declared} bytes"),
                ));
            }
        }
        if declared.is_some_and(|length| length != file.size()) {
            return Err(Error::new(
                ErrorKind::Truncated,
                "the body ended before its declared length; send it again",
            )
            .retryable(true));
        }
        digest.check(&file.digest())?;
        Ok(file)
    }

    fn put_in_inbox(
        &self,
        partner: &Partner,
        envelope: &Envelope,
        digest: &Digest,
        staged: Staged,
        unsigned: Option<&Credential>,
    ) -> Result<Incoming> {
        let package = envelope.package_id;
        let sha256 = digest.to_hex();
        let file = self.0.store.new_name(package, &sha256);
        let mut incoming =
            Incoming::new(package, envelope.kind, partner.site.clone(), staged.size(), sha256, file.as_str());
        incoming.suite = envelope.suite.clone();
        incoming.key_version = envelope.key_version;
        incoming.received_at = self.now();
        self.write_receipt(&mut incoming, ReceiptState::Received, None, None, Vec::new())?;
        if let Err(error) = self.place(staged, &file) {
            self.0.store.discard(Side::In, &file);
            return Err(error);
        }
        let mut said = format!(
            "received from {}: {} bytes sealed with {}",
            partner.alias, incoming.size, incoming.suite
        );
        if let Some(credential) = unsigned {
            said.push_str(&format!("; not signed, proved by its {credential}"));
        }
        let entry = incoming_entry(&incoming, Step::Received, partner.site.as_str(), said);
        let committed = self.0.ledger.commit(&[Change::AddIncoming(incoming.clone()), Change::Append(entry)]);
        if let Err(error) = committed {
            // Where even that cannot be asked, the file stays: opening the folder again sweeps what nobody knows.
            if self.0.ledger.incoming(package).is_ok_and(|known| known.is_none_or(|known| known.file != file))
            {
                self.0.store.discard(Side::In, &file);
            }
            return Err(error);
        }
        Ok(incoming)
    }

    /// What stands with an incoming package, signed as the answer to this request.
    pub(super) fn signed_receipt(&self, request: &Request, incoming: &Incoming) -> Result<Response> {
        let mut response = self.receipt_for(incoming)?.to_response()?;
        self.sign_response(request, &mut response)?;
        Ok(response)
    }

    /// This site's last word on a package, as it was written down.
    pub(super) fn receipt_for(&self, incoming: &Incoming) -> Result<Receipt> {
        let written = incoming.receipt.as_deref().ok_or_else(|| {
            Error::new(
                ErrorKind::StoreDamaged,
                format!("the ledger lost the receipt of package {}", incoming.id),
            )
        })?;
        Receipt::from_json(written.as_bytes())
    }

    /// Writes down this site's word on a package; one on what became of it is still to be told.
    pub(super) fn write_receipt(
        &self,
        incoming: &mut Incoming,
        state: ReceiptState,
        disposition: Option<Disposition>,
        detail: Option<String>,
        details: Vec<Detail>,
    ) -> Result<()> {
        let mut receipt = self.new_receipt(incoming, state)?;
        receipt.disposition = disposition;
        receipt.detail = detail;
        receipt.details = details;
        write_down(incoming, &receipt)
    }

    /// This site's word on a package as of now, to be completed and [written down](write_down).
    pub(super) fn new_receipt(&self, incoming: &Incoming, state: ReceiptState) -> Result<Receipt> {
        let digest = Digest::from_hex(&incoming.sha256)?;
        Ok(Receipt::new(incoming.id, self.0.site.clone(), incoming.from.clone(), state, digest))
    }

    /// A package of the inbox.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`] when it never came in; [`ErrorKind::Ledger`].
    pub fn incoming(&self, package: PackageId) -> Result<Incoming> {
        self.0.ledger.incoming(package)?.ok_or_else(|| super::unknown_package(package))
    }
}

/// Keeps a receipt as what is said of the package from now on.
pub(super) fn write_down(incoming: &mut Incoming, receipt: &Receipt) -> Result<()> {
    incoming.updated_at = receipt.at;
    incoming.untold = receipt.state != ReceiptState::Received;
    incoming.receipt = Some(Json::from_serialize(receipt)?.to_string());
    Ok(())
}

/// The digest of the body as the request announces it; its signature covers the announcement.
pub(super) fn announced_digest(request: &Request) -> Result<Digest> {
    let announced = request.headers().get_only("content-digest")?;
    announced.ok_or_else(|| Error::new(ErrorKind::BadMessage, "the request has no Content-Digest"))?.parse()
}

/// The digest of a sealed package as both fields announce it. There is no content coding and no part of a package, so the
/// content is the representation (RFC 9530 sections 2 and 3).
pub(super) fn whole_digest(request: &Request) -> Result<Digest> {
    let content = announced_digest(request)?;
    let representation = request.headers().get_only("repr-digest")?.map(str::parse::<Digest>).transpose()?;
    if representation.is_some_and(|representation| representation != content) {
        let said = "Repr-Digest and Content-Digest differ; both are of the sealed bytes as they are sent";
        return Err(Error::new(ErrorKind::BadMessage, said));
    }
    Ok(content)
}

/// An entry of the history about a partner's package.
pub(super) fn incoming_entry(
    incoming: &Incoming,
    step: Step,
    by: &str,
    said: impl Into<String>,
) -> HistoryEntry {
    let from = incoming.from.clone();
    let mut entry = HistoryEntry::new(Direction::Incoming, step, incoming.id, incoming.kind, from, by, said)
        .of_assessments(incoming.assessments.iter().cloned());
    entry.claim = incoming.claim.clone();
    entry
}
