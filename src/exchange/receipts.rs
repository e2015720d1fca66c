//! The recipient's later word: told to the sender after an unpack, taken in from a recipient, asked for by polling.

use super::Exchange;
use super::event::Event;
use super::export::outgoing_entry;
use super::partner::Partner;
use super::receive::{announced_digest, incoming_entry};
use super::send::{keep_receipt, receipt_of, settle, speaks_of};
use crate::ledger::{Change, Incoming, Link, Outgoing, OutgoingState, SentSnapshot, Step};
use crate::merge::{agree, not_said_again};
use crate::model::{Json, PackageId, PackageKind};
use crate::protocol::{
    Digest, Disposition, Evidence, Peer, Problem, RECEIPT_MEDIA_TYPE, Receipt, ReceiptState, Request,
    Response, Route, printable,
};
use crate::trace::span;
use crate::transport::Body;
use crate::{Error, ErrorKind, Result};
use std::io::Read;

/// A receipt is a small document; a longer one is refused unread.
const RECEIPT_LIMIT: u64 = 64 << 10;

/// What to say of a package that was passed over for one that this site knows nothing of.
const FORGOTTEN: &str = "; this site does not know that later package, most likely because its exchange folder was \
                         restored from a backup: export the claim anew";

/// Whether the sender of a package was told what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Acknowledgement {
    /// The sender took the receipt.
    Told,
    /// The receipt was left for the sender to collect.
    Left,
    /// The sender could not be told now. The outbox and [`Exchange::acknowledge`] try again, and the sender can ask.
    NotTold(Error),
}

impl Exchange {
    /// Tells the sender of a package that was unpacked or rejected so, with a signed receipt.
    ///
    /// That the sender cannot be told is no failure of that step: it is in the answer and in the history. It is told
    /// when it can be reached, by [`start_outbox`](Self::start_outbox) or [`send_due`](Self::send_due); until then
    /// [`PackageQuery::only_untold`](crate::ledger::PackageQuery::only_untold) lists the package.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::Ledger`].
    pub fn acknowledge(&self, package: PackageId) -> Result<Acknowledgement> {
        let incoming = self.incoming(package)?;
        span!("acknowledge", package = package, partner = incoming.from);
        match self.post_receipt(&incoming) {
            Ok(told) => {
                self.record_told(&incoming, &told)?;
                Ok(told)
            }
            Err(error) => {
                let said = format!("the sender could not be told: {error}");
                let entry = incoming_entry(&incoming, Step::Acknowledged, self.0.site.as_str(), said);
                self.0.ledger.commit(&[Change::Append(entry.failed_with(&error))])?;
                self.note_untold(&incoming, &error, self.now());
                self.0.outbox.call(&incoming.from);
                Ok(Acknowledgement::NotTold(error))
            }
        }
    }

    /// Records that the sender was told what stands with the package in `told_of`.
    pub(super) fn record_told(&self, told_of: &Incoming, told: &Acknowledgement) -> Result<()> {
        let said = match told {
            Acknowledgement::Left => "receipt left for the sender to collect",
            _ => "the sender was told what became of the package",
        };
        let entry = incoming_entry(told_of, Step::Acknowledged, self.0.site.as_str(), said);
        let mut changes = vec![Change::Append(entry)];
        let _turn = self.turn_of_package(told_of.id);
        let mut incoming = self.incoming(told_of.id)?;
        // A later word is still to be told.
        if incoming.untold && incoming.receipt == told_of.receipt {
            incoming.untold = false;
            let was = Some(incoming.state);
            changes.push(Change::SetIncoming { package: incoming, was });
        }
        self.0.outbox.untold.told(&told_of.from);
        self.0.ledger.commit(&changes)
    }

    pub(super) fn post_receipt(&self, incoming: &Incoming) -> Result<Acknowledgement> {
        let partner = &*self.partner(&incoming.from)?;
        let transport = partner.transport()?;
        let json = self.receipt_for(incoming)?.to_json()?;
        let mut request = Request::new("POST", &Route::Receipts.path(transport.base_path()))?;
        request.headers_mut().insert("content-type", RECEIPT_MEDIA_TYPE)?;
        request.headers_mut().insert("content-digest", Digest::of(&json).to_string())?;
        self.sign_request(&mut request)?;
        let reply = transport.send(&request, Body::new(json.len() as u64, &mut json.as_slice()))?;
        match reply.into_answer(&request) {
            Some((_, response)) if response.is_success() => Ok(Acknowledgement::Told),
            Some((_, response)) => Err(Problem::from_response(&response).into_error(&partner.alias)),
            None => Ok(Acknowledgement::Left),
        }
    }

