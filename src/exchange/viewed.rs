//! The mark of the new: on packages and notes that came in, until a person has looked at their claim.

use super::Exchange;
use super::receive::incoming_entry;
use crate::ledger::{Change, PackageQuery, Step};
use crate::model::{ExchangeId, PackageId};
use crate::{ErrorKind, Result};
use std::collections::BTreeSet;

impl Exchange {
    /// Takes the mark of the new off everything that came in for a claim, and says off which packages;
    /// [`PackageQuery::only_new`] lists those that carry it. A package that is not unpacked yet belongs to no claim
    /// and keeps its mark.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`].
    pub fn mark_viewed(&self, claim: &ExchangeId, by: &str) -> Result<Vec<PackageId>> {
        let query = PackageQuery::new().claim(claim.clone()).only_new();
        let mut viewed = Vec::new();
        loop {
            let marked = self.0.ledger.incoming_list(&query)?;
            if marked.is_empty() {
                return Ok(viewed);
            }
            // What is unpacked meanwhile takes its turn after this, and is new again.
            let ids: BTreeSet<PackageId> = marked.iter().map(|package| package.id).collect();
            let _turns: Vec<_> = ids.into_iter().map(|package| self.turn_of_package(package)).collect();
            let (mut ids, mut changes) = (Vec::new(), Vec::new());
            for package in marked {
                let mut package = self.incoming(package.id)?;
                // Somebody else may have looked meanwhile, too.
                if !package.is_new {
                    continue;
                }
                ids.push(package.id);
                package.is_new = false;
                changes.push(Change::Append(incoming_entry(
                    &package,
                    Step::Viewed,
                    by,
                    format!("viewed by {by}"),
                )));
                let was = Some(package.state);
                changes.push(Change::SetIncoming { package, was });
            }
            match self.0.ledger.commit(&changes) {
                Ok(()) => viewed.extend(ids),
                // A failure was noted with one of them meanwhile: look again.
                Err(error) if error.kind() == ErrorKind::WrongState => {}
                Err(error) => return Err(error),
            }
        }
    }
}
