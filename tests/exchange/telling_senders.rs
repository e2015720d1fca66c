//! Senders that cannot be told at once what became of their packages: told later, once, and never said to be told before.

use crate::support::*;
use claimwire::exchange::Acknowledgement;
use claimwire::ledger::{
    Change, HistoryQuery, IncomingState, Ledger, OutgoingState, PackageQuery, SqliteLedger, Step,
};
use claimwire::model::{PackageId, Timestamp};
use claimwire::protocol::{Request, Response};
use claimwire::transport::{Body, MemoryTransport, Reply, Transport};
use claimwire::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const THERE: u8 = 0;
const AWAY: u8 = 1;
const REFUSES: u8 = 2;

/// The way back to the insurer, who is there or not.
#[derive(Clone, Debug)]
struct WayBack {
    insurer: MemoryTransport,
    state: Arc<AtomicU8>,
    requests: Arc<AtomicUsize>,
}

impl Transport for WayBack {
    fn send(&self, request: &Request, body: Body<'_>) -> Result<Reply> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        match self.state.load(Ordering::SeqCst) {
            AWAY => Err(Error::new(ErrorKind::Unreachable, "nobody is there")),
            REFUSES => Ok(Reply::Answered(Response::new(404, "")?)),
            _ => self.insurer.send(request, body),
        }
    }
}

struct Pair {
    sites: TwoSites,
    state: Arc<AtomicU8>,
    requests: Arc<AtomicUsize>,
}

impl Pair {
    fn new() -> Self {
        let late = Arc::new(LateEndpoint::default());
        let (state, requests) = (Arc::<AtomicU8>::default(), Arc::<AtomicUsize>::default());
        let way = WayBack {
            insurer: MemoryTransport::new(late.clone()),
            state: state.clone(),
            requests: requests.clone(),
        };
        let setup =
            Setup { examiner_of_insurer: Box::new(|partner| partner.reached_by(way)), ..Setup::default() };
        let sites = TwoSites::with(setup);
        late.open(&sites.insurer.exchange);
        Self { sites, state, requests }
    }

    fn is(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
    }

    fn delivered(&self, local: &str) -> PackageId {
        let claim = put_claim(&self.sites.insurer, local);
        let package = self.sites.export(&claim).unwrap().package.id;
        self.sites.insurer.exchange.send(package, &()).unwrap();
        package
    }

    fn unpack(&self, package: PackageId) -> Acknowledgement {
        self.sites.examiner.exchange.unpack(package, "front desk", &()).unwrap().acknowledgement
    }

    /// A pass of the examiner's outbox: how many requests it makes, and when the next is due.
    fn pass_at(&self, seconds: i64) -> (usize, Option<i64>) {
        let before = self.requests.load(Ordering::SeqCst);
        let start = Timestamp::now().unix_seconds();
        let now = Timestamp::from_unix_seconds(start + seconds).unwrap();
        let due = self.sites.examiner.exchange.send_due(now, &()).unwrap().next_due;
        (self.requests.load(Ordering::SeqCst) - before, due.map(|due| due.unix_seconds() - start))
    }

    fn untold(&self) -> Vec<PackageId> {
        let untold = PackageQuery::new().only_untold();
        let untold = self.sites.examiner.exchange.incoming_packages(&untold).unwrap();
        untold.into_iter().map(|incoming| incoming.id).collect()
    }

    fn state_at_sender(&self, package: PackageId) -> OutgoingState {
        self.sites.insurer.exchange.outgoing(package).unwrap().state
    }
}

