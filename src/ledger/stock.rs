//! How many packages stand in which state: what monitoring asks of a ledger.

use super::{IncomingState, Ledger, OutgoingState, PackageQuery};
use crate::Result;
use crate::model::{PackageId, Timestamp};
use std::collections::BTreeMap;

/// How many packages stand in which state. A state that no package is in may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stock {
    /// Outgoing packages by state.
    pub outgoing: BTreeMap<OutgoingState, u64>,
    /// Incoming packages by state.
    pub incoming: BTreeMap<IncomingState, u64>,
    /// When the oldest of those in a [waiting](Self::WAITING) state was exported.
    pub oldest_waiting: Option<Timestamp>,
}

impl Stock {
    /// The states of packages that wait to be delivered.
    pub const WAITING: [OutgoingState; 3] =
        [OutgoingState::Queued, OutgoingState::Sending, OutgoingState::Sent];

    /// Counts by reading every package: for a ledger that has no count of its own.
    pub(super) fn counted<L: Ledger + ?Sized>(ledger: &L) -> Result<Self> {
        let mut stock = Self { oldest_waiting: oldest_waiting(ledger)?, ..Self::default() };
        each(|query| {
            let page = ledger.outgoing_list(query)?;
            page.iter().for_each(|package| *stock.outgoing.entry(package.state).or_default() += 1);
            Ok(page.last().map(|last| last.package.id))
        })?;
        each(|query| {
            let page = ledger.incoming_list(query)?;
            page.iter().for_each(|package| *stock.incoming.entry(package.state).or_default() += 1);
            Ok(page.last().map(|last| last.id))
        })?;
        Ok(stock)
    }
}

/// When the oldest package that waits to be delivered was exported; lists are in the order of the exports.
pub(super) fn oldest_waiting<L: Ledger + ?Sized>(ledger: &L) -> Result<Option<Timestamp>> {
    let first = ledger.outgoing_list(&PackageQuery::new().outgoing_in(Stock::WAITING).limit(1))?;
    Ok(first.first().map(|oldest| oldest.package.created_at))
}

/// Goes through a list page by page, until one is empty.
fn each(mut page: impl FnMut(&PackageQuery) -> Result<Option<PackageId>>) -> Result<()> {
    let mut query = PackageQuery::new();
    while let Some(last) = page(&query)? {
        query = query.after(last);
    }
    Ok(())
}
