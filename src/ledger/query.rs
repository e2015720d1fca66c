//! What to list: filters, a limit, and where to go on.

use super::{Direction, IncomingState, OutgoingState, Step};
use crate::model::{ExchangeId, PackageId, PackageKind, SiteId, Timestamp};
use serde::{Deserialize, Serialize};

/// The number of items a list holds unless a query says otherwise.
const DEFAULT_LIMIT: u32 = 1000;

/// Which packages to list; by default the first 1,000 of all.
///
/// To read on, give the last package's id to [`after`](Self::after).
///
/// ```
/// use claimwire::ledger::{OutgoingState, PackageQuery};
/// use claimwire::model::Json;
///
/// let open = PackageQuery::new().outgoing_in([OutgoingState::Queued, OutgoingState::Sent]).limit(50);
/// assert_eq!(open.limit, 50);
/// // The same as JSON: members that are left out have their defaults.
/// let said: PackageQuery = r#"{"outgoing_states": ["queued", "sent"], "limit": 50}"#.parse::<Json>()?.to()?;
/// assert_eq!(said, open);
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PackageQuery {
    /// Only packages of this claim.
    pub claim: Option<ExchangeId>,
    /// Only packages to or from this partner.
    pub partner: Option<SiteId>,
    /// Only packages of this kind.
    pub kind: Option<PackageKind>,
    /// Only outgoing packages in one of these states; empty for all.
    pub outgoing_states: Vec<OutgoingState>,
    /// Only incoming packages in one of these states; empty for all.
    pub incoming_states: Vec<IncomingState>,
    /// Only incoming packages that carry the mark of the new.
    pub only_new: bool,
    /// Only incoming packages whose senders are still to be told what became of them.
    pub only_untold: bool,
    /// Only packages that were exported here, or arrived here, at this moment or later.
    pub from: Option<Timestamp>,
    /// Only packages that were exported here, or arrived here, before this moment.
    pub until: Option<Timestamp>,
    /// The last ones first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
    /// Only those that come after this one in the order of the list.
    pub after: Option<PackageId>,
}

impl Default for PackageQuery {
    fn default() -> Self {
        Self {
            claim: None,
            partner: None,
            kind: None,
            outgoing_states: Vec::new(),
            incoming_states: Vec::new(),
            only_new: false,
            only_untold: false,
            from: None,
            until: None,
            newest_first: false,
            limit: DEFAULT_LIMIT,
            after: None,
        }
    }
}

/// Which entries of the history to list; by default the first 1,000 of all.
///
/// To read on, give the last entry's number to [`after`](Self::after). The order is always that of the entries; a
/// clock that was set back shows in it.
///
/// ```
/// use claimwire::ledger::{HistoryQuery, Step};
///
/// let failed_in_march = HistoryQuery::new()
///     .only_failures()
///     .steps([Step::Failed, Step::Rejected])
///     .by("front desk")
///     .from("2026-03-01T00:00:00-05:00".parse()?)
///     .until("2026-04-01T00:00:00-04:00".parse()?)
///     .newest_first();
/// assert_eq!(failed_in_march.steps.len(), 2);
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// Only entries of this claim.
    pub claim: Option<ExchangeId>,
    /// Only entries of packages that carry this assessment.
    pub assessment: Option<ExchangeId>,
    /// Only entries with this partner.
    pub partner: Option<SiteId>,
    /// Only entries of packages of this kind.
    pub kind: Option<PackageKind>,
    /// Only entries of this direction.
    pub direction: Option<Direction>,
    /// Only entries of this package.
    pub package: Option<PackageId>,
    /// Only entries of what this person or account did, by the name as it was given.
    pub by: Option<String>,
    /// Only these steps; empty for all.
    pub steps: Vec<Step>,
    /// Only entries that hold an error.
    pub only_failures: bool,
    /// Only what happened at this moment or later.
    pub from: Option<Timestamp>,
    /// Only what happened before this moment.
    pub until: Option<Timestamp>,
    /// The last ones first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
    /// Only those that come after this number in the order of the list.
    pub after: Option<u64>,
}

