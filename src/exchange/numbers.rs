//! The numbers of claim packages: each is above all that this site gave before, also where it forgot some of them because
//! its folder was restored from a backup.

use super::Exchange;
use crate::Result;
use crate::ledger::{Change, Link, Outgoing, PackageQuery};
use crate::model::{ExchangeId, PackageKind, SiteId, Timestamp};
use crate::protocol::{Receipt, ReceiptState};

/// The highest number that every reader of JSON holds exactly. No clock comes near it, and no partner's word takes our
/// numbers beyond it.
const HIGHEST: u64 = (1 << 53) - 1;

/// The number of a package that is made now: the time in milliseconds, which is above what a restored folder forgot; or
/// the next one, where that is higher.
pub(super) fn next_number(given: u64, now: Timestamp) -> u64 {
    given.saturating_add(1).max(now.unix_milliseconds())
}

/// Counts a number of ours as given when the partner says that it applied it.
pub(super) fn count_as_given(link: &mut Link, applied: u64) {
    if applied <= HIGHEST {
        link.sent_sequence = link.sent_sequence.max(applied);
    }
}

impl Exchange {
    /// The number of the `nth` of the claim's packages to this partner, counted from the latest one.
    pub(super) fn number_of_latest(&self, to: &SiteId, claim: &ExchangeId, nth: u32) -> Result<Option<u64>> {
        let latest = self.0.ledger.outgoing_list(&latest(to, claim).limit(nth))?;
        Ok(latest.get(nth.saturating_sub(1) as usize).map(|outgoing| outgoing.package.sequence))
    }

    /// The package that the recipient had applied instead of this one, where this site does not know that it ever sent
    /// such a one: then nothing of this one is there, nor in a later one of ours.
    pub(super) fn passed_over_for(&self, outgoing: &Outgoing, receipt: &Receipt) -> Result<Option<u64>> {
        let package = &outgoing.package;
        if package.kind != PackageKind::Claim || receipt.state != ReceiptState::Unpacked {
            return Ok(None);
        }
        let Some(applied) = receipt.applied_sequence else { return Ok(None) };
        let latest = self.0.ledger.outgoing_list(&latest(&package.to, &package.claim).limit(1))?;
        let is_ours =
            |latest: &Outgoing| latest.package.id != package.id && latest.package.sequence >= applied;
        Ok(Some(applied).filter(|_| !latest.first().is_some_and(is_ours)))
    }

    /// Numbers what comes after this package above `applied`. What was said under the numbers up to its own is dropped:
    /// to the recipient they are of other packages.
    pub(super) fn number_above(&self, outgoing: &Outgoing, applied: u64) -> Result<()> {
        let (to, claim) = (outgoing.package.to.clone(), outgoing.package.claim.clone());
        let _turn = self.turn_of_claim(&claim);
        let mut link = self.link(&to, &claim)?;
        count_as_given(&mut link, applied);
        link.acknowledged_before.clear();
        let dropped = Change::DropSnapshots { partner: to, claim, up_to: outgoing.package.sequence };
        self.0.ledger.commit(&[dropped, Change::SetLink(link)])
    }
}

/// The claim packages of a claim to one partner, the last one first.
fn latest(to: &SiteId, claim: &ExchangeId) -> PackageQuery {
    PackageQuery::new().claim(claim.clone()).partner(to.clone()).kind(PackageKind::Claim).newest_first()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_time_or_the_next_one() {
        let now: Timestamp = "2026-03-02T09:30:00.250Z".parse().unwrap();
        assert_eq!(next_number(0, now), 1_772_443_800_250);
        assert_eq!(next_number(3, now), 1_772_443_800_250);
        assert_eq!(next_number(1_772_443_800_250, now), 1_772_443_800_251, "twice in a millisecond");
        assert_eq!(next_number(1_999_999_999_999, now), 2_000_000_000_000, "the clock was set back");
        assert_eq!(next_number(7, "1912-06-23T00:00:00Z".parse().unwrap()), 8);
        let last: Timestamp = "9999-12-31T23:59:59Z".parse().unwrap();
        assert!(next_number(0, last) < HIGHEST, "every reader of JSON holds it exactly");
    }

    #[test]
    fn a_partners_word_raises_the_number_but_not_beyond_what_is_exact() {
        let mut link = Link::new("IMEX".parse().unwrap(), "ON-INS/C-1".parse().unwrap());
        for (applied, given) in [(5, 5), (3, 5), (HIGHEST, HIGHEST), (u64::MAX, HIGHEST)] {
            count_as_given(&mut link, applied);
            assert_eq!(link.sent_sequence, given);
        }
        assert_eq!(next_number(HIGHEST, Timestamp::now()), HIGHEST + 1);
        assert_eq!(next_number(u64::MAX, Timestamp::now()), u64::MAX, "and no step further");
    }
}
