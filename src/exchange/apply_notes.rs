//! Notes on their own, incoming: applied as they arrive, once they are durably held.
//!
//! The sealed package is in the inbox and in the ledger before anything is made of it. What dies in between is done
//! when the exchange is opened again, or when the sender sends it again.

use super::Exchange;
use super::event::Event;
use super::exchanged_part::ExchangedPart;
use super::notes::not_in;
use super::partner::Partner;
use super::receipts::Acknowledgement;
use super::receive::incoming_entry;
use super::summary::{disposition, summary};
use super::unpack::{Unpacked, done_before, is_open};
use crate::case_system::StagedDocuments;
use crate::codec::Watch;
use crate::ledger::{Change, Fault, Incoming, IncomingState, Step};
use crate::merge::{ChangeSet, merge_keeping, without};
use crate::model::{ExchangeId, PackageId, PackageKind, Record, RecordKind};
use crate::package::Contents;
use crate::protocol::{Disposition, ReceiptState};
use crate::trace::span;
use crate::{Error, ErrorKind, Result};

/// What a package of notes would do here.
pub(super) struct PreparedNotes {
    pub(super) changes: ChangeSet,
    /// Every note it carries.
    carried: Vec<Record>,
    /// Those of them that were not common to both sides, without what they say of what is this site's alone.
    learned: Vec<Record>,
    /// What the sender is told once the changes are applied.
    word: (Disposition, Option<String>),
}

impl Exchange {
    /// Applies the notes that were received and, because of a crash or a passing fault, not applied; tells their
    /// senders, and says which packages these were. [`open`](Self::open) does the same, but leaves it to the outbox to
    /// tell the senders.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`]. Why a package cannot be applied is in its history.
    pub fn apply_pending_notes(&self) -> Result<Vec<PackageId>> {
        let applied = self.apply_notes_that_wait()?;
        for package in &applied {
            self.acknowledge(*package)?;
        }
        Ok(applied)
    }

    pub(super) fn apply_notes_that_wait(&self) -> Result<Vec<PackageId>> {
        let mut applied = Vec::new();
        for incoming in self.waiting(PackageKind::Notes)? {
            // Notes of a site that is no partner any more wait until it is one again.
            let Ok(partner) = self.partner(&incoming.from) else { continue };
            match self.apply_notes(&partner, incoming.id, self.0.site.as_str(), true, &()) {
                Ok(_) => applied.push(incoming.id),
                Err(error) if error.kind() == ErrorKind::Ledger => return Err(error),
                // It stands in the history, and the package still waits or was refused.
                Err(_) => {}
            }
        }
        Ok(applied)
    }

    /// Applies a package of notes that is durably held; one that is applied already changes nothing, one that was
    /// rejected is rejected again. What comes of it is `to_be_told` to the sender, where that gets no answer by which it
    /// learns of it.
    pub(super) fn apply_notes(
        &self,
        partner: &Partner,
        package: PackageId,
        by: &str,
        to_be_told: bool,
        watch: &dyn Watch,
    ) -> Result<Unpacked> {
        span!("apply_notes", package = package, partner = partner.site);
        let incoming = self.incoming(package)?;
        if let Some(done) = done_before(&incoming) {
            return Ok(done);
        }
        if incoming.state == IncomingState::Rejected {
            return Err(refusal_of(&incoming));
        }
        let mut claim = None;
        let applied = self.open_package(partner, &incoming, watch).and_then(|opened| {
            claim = Some(opened.contents.manifest.package.claim.clone());
            self.commit_notes(partner, package, &opened.contents, by, to_be_told)
        });
        match applied {
            Ok(applied) => {
                self.announce_notes(partner, package, &applied.claim)?;
                Ok(applied)
            }
            Err(error) => {
                self.record_notes_failure(package, claim, by, to_be_told, &error)?;
                Err(error)
            }
        }
    }

    /// What the notes change here. Notes that both sides have already are passed over.
    pub(super) fn prepare_notes(&self, partner: &Partner, contents: &Contents) -> Result<PreparedNotes> {
        let claim = &contents.manifest.package.claim;
        let link = self.link(&partner.site, claim)?;
        let known = link.received_from || link.sent_sequence > 0;
        // A claim that was never exchanged with this partner is as good as none: it does not learn of it.
        let file = if known { self.0.case_system.load(claim)? } else { None };
        let local = file.ok_or_else(|| no_such_claim(claim))?.to_records()?;
        let carried: Vec<Record> =
            contents.records.iter().filter(|record| record.kind == RecordKind::Note).cloned().collect();
        let base = self.0.ledger.base(&partner.site, claim)?;
        let contacts = link.contacts.holding(&local, &carried);
        let carried = self.imported(partner, &contacts, carried, &local, &base, None)?;
        let new = not_in(&base, carried.clone());
        let exchanged = ExchangedPart::of(partner, &local);
        let private = exchanged.private(&new, &local, &base);
        let changes = merge_keeping(&local, &new, &base, &private, partner.conflicts)?;
        let word = disposition(&changes, &exchanged);
        Ok(PreparedNotes { changes, carried, learned: without(&new, &private), word })
    }

