//! Send: post a sealed package to its partner, and believe nothing but a signed receipt.

use super::Exchange;
use super::event::Event;
use super::export::outgoing_entry;
use super::outbox_time::counts_since;
use super::partner::Partner;
use super::partner_keys::seconds_of;
use super::resume::Shipment;
use super::store::Side;
use crate::codec::{Watch, Watched};
use crate::ledger::{Change, HistoryEntry, Outgoing, OutgoingState, Step};
use crate::model::{Json, PackageId, PackageKind, Timestamp};
use crate::protocol::{
    Digest, DigestReader, Envelope, Evidence, PACKAGE_MEDIA_TYPE, Problem, Receipt, ReceiptState, Request,
    Response, signed_at,
};
use crate::trace::span;
use crate::{Error, ErrorKind, Result};

/// What came of one try.
enum Tried {
    /// The partner's signed word on it, and the evidence of that.
    Answered(Box<Receipt>, String),
    /// The answer is still to come.
    Pending,
    /// The partner does not hold it.
    Failed(Error),
    /// The partner may hold it or not.
    InDoubt(Error),
}

impl Exchange {
    /// Posts a package of the outbox to its partner, and returns it as it stands afterwards:
    /// [`OutgoingState::Delivered`] with the partner's receipt, or [`OutgoingState::Sent`] over a transport whose
    /// answer comes later (send again to collect it).
    ///
    /// Notes are applied as they arrive: theirs is [`OutgoingState::Unpacked`] at once.
    ///
    /// One that the partner has rejected meanwhile is [`OutgoingState::Rejected`]; one that was
    /// [withdrawn](Self::withdraw) is not sent, and stays so.
    ///
    /// This sends it now, whatever is queued before it and whenever its next try were due;
    /// [`send_due`](Self::send_due) keeps order and time. Sending a delivered package again posts nothing and tells its
    /// state; [`replay`](Self::replay) is for that. The package's id makes a retry harmless. Where it is not known what
    /// became of the last try, the partner is asked first, and it is posted only when the partner does not hold it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::WrongState`], retryable, while the partner is
    /// [paused](Self::pause): the package stays queued; [`ErrorKind::KeyNotValid`] and [`ErrorKind::InvalidSettings`],
    /// retryable, while this site has no valid key to sign with, or no transport to the partner: the package waits, and
    /// [`Event::HeldUp`] tells so; those of the [`Transport`](crate::transport::Transport);
    /// [`ErrorKind::NoReceipt`] when the answer does not prove that the partner holds exactly these bytes; the
    /// partner's own refusal by its kind. After a retryable one the package is queued; after one that is
    /// [ambiguous](Error::is_ambiguous) too it is [`OutgoingState::Sent`]; after another, or after the last try that
    /// [the partner's policy](super::Partner::retrying) allows, it is failed. It can be sent again in each case.
    pub fn send(&self, package: PackageId, watch: &dyn Watch) -> Result<Outgoing> {
        let named = self.outgoing(package)?.package;
        // Another thread may be sending it; the id makes that harmless.
        let turn = self.0.outbox.take(&named);
        let sent = self.send_at(self.now(), package, watch);
        drop(turn);
        self.0.outbox.call(&named.to);
        sent
    }

    pub(super) fn send_at(&self, now: Timestamp, package: PackageId, watch: &dyn Watch) -> Result<Outgoing> {
        let outgoing = self.outgoing(package)?;
        span!("send", package = package, partner = outgoing.package.to);
        if outgoing.state.is_settled() {
            return Ok(outgoing);
        }
        let partner = &*self.partner(&outgoing.package.to)?;
        self.unless_paused(partner)?;
        if let Err(fault) = self.is_ready_for(partner) {
            return Err(self.hold_up(partner, &outgoing, fault)?);
        }
        let (outgoing, begun) = self.update_outgoing(package, |outgoing| {
            if outgoing.state.is_settled() {
                return None;
            }
            if outgoing.state == OutgoingState::Failed {
                (outgoing.attempts, outgoing.tried_since) = (0, None);
            }
            // A process that died while it posted never saw the answer.
            outgoing.unanswered |= outgoing.state == OutgoingState::Sending;
            outgoing.state = OutgoingState::Sending;
            outgoing.attempts = outgoing.attempts.saturating_add(1);
            outgoing.tried_since = Some(counts_since(outgoing, now));
            (outgoing.retry_at, outgoing.untold_failure) = (None, None);
            let (size, alias, attempt) = (outgoing.size, &partner.alias, outgoing.attempts);
            let said = match partner.has_to_be_asked(outgoing) {
                true => format!("asking {alias} whether it holds the package, try {attempt}"),
                false => format!("posting {size} bytes to {alias}, try {attempt}"),
            };
            Some(outgoing_entry(outgoing, Step::Sent, &outgoing.package.created_by, said))
        })?;
        if !begun {
            return Ok(outgoing);
        }
        let here = |error: Error| error.within(format_args!("package {package} to {}", partner.alias));
        match self.attempt(partner, &outgoing, watch) {
            // An earlier answer may have been lost, and a person have rejected the package since.
            Tried::Answered(receipt, evidence) if receipt.state == ReceiptState::Rejected => {
                self.record_word(&receipt, evidence)
            }
            Tried::Answered(receipt, evidence) => {
                let outgoing = self.record_answer(partner, package, &evidence)?;
                match receipt.state {
                    // Notes are applied as they arrive; and an earlier answer may have been lost.
                    ReceiptState::Unpacked => self.record_word(&receipt, evidence),
                    _ => Ok(outgoing),
                }
            }
            Tried::Pending => self.record_pending(partner, &outgoing, now),
            Tried::Failed(error) => self.record_failed_try(partner, &outgoing, now, here(error), false),
            Tried::InDoubt(error) => self.record_failed_try(partner, &outgoing, now, here(error), true),
        }
    }