#[test]
fn a_sender_that_was_away_is_told_by_the_outbox_and_not_said_to_be_told_before() {
    let pair = Pair::new();
    let package = pair.delivered("C-1");
    pair.is(AWAY);
    for _ in 0..2 {
        assert!(matches!(pair.unpack(package), Acknowledgement::NotTold(_)));
        assert_eq!(pair.untold(), [package]);
    }
    let (tried, due) = pair.pass_at(1);
    assert!(tried == 0 && (50..80).contains(&due.unwrap()), "it is left alone for a while: {due:?}");
    let (tried, due) = pair.pass_at(100);
    assert!(tried == 1 && (200..260).contains(&due.unwrap()), "the waits grow: {due:?}");
    // The history has the two tries of the person, and no more of them.
    let told = HistoryQuery::new().package(package).steps([Step::Acknowledged]);
    let told = || pair.sites.examiner.exchange.history(&told).unwrap();
    assert_eq!(told().len(), 2);

    pair.is(THERE);
    assert_eq!(pair.pass_at(300), (1, None));
    assert_eq!(pair.state_at_sender(package), OutgoingState::Unpacked);
    assert!(pair.untold().is_empty() && told()[2].error.is_none());
    assert!(matches!(pair.unpack(package), Acknowledgement::Told));
    assert_eq!(pair.pass_at(400), (0, None));
}

#[test]
fn a_rejection_and_what_a_dead_process_did_not_come_to_tell_are_told_too() {
    let pair = Pair::new();
    let [rejected, unpacked] = ["C-1", "C-2"].map(|local| pair.delivered(local));
    pair.is(AWAY);
    let examiner = &pair.sites.examiner;
    let told = examiner.exchange.reject(rejected, "front desk", "not ours").unwrap();
    assert!(matches!(told, Acknowledgement::NotTold(_)));
    pair.is(THERE);
    pair.unpack(unpacked);
    // As the ledger stands between the unpack and the word of it.
    let ledger = SqliteLedger::open(examiner.folder.join("exchange/ledger.sqlite3")).unwrap();
    let mut owed = ledger.incoming(unpacked).unwrap().unwrap();
    assert_eq!((owed.state, owed.untold), (IncomingState::Unpacked, false));
    owed.untold = true;
    ledger.commit(&[Change::SetIncoming { package: owed, was: None }]).unwrap();
    assert_eq!(pair.pass_at(1).0, 2);
    assert_eq!(pair.state_at_sender(rejected), OutgoingState::Rejected);
    assert!(pair.untold().is_empty());
}

#[test]
fn a_sender_that_is_away_is_tried_with_one_package_and_one_that_refuses_is_not_asked_again() {
    let pair = Pair::new();
    let packages = ["C-1", "C-2", "C-3"].map(|local| pair.delivered(local));
    pair.is(AWAY);
    for package in packages {
        assert!(matches!(pair.unpack(package), Acknowledgement::NotTold(_)));
    }
    assert_eq!(pair.pass_at(1000).0, 1);
    pair.is(REFUSES);
    assert_eq!(pair.pass_at(10_000), (3, None));
    assert_eq!(pair.pass_at(100_000), (0, None));
    assert_eq!(pair.untold(), packages, "a person sees them, and can tell them again");
    pair.is(THERE);
    assert!(matches!(pair.unpack(packages[0]), Acknowledgement::Told));
    assert_eq!(pair.untold(), packages[1..]);
}

#[test]
fn a_sender_whose_own_packages_wait_is_left_alone_with_what_it_is_to_be_told() {
    let pair = Pair::new();
    let claim = put_claim(&pair.sites.insurer, "C-1");
    pair.sites.deliver(&claim);
    pair.is(AWAY);
    pair.unpack(pair.delivered("C-2"));
    add_note(&pair.sites.examiner, &claim, "N-2", "The knee is examined.");
    let options = claimwire::exchange::ExportOptions::by("front desk");
    pair.sites.examiner.exchange.export(&claim, &insurer_site(), &options).unwrap();
    assert_eq!(pair.pass_at(1000).0, 1, "the package alone");
}

#[test]
fn notes_are_told_by_the_answer_that_applies_them() {
    let pair = Pair::new();
    let claim = put_claim(&pair.sites.insurer, "C-1");
    pair.sites.deliver(&claim);
    add_note(&pair.sites.insurer, &claim, "N-2", "One more thing.");
    let insurer = &pair.sites.insurer.exchange;
    let notes = insurer.export_notes(&claim, &examiner_site(), "dana").unwrap().package.id;
    assert_eq!(insurer.send(notes, &()).unwrap().state, OutgoingState::Unpacked);
    assert!(pair.untold().is_empty());
}
