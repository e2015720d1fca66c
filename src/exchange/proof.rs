//! Who asks: a request is proven to be a partner's by its signature, or by what the partner's settings name in place of one.
//!
//! Whoever proves nothing is told one thing, whatever was wrong. Told apart, an unknown site, an unknown key, a signature
//! that is missing and one that does not match would tell strangers who is a partner, by which keys, and who need not sign.

use super::Exchange;
use super::partner::Partner;
use crate::model::SiteId;
use crate::protocol::{Peer, Request, RequestSignature, VerifiedRequest, VerifyingKey, is_signed};
use crate::{Error, ErrorKind, Result};
use std::sync::Arc;

/// What a request shows of who sent it, read once for all the partners whose it may be.
struct Shown<'r> {
    request: &'r Request,
    peer: &'r Peer,
    /// The site that the request says it is of, where it says so.
    claimed: Option<&'r SiteId>,
    is_signed: bool,
    signature: Result<RequestSignature<'r>>,
}

impl<'r> Shown<'r> {
    fn of(request: &'r Request, peer: &'r Peer, claimed: Option<&'r SiteId>) -> Self {
        let signature = RequestSignature::of(request);
        let is_signed = signature.is_ok() || is_signed(request.headers());
        Self { request, peer, claimed, is_signed, signature }
    }

    /// The signature and the key of this partner that made it.
    fn signed_by<'p>(&self, partner: &'p Partner) -> Result<(&RequestSignature<'r>, &'p VerifyingKey)> {
        let signature = self.signature.as_ref().map_err(|error| self.unproven(error.kind()))?;
        let key = partner.verifying_key(signature.key_id());
        let key = key.ok_or_else(|| self.unproven(ErrorKind::UnknownSender))?;
        signature.check(key).map_err(|error| self.unproven(error.kind()))?;
        Ok((signature, key))
    }

    /// The one answer to whoever proved nothing: made of what the request says, and of nothing that is known here. Its
    /// cause has the reason, for this site alone.
    fn unproven(&self, reason: ErrorKind) -> Error {
        let who = self
            .claimed
            .map_or_else(|| "the sender of this request".to_owned(), |site| format!("site {site}"));
        let how = match &self.signature {
            Ok(signature) => format!("it is signed with the key `{}`", signature.key_id().escape_debug()),
            Err(error) => error.to_string(),
        };
        let said = format!(
            "{who} did not prove to be a partner here: {how}; register each other first, else compare the site ids, the \
             keys, and the token or certificate of one that does not sign, and let nothing change the request on its way"
        );
        let reason = Error::new(reason, format!("{who} proved nothing: {}", reason.name()));
        Error::new(ErrorKind::UnknownSender, said).caused_by(reason)
    }
}

/// What a refusal is counted and logged as: of whoever proved nothing, what was wrong, which only this site is told.
pub(super) fn reason_of(error: &Error) -> ErrorKind {
    let hidden = error.cause().and_then(|cause| cause.downcast_ref::<Error>());
    hidden.filter(|_| error.kind() == ErrorKind::UnknownSender).unwrap_or(error).kind()
}

impl Exchange {
    /// The partner whose request this is, which the server is told. One that cannot sign proves it by what its settings
    /// name; a signature that is there must be good all the same.
    pub(super) fn authenticate(
        &self,
        request: &Request,
        peer: &Peer,
        claimed: &SiteId,
    ) -> Result<Arc<Partner>> {
        let shown = Shown::of(request, peer, Some(claimed));
        let partner = self.claimed(&shown, claimed)?;
        self.proved(&shown, &partner)?;
        Ok(partner)
    }

    /// The partner that signed this request, which the server is told, and what its signature proves.
    pub(super) fn verified(
        &self,
        request: &Request,
        peer: &Peer,
        claimed: &SiteId,
    ) -> Result<(Arc<Partner>, VerifiedRequest)> {
        let shown = Shown::of(request, peer, Some(claimed));
        let partner = self.claimed(&shown, claimed)?;
        let proof = self.signed(&shown, &partner)?;
        Ok((partner, proof))
    }

    /// The partner that signed this request, where the request does not say who asks.
    pub(super) fn signer_of(&self, request: &Request, peer: &Peer) -> Result<Arc<Partner>> {
        let shown = Shown::of(request, peer, None);
        self.partner_behind(&shown, |partner| self.signed(&shown, partner).map(drop))
    }

    /// The partner whose request this is, where the request does not say who asks.
    pub(super) fn asker(&self, request: &Request, peer: &Peer) -> Result<Arc<Partner>> {
        let shown = Shown::of(request, peer, None);
        self.partner_behind(&shown, |partner| self.proved(&shown, partner))
    }

    /// Whether any partner may show a bearer token in place of a signature.
    pub(super) fn takes_tokens(&self) -> bool {
        self.partners().values().any(|partner| partner.may_bear_a_token())
    }

    fn claimed(&self, shown: &Shown<'_>, site: &SiteId) -> Result<Arc<Partner>> {
        let partner = self.partners().get(site).cloned();
        partner.ok_or_else(|| shown.unproven(ErrorKind::UnknownSender))
    }

    fn proved(&self, shown: &Shown<'_>, partner: &Partner) -> Result<()> {
        match partner.stand_in(shown.is_signed) {
            Some(credential) if credential.proves(shown.request, shown.peer) => {
                shown.peer.proven(&partner.site)
            }
            Some(_) => Err(shown.unproven(ErrorKind::UnknownSender)),
            None => self.signed(shown, partner).map(drop),
        }
    }

    /// What the partner's signature proves: once, unless the request lies stored and is handed in again. Whoever made it
    /// holds the partner's key, and is told what else is wrong.
    fn signed(&self, shown: &Shown<'_>, partner: &Partner) -> Result<VerifiedRequest> {
        let (now, window) = (self.now(), partner.signature_window);
        let (signature, key) = shown.signed_by(partner)?;
        let proof = signature.proof(now, window)?;
        key.validity().check_signed(key.id(), proof.created)?;
        if !shown.peer.is_stored() {
            self.0.nonces.take(&partner.site, &proof, now, window)?;
        }
        shown.peer.proven(&partner.site)?;
        Ok(proof)
    }

    fn partner_behind(
        &self,
        shown: &Shown<'_>,
        proved: impl Fn(&Partner) -> Result<()>,
    ) -> Result<Arc<Partner>> {
        let mut refused = None;
        for partner in self.all_partners() {
            match proved(&partner) {
                Ok(()) => return Ok(partner),
                // It is proven, and the server has no place for it.
                Err(error) if error.kind() == ErrorKind::Unreachable => return Err(error),
                // Two partners may name their keys alike; a good signature from another time tells the most.
                Err(error) if matches!(error.kind(), ErrorKind::Replayed | ErrorKind::KeyNotValid) => {
                    refused = Some(error);
                }
                Err(error) if reason_of(&error) != ErrorKind::UnknownSender => {
                    refused = refused.or(Some(error));
                }
                Err(_) => {}
            }
        }
        Err(refused.unwrap_or_else(|| shown.unproven(ErrorKind::UnknownSender)))
    }
}