impl Default for HistoryQuery {
    fn default() -> Self {
        Self {
            claim: None,
            assessment: None,
            partner: None,
            kind: None,
            direction: None,
            package: None,
            by: None,
            steps: Vec::new(),
            only_failures: false,
            from: None,
            until: None,
            newest_first: false,
            limit: DEFAULT_LIMIT,
            after: None,
        }
    }
}

macro_rules! filters {
    ($query:ident { $($(#[$doc:meta])* $name:ident: $type:ty,)* }) => {
        impl $query {
            /// Everything, up to the default limit.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$name = Some($name);
                    self
                }
            )*

            /// At most so many.
            #[must_use]
            pub fn limit(mut self, limit: u32) -> Self {
                self.limit = limit;
                self
            }

            /// The last ones first.
            #[must_use]
            pub fn newest_first(mut self) -> Self {
                self.newest_first = true;
                self
            }
        }
    };
}

filters!(PackageQuery {
    /// Only packages of this claim.
    claim: ExchangeId,
    /// Only packages to or from this partner.
    partner: SiteId,
    /// Only packages of this kind.
    kind: PackageKind,
    /// Only packages that were exported here, or arrived here, at this moment or later; to the millisecond.
    from: Timestamp,
    /// Only packages that were exported here, or arrived here, before this moment; to the millisecond.
    until: Timestamp,
    /// Only those that come after this one in the order of the list.
    after: PackageId,
});

filters!(HistoryQuery {
    /// Only entries of this claim.
    claim: ExchangeId,
    /// Only entries of packages that carry this assessment.
    assessment: ExchangeId,
    /// Only entries with this partner.
    partner: SiteId,
    /// Only entries of packages of this kind.
    kind: PackageKind,
    /// Only entries of this direction.
    direction: Direction,
    /// Only entries of this package.
    package: PackageId,
    /// Only what happened at this moment or later; to the millisecond.
    from: Timestamp,
    /// Only what happened before this moment; to the millisecond.
    until: Timestamp,
    /// Only those that come after this number in the order of the list.
    after: u64,
});

impl PackageQuery {
    /// Only outgoing packages in one of these states.
    #[must_use]
    pub fn outgoing_in(mut self, states: impl IntoIterator<Item = OutgoingState>) -> Self {
        self.outgoing_states.extend(states);
        self
    }

    /// Only incoming packages in one of these states.
    #[must_use]
    pub fn incoming_in(mut self, states: impl IntoIterator<Item = IncomingState>) -> Self {
        self.incoming_states.extend(states);
        self
    }

    /// Only incoming packages that carry the mark of the new.
    #[must_use]
    pub fn only_new(mut self) -> Self {
        self.only_new = true;
        self
    }

    /// Only incoming packages whose senders are still to be told what became of them.
    #[must_use]
    pub fn only_untold(mut self) -> Self {
        self.only_untold = true;
        self
    }
}

impl HistoryQuery {
    /// Only entries of what this person or account did, by the name as it was given.
    #[must_use]
    pub fn by(mut self, person: impl Into<String>) -> Self {
        self.by = Some(person.into());
        self
    }

    /// Only these steps, beside those asked for before.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// Only entries that hold an error: what failed, what was rejected, and senders that could not be told.
    #[must_use]
    pub fn only_failures(mut self) -> Self {
        self.only_failures = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_in_json_leaves_out_what_it_does_not_ask_for() {
        let query: PackageQuery = serde_json::from_str(r#"{"only_new": true, "limit": 5}"#).unwrap();
        assert_eq!(query, PackageQuery::new().only_new().limit(5));
        let query: HistoryQuery = serde_json::from_str(r#"{"claim": "A/1", "after": null}"#).unwrap();
        assert_eq!(query, HistoryQuery::new().claim("A/1".parse().unwrap()));
    }

    #[test]
    fn a_misspelt_filter_lists_nothing_by_mistake() {
        assert!(serde_json::from_str::<PackageQuery>(r#"{"clam": "A/1"}"#).is_err());
        assert!(serde_json::from_str::<HistoryQuery>(r#"{"clam": "A/1"}"#).is_err());
    }
}
