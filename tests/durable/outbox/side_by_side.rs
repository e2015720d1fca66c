//! The worker with many partners: who is served beside whom, who waits, and in which order.

use crate::support::*;
use claimwire::case_system::SqliteCaseSystem;
use claimwire::exchange::{Event, Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::OutgoingState;
use claimwire::model::{ExchangeId, PackageId, SiteId};
use claimwire::protocol::Request;
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, MemoryTransport, Reply, Transport};
use claimwire::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::num::NonZeroU8;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use tempfile::TempDir;

/// No test waits so long for what comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where all requests to the partners pass, seen by the test, and held up where it says so.
#[derive(Default)]
struct Street {
    traffic: Mutex<Traffic>,
    changed: Condvar,
}

#[derive(Default)]
struct Traffic {
    closed: BTreeSet<SiteId>,
    /// The packages that are on their way now.
    under_way: Vec<(SiteId, String)>,
    /// The most that ever were.
    most: usize,
    /// Whether two to one partner ever were.
    met: bool,
    /// All that set out, in their order.
    set_out: Vec<(SiteId, String)>,
}

impl Street {
    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap()
    }

    fn close(&self, sites: &[SiteId]) {
        self.traffic().closed.extend(sites.iter().cloned());
    }

    fn open(&self) {
        self.traffic().closed.clear();
        self.changed.notify_all();
    }

    /// Waits until so many packages are on their way at once.
    fn until_under_way(&self, count: usize) {
        let fewer = |traffic: &mut Traffic| traffic.under_way.len() < count;
        let waited = self.changed.wait_timeout_while(self.traffic(), PATIENCE, fewer).unwrap();
        assert!(!waited.1.timed_out(), "{count} are on their way");
    }

    /// Whom the packages went to, in the order in which they set out.
    fn order(&self) -> Vec<String> {
        self.traffic().set_out.iter().map(|(site, _)| site.to_string()).collect()
    }
}

/// The way to one partner, through the street.
#[derive(Clone)]
struct Way {
    street: Arc<Street>,
    site: SiteId,
    partner: MemoryTransport,
    stops: bool,
}

impl Transport for Way {
    fn send(&self, request: &Request, body: Body<'_>) -> Result<Reply> {
        let id = request.headers().get("idempotency-key").unwrap().trim_matches('"').to_owned();
        let here = (self.site.clone(), id);
        let mut traffic = self.street.traffic();
        traffic.met |= traffic.under_way.iter().any(|(site, _)| *site == self.site);
        traffic.under_way.push(here.clone());
        traffic.set_out.push(here.clone());
        traffic.most = traffic.most.max(traffic.under_way.len());
        self.street.changed.notify_all();
        let closed = |traffic: &mut Traffic| traffic.closed.contains(&self.site);
        drop(self.street.changed.wait_while(traffic, closed).unwrap());
        let sent = match self.stops {
            true => Err(Error::new(ErrorKind::Cancelled, "the transport stops by itself")),
            false => self.partner.send(request, body),
        };
        self.street.traffic().under_way.retain(|other| *other != here);
        sent
    }
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Way({})", self.site)
    }
}

/// An insurer with partners of its own, each with the keys of the examiner.
struct Office {
    insurer: Side,
    street: Arc<Street>,
    told: Receiver<Event>,
    _partners: (TempDir, Vec<Exchange>),
}

impl Office {
    /// Partners with these names, served so many at once.
    fn with(names: &[&str], at_once: u8) -> Self {
        Self::changed(names, at_once, |_, partner| partner)
    }

