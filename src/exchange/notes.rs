//! Notes on their own, outgoing: what of a claim's notes the partner has not seen, sealed and queued.
//!
//! Notes packages have sequence numbers of their own, and neither state nor move what is counted for claim packages:
//! they never supersede one, nor are they superseded.

use super::Exchange;
use super::event::Event;
use super::partner::Partner;
use crate::ledger::{Change, Link, Outgoing, OutgoingState, PackageQuery};
use crate::model::{ExchangeId, PackageKind, Record, RecordKind, SiteId};
use crate::rules::{Violation, ViolationCode, select_notes, violations_error};
use crate::trace::span;
use crate::{ErrorKind, Result};
use std::collections::BTreeSet;

impl Exchange {
    /// Exports the notes of a claim that ONE partner has not seen: a sealed package in the outbox, ready to
    /// [`send`](Self::send). Its recipient applies it as it arrives.
    ///
    /// Neither documents nor custom fields nor internal notes go along, and of the claim only its id. A note that
    /// is on its way, or that came from the partner, is one it has seen; a note in a notes package that the partner
    /// refused is not.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`], [`ErrorKind::UnknownClaim`]; [`ErrorKind::ExportRulesViolated`] when the claim
    /// was neither delivered to the partner nor received from it
    /// ([`ViolationCode::NotExchangedBefore`]) or has no note for it ([`ViolationCode::NoNewNote`]);
    /// [`ErrorKind::SealedTooLarge`]; and those of the case system, the ledger and the disk. The outbox is as it was
    /// after an error.
    pub fn export_notes(&self, claim: &ExchangeId, to: &SiteId, by: &str) -> Result<Outgoing> {
        span!("export_notes", partner = to);
        let partner = &*self.partner(to)?;
        let turn = self.exporting();
        let file = self.0.case_system.load(claim)?.ok_or_else(|| super::unknown_claim(claim))?;
        let link = self.link(to, claim)?;
        let refused = |code, message: String| {
            let violation = Violation::new(code, Some(claim.clone()), message);
            violations_error(ErrorKind::ExportRulesViolated, &[violation])
                .within(format_args!("notes of claim {claim} were not exported to {}", partner.alias))
        };
        if !self.was_exchanged(&link)? {
            let said =
                format!("The claim was never exchanged with {}. Export the claim first.", partner.alias);
            return Err(refused(ViolationCode::NotExchangedBefore, said));
        }
        let local = file.to_records()?;
        let notes = self.new_notes(partner, claim, &local)?;
        if notes.is_empty() {
            let said = format!(
                "{} has every note of the claim that may leave. Add a note that is neither internal nor filed under something that stays here.",
                partner.alias
            );
            return Err(refused(ViolationCode::NoNewNote, said));
        }
        let mut records = vec![Record::new(RecordKind::Claim, claim.clone())];
        records.extend(notes);
        partner.names.check()?;
        let records = partner.names.without_taken(records);
        let named = self.named_for(partner, &link, &local, &records);
        if !named.violations.is_empty() {
            return Err(violations_error(ErrorKind::ExportRulesViolated, &named.violations));
        }
        let package = self.new_package(PackageKind::Notes, partner, &link, by)?;
        let sealed = self.seal(partner, &package, &named.records, &())?;
        let outgoing = self.put_in_outbox(partner, package, records, sealed)?;
        drop(turn);
        self.tell(&Event::Exported { package: outgoing.package.id, to: to.clone(), claim: claim.clone() });
        Ok(outgoing)
    }

    /// Whether the partner is known to have had the claim: it sent it, or holds a package of it.
    fn was_exchanged(&self, link: &Link) -> Result<bool> {
        if link.received_from {
            return Ok(true);
        }
        let sent = PackageQuery::new()
            .claim(link.claim.clone())
            .partner(link.partner.clone())
            .kind(PackageKind::Claim);
        let held = sent.clone().outgoing_in([OutgoingState::Delivered, OutgoingState::Unpacked]).limit(1);
        if !self.0.ledger.outgoing_list(&held)?.is_empty() {
            return Ok(true);
        }
        // One that is sent again was there before.
        let again = self.0.ledger.outgoing_list(&sent.outgoing_in(OutgoingState::OPEN))?;
        Ok(again.iter().any(|outgoing| outgoing.receipt.is_some() || outgoing.last_receipt.is_some()))
    }

    /// The notes that may leave and that the partner has not seen.
    fn new_notes(&self, partner: &Partner, claim: &ExchangeId, local: &[Record]) -> Result<Vec<Record>> {
        let mut seen = self.0.ledger.notes_sent(&partner.site, claim)?;
        seen.extend(self.0.ledger.base(&partner.site, claim)?.into_iter().map(|record| record.id));
        let mut notes = select_notes(local, &partner.selection);
        notes.retain(|note| !seen.contains(&note.id) && note.id.site() != partner.site.as_str());
        Ok(notes)
    }

    /// Takes in what became of our notes: accepted ones are common to both sides from then on.
    pub(super) fn settle_notes(&self, outgoing: &Outgoing, accepted: bool) -> Result<()> {
        let (id, to, claim) = (outgoing.package.id, &outgoing.package.to, &outgoing.package.claim);
        let _turn = self.turn_of_claim(claim);
        let Some(notes) = self.0.ledger.sent_notes(id)? else { return Ok(()) };
        let mut changes = vec![Change::DropSentNotes(id)];
        if accepted {
            let records = not_in(&self.0.ledger.base(to, claim)?, notes);
            changes.push(Change::SetBase { partner: to.clone(), claim: claim.clone(), records });
        }
        self.0.ledger.commit(&changes)
    }
}

/// The notes that are not in the common state. A claim package may have brought a later form of the others, which
/// this one, late, must not undo.
pub(super) fn not_in(base: &[Record], notes: Vec<Record>) -> Vec<Record> {
    let known: BTreeSet<&ExchangeId> = base.iter().map(|record| &record.id).collect();
    notes.into_iter().filter(|note| !known.contains(&note.id)).collect()
}
