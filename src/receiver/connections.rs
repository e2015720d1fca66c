//! Who is let in: places for connections, bounded in all and for each address, and who gives way when they run out.
//!
//! A connection is worth keeping for what it has proven. Until its request is proven to be a partner's it costs its
//! owner nothing, so it can be closed at any time: a newcomer takes the place of the oldest such connection of the
//! address that has the most of them. Thus one that proves itself in time is let in however many strangers hold on, and
//! strangers can only crowd out whoever has as many connections as they have from each of their addresses.

use super::ReceiverSettings;
use crate::{Error, ErrorKind, Result};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The part of an IPv6 address that names a network: its owner has the rest to choose from.
const NETWORK_OF_IPV6: u128 = u128::MAX << 64;

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The head of its request is not there yet.
    Opening,
    /// The endpoint looks at the head, or has refused the request.
    Examined,
    /// The request is a partner's.
    Proven,
    /// A partner's request has its answer, which is on its way.
    Answered,
}

/// All open connections, the oldest first.
pub(super) struct Connections {
    most: usize,
    most_per_address: usize,
    numbered: AtomicU64,
    open: Mutex<BTreeMap<u64, Open>>,
}

struct Open {
    from: IpAddr,
    stage: Stage,
    /// Dropping it closes the connection.
    _keeps: oneshot::Sender<()>,
}

/// The place of one connection; dropping it makes it free.
pub(super) struct Place {
    number: u64,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(settings: &ReceiverSettings) -> Arc<Self> {
        Arc::new(Self {
            most: settings.max_connections,
            most_per_address: settings.max_connections_per_address,
            numbered: AtomicU64::new(0),
            open: Mutex::default(),
        })
    }

    /// A place for a connection from this address, and what resolves when it has to close; `None` when all places are
    /// taken by partners' requests.
    pub(super) fn let_in(self: &Arc<Self>, address: IpAddr) -> Option<(Place, oneshot::Receiver<()>)> {
        let from = counted_as(address);
        let mut open = self.open();
        if open.values().filter(|it| it.from == from).count() >= self.most_per_address {
            let (number, _) = open.iter().find(|(_, it)| it.from == from && it.stage < Stage::Proven)?;
            let number = *number;
            open.remove(&number);
        }
        if open.len() >= self.most {
            let number = gives_way(&open, from)?;
            open.remove(&number);
        }
        let number = self.numbered.fetch_add(1, Ordering::Relaxed);
        let (keeps, closes) = oneshot::channel();
        open.insert(number, Open { from, stage: Stage::Opening, _keeps: keeps });
        Some((Place { number, connections: self.clone() }, closes))
    }

    /// Closes every connection that is at such a stage.
    pub(super) fn close(&self, at: impl Fn(Stage) -> bool) {
        self.open().retain(|_, it| !at(it.stage));
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Open>> {
        // What is under this lock is whole at every step.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection that makes room for one from this address.
fn gives_way(open: &BTreeMap<u64, Open>, newcomer: IpAddr) -> Option<u64> {
    let mut unproven = HashMap::from([(newcomer, 1_usize)]);
    for it in open.values().filter(|it| it.stage < Stage::Proven) {
        *unproven.entry(it.from).or_default() += 1;
    }
    let of_many = |it: &Open| unproven.get(&it.from).copied();
    let stranger = open
        .iter()
        .filter(|(_, it)| it.stage < Stage::Proven)
        .max_by_key(|(number, it)| (of_many(it), Reverse(**number)));
    // An answer that its partner does not read must not hold a place for ever.
    let unread = || open.iter().find(|(_, it)| it.stage == Stage::Answered);
    stranger.or_else(unread).map(|(number, _)| *number)
}

/// What an address is counted as: with IPv6 its network of 64 bits, since one client has all of it.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK_OF_IPV6).into(),
        address => address,
    }
}

impl Place {
    /// Notes how far the connection came.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when it was closed meanwhile.
    pub(super) fn comes_to(&self, stage: Stage) -> Result<()> {
        let mut open = self.connections.open();
        let it = open.get_mut(&self.number).ok_or_else(closed)?;
        it.stage = it.stage.max(stage);
        Ok(())
    }
}

/// That a request has lost its connection before its answer.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Unreachable, "the connection was closed meanwhile; send again later")
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::error::TryRecvError;