    /// Takes in a recipient's word on one of our packages.
    pub(super) fn take_receipt(
        &self,
        request: &Request,
        peer: &Peer,
        body: &mut dyn Read,
    ) -> Result<Response> {
        let partner = self.signer_of(request, peer)?;
        span!("take_receipt", partner = partner.site);
        let mut json = Vec::new();
        body.take(RECEIPT_LIMIT + 1).read_to_end(&mut json)?;
        if json.len() as u64 > RECEIPT_LIMIT {
            return Err(Error::new(ErrorKind::BadMessage, "the receipt is larger than a receipt ever is"));
        }
        announced_digest(request)?.check(&Digest::of(&json))?;
        let receipt = Receipt::from_json(&json)?;
        span!("receipt", package = receipt.package_id, partner = partner.site, state = receipt.state.name());
        let outgoing = self.outgoing(receipt.package_id)?;
        if outgoing.package.to != partner.site || receipt.from != partner.site || receipt.to != self.0.site {
            return Err(super::unknown_package(receipt.package_id));
        }
        let evidence = Json::from_serialize(&Evidence::of_request(request, &json))?.to_string();
        self.record_word(&receipt, evidence)?;
        let mut response = Response::new(204, Vec::new())?;
        self.sign_response(request, &mut response)?;
        Ok(response)
    }

