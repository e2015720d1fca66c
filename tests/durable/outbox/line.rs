//! A line to the examiner that fails as a test tells it to, and an insurer that dies and is opened again on its disk.

use crate::support::{TwoSites, examiner_site, insurer_site};
use claimwire::exchange::{
    Event, Exchange, ExchangeSettings, ExportOptions, Partner, RetryPolicy, SentQueue,
};
use claimwire::ledger::Outgoing;
use claimwire::model::{ExchangeId, PackageId, Timestamp};
use claimwire::protocol::{Endpoint, Peer, Request, Response};
use claimwire::transport::{Body, Reply, Transport};
use claimwire::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Arrives,
    /// Nobody is there: nothing leaves.
    Down,
    /// The connection breaks within the body.
    Breaks,
    /// It arrives, and the answer does not.
    AnswerIsLost,
    /// It arrives, and a gateway says that it heard nothing.
    GatewayTimeout,
    /// The partner asks to come back later, with this `Retry-After`.
    Busy(&'static str),
    /// The partner refuses for good.
    Refused,
    /// Our process dies before anything left.
    Dies,
    /// Our process dies when all arrived.
    DiesAfterwards,
}

#[derive(Clone)]
pub(crate) struct Line(Arc<Inner>);

struct Inner {
    examiner: Exchange,
    fates: Mutex<VecDeque<Fate>>,
    seen: Mutex<Vec<String>>,
}

impl Line {
    pub(crate) fn to(examiner: &Exchange) -> Self {
        Self(Arc::new(Inner { examiner: examiner.clone(), fates: Mutex::default(), seen: Mutex::default() }))
    }

    /// Decides over the next requests, in this order; those after them arrive.
    pub(crate) fn next(&self, fates: &[Fate]) {
        *self.0.fates.lock().unwrap() = fates.iter().copied().collect();
    }

    /// The methods of what was sent since the last call.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.0.seen.lock().unwrap())
    }

    fn deliver(&self, request: &Request, bytes: &[u8]) -> Response {
        self.0.examiner.answer(request, &Peer::unknown(), &mut &*bytes)
    }
}

impl Transport for Line {
    fn send(&self, request: &Request, mut body: Body<'_>) -> Result<Reply> {
        let fate = self.0.fates.lock().unwrap().pop_front().unwrap_or(Fate::Arrives);
        self.0.seen.lock().unwrap().push(request.method().to_owned());
        let refused = |status, wait: Option<&str>| {
            let mut response = Response::new(status, "").unwrap();
            if let Some(wait) = wait {
                response.headers_mut().insert("retry-after", wait).unwrap();
            }
            Ok(Reply::Answered(response))
        };
        match fate {
            Fate::Down => return Err(Error::new(ErrorKind::Unreachable, "nobody is there")),
            Fate::Busy(wait) => return refused(429, Some(wait)),
            Fate::Refused => return refused(403, None),
            Fate::Dies => panic!("the process dies"),
            Fate::Breaks => {
                let some = std::io::Read::read(&mut body, &mut [0; 10]).unwrap();
                assert!(some > 0 || request.method() == "GET");
                return Err(Error::new(ErrorKind::Unreachable, "the connection broke"));
            }
            _ => {}
        }
        let response = self.deliver(request, &body.into_vec(1 << 24)?);
        match fate {
            Fate::AnswerIsLost => Err(Error::new(ErrorKind::TimedOut, "no answer came")),
            Fate::GatewayTimeout => refused(504, None),
            Fate::DiesAfterwards => panic!("the process dies"),
            _ => Ok(Reply::Answered(response)),
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

/// An insurer on a disk of its own, beside the one of [`TwoSites`], with the same claims and keys.
pub(crate) struct Insurer {
    pub(crate) sites: TwoSites,
    pub(crate) line: Line,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) policy: RetryPolicy,
    exchange: Option<Exchange>,
    disk: TempDir,
    /// Dies instead of hearing of a failure.
    pub(crate) deaf: Arc<Mutex<bool>>,
}

impl Insurer {
    pub(crate) fn new() -> Self {
        Self::with(RetryPolicy::for_packages())
    }

    pub(crate) fn with(policy: RetryPolicy) -> Self {
        let sites = TwoSites::new();
        let line = Line::to(&sites.examiner.exchange);
        let disk = tempfile::tempdir().unwrap();
        let (events, deaf) = (Arc::default(), Arc::default());
        let mut insurer = Self { sites, line, events, policy, exchange: None, disk, deaf };
        insurer.open();
        insurer
    }

    fn open(&mut self) {
        let keys = self.sites.keys.clone();
        let examiner = Partner::new(examiner_site(), "Medical Examiners")
            .reached_by(self.line.clone())
            .seal_with(1, keys.legacy)
            .verify_with(keys.examiner_signs.verifying_key())
            .retrying(self.policy.clone())
            .unwrap();
        let (told, deaf) = (self.events.clone(), self.deaf.clone());
        let cases = self.sites.insurer.cases.clone();
        let settings = ExchangeSettings::new(insurer_site(), self.disk.path(), keys.insurer_signs, cases)
            .with_partner(examiner)
            .on_event(move |event| {
                let is_failure = matches!(event, Event::Failed { .. });
                assert!(!(is_failure && *deaf.lock().unwrap()), "the process dies");
                told.lock().unwrap().push(event.clone());
            });
        self.exchange = Some(Exchange::open(settings).unwrap());
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        self.exchange.as_ref().unwrap()
    }

    /// The process is gone, and another one opens the same disk.
    pub(crate) fn restart(&mut self) {
        self.exchange = None;
        self.open();
    }

    pub(crate) fn export(&self, claim: &ExchangeId) -> PackageId {
        let options = ExportOptions::by("dana");
        self.exchange().export(claim, &examiner_site(), &options).unwrap().package.id
    }

    /// What lies in its outbox.
    pub(crate) fn sealed_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.disk.path().join("outbox")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    pub(crate) fn state(&self, package: PackageId) -> Outgoing {
        self.exchange().outgoing(package).unwrap()
    }

    /// One pass at this many seconds after the start of all; `None` when the process died in it.
    pub(crate) fn pass_at(&self, seconds: i64) -> Option<SentQueue> {
        let pass = || self.exchange().send_due(at(seconds), &()).unwrap();
        catch_unwind(AssertUnwindSafe(pass)).ok()
    }

    pub(crate) fn failures(&self) -> Vec<(PackageId, String)> {
        let events = self.events.lock().unwrap();
        let failed = events.iter().filter(|event| matches!(event, Event::Failed { .. }));
        failed.map(|event| (event.package(), event.reason().unwrap().to_owned())).collect()
    }
}

/// A moment, in seconds after the start of all.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(start() + seconds).unwrap()
}

/// Its seconds after the start of all.
pub(crate) fn seconds(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(|moment| moment.unix_seconds() - start())
}

/// What is sent by hand goes by the clock, so all begins now.
fn start() -> i64 {
    static START: OnceLock<i64> = OnceLock::new();
    *START.get_or_init(|| Timestamp::now().unix_seconds())
}

/// The policy with this many tries, and with a year for them.
pub(crate) fn tries(tries: u32) -> RetryPolicy {
    let mut policy = RetryPolicy::for_packages();
    (policy.tries, policy.max_age) = (tries, Duration::from_secs(366 * 24 * 3600));
    policy
}
