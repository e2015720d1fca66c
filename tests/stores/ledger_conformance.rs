//! The conformance suite finds a ledger that does not keep its promises.

use claimwire::Result;
use claimwire::ledger::{
    Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, PackageQuery, SqliteLedger,
    conformance,
};
use claimwire::model::{ExchangeId, PackageId, Record, SiteId};
use std::collections::BTreeSet;
use std::time::SystemTime;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    CommitsOneByOne,
    OverwritesPackages,
    IgnoresLimits,
    KeepsNothing,
    ForgetsOffsets,
    ForgetsPauses,
    IgnoresTimes,
    FindsNobody,
}

struct Faulty(SqliteLedger, Fault);

impl Ledger for Faulty {
    fn commit(&self, changes: &[Change]) -> Result<()> {
        match (self.1, changes) {
            (Fault::CommitsOneByOne, _) => {
                changes.iter().try_for_each(|change| self.0.commit(std::slice::from_ref(change)))
            }
            (Fault::OverwritesPackages, [Change::AddOutgoing(package)])
                if self.outgoing(package.package.id)?.is_some() =>
            {
                self.0.commit(&[Change::SetOutgoing { package: package.clone(), was: None }])
            }
            (Fault::ForgetsPauses, changes) => {
                let kept = changes.iter().filter(|change| !matches!(change, Change::Pause(_)));
                self.0.commit(&kept.cloned().collect::<Vec<_>>())
            }
            _ => self.0.commit(changes),
        }
    }

    fn outgoing(&self, id: PackageId) -> Result<Option<Outgoing>> {
        self.0.outgoing(id)
    }

    fn outgoing_list(&self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
        let limit = if self.1 == Fault::IgnoresLimits { 100 } else { query.limit };
        self.0.outgoing_list(&query.clone().limit(limit))
    }

    fn incoming(&self, id: PackageId) -> Result<Option<Incoming>> {
        self.0.incoming(id)
    }

    fn incoming_list(&self, query: &PackageQuery) -> Result<Vec<Incoming>> {
        self.0.incoming_list(query)
    }

    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>> {
        self.0.link(partner, claim)
    }

    fn links(&self, claim: &ExchangeId) -> Result<Vec<Link>> {
        self.0.links(claim)
    }

    fn base(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>> {
        self.0.base(partner, claim)
    }

    fn sent_snapshot(
        &self,
        partner: &SiteId,
        claim: &ExchangeId,
        sequence: u64,
    ) -> Result<Option<Vec<Record>>> {
        self.0.sent_snapshot(partner, claim, sequence)
    }

    fn sent_notes(&self, package: PackageId) -> Result<Option<Vec<Record>>> {
        self.0.sent_notes(package)
    }

    fn paused(&self) -> Result<BTreeSet<SiteId>> {
        self.0.paused()
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        let mut query = query.clone();
        if self.1 == Fault::FindsNobody {
            query.by = None;
        }
        if self.1 == Fault::IgnoresTimes {
            query.from = None;
        }
        let mut entries = self.0.history(&query)?;
        if self.1 == Fault::ForgetsOffsets {
            entries.iter_mut().for_each(|entry| entry.at = SystemTime::from(entry.at).into());
        }
        Ok(entries)
    }
}

#[test]
fn each_broken_promise_is_named() {
    for (fault, promise) in [
        (Fault::CommitsOneByOne, "a commit that fails changes nothing"),
        (Fault::OverwritesPackages, "added only once"),
        (Fault::IgnoresLimits, "no more than its limit"),
        (Fault::ForgetsPauses, "a pause lasts"),
        (Fault::KeepsNothing, "after opening it again"),
        (Fault::FindsNobody, "filters by person"),
        (Fault::IgnoresTimes, "begins at a moment"),
        (Fault::ForgetsOffsets, "the history is a chain"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut openings = 0;
        let verdict = conformance::check(|| {
            openings += 1;
            let name =
                if fault == Fault::KeepsNothing { format!("ledger-{openings}") } else { "ledger".into() };
            Ok(Faulty(SqliteLedger::open(folder.path().join(name))?, fault))
        });
        let verdict = verdict.unwrap_err().to_string();
        assert!(verdict.contains(promise), "{verdict}");
    }
}
