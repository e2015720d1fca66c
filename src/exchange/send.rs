//! Send: post a sealed package to its partner, and believe nothing but a signed receipt.

use super::Exchange;
use super::event::Event;
use super::export::outgoing_entry;
use super::partner::Partner;
use super::store::Side;
use crate::codec::{Watch, Watched};
use crate::ledger::{Change, Fault, HistoryEntry, Outgoing, OutgoingState, Step};
use crate::model::{Json, PackageId, PackageKind, Timestamp};
use crate::protocol::{
    Digest, DigestReader, Envelope, Evidence, PACKAGE_MEDIA_TYPE, Problem, Receipt, ReceiptState, Request,
    Response, Route, signed_at,
};
use crate::trace::span;
use crate::transport::Body;
use crate::{Error, ErrorKind, Result};

impl Exchange {
    /// Posts a package of the outbox to its partner, and returns it as it stands afterwards:
    /// [`OutgoingState::Delivered`] with the partner's receipt, or [`OutgoingState::Sent`] over a transport whose
    /// answer comes later (send again to collect it).
    ///
    /// Notes are applied as they arrive: theirs is [`OutgoingState::Unpacked`] at once.
    ///
    /// One that the partner has rejected meanwhile is [`OutgoingState::Rejected`].
    ///
    /// Sending a delivered package again posts nothing and tells its state. The package's id makes a retry harmless.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::WrongState`], retryable, while the partner is
    /// [paused](Self::pause): the package stays queued; those of the [`Transport`](crate::transport::Transport);
    /// [`ErrorKind::NoReceipt`] when the answer does not prove that the partner holds exactly these bytes; the
    /// partner's own refusal by its kind. After a retryable one the package is queued, after another it is failed;
    /// both can be sent again.
    pub fn send(&self, package: PackageId, watch: &dyn Watch) -> Result<Outgoing> {
        span!("send", package = package);
        let outgoing = self.outgoing(package)?;
        if is_held(outgoing.state) {
            return Ok(outgoing);
        }
        let partner = &*self.partner(&outgoing.package.to)?;
        self.unless_paused(partner)?;
        let (outgoing, begun) = self.update_outgoing(package, |outgoing| {
            if is_held(outgoing.state) {
                return None;
            }
            outgoing.state = OutgoingState::Sending;
            outgoing.attempts = outgoing.attempts.saturating_add(1);
            let said =
                format!("posting {} bytes to {}, try {}", outgoing.size, partner.alias, outgoing.attempts);
            Some(outgoing_entry(outgoing, Step::Sent, &outgoing.package.created_by, said))
        })?;
        if !begun {
            return Ok(outgoing);
        }
        match self.post(partner, &outgoing, watch) {
            Ok(Some((receipt, evidence))) => {
                // An earlier answer may have been lost, and a person have rejected the package since.
                if receipt.state == ReceiptState::Rejected {
                    return self.record_word(&receipt, evidence);
                }
                let outgoing = self.record_answer(partner, package, Some(evidence.clone()))?;
                match receipt.state {
                    // Notes are applied as they arrive; and an earlier answer may have been lost.
                    ReceiptState::Unpacked => self.record_word(&receipt, evidence),
                    _ => Ok(outgoing),
                }
            }
            Ok(None) => self.record_answer(partner, package, None),
            Err(error) => {
                let error = error.within(format_args!("package {package} to {}", partner.alias));
                self.record_failed_try(partner, package, error)
            }
        }
    }

