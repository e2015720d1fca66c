//! Feedback: the partner's word that it unpacked a package fills a field of our claim, where users look.
//!
//! The word itself is durable before this begins, together with what is to be filled in. Whatever comes of it here, the
//! partner is not concerned: a fault stands in the history, and it is tried again.

use super::Exchange;
use super::export::outgoing_entry;
use crate::case_system::StagedDocuments;
use crate::ledger::{Outgoing, OutgoingState, PackageQuery, Step, outgoing_pages};
use crate::merge::{ConflictPolicy, merge};
use crate::model::{ExchangeId, Json, PackageId, Record, RecordKind, SiteId, Timestamp};
use crate::protocol::{Disposition, Receipt, ReceiptState};
use crate::{ErrorKind, Result};
use std::collections::BTreeSet;

/// How often the claim may change under our hands.
const TRIES: usize = 3;

/// How many packages, the last ones, are looked at when the exchange is opened.
pub(super) const AT_OPENING: u32 = 1000;

impl Exchange {
    /// Fills in what partners said of our packages and the case system could not take then; says for which packages.
    /// [`open`](Self::open) does so for the last 1,000 unpacked packages.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`]. Why a field cannot be filled is in the package's history.
    pub fn fill_pending_feedback(&self) -> Result<Vec<PackageId>> {
        let mut filled = Vec::new();
        let unpacked = PackageQuery::new().outgoing_in([OutgoingState::Unpacked]).newest_first();
        for page in outgoing_pages(&self.0.ledger, unpacked) {
            filled.extend(self.fill_all(page?)?);
        }
        Ok(filled)
    }

    /// The same, for no more than these last packages.
    pub(super) fn fill_feedback_of_last(&self, packages: u32) -> Result<()> {
        if self.feedback_fields().is_empty() {
            return Ok(());
        }
        let unpacked = PackageQuery::new().outgoing_in([OutgoingState::Unpacked]);
        self.fill_all(self.0.ledger.outgoing_list(&unpacked.newest_first().limit(packages))?).map(drop)
    }

    fn fill_all(&self, packages: Vec<Outgoing>) -> Result<Vec<PackageId>> {
        let mut filled = Vec::new();
        for outgoing in packages.into_iter().filter(|outgoing| outgoing.pending_feedback.is_some()) {
            let package = outgoing.package.id;
            if self.fill_feedback(outgoing)?.pending_feedback.is_none() {
                filled.push(package);
            }
        }
        Ok(filled)
    }

    /// What this word is to fill in, where the partner's settings name a field for it.
    pub(super) fn feedback_on(&self, partner: &SiteId, receipt: &Receipt) -> Option<String> {
        let partner = self.partner(partner).ok()?;
        partner.feedback_field.as_ref().filter(|_| receipt.state == ReceiptState::Unpacked)?;
        let at = Timestamp::from_unix_seconds(receipt.at.unix_seconds()).ok()?;
        let disposition = match receipt.disposition {
            Some(Disposition::Accepted) => "accepted",
            Some(Disposition::AcceptedWithChanges) => "accepted with changes",
            Some(Disposition::Rejected { .. }) => "rejected",
            None => "unpacked",
        };
        Some(format!("{at} {disposition}"))
    }

    /// Fills in what is pending of this package; gives the package as it stands afterwards.
    pub(super) fn fill_feedback(&self, outgoing: Outgoing) -> Result<Outgoing> {
        let Some(said) = outgoing.pending_feedback.clone() else { return Ok(outgoing) };
        let Ok(partner) = self.partner(&outgoing.package.to) else { return Ok(outgoing) };
        let Some(field) = &partner.feedback_field else { return Ok(outgoing) };
        let filled = self.fill_field(&outgoing.package.claim, field, &said);
        let by = self.0.site.as_str();
        let (outgoing, _) = self.update_outgoing(outgoing.package.id, |outgoing| {
            outgoing.pending_feedback.as_ref().filter(|pending| **pending == said)?;
            let Err(error) = &filled else {
                outgoing.pending_feedback = None;
                let told = format!("the claim's field `{field}` tells what {} said", partner.alias);
                return Some(outgoing_entry(outgoing, Step::Notified, by, told));
            };
            if error.kind() == ErrorKind::UnknownClaim {
                // A claim that is gone does not come back by trying.
                outgoing.pending_feedback = None;
            }
            let told = format!("the claim's field `{field}` was not filled: {error}");
            Some(outgoing_entry(outgoing, Step::Failed, by, told).failed_with(error))
        })?;
        Ok(outgoing)
    }

    fn fill_field(&self, claim: &ExchangeId, field: &str, said: &str) -> Result<()> {
        let name = custom(field);
        let mut word = Record::new(RecordKind::Claim, claim.clone());
        word.fields.insert(name.clone(), Json::from(said));
        let mut tries = TRIES;
        loop {
            let file = self.0.case_system.load(claim)?.ok_or_else(|| super::unknown_claim(claim))?;
            let local = file.to_records()?;
            let ours = local.iter().find(|record| record.kind == RecordKind::Claim);
            if ours.and_then(|record| time_of(record.fields.get(&name)?.as_str()?)) > time_of(said) {
                return Ok(());
            }
            // Against what stands here itself, so that the word is a plain change and no conflict.
            let changes = merge(&local, std::slice::from_ref(&word), &local, ConflictPolicy::Theirs)?;
            if changes.is_empty() {
                return Ok(());
            }
            tries -= 1;
            match self.0.case_system.apply(&changes, &StagedDocuments::new(), self.0.site.as_str()) {
                Err(moved) if moved.kind() == ErrorKind::Conflict && tries > 0 => {}
                applied => return applied,
            }
        }
    }

    /// Takes out the fields that feedback fills: they are this site's own, and neither leave nor come in.
    pub(super) fn withhold_feedback(&self, records: &mut [Record]) {
        let fields = self.feedback_fields();
        for record in records.iter_mut().filter(|record| record.kind == RecordKind::Claim) {
            record.fields.retain(|name, _| !fields.contains(name));
        }
    }

    fn feedback_fields(&self) -> BTreeSet<String> {
        self.partners().values().filter_map(|partner| partner.feedback_field.as_deref().map(custom)).collect()
    }
}

fn custom(field: &str) -> String {
    format!("custom_fields.{field}")
}

/// The time with which feedback begins.
fn time_of(feedback: &str) -> Option<Timestamp> {
    feedback.split(' ').next()?.parse().ok()
}
