//! Lists that are read page by page, to their end.

use super::{Incoming, Ledger, Outgoing, PackageQuery};
use crate::Result;
use crate::model::PackageId;

/// The outgoing packages that a query finds, a page at a time; each page is read when the one before was used. Ends
/// after what cannot be read.
pub(crate) fn outgoing_pages<L: Ledger + ?Sized>(
    ledger: &L,
    query: PackageQuery,
) -> impl Iterator<Item = Result<Vec<Outgoing>>> {
    pages(query, |query| ledger.outgoing_list(query), |outgoing| outgoing.package.id)
}

/// The same of incoming packages.
pub(crate) fn incoming_pages<L: Ledger + ?Sized>(
    ledger: &L,
    query: PackageQuery,
) -> impl Iterator<Item = Result<Vec<Incoming>>> {
    pages(query, |query| ledger.incoming_list(query), |incoming| incoming.id)
}

fn pages<T>(
    query: PackageQuery,
    list: impl Fn(&PackageQuery) -> Result<Vec<T>>,
    id_of: impl Fn(&T) -> PackageId,
) -> impl Iterator<Item = Result<Vec<T>>> {
    let mut next = Some(query);
    std::iter::from_fn(move || {
        let query = next.take()?;
        let page = list(&query);
        if let Ok(found) = &page {
            next = Some(query.after(id_of(found.last()?)));
        }
        Some(page)
    })
}
