//! Reject: a person refuses a package that came in, for good, and its sender is told why.

use super::Exchange;
use super::receipts::Acknowledgement;
use super::receive::incoming_entry;
use super::told::told_detail;
use crate::ledger::{Change, Fault, Incoming, IncomingState, Step};
use crate::model::PackageId;
use crate::protocol::{Disposition, ReceiptState, printable};
use crate::trace::span;
use crate::{Detail, Error, ErrorKind, Result};

/// The longest reason, in characters: a partner shows no more of it.
const LONGEST_REASON: usize = 1000;

/// What the sender is told of single faults, in bytes; a receipt has at most 64 KiB.
const TOLD_BYTES: usize = 24 << 10;

/// About what one of them costs beside its texts.
const COST_OF_MEMBERS: usize = 64;

impl Exchange {
    /// Refuses a package that came in and was not unpacked, for good, and tells its sender: `reason`, and of an unpack
    /// that failed before, the code and the details, these without what is this site's alone. Who rejected it stays here.
    ///
    /// It cannot be unpacked any more; the sender can export the claim anew. Its sealed bytes stay in the inbox: the
    /// receipts speak of them. Rejecting it again keeps the first reason and tells the sender again.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPackage`]; [`ErrorKind::WrongState`] when it was unpacked already, or may have been by a process
    /// that died in it;
    /// [`ErrorKind::InvalidArgument`] without a reason, or with one of more than 1,000 characters;
    /// [`ErrorKind::Ledger`]. That the sender cannot be told is no failure of this: it is in the answer.
    pub fn reject(&self, package: PackageId, by: &str, reason: &str) -> Result<Acknowledgement> {
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
            let said = format!("say in 1 to {LONGEST_REASON} characters why package {package} is rejected");
            return Err(Error::new(ErrorKind::InvalidArgument, said));
        }
        let from = self.incoming(package)?.from;
        span!("reject", package = package, partner = from);
        self.write_rejection(package, by, reason)?;
        self.acknowledge(package)
    }

    fn write_rejection(&self, package: PackageId, by: &str, reason: &str) -> Result<()> {
        // An unpack that is under way comes to its end first.
        let _turn = self.turn_of_package(package);
        loop {
            let mut incoming = self.incoming(package)?;
            let was = Some(incoming.state);
            match incoming.state {
                IncomingState::Received | IncomingState::Failed if incoming.applying => {
                    return Err(Error::new(
                        ErrorKind::WrongState,
                        format!(
                            "package {package} may be in the case system already, since an unpack of it was cut off: it \
                             cannot be rejected; unpack it again, which does no more than is missing"
                        ),
                    ));
                }
                IncomingState::Received | IncomingState::Failed => {}
                IncomingState::Rejected => return Ok(()),
                IncomingState::Unpacked | IncomingState::Superseded => {
                    return Err(Error::new(
                        ErrorKind::WrongState,
                        format!("package {package} was unpacked here and cannot be rejected any more"),
                    ));
                }
            }
            let failed = incoming.last_error.take();
            let kind = failed.as_ref().and_then(|fault| ErrorKind::from_name(&fault.kind));
            let kind = kind.unwrap_or(ErrorKind::Refused);
            let mut fault = Fault::new(kind.name(), reason);
            fault.details = failed.map(|fault| fault.details).unwrap_or_default();
            let told = told_of(&fault.details);
            incoming.state = IncomingState::Rejected;
            // Somebody has looked at it.
            incoming.is_new = false;
            incoming.last_error = Some(fault.clone());
            let disposition = Some(Disposition::rejected_for(kind));
            let detail = Some(printable(reason));
            self.write_receipt(&mut incoming, ReceiptState::Rejected, disposition, detail, told)?;
            let mut entry =
                incoming_entry(&incoming, Step::Rejected, by, format!("rejected by {by}: {reason}"));
            entry.error = Some(fault);
            match self
                .0
                .ledger
                .commit(&[Change::SetIncoming { package: incoming, was }, Change::Append(entry)])
            {
                // A failed try was noted meanwhile.
                Err(error) if error.kind() == ErrorKind::WrongState => {}
                done => return done,
            }
        }
    }
}

/// Refuses what a person has rejected.
pub(super) fn unless_rejected(incoming: &Incoming) -> Result<()> {
    if incoming.state != IncomingState::Rejected {
        return Ok(());
    }
    let reason = incoming.last_error.as_ref().map_or("no reason given", |fault| fault.message.as_str());
    Err(Error::new(
        ErrorKind::WrongState,
        format!(
            "package {} was rejected here for good: {reason}; ask {} to export the claim anew",
            incoming.id, incoming.from
        ),
    ))
}

/// As many details as a receipt holds; the last one says how many there are beyond.
fn told_of(details: &[Detail]) -> Vec<Detail> {
    let mut left = TOLD_BYTES;
    let mut told = Vec::new();
    for detail in details {
        let detail = told_detail(detail.clone()).each_text(printable);
        let optional = [&detail.code, &detail.subject, &detail.proposal];
        let cost = optional.into_iter().flatten().map(String::len).sum::<usize>()
            + detail.message.len()
            + COST_OF_MEMBERS;
        let Some(rest) = left.checked_sub(cost) else {
            told.push(Detail::new(format!("There are {} more.", details.len() - told.len())));
            break;
        };
        left = rest;
        told.push(detail);
    }
    told
}
