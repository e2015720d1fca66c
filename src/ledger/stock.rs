//! How many packages stand in which state: what monitoring asks of a ledger.

use super::{IncomingState, Ledger, OutgoingState, PackageQuery, incoming_pages, outgoing_pages};
use crate::Result;
use crate::model::Timestamp;
use std::collections::BTreeMap;

/// How many packages stand in which state. A state that no package is in may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stock {
    /// Outgoing packages by state.
    pub outgoing: BTreeMap<OutgoingState, u64>,
    /// Incoming packages by state.
    pub incoming: BTreeMap<IncomingState, u64>,
    /// When the oldest of those that are [still to be delivered](OutgoingState::OPEN) was exported.
    pub oldest_waiting: Option<Timestamp>,
}

impl Stock {
    /// Counts by reading every package: for a ledger that has no count of its own.
    pub(super) fn counted<L: Ledger + ?Sized>(ledger: &L) -> Result<Self> {
        let mut stock = Self { oldest_waiting: oldest_waiting(ledger)?, ..Self::default() };
        for page in outgoing_pages(ledger, PackageQuery::new()) {
            page?.iter().for_each(|package| *stock.outgoing.entry(package.state).or_default() += 1);
        }
        for page in incoming_pages(ledger, PackageQuery::new()) {
            page?.iter().for_each(|package| *stock.incoming.entry(package.state).or_default() += 1);
        }
        Ok(stock)
    }
}

/// When the oldest package that waits to be delivered was exported; lists are in the order of the exports.
pub(super) fn oldest_waiting<L: Ledger + ?Sized>(ledger: &L) -> Result<Option<Timestamp>> {
    let first = ledger.outgoing_list(&PackageQuery::new().outgoing_in(OutgoingState::OPEN).limit(1))?;
    Ok(first.first().map(|oldest| oldest.package.created_at))
}