    /// Records the partner's receipt, or that its answer is still to come. A later word of the partner (unpacked,
    /// rejected) that was faster than the receipt stays.
    fn record_answer(
        &self,
        partner: &Partner,
        package: PackageId,
        evidence: Option<String>,
    ) -> Result<Outgoing> {
        let (outgoing, recorded) = self.update_outgoing(package, |outgoing| {
            if outgoing.state == OutgoingState::Delivered {
                return None;
            }
            outgoing.last_error = None;
            let (step, said) = match &evidence {
                Some(evidence) => {
                    outgoing.receipt = Some(evidence.clone());
                    (
                        Step::Delivered,
                        format!("{} holds the package and signed a receipt for it", partner.alias),
                    )
                }
                None => (Step::Sent, format!("left for {} to collect; no receipt yet", partner.alias)),
            };
            if !is_held(outgoing.state) {
                outgoing.state =
                    if evidence.is_some() { OutgoingState::Delivered } else { OutgoingState::Sent };
            }
            Some(outgoing_entry(outgoing, step, &outgoing.package.created_by, said))
        })?;
        if recorded && evidence.is_some() {
            let (to, claim) = (partner.site.clone(), outgoing.package.claim.clone());
            self.tell(&Event::Delivered { package, to, claim });
        }
        Ok(outgoing)
    }

    /// Records why a try failed, and whether another may help; unless another way proved meanwhile that the partner
    /// holds the package.
    fn record_failed_try(&self, partner: &Partner, package: PackageId, error: Error) -> Result<Outgoing> {
        let (outgoing, recorded) = self.update_outgoing(package, |outgoing| {
            if is_held(outgoing.state) {
                return None;
            }
            outgoing.state = if error.is_retryable() { OutgoingState::Queued } else { OutgoingState::Failed };
            outgoing.last_error = Some(Fault::from(&error));
            let by = &outgoing.package.created_by;
            Some(outgoing_entry(outgoing, Step::Failed, by, error.to_string()).failed_with(&error))
        })?;
        if recorded && outgoing.state == OutgoingState::Failed {
            let (to, claim) = (partner.site.clone(), outgoing.package.claim.clone());
            self.tell(&Event::Failed { package, to, claim, reason: error.to_string() });
        }
        if is_held(outgoing.state) { Ok(outgoing) } else { Err(error) }
    }

    /// The receipt and the evidence of it, or `None` when the answer is still to come.
    fn post(
        &self,
        partner: &Partner,
        outgoing: &Outgoing,
        watch: &dyn Watch,
    ) -> Result<Option<(Receipt, String)>> {
        span!("post", partner = partner.site, attempt = outgoing.attempts, bytes = outgoing.size);
        let transport = partner.transport()?;
        let digest = Digest::from_hex(&outgoing.sha256)?;
        let route = match outgoing.package.kind {
            PackageKind::Claim => Route::Package,
            PackageKind::Notes => Route::Notes,
            PackageKind::Trial => Route::Trials,
        };
        let package = &outgoing.package;
        let mut envelope = Envelope::new(
            package.id,
            package.kind,
            package.from.clone(),
            package.to.clone(),
            &outgoing.suite,
        );
        envelope.key_version = package.key_version;
        let request = self.package_request(&route.path(transport.base_path()), &envelope, &digest)?;

        let sealed = self.0.store.open_sealed(Side::Out, &outgoing.file)?;
        if sealed.metadata()?.len() != outgoing.size {
            return Err(damaged(outgoing));
        }
        let mut sealed = DigestReader::new(Watched::new(sealed, watch));
        let reply = transport.send(&request, Body::new(outgoing.size, &mut sealed));
        // A partner refuses changed bytes for good reason, and would at every try: the fault is here.
        if sealed.length() == outgoing.size && sealed.finish() != digest {
            return Err(damaged(outgoing));
        }
        let reply = reply?;
        let Some((request, response)) = reply.into_answer(&request) else { return Ok(None) };
        let (receipt, evidence) = receipt_of(partner, &request, &response)?;
        speaks_of(&receipt, outgoing)?;
        Ok(Some((receipt, evidence)))
    }

    /// The signed head of a request that carries a sealed package.
    pub(super) fn package_request(
        &self,
        path: &str,
        envelope: &Envelope,
        digest: &Digest,
    ) -> Result<Request> {
        let mut request = Request::new("POST", path)?;
        envelope.to_headers(request.headers_mut())?;
        request.headers_mut().insert("content-type", PACKAGE_MEDIA_TYPE)?;
        let stated = digest.to_string();
        request.headers_mut().insert("content-digest", stated.as_str())?;
        request.headers_mut().insert("repr-digest", stated)?;
        self.sign_request(&mut request)?;
        Ok(request)
    }