    /// One try: a question where the last one is in doubt, and the package unless the partner says that it holds it.
    fn attempt(&self, partner: &Partner, outgoing: &Outgoing, watch: &dyn Watch) -> Tried {
        if partner.has_to_be_asked(outgoing) {
            match self.ask(partner, outgoing) {
                // Notes that are held and not applied wait for the next delivery.
                Ok(Some((receipt, _)))
                    if receipt.state == ReceiptState::Received
                        && outgoing.package.kind == PackageKind::Notes => {}
                Ok(Some((receipt, evidence))) => return Tried::Answered(receipt.into(), evidence),
                Ok(None) => return Tried::Pending,
                Err(error) if error.is_retryable() => {
                    let said = "whether an earlier try arrived is not known, and cannot be asked now";
                    return Tried::InDoubt(error.within(said));
                }
                // It does not hold it, or does not say: under the same id it cannot become another package.
                Err(_) => {}
            }
        }
        match self.post(partner, outgoing, watch) {
            Ok(Some((receipt, evidence))) => Tried::Answered(receipt.into(), evidence),
            Ok(None) => Tried::Pending,
            Err(error) if error.is_ambiguous() => Tried::InDoubt(error),
            Err(error) => Tried::Failed(error),
        }
    }

    /// Records the partner's receipt. A later word of the partner (unpacked, rejected) that was faster than the receipt
    /// stays.
    fn record_answer(&self, partner: &Partner, package: PackageId, evidence: &str) -> Result<Outgoing> {
        let (outgoing, recorded) = self.update_outgoing(package, |outgoing| {
            if outgoing.state == OutgoingState::Delivered {
                return None;
            }
            if outgoing.state.is_held() {
                outgoing.receipt.get_or_insert_with(|| evidence.to_owned());
            } else {
                outgoing.state = OutgoingState::Delivered;
                settle(outgoing);
                keep_receipt(outgoing, evidence);
            }
            let said = format!("{} holds the package and signed a receipt for it", partner.alias);
            Some(outgoing_entry(outgoing, Step::Delivered, &outgoing.package.created_by, said))
        })?;
        if recorded {
            let (to, claim) = (partner.site.clone(), outgoing.package.claim.clone());
            self.tell(&Event::Delivered { package, to, claim });
        }
        Ok(outgoing)
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
        let package = &outgoing.package;
        let mut envelope = Envelope::new(
            package.id,
            package.kind,
            package.from.clone(),
            package.to.clone(),
            &outgoing.suite,
        );
        envelope.key_version = package.key_version;

        let sealed = self.0.store.open_sealed(Side::Out, &outgoing.file)?;
        if sealed.metadata()?.len() != outgoing.size {
            return Err(damaged(outgoing));
        }
        let mut sealed = DigestReader::new(Watched::new(sealed, watch));
        let shipment = Shipment { outgoing, envelope: &envelope, digest: &digest };
        let answered = self.ship(transport, &shipment, &mut sealed);
        // Once the body began to leave, silence does not say whether all of it arrived.
        let has_left = sealed.length() > 0;
        let in_doubt = |error: Error| if has_left { error.ambiguous() } else { error };
        // A partner refuses changed bytes for good reason, and would at every try: the fault is here.
        if sealed.length() == outgoing.size && sealed.finish() != digest {
            return Err(damaged(outgoing));
        }
        let answered = answered.map_err(|error| if is_silence(&error) { in_doubt(error) } else { error })?;
        let Some((request, response)) = answered else { return Ok(None) };
        let word = receipt_of(partner, &request, &response)
            .and_then(|(receipt, evidence)| speaks_of(&receipt, outgoing).map(|()| (receipt, evidence)));
        word.map(Some).map_err(|error| if is_refusal(&response) { error } else { in_doubt(error) })
    }