    fn changed(names: &[&str], at_once: u8, change: impl Fn(&Way, Partner) -> Partner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::generate();
        let street = Arc::new(Street::default());
        let cases = Arc::new(SqliteCaseSystem::open(folder.path().join("cases")).unwrap());
        let (tell, told) = channel();
        let home = folder.path().join("insurer");
        let mut settings = ExchangeSettings::new(
            insurer_site(),
            home.join("exchange"),
            keys.insurer_signs.clone(),
            cases.clone(),
        )
        .with_sends_at_once(NonZeroU8::new(at_once).unwrap())
        .on_event(move |event| drop(tell.send(event.clone())));
        let mut partners = Vec::new();
        for name in names {
            let there = partner_side(folder.path(), name, &keys);
            let way = Way {
                street: street.clone(),
                site: there.site().clone(),
                partner: MemoryTransport::new(Arc::new(there.clone())),
                stops: false,
            };
            let partner = Partner::new(way.site.clone(), *name)
                .reached_by(way.clone())
                .seal_with(1, keys.legacy.clone())
                .verify_with(keys.examiner_signs.verifying_key());
            settings = settings.with_partner(change(&way, partner));
            partners.push(there);
        }
        let exchange = Exchange::open(settings).unwrap();
        let insurer = Side { exchange, cases, folder: home, events: Arc::default() };
        Self { insurer, street, told, _partners: (folder, partners) }
    }

    fn exchange(&self) -> &Exchange {
        &self.insurer.exchange
    }

    fn claim(&self, local: &str) -> ExchangeId {
        put_claim(&self.insurer, local)
    }

    fn export(&self, claim: &ExchangeId, to: &str) -> PackageId {
        let to = to.parse().unwrap();
        self.exchange().export(claim, &to, &ExportOptions::by("dana")).unwrap().package.id
    }

    /// A package of a claim of its own.
    fn export_one(&self, to: &str, number: usize) -> PackageId {
        self.export(&self.claim(&format!("{to}-{number}")), to)
    }

    fn state(&self, package: PackageId) -> OutgoingState {
        self.exchange().outgoing(package).unwrap().state
    }

    /// Waits until these are delivered, whichever comes first.
    fn until_delivered(&self, packages: &[PackageId]) {
        let mut left: BTreeSet<_> = packages.iter().copied().collect();
        while !left.is_empty() {
            let event = self.told.recv_timeout(PATIENCE).expect("the event comes");
            if matches!(event, Event::Delivered { .. }) {
                left.remove(&event.package());
            }
        }
    }
}

fn partner_side(folder: &std::path::Path, name: &str, keys: &Keys) -> Exchange {
    let cases = SqliteCaseSystem::open(folder.join(name).join("cases")).unwrap();
    let insurer = Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, keys.legacy.clone())
        .verify_with(keys.insurer_signs.verifying_key());
    let home = folder.join(name).join("exchange");
    let settings = ExchangeSettings::new(name.parse().unwrap(), home, keys.examiner_signs.clone(), cases);
    Exchange::open(settings.with_partner(insurer)).unwrap()
}

fn sites(names: &[&str]) -> Vec<SiteId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_partner_whose_server_never_answers_holds_up_no_other() {
    // A server of its own, which takes the connection and says nothing.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/claimwire", server.local_addr().unwrap());
    let office = Office::changed(&["STALLS", "SERVED"], 2, |way, partner| match way.site.as_str() {
        "STALLS" => partner.reached_by(HttpsTransport::new(HttpsSettings::new(&url).unwrap()).unwrap()),
        _ => partner,
    });
    let stalled = office.export_one("STALLS", 1);
    let worker = office.exchange().start_outbox().unwrap();
    let (connection, _) = server.accept().unwrap();
    let served = [1, 2, 3].map(|number| office.export_one("SERVED", number));
    office.until_delivered(&served);
    assert_eq!(office.state(stalled), OutgoingState::Sending);
    drop((connection, server));
    drop(worker);
    assert_ne!(office.state(stalled), OutgoingState::Delivered);
}

#[test]
fn as_many_are_served_at_once_as_the_settings_say_and_no_more() {
    let names = ["P-1", "P-2", "P-3", "P-4", "P-5", "P-6"];
    let office = Office::with(&names, 3);
    office.street.close(&sites(&names));
    let packages: Vec<_> =
        [1, 2].into_iter().flat_map(|number| names.map(|to| office.export_one(to, number))).collect();
    let _worker = office.exchange().start_outbox().unwrap();
    office.street.until_under_way(3);
    office.street.open();
    office.until_delivered(&packages);
    let traffic = office.street.traffic();
    assert_eq!((traffic.most, traffic.met), (3, false));
}

