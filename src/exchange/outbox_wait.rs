//! Packages that are passed over: their times, which many share, written in few commits.
//!
//! A queue may hold thousands of packages to a partner that is away or paused. What is not written when the process dies
//! or is stopped is done by the next pass.

use super::Exchange;
use super::outbox_time::counts_since;
use crate::ledger::{Change, Outgoing, OutgoingState};
use crate::model::{PackageId, Timestamp};
use crate::{ErrorKind, Result};

/// The most packages whose times one commit changes.
const TOGETHER: usize = 500;

/// What becomes of the times of a package.
enum Times {
    /// Its partner is left alone until then.
    PutOff { now: Timestamp, until: Timestamp },
    /// They are taken out.
    AtRest,
}

/// Packages whose times are still to be written.
#[derive(Default)]
pub(super) struct Waiting(Vec<(PackageId, Times)>);

impl Waiting {
    /// Lets a package that is due at `now` wait until its partner can be tried again. Its time counts from the first
    /// such wait, so that it ends too when the partner never comes back.
    pub(super) fn put_off(&mut self, package: PackageId, now: Timestamp, until: Timestamp) {
        self.0.push((package, Times::PutOff { now, until }));
    }

    /// Begins the time anew in which a package is tried, so that a pause does not use it up; what waited for its next
    /// try is due when the pause ends.
    pub(super) fn let_time_stand_still(&mut self, outgoing: &Outgoing) {
        if outgoing.tried_since.is_some() || outgoing.retry_at.is_some() {
            self.0.push((outgoing.package.id, Times::AtRest));
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= TOGETHER
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Writes them: all or none of them.
    pub(super) fn write(&mut self, exchange: &Exchange) -> Result<()> {
        let _turn = exchange.0.outbox.editing();
        while !self.0.is_empty() {
            let mut changes = Vec::with_capacity(self.0.len());
            for (package, times) in &self.0 {
                let mut outgoing = exchange.outgoing(*package)?;
                if OutgoingState::OPEN.contains(&outgoing.state) {
                    let was = Some(outgoing.state);
                    (outgoing.tried_since, outgoing.retry_at) = times.of(&outgoing);
                    changes.push(Change::SetOutgoing { package: outgoing, was });
                }
            }
            match exchange.0.ledger.commit(&changes) {
                // Another process was faster with one of them: look again.
                Err(error) if error.kind() == ErrorKind::WrongState => {}
                Err(error) => return Err(error),
                Ok(()) => self.forget(),
            }
        }
        Ok(())
    }
}

impl Times {
    fn of(&self, outgoing: &Outgoing) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::PutOff { now, until } => (Some(counts_since(outgoing, *now)), Some(*until)),
            Self::AtRest => (None, None),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use crate::case_system::SqliteCaseSystem;
    use crate::exchange::{Exchange, ExchangeSettings, Partner, SentQueue};
    use crate::ledger::{
        Change, HistoryEntry, HistoryQuery, Incoming, Ledger, Link, Outgoing, OutgoingState, PackageQuery,
        SqliteLedger, Stock, asked_of,
    };
    use crate::model::{ExchangeId, Package, PackageId, PackageKind, Record, SiteId, Timestamp};
    use crate::protocol::{Request, SigningKey};
    use crate::transport::{Body, Reply, Transport};
    use crate::{Error, ErrorKind, Result};
    use std::collections::BTreeSet;
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tempfile::TempDir;

    struct Counting(SqliteLedger, AtomicUsize);

    impl Ledger for Counting {
        fn commit(&self, changes: &[Change]) -> Result<()> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.commit(changes)
        }

        asked_of!(self, self.0);
    }

    /// A way on which nobody is there, or somebody asks for an hour.
    #[derive(Debug)]
    struct NoWay(Arc<AtomicUsize>, Option<Duration>);

    impl Transport for NoWay {
        fn send(&self, _: &Request, _: Body<'_>) -> Result<Reply> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let away = Error::new(ErrorKind::Unreachable, "nobody is there");
            Err(self.1.map_or(away, |wait| {
                Error::new(ErrorKind::Refused, "busy").retryable(true).with_retry_after(wait)
            }))
        }
    }

    /// A site whose partner takes nothing, with a long queue for it.
    struct Site {
        exchange: Exchange,
        ledger: Arc<Counting>,
        tries: Arc<AtomicUsize>,
        partner: SiteId,
        _folder: TempDir,
    }

    impl Site {
        fn with(count: usize, asked: Option<Duration>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (here, partner): (SiteId, SiteId) = ("ON-INS".parse().unwrap(), "IMEX".parse().unwrap());
            let ledger = Arc::new(Counting(SqliteLedger::in_memory().unwrap(), AtomicUsize::new(0)));
            let cases = SqliteCaseSystem::open(folder.path().join("cases")).unwrap();
            let tries = Arc::new(AtomicUsize::new(0));
            let known = Partner::new(partner.clone(), "Examiners").reached_by(NoWay(tries.clone(), asked));
            let signs = SigningKey::generate("on-ins-1").unwrap();
            let home = folder.path().join("exchange");
            let settings = ExchangeSettings::new(here.clone(), &home, signs, cases);
            let settings = settings.with_ledger(ledger.clone()).with_partner(known);
            let exchange = Exchange::open(settings).unwrap();
            std::fs::write(home.join("outbox").join("sealed"), "sealed").unwrap();
            let queued: Vec<Change> = (0..count)
                .map(|number| {
                    let claim = format!("ON-INS/C-{number}").parse().unwrap();
                    let package = Package::new(PackageKind::Claim, here.clone(), partner.clone(), claim);
                    Change::AddOutgoing(Outgoing::new(package, "age", 6, "ab".repeat(32), "sealed"))
                })
                .collect();
            ledger.commit(&queued).unwrap();
            Self { exchange, ledger, tries, partner, _folder: folder }
        }

        /// What it does, and how many commits and tries that takes.
        fn counted(&self, what: impl FnOnce() -> Result<SentQueue>) -> (SentQueue, usize, usize) {
            let before = (self.ledger.1.load(Ordering::SeqCst), self.tries.load(Ordering::SeqCst));
            let run = what().unwrap();
            let commits = self.ledger.1.load(Ordering::SeqCst) - before.0;
            (run, commits, self.tries.load(Ordering::SeqCst) - before.1)
        }

        fn put_off(&self) -> usize {
            let open = PackageQuery::new().outgoing_in(OutgoingState::OPEN).limit(10_000);
            let open = self.exchange.outgoing_packages(&open).unwrap();
            open.iter()
                .filter(|outgoing| outgoing.retry_at.is_some() && outgoing.tried_since.is_some())
                .count()
        }
    }

    fn soon(seconds: u64) -> Timestamp {
        Timestamp::now().later(Duration::from_secs(seconds))
    }

    #[test]
    fn a_long_queue_to_a_partner_that_is_away_costs_one_try_and_few_commits() {
        let site = Site::with(1200, None);
        for after in [0, 100] {
            let (run, commits, tries) = site.counted(|| site.exchange.send_due(soon(after), &()));
            assert_eq!((run.failed.len(), run.held_back.len(), tries), (1, 1199, 1));
            assert_eq!(site.put_off(), 1200);
            assert!(commits <= 5, "{commits}: two of the try, one for each 500 that wait");
        }
        site.exchange.pause(&site.partner).unwrap();
        let (_, commits, _) = site.counted(|| site.exchange.send_due(soon(200), &()));
        assert_eq!((site.put_off(), commits), (0, 3));
    }

    #[test]
    fn whoever_stops_waits_for_no_long_queue_and_the_next_pass_goes_on() {
        let site = Site::with(1200, None);
        let stop = |_: u64| match site.tries.load(Ordering::SeqCst) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        };
        let (run, _, tries) = site.counted(|| site.exchange.send_due(soon(0), &stop));
        assert_eq!((run.failed.len(), run.held_back.len(), tries), (1, 1199, 1));
        assert!(run.next_due.is_some());
        assert_eq!(site.put_off(), 1, "the one that was tried");
        site.exchange.send_due(soon(100), &()).unwrap();
        assert_eq!(site.put_off(), 1200);
    }

    #[test]
    fn a_queue_that_is_sent_by_hand_leaves_a_partner_alone_that_is_away_or_asks_for_it() {
        for asked in [None, Some(Duration::from_secs(3600))] {
            let site = Site::with(20, asked);
            for _ in 0..2 {
                let (run, _, tries) = site.counted(|| site.exchange.send_queued(&site.partner, &()));
                assert_eq!((run.failed.len(), run.held_back.len(), tries), (1, 19, 1), "{asked:?}");
            }
        }
    }
}