    /// The signed head of a request that carries a sealed package.
    pub(super) fn package_request(
        &self,
        path: &str,
        envelope: &Envelope,
        digest: &Digest,
    ) -> Result<Request> {
        let mut request = Request::new("POST", path)?;
        describe(&mut request, envelope, PACKAGE_MEDIA_TYPE, Some(digest), digest)?;
        self.sign_request(&mut request)?;
        Ok(request)
    }

    /// Changes an outgoing package by what it is now, and writes the entry that `change` gives; none, and nothing is
    /// written. Gives what is there now, and whether this changed it. Where another thread or a receipt was faster, the
    /// change is made to what that left.
    pub(super) fn update_outgoing(
        &self,
        package: PackageId,
        change: impl Fn(&mut Outgoing) -> Option<HistoryEntry>,
    ) -> Result<(Outgoing, bool)> {
        self.edit_outgoing(package, |outgoing| change(outgoing).map(|entry| vec![entry]))
    }

    /// The same, for a change that may go without an entry.
    pub(super) fn edit_outgoing(
        &self,
        package: PackageId,
        change: impl Fn(&mut Outgoing) -> Option<Vec<HistoryEntry>>,
    ) -> Result<(Outgoing, bool)> {
        let _turn = self.0.outbox.editing();
        loop {
            let mut outgoing = self.outgoing(package)?;
            let was = outgoing.state;
            let Some(entries) = change(&mut outgoing) else { return Ok((outgoing, false)) };
            if let Some(entry) = entries.first() {
                outgoing.updated_at = entry.at;
            }
            let mut changes = vec![Change::SetOutgoing { package: outgoing.clone(), was: Some(was) }];
            changes.extend(entries.into_iter().map(Change::Append));
            match self.0.ledger.commit(&changes) {
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

impl Partner {
    /// Whether it has to be asked for the package before that is posted again. Over a transport whose answers come later,
    /// sending again is that question.
    fn has_to_be_asked(&self, outgoing: &Outgoing) -> bool {
        outgoing.unanswered && !self.transport.as_ref().is_some_and(|transport| transport.answers_later())
    }
}

/// Says in a request's head what it carries: `content`, where that has a digest of its own, of the package `whole`.
pub(super) fn describe(
    request: &mut Request,
    envelope: &Envelope,
    media_type: &str,
    content: Option<&Digest>,
    whole: &Digest,
) -> Result<()> {
    let headers = request.headers_mut();
    envelope.to_headers(headers)?;
    headers.insert("content-type", media_type)?;
    if let Some(content) = content {
        headers.insert("content-digest", content.to_string())?;
    }
    headers.insert("repr-digest", whole.to_string())
}

/// Takes off what was noted for further tries.
pub(super) fn settle(outgoing: &mut Outgoing) {
    (outgoing.tried_since, outgoing.retry_at, outgoing.last_error) = (None, None, None);
    outgoing.unanswered = false;
}

/// Keeps a receipt of delivery. The first one stays: of a package that was sent again it says since when it was held.
pub(super) fn keep_receipt(outgoing: &mut Outgoing, evidence: &str) {
    let place = if outgoing.receipt.is_none() { &mut outgoing.receipt } else { &mut outgoing.last_receipt };
    *place = Some(evidence.to_owned());
}

/// Whether a transport's error means that no answer came; others are of the body, or of the way to the partner.
fn is_silence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::BadMessage)
}

/// Whether the partner itself refused; a gateway's fault says nothing of what lies behind it, nor does a success without
/// a receipt.
fn is_refusal(response: &Response) -> bool {
    let by_a_gateway = response.status() >= 500 || response.status() == 408;
    !response.is_success() && (!by_a_gateway || Problem::from_response(response).kind().is_some())
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
    let asked = signed_at(request.headers())?.unix_seconds();
    let earliest = Timestamp::from_unix_seconds(asked.saturating_sub(seconds_of(partner.signature_window)))?;
    let mut refused = partner.lacks("verifying key");
    for key in &partner.verifying {
        match evidence.verify(key) {
            Ok((receipt, answered)) => {
                // It may be put right in the settings, and the partner holds the package: so it is asked again.
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