    fn connections(most: usize, most_per_address: usize) -> Arc<Connections> {
        let settings = ReceiverSettings {
            max_connections: most,
            max_connections_per_address: most_per_address,
            ..ReceiverSettings::default()
        };
        Connections::new(&settings)
    }

    /// A connection as its owner sees it.
    struct Guest(Place, oneshot::Receiver<()>);

    impl Guest {
        fn is_open(&mut self) -> bool {
            self.1.try_recv() == Err(TryRecvError::Empty)
        }

        fn at(self, stage: Stage) -> Self {
            self.0.comes_to(stage).unwrap();
            self
        }
    }

    fn from(connections: &Arc<Connections>, address: &str) -> Option<Guest> {
        let (place, closes) = connections.let_in(address.parse().unwrap())?;
        Some(Guest(place, closes))
    }

    #[test]
    fn the_oldest_of_the_address_with_the_most_gives_way() {
        let all = connections(5, 5);
        let mut partner = from(&all, "192.0.2.1").unwrap();
        let mut flood: Vec<Guest> = (0..4).map(|_| from(&all, "198.51.100.1").unwrap()).collect();
        let mut newcomer = from(&all, "192.0.2.2").unwrap();
        assert!(!flood[0].is_open() && flood[1..].iter_mut().all(Guest::is_open));
        // The flood goes on, and crowds out only itself.
        flood.extend((0..50).map(|_| from(&all, "198.51.100.1").unwrap()));
        assert!(partner.is_open() && newcomer.is_open());
        assert_eq!(flood.iter_mut().filter_map(|it| it.is_open().then_some(())).count(), 3);
    }

    #[test]
    fn a_proven_request_never_gives_way_and_an_answered_one_only_to_proven_ones() {
        let all = connections(3, 3);
        let mut answered = from(&all, "192.0.2.1").unwrap().at(Stage::Proven).at(Stage::Answered);
        let mut proven = from(&all, "192.0.2.1").unwrap().at(Stage::Proven);
        let mut stranger = from(&all, "192.0.2.2").unwrap().at(Stage::Examined);
        let mut other = from(&all, "192.0.2.3").unwrap().at(Stage::Proven);
        assert!(answered.is_open() && proven.is_open() && !stranger.is_open());
        assert_eq!(stranger.0.comes_to(Stage::Proven).unwrap_err().kind(), ErrorKind::Unreachable);
        let last = from(&all, "192.0.2.4").unwrap().at(Stage::Proven);
        assert!(!answered.is_open() && proven.is_open() && other.is_open());
        assert!(from(&all, "192.0.2.5").is_none());
        drop(last);
        assert!(from(&all, "192.0.2.5").is_some());
    }

    #[test]
    fn an_address_at_its_bound_takes_from_itself_alone() {
        let all = connections(10, 2);
        let mut partner = from(&all, "192.0.2.1").unwrap();
        let mut first = from(&all, "198.51.100.1").unwrap();
        let mut second = from(&all, "198.51.100.1").unwrap().at(Stage::Proven);
        let mut third = from(&all, "198.51.100.1").unwrap().at(Stage::Proven);
        assert!(partner.is_open() && !first.is_open() && second.is_open() && third.is_open());
        assert!(from(&all, "198.51.100.1").is_none());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_a_mapped_ipv4_address_is_itself() {
        let counted = |address: &str| counted_as(address.parse().unwrap());
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("::ffff:192.0.2.1"), counted("192.0.2.1"));
        assert_ne!(counted("::ffff:192.0.2.1"), counted("::ffff:192.0.2.2"));
    }

    #[test]
    fn a_shutdown_closes_by_stage_and_a_place_that_is_gone_frees_no_other() {
        let all = connections(2, 2);
        let mut opening = from(&all, "192.0.2.1").unwrap();
        let mut examined = from(&all, "192.0.2.2").unwrap().at(Stage::Examined);
        all.close(|stage| stage == Stage::Opening);
        assert!(!opening.is_open() && examined.is_open());
        let mut newcomer = from(&all, "192.0.2.3").unwrap();
        drop(opening);
        assert!(newcomer.is_open() && examined.is_open());
        all.close(|stage| stage < Stage::Proven);
        assert!(!newcomer.is_open() && !examined.is_open());
    }
}