    /// Changes an outgoing package by what it is now, and writes the entry that `change` gives; none, and nothing is
    /// written. Gives what is there now, and whether this changed it. Where another thread or a receipt was faster, the change is made to what that left.
    pub(super) fn update_outgoing(
        &self,
        package: PackageId,
        change: impl Fn(&mut Outgoing) -> Option<HistoryEntry>,
    ) -> Result<(Outgoing, bool)> {
        loop {
            let mut outgoing = self.outgoing(package)?;
            let was = outgoing.state;
            let Some(entry) = change(&mut outgoing) else { return Ok((outgoing, false)) };
            outgoing.updated_at = entry.at;
            let changed = Change::SetOutgoing { package: outgoing.clone(), was: Some(was) };
            match self.0.ledger.commit(&[changed, Change::Append(entry)]) {
                Ok(()) => return Ok((outgoing, true)),
                Err(error) if error.kind() == ErrorKind::WrongState => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A package of the outbox, with what its partner said of it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`] when this site never exported it; [`ErrorKind::Ledger`].
    pub fn outgoing(&self, package: PackageId) -> Result<Outgoing> {
        self.0.ledger.outgoing(package)?.ok_or_else(|| super::unknown_package(package))
    }
}

/// Whether the partner is known to hold the package: there is nothing to send any more, and only the partner's later
/// word changes the state.
fn is_held(state: OutgoingState) -> bool {
    matches!(state, OutgoingState::Delivered | OutgoingState::Unpacked | OutgoingState::Rejected)
}

fn damaged(outgoing: &Outgoing) -> Error {
    Error::new(
        ErrorKind::StoreDamaged,
        format!(
            "the sealed bytes {} in the outbox are not those that were exported: restore them from backup, or export \
             the claim anew",
            outgoing.file
        ),
    )
}

/// Whether the receipt is the recipient's word to us, on this package and on these bytes.
pub(super) fn speaks_of(receipt: &Receipt, outgoing: &Outgoing) -> Result<()> {
    let package = &outgoing.package;
    let digest = Digest::from_hex(&outgoing.sha256)?;
    let fits = receipt.package_id == package.id
        && receipt.from == package.to
        && receipt.to == package.from
        && receipt.digest == digest;
    if fits {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::NoReceipt,
        format!(
            "the receipt is of {} to {} for package {} with SHA-256 {}, not for this one with {}; ask the partner",
            receipt.from,
            receipt.to,
            receipt.package_id,
            receipt.digest.to_hex(),
            digest.to_hex()
        ),
    ))
}

/// The receipt in an answer and the evidence of it, once its signature by the partner over this very request is
/// verified. An answer may have waited in a folder, so its age is not judged: it is bound to the request's signature.
pub(super) fn receipt_of(
    partner: &Partner,
    request: &Request,
    response: &Response,
) -> Result<(Receipt, String)> {
    if !response.is_success() {
        return Err(Problem::from_response(response).into_error(&partner.alias));
    }
    let evidence = Evidence::of_response(request, response);
    // An answer is no older than its question, as far as the clocks agree: so a key that has ended cannot be used by
    // dating an answer back.
    let window = i64::try_from(partner.signature_window.as_secs()).unwrap_or(i64::MAX);
    let asked = signed_at(request.headers())?.unix_seconds();
    let earliest = Timestamp::from_unix_seconds(asked.saturating_sub(window))?;
    let mut refused = partner.lacks("verifying key");
    for key in &partner.verifying {
        match evidence.verify(key) {
            Ok((receipt, answered)) => {
                // It may be put right in the settings, and the partner holds the package: so it stays queued.
                let in_time = key.validity().check_signed(key.id(), answered.max(earliest));
                in_time
                    .map_err(|error| error.within("the answer is no receipt to rely on").retryable(true))?;
                return Ok((receipt, Json::from_serialize(&evidence)?.to_string()));
            }
            Err(error) => refused = error,
        }
    }
    let said = format!("the answer is no receipt to rely on: {refused}");
    Err(Error::new(ErrorKind::NoReceipt, said).caused_by(refused))
}