#[test]
fn a_long_queue_takes_turns_with_a_short_one() {
    let office = Office::with(&["A-LONG", "B-SHORT"], 1);
    let long: Vec<_> = (0..4).map(|number| office.export_one("A-LONG", number)).collect();
    let short = office.export_one("B-SHORT", 0);
    let _worker = office.exchange().start_outbox().unwrap();
    office.until_delivered(&[&long[..], &[short]].concat());
    assert_eq!(office.street.order(), ["A-LONG", "B-SHORT", "A-LONG", "A-LONG", "A-LONG"]);
}

#[test]
fn packages_of_a_claim_go_to_each_partner_in_their_order_and_never_two_at_once() {
    let names = ["P-1", "P-2", "P-3"];
    let office = Office::with(&names, 3);
    let claim = office.claim("C-1");
    let _worker = office.exchange().start_outbox().unwrap();
    let mut exported: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut packages = Vec::new();
    for round in 0..5 {
        add_note(&office.insurer, &claim, &format!("N-{round}"), "More.");
        for to in names {
            let package = office.export(&claim, to);
            exported.entry(to.to_owned()).or_default().push(package.to_string());
            packages.push(package);
        }
    }
    office.until_delivered(&packages);
    let traffic = office.street.traffic();
    assert!(!traffic.met);
    let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (site, package) in &traffic.set_out {
        arrived.entry(site.to_string()).or_default().push(package.clone());
    }
    assert_eq!(arrived, exported);
}

#[test]
fn a_paused_partner_waits_while_others_are_served_and_a_replay_wakes_the_worker() {
    let office = Office::with(&["PAUSED", "SERVED"], 4);
    office.exchange().pause(&"PAUSED".parse().unwrap()).unwrap();
    let (waits, goes) = (office.export_one("PAUSED", 1), office.export_one("SERVED", 1));
    let _worker = office.exchange().start_outbox().unwrap();
    office.until_delivered(&[goes]);
    assert_eq!((office.state(waits), office.street.order()), (OutgoingState::Queued, vec!["SERVED".into()]));
    office.exchange().resume(&"PAUSED".parse().unwrap()).unwrap();
    office.until_delivered(&[waits]);
    office.exchange().replay(goes, "dana").unwrap();
    office.until_delivered(&[goes]);
    assert_eq!(office.street.order(), ["SERVED", "PAUSED", "SERVED"]);
}

#[test]
fn a_worker_that_is_dropped_waits_for_every_answer_under_way_and_begins_nothing_more() {
    let names = ["P-1", "P-2", "P-3"];
    let office = Office::with(&names, 2);
    office.street.close(&sites(&names));
    let packages = names.map(|to| office.export_one(to, 1));
    let worker = office.exchange().start_outbox().unwrap();
    office.street.until_under_way(2);
    let gone = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop(worker);
            gone.store(true, Ordering::SeqCst);
        });
        // Nobody can have come back from the closed street.
        assert!(!gone.load(Ordering::SeqCst), "answers are under way");
        office.street.open();
    });
    let traffic = office.street.traffic();
    assert!(traffic.under_way.is_empty(), "all are back when it is gone");
    let set_out = traffic.set_out.len();
    drop(traffic);
    let stays = office.export_one("P-1", 2);
    assert_eq!((office.state(stays), office.street.order().len()), (OutgoingState::Queued, set_out));

    // The next worker goes on with what is left.
    let _worker = office.exchange().start_outbox().unwrap();
    let all = [&packages[..], &[stays]].concat();
    let settled = |package: &PackageId| office.state(*package) == OutgoingState::Delivered;
    while !all.iter().all(settled) {
        office.told.recv_timeout(PATIENCE).expect("the event comes");
    }
}

#[test]
fn a_transport_that_stops_by_itself_is_left_alone_for_a_while() {
    let office = Office::changed(&["STOPS", "SERVED"], 1, |way, partner| match way.site.as_str() {
        "STOPS" => partner.reached_by(Way { stops: true, ..way.clone() }),
        _ => partner,
    });
    let stopped = office.export_one("STOPS", 1);
    let _worker = office.exchange().start_outbox().unwrap();
    // The one thread has been there and comes to the others.
    for number in 0..5 {
        office.until_delivered(&[office.export_one("SERVED", number)]);
    }
    assert_eq!(office.street.order().iter().filter(|site| *site == "STOPS").count(), 1);
    assert_eq!(office.state(stopped), OutgoingState::Queued);
}
