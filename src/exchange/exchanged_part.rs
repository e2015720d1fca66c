//! What of a claim here is exchanged with a partner: only that does it write to, and only of that is it told.

use super::partner::Partner;
use crate::merge::private_part;
use crate::model::Record;
use crate::rules::withheld;
use std::collections::BTreeSet;

/// The records and fields of a claim here that the partner's settings let out.
pub(super) struct ExchangedPart<'a> {
    partner: &'a Partner,
    withheld: BTreeSet<&'a str>,
}

impl<'a> ExchangedPart<'a> {
    pub(super) fn of(partner: &'a Partner, local: &'a [Record]) -> Self {
        Self { partner, withheld: withheld(local, &partner.selection, None) }
    }

    /// Whether this field of a record here is let out.
    pub(super) fn has(&self, ours: &Record, field: &str) -> bool {
        !self.stays(ours) && self.partner.selection.exchanges_field(ours.kind, field)
    }

    /// What of the incoming records speaks of what is this site's alone. A record that the partner made itself is not,
    /// whoever brought it here.
    pub(super) fn private(&self, incoming: &[Record], local: &[Record], base: &[Record]) -> Vec<Record> {
        let stays = |ours: &Record| self.stays(ours) && !ours.id.is_from(&self.partner.site);
        let chosen = |kind, field: &str| self.partner.selection.exchanges_field(kind, field);
        private_part(incoming, local, base, stays, chosen)
    }

    fn stays(&self, ours: &Record) -> bool {
        self.withheld.contains(ours.id.as_str())
    }
}