    /// Asks the recipient what became of a package, and records its answer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn poll(&self, package: PackageId) -> Result<Outgoing> {
        let outgoing = self.outgoing(package)?;
        span!("poll", package = package, partner = outgoing.package.to);
        match self.ask(&*self.partner(&outgoing.package.to)?, &outgoing)? {
            Some((receipt, evidence)) => self.record_word(&receipt, evidence),
            None => Ok(outgoing),
        }
    }

    /// The recipient's word on a package and the evidence of it; `None` when the answer is still to come.
    pub(super) fn ask(&self, partner: &Partner, outgoing: &Outgoing) -> Result<Option<(Receipt, String)>> {
        let transport = partner.transport()?;
        let route = Route::State(outgoing.package.id);
        let mut request = Request::new(route.method(), &route.path(transport.base_path()))?;
        self.sign_request(&mut request)?;
        let reply = transport.send(&request, Body::new(0, &mut std::io::empty()))?;
        let Some((request, response)) = reply.into_answer(&request) else { return Ok(None) };
        let (receipt, evidence) = receipt_of(partner, &request, &response)?;
        speaks_of(&receipt, outgoing)?;
        Ok(Some((receipt, evidence)))
    }

    /// Answers a sender that asks what became of its package; nobody else learns that it exists.
    pub(super) fn state_of(&self, request: &Request, peer: &Peer, package: PackageId) -> Result<Response> {
        let partner = self.asker(request, peer)?;
        span!("state", package = package, partner = partner.site);
        let incoming = self.incoming_of(&partner, package)?.ok_or_else(|| super::unknown_package(package))?;
        self.signed_receipt(request, &incoming)
    }

    /// Records how far the recipient says it came; a word that says less than an earlier one changes nothing.
    pub(super) fn record_word(&self, receipt: &Receipt, evidence: String) -> Result<Outgoing> {
        let package = receipt.package_id;
        let outgoing = self.outgoing(package)?;
        let to = outgoing.package.to.clone();
        if receipt.digest.to_hex() != outgoing.sha256 {
            let said = "the receipt speaks of other bytes than were sent";
            return Err(Error::new(ErrorKind::DigestMismatch, said).retryable(false));
        }
        let passed_over_for = self.passed_over_for(&outgoing, receipt)?;
        let (state, step, said) = match receipt.state {
            _ if passed_over_for.is_some() => {
                (OutgoingState::Rejected, Step::Rejected, "passed over the package")
            }
            ReceiptState::Received => (OutgoingState::Delivered, Step::Delivered, "holds the package"),
            ReceiptState::Unpacked => (OutgoingState::Unpacked, Step::Unpacked, "has unpacked the package"),
            ReceiptState::Rejected => (OutgoingState::Rejected, Step::Rejected, "rejected the package"),
        };
        let detail =
            receipt.detail.as_deref().map(|detail| format!(": {}", printable(detail))).unwrap_or_default();
        let remedy = if passed_over_for.is_some() { FORGOTTEN } else { "" };
        let said = format!("{} {said}{detail}{remedy}", self.partner(&to)?.alias);
        // First, since only a word that is still to be recorded is given again after a crash. A recipient that kept or
        // changed some of it says what it has in its next package.
        let accepted = receipt.disposition == Some(Disposition::Accepted);
        match (outgoing.package.kind, passed_over_for) {
            (_, Some(applied)) => self.number_above(&outgoing, applied)?,
            (PackageKind::Claim, _) if accepted => self.agree_on(&outgoing)?,
            (PackageKind::Claim, _) if receipt.state == ReceiptState::Unpacked => {
                self.forget_before(&outgoing)?;
            }
            (PackageKind::Notes, _) if receipt.state != ReceiptState::Received => {
                self.settle_notes(&outgoing, accepted && receipt.state == ReceiptState::Unpacked)?;
            }
            _ => {}
        }
        let details = receipt.details.iter().cloned().map(|detail| detail.each_text(printable));
        let refusal = Error::new(ErrorKind::Refused, said.as_str()).with_details(details);
        let (outgoing, recorded) = self.update_outgoing(package, |outgoing| {
            if outgoing.state == state
                || matches!(outgoing.state, OutgoingState::Unpacked | OutgoingState::Rejected)
            {
                return None;
            }
            outgoing.state = state;
            settle(outgoing);
            match state {
                OutgoingState::Delivered => keep_receipt(outgoing, &evidence),
                _ => outgoing.last_receipt = Some(evidence.clone()),
            }
            outgoing.untold_failure = self.to_be_told(state == OutgoingState::Rejected, &said);
            outgoing.pending_feedback = match state {
                OutgoingState::Unpacked => self.feedback_on(&to, receipt),
                _ => None,
            };
            let entry = outgoing_entry(outgoing, step, to.as_str(), said.as_str());
            Some(if state == OutgoingState::Rejected { entry.failed_with(&refusal) } else { entry })
        })?;
        if recorded {
            // Later packages of the claim may have waited for it.
            self.0.outbox.call(&to);
            let claim = outgoing.package.claim.clone();
            match state {
                OutgoingState::Delivered => self.tell(&Event::Delivered { package, to, claim }),
                OutgoingState::Unpacked => self.tell(&Event::Unpacked { package, to, claim }),
                _ => self.tell_failure(&outgoing)?,
            }
        }
        self.fill_feedback(outgoing)
    }

    /// What packages before this one said is not needed any more: the recipient's next one speaks of this, or a later
    /// one. It waits for that, where the recipient kept values of its own; and so does what it took over before.
    fn forget_before(&self, outgoing: &Outgoing) -> Result<()> {
        let (to, claim) = (&outgoing.package.to, &outgoing.package.claim);
        let _turn = self.turn_of_claim(claim);
        let link = self.link(to, claim)?;
        let up_to = outgoing.package.sequence.saturating_sub(1);
        let mut taken = self.taken_over(&link)?;
        taken.retain(|earlier| earlier.sequence <= up_to);
        self.0.ledger.commit(&in_place_of_all(up_to, &link, taken))
    }

    /// What an unpacked package said is common to both sides from then on. Doing it again changes nothing.
    fn agree_on(&self, outgoing: &Outgoing) -> Result<()> {
        let (to, claim, sequence) =
            (&outgoing.package.to, &outgoing.package.claim, outgoing.package.sequence);
        let _turn = self.turn_of_claim(claim);
        let mut link = self.link(to, claim)?;
        let said = self.0.ledger.sent_snapshot(to, claim, sequence)?;
        let (Some(said), true) = (said, sequence > link.acknowledged_sequence) else { return Ok(()) };
        // All they took over stays until their next package names it: one that is older may still be on its way.
        let mut before = self.taken_over(&link)?;
        before.iter_mut().for_each(|earlier| not_said_again(&mut earlier.records, &said));
        before.retain(|earlier| !earlier.records.is_empty());
        link.acknowledged_before = before.iter().map(|earlier| earlier.sequence).collect();
        link.acknowledged_sequence = sequence;
        let records = agree(&self.0.ledger.base(to, claim)?, &said);
        let mut changes = vec![Change::SetBase { partner: to.clone(), claim: claim.clone(), records }];
        changes.extend(in_place_of_all(sequence - 1, &link, before));
        changes.push(Change::SetLink(link));
        self.0.ledger.commit(&changes)
    }

    /// What the partner took over of ours and did not name yet: the packages, each without what a later one says.
    pub(super) fn taken_over(&self, link: &Link) -> Result<Vec<SentSnapshot>> {
        let mut taken = Vec::new();
        for sequence in link.acknowledged_before.iter().chain([&link.acknowledged_sequence]) {
            let said = self.0.ledger.sent_snapshot(&link.partner, &link.claim, *sequence)?;
            let snapshot =
                |said| SentSnapshot::new(link.partner.clone(), link.claim.clone(), *sequence, said);
            taken.extend(said.map(snapshot));
        }
        Ok(taken)
    }
}

/// Keeps of all that was said up to a sequence these snapshots alone.
fn in_place_of_all(up_to: u64, link: &Link, kept: Vec<SentSnapshot>) -> Vec<Change> {
    let (partner, claim) = (link.partner.clone(), link.claim.clone());
    let mut changes = vec![Change::DropSnapshots { partner, claim, up_to }];
    changes.extend(kept.into_iter().map(Change::AddSnapshot));
    changes
}
