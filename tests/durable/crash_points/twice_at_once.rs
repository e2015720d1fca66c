//! The same package comes in twice at once, and only one of the two comes to the ledger.

use crate::support::*;
use claimwire::ledger::{
    Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, PackageQuery, SqliteLedger, Step,
};
use claimwire::model::{ExchangeId, PackageId, Record, SiteId};
use claimwire::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A ledger that refuses the first of two packages once both are here, and takes the second after the first was answered.
struct RefusesTheFirst {
    ledger: SqliteLedger,
    came: AtomicUsize,
    both_are_here: Barrier,
    first_is_answered: Barrier,
}

impl RefusesTheFirst {
    fn new() -> Self {
        Self {
            ledger: SqliteLedger::in_memory().unwrap(),
            came: AtomicUsize::new(0),
            both_are_here: Barrier::new(2),
            first_is_answered: Barrier::new(2),
        }
    }
}

impl Ledger for RefusesTheFirst {
    fn commit(&self, changes: &[Change]) -> Result<()> {
        if changes.iter().any(|change| matches!(change, Change::AddIncoming(_))) {
            let before = self.came.fetch_add(1, Ordering::SeqCst);
            if before < 2 {
                self.both_are_here.wait();
            }
            match before {
                0 => return Err(Error::new(ErrorKind::Ledger, "the disk is full")),
                1 => self.first_is_answered.wait(),
                _ => panic!("a third delivery"),
            };
        }
        self.ledger.commit(changes)
    }

    fn outgoing(&self, id: PackageId) -> Result<Option<Outgoing>> {
        self.ledger.outgoing(id)
    }

    fn outgoing_list(&self, query: &PackageQuery) -> Result<Vec<Outgoing>> {
        self.ledger.outgoing_list(query)
    }

    fn incoming(&self, id: PackageId) -> Result<Option<Incoming>> {
        self.ledger.incoming(id)
    }

    fn incoming_list(&self, query: &PackageQuery) -> Result<Vec<Incoming>> {
        self.ledger.incoming_list(query)
    }

    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Option<Link>> {
        self.ledger.link(partner, claim)
    }

    fn links(&self, claim: &ExchangeId) -> Result<Vec<Link>> {
        self.ledger.links(claim)
    }

    fn base(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Vec<Record>> {
        self.ledger.base(partner, claim)
    }

    fn sent_snapshot(
        &self,
        partner: &SiteId,
        claim: &ExchangeId,
        sequence: u64,
    ) -> Result<Option<Vec<Record>>> {
        self.ledger.sent_snapshot(partner, claim, sequence)
    }

    fn sent_notes(&self, package: PackageId) -> Result<Option<Vec<Record>>> {
        self.ledger.sent_notes(package)
    }

    fn paused(&self) -> Result<BTreeSet<SiteId>> {
        self.ledger.paused()
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>> {
        self.ledger.history(query)
    }
}

#[test]
fn the_one_that_the_ledger_refuses_takes_nothing_of_the_other_with_it() {
    let ledger = std::sync::Arc::new(RefusesTheFirst::new());
    let given = ledger.clone();
    let sites = TwoSites::with(Setup {
        examiner: Box::new(move |settings| settings.with_ledger(given)),
        ..Setup::default()
    });
    let delivery = Delivery::new(&sites, b"sealed".to_vec());
    let mut statuses = std::thread::scope(|scope| {
        let post = || {
            let response = delivery.post(&sites);
            if response.status() != 200 {
                ledger.first_is_answered.wait();
            }
            response.status()
        };
        [scope.spawn(post), scope.spawn(post)].map(|thread| thread.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    // There is a receipt, so there are the bytes, and nothing else.
    assert_eq!(fs::read(sealed_path(&sites.examiner, "inbox")).unwrap(), delivery.body);
    assert_eq!(steps(&sites.examiner, delivery.id()), [Step::Received, Step::Notified]);
}