    fn commit_notes(
        &self,
        partner: &Partner,
        id: PackageId,
        contents: &Contents,
        by: &str,
        to_be_told: bool,
    ) -> Result<Unpacked> {
        let package = &contents.manifest.package;
        let _turns = (self.turn_of_package(id), self.turn_of_claim(&package.claim));
        let mut incoming = self.incoming(id)?;
        if let Some(done) = done_before(&incoming) {
            return Ok(done);
        }
        if incoming.state == IncomingState::Rejected {
            return Err(refusal_of(&incoming));
        }
        let was = Some(incoming.state);
        let prepared = self.prepare_notes(partner, contents)?;
        prepared.changes.unless_blocked()?;
        if !prepared.changes.is_empty() {
            self.apply_marked(&incoming, Vec::new(), || {
                self.0.case_system.apply(&prepared.changes, &StagedDocuments::new(), by)
            })?;
        }
        incoming.state = IncomingState::Unpacked;
        incoming.applying = false;
        incoming.claim = Some(package.claim.clone());
        incoming.sequence = Some(package.sequence);
        incoming.notes = prepared.carried.iter().map(|note| note.id.clone()).collect();
        incoming.last_error = None;
        let (disposition, detail) = prepared.word;
        self.write_receipt(&mut incoming, ReceiptState::Unpacked, Some(disposition), detail, Vec::new())?;
        incoming.untold = to_be_told;
        let said = format!("notes applied by {by}: {}", summary(&prepared.changes));
        let entry = incoming_entry(&incoming, Step::Unpacked, by, said);
        let (site, claim) = (partner.site.clone(), package.claim.clone());
        self.0.ledger.commit(&[
            Change::SetIncoming { package: incoming, was },
            Change::SetBase { partner: site, claim: claim.clone(), records: prepared.learned },
            Change::Append(entry),
        ])?;
        Ok(Unpacked {
            claim,
            changes: prepared.changes,
            superseded: false,
            acknowledgement: Acknowledgement::Left,
        })
    }

    /// New Note: tells the host, and writes down that it was told.
    fn announce_notes(&self, partner: &Partner, package: PackageId, claim: &ExchangeId) -> Result<()> {
        if self.0.listeners.is_empty() {
            return Ok(());
        }
        let from = partner.site.clone();
        self.tell(&Event::NewNote { package, from, claim: claim.clone() });
        let said = format!("New Note from {} was announced here", partner.alias);
        let by = self.0.site.as_str();
        let entry = incoming_entry(&self.incoming(package)?, Step::Notified, by, said);
        self.0.ledger.commit(&[Change::Append(entry)])
    }

    /// Keeps the reason with the package. Without its claim it is refused for good; after a passing fault it waits as
    /// it did; else it waits for a person.
    fn record_notes_failure(
        &self,
        package: PackageId,
        claim: Option<ExchangeId>,
        by: &str,
        to_be_told: bool,
        error: &Error,
    ) -> Result<()> {
        let turn = self.turn_of_package(package);
        let mut incoming = self.incoming(package)?;
        // Where another thread has dealt with the package meanwhile, its word stands.
        if !is_open(&incoming) {
            return Ok(());
        }
        let was = Some(incoming.state);
        let from = incoming.from.clone();
        incoming.claim = claim.or(incoming.claim);
        incoming.last_error = Some(Fault::from(error));
        incoming.updated_at = self.now();
        let mut step = Step::Failed;
        if error.kind() == ErrorKind::UnknownClaim {
            step = Step::Rejected;
            incoming.state = IncomingState::Rejected;
            // There is nothing to look at, and what may have been applied went with the claim.
            (incoming.is_new, incoming.applying) = (false, false);
            let refused = Disposition::rejected_for(error.kind());
            let detail = Some(error.to_string());
            self.write_receipt(&mut incoming, ReceiptState::Rejected, Some(refused), detail, Vec::new())?;
            incoming.untold = to_be_told;
        } else if !error.is_retryable() {
            incoming.state = IncomingState::Failed;
        }
        let entry = incoming_entry(&incoming, step, by, error.to_string()).failed_with(error);
        self.0.ledger.commit(&[Change::SetIncoming { package: incoming, was }, Change::Append(entry)])?;
        drop(turn);
        if !error.is_retryable() {
            self.tell(&Event::UnpackFailed { package, from, reason: error.to_string() });
        }
        Ok(())
    }
}

fn no_such_claim(claim: &ExchangeId) -> Error {
    Error::new(
        ErrorKind::UnknownClaim,
        format!(
            "claim {claim} is not here: it was removed, or its package was not unpacked yet; once it is here, export \
             the notes anew"
        ),
    )
}

/// Why a package was rejected, as it was told the first time.
fn refusal_of(incoming: &Incoming) -> Error {
    let fault = incoming.last_error.clone().unwrap_or_else(|| {
        Fault::new(ErrorKind::Refused.name(), format!("package {} was rejected here", incoming.id))
    });
    let kind = ErrorKind::from_name(&fault.kind).unwrap_or(ErrorKind::Refused);
    Error::new(kind, fault.message).with_details(fault.details)
}
