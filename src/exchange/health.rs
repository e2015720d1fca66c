//! Whether this site can do its work now: ledger, disk, keys, outbox and inbox, each checked and told by a stable code.

use super::Exchange;
use super::metrics::seconds_between;
use crate::Result;
use crate::ledger::{IncomingState, OutgoingState, Stock};
use crate::model::Timestamp;
use crate::protocol::{DEFAULT_WINDOW, Request, Response, SigningKey, sign_request, verify_request};
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// The media type of an answer to the question whether the site is up.
const MEDIA_TYPE: &str = "application/health+json";

/// A package that waits longer is worth a look.
const LONG_WAIT: Duration = Duration::from_secs(60 * 60);

/// For how long strangers who ask get the answer that was found before: what they cost does not grow with their number.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// What came of a check. The names are those of `application/health+json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HealthStatus {
    /// All is well: `pass`.
    Pass,
    /// It works, and somebody should look at it: `warn`.
    Warn,
    /// It does not work: `fail`.
    Fail,
}

impl HealthStatus {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for HealthStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthCheck {
    /// What was checked, stable: `ledger`, `store`, `signing-key`, `partner-keys`, `key-validity`, `outbox`, `inbox`.
    pub code: &'static str,
    /// What came of it.
    pub status: HealthStatus,
    /// A sentence for an operator. It may name partners of this site, and never holds a key.
    pub message: String,
}

/// Whether an exchange can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The worst of the checks.
    pub status: HealthStatus,
    /// When it was looked.
    pub at: Timestamp,
    /// How many packages of ours wait to be delivered.
    pub waiting: u64,
    /// For how long the oldest of them has, in seconds; none where none waits.
    pub oldest_waiting_seconds: Option<u64>,
    /// One for each thing that was looked at.
    pub checks: Vec<HealthCheck>,
}

impl Health {
    /// Whether the site does its work: no check failed.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.status != HealthStatus::Fail
    }
}

impl Exchange {
    /// Checks whether this site can do its work now. Writes to the ledger and to the folder, and leaves nothing there;
    /// waits as long as these do.
    ///
    /// | code | fails | warns |
    /// |---|---|---|
    /// | `ledger` | the ledger cannot be written | |
    /// | `store` | the folder for sealed packages cannot be written | |
    /// | `signing-key` | what it signs does not verify | |
    /// | `partner-keys` | | a partner lacks a key, or a way to be reached |
    /// | `key-validity` | | a key ends soon or has none after it, or the review of `des-md5` is due: see [`warnings`](Self::warnings) |
    /// | `outbox` | it cannot be read | a package failed for good, or waits for more than an hour |
    /// | `inbox` | it cannot be read | a package could not be unpacked |
    #[must_use]
    pub fn health(&self) -> Health {
        let at = self.now();
        let stock = self.0.ledger.stock();
        let waiting = stock.as_ref().map_or(0, waiting_in);
        let oldest = stock.as_ref().ok().and_then(|stock| stock.oldest_waiting);
        let oldest_waiting_seconds = oldest.map(|since| seconds_between(since, at));
        let checks = vec![
            failing("ledger", self.0.ledger.check_writable(), "The ledger can be read and written."),
            failing("store", self.0.store.check_writable(), "The folder for sealed packages can be written."),
            failing(
                "signing-key",
                self.signing_key().and_then(|key| check_signing(&key, at)),
                "What this site signs verifies.",
            ),
            self.check_partner_keys(),
            self.check_warnings(),
            check_outbox(&stock, waiting, oldest_waiting_seconds),
            check_inbox(&stock),
        ];
        let status = checks.iter().map(|check| check.status).max().unwrap_or(HealthStatus::Pass);
        Health { status, at, waiting, oldest_waiting_seconds, checks }
    }

    fn check_partner_keys(&self) -> HealthCheck {
        let partners = self.all_partners();
        let lacking = partners.iter().filter_map(|partner| Some((partner, partner.lacking_key()?)));
        let lacking: Vec<String> =
            lacking.map(|(partner, what)| format!("{} lacks {what}", partner.site())).collect();
        match lacking.as_slice() {
            [] => check("partner-keys", HealthStatus::Pass, "The partners have their keys."),
            lacking => check(
                "partner-keys",
                HealthStatus::Warn,
                format!("{}: add it to the settings.", lacking.join("; ")),
            ),
        }
    }

    fn check_warnings(&self) -> HealthCheck {
        let said: Vec<String> = self.warnings().into_iter().map(|warning| warning.message).collect();
        match said.as_slice() {
            [] => check("key-validity", HealthStatus::Pass, "No key ends soon, and no review is due."),
            said => check("key-validity", HealthStatus::Warn, said.join(" ")),
        }
    }

    /// The answer to `GET {base}/health`, where the settings say that it is given; else `None`.
    pub(super) fn health_answer(&self, request: &Request) -> Option<Response> {
        let below = request.path().strip_prefix(self.0.base_path.trim_end_matches('/'))?;
        let asked = request.method() == "GET" && below == "/health";
        let kept = self.0.health.as_ref().filter(|_| asked)?;
        let (status, said) = match kept.is_up(|| self.health().is_up()) {
            true => (200, HealthStatus::Pass),
            false => (503, HealthStatus::Fail),
        };
        let body = format!(r#"{{"status":"{said}"}}"#);
        let mut response = Response::new(status, body).unwrap_or_else(|_| Response::bare(status));
        for (name, value) in [("content-type", MEDIA_TYPE), ("cache-control", "no-store")] {
            // Fixed texts, which every answer takes.
            let _ = response.headers_mut().insert(name, value);
        }
        Some(response)
    }
}

/// Whether the site was up when it was last looked, so that many who ask cost one look.
#[derive(Debug, Default)]
pub(super) struct KeptHealth {
    last: Mutex<Option<(Instant, bool)>>,
    looking: Mutex<()>,
}

impl KeptHealth {
    /// What was found a moment ago, else what `look` finds. While another thread looks, what was found before that: who
    /// asks never waits for another's look.
    fn is_up(&self, look: impl FnOnce() -> bool) -> bool {
        let _looking = match self.looking.try_lock() {
            Err(TryLockError::WouldBlock) => return self.last().is_some_and(|(_, up)| up),
            // Nothing is left half done by a look that ended in a panic.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(looking) => looking,
        };
        if let Some((_, up)) = self.last().filter(|(at, _)| at.elapsed() < KEPT_FOR) {
            return up;
        }
        let up = look();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), up));
        up
    }

    fn last(&self) -> Option<(Instant, bool)> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(code: &'static str, status: HealthStatus, message: impl Into<String>) -> HealthCheck {
    HealthCheck { code, status, message: message.into() }
}

/// A check that fails with the error, or passes with this sentence.
fn failing(code: &'static str, done: Result<()>, passed: &str) -> HealthCheck {
    match done {
        Ok(()) => check(code, HealthStatus::Pass, passed),
        Err(error) => check(code, HealthStatus::Fail, error.to_string()),
    }
}

/// Signs a message and verifies it, as a partner would.
fn check_signing(key: &SigningKey, now: Timestamp) -> Result<()> {
    let mut request = Request::new("GET", "/health")?;
    sign_request(&mut request, key, now)?;
    verify_request(&request, |_| Ok(key.verifying_key()), now, DEFAULT_WINDOW).map(drop)
}

fn check_outbox(stock: &Result<Stock>, waiting: u64, oldest: Option<u64>) -> HealthCheck {
    let stock = match stock {
        Ok(stock) => stock,
        Err(error) => return check("outbox", HealthStatus::Fail, error.to_string()),
    };
    let failed = stock.outgoing.get(&OutgoingState::Failed).copied().unwrap_or(0);
    let long = oldest.is_some_and(|seconds| seconds > LONG_WAIT.as_secs());
    let status = if failed > 0 || long { HealthStatus::Warn } else { HealthStatus::Pass };
    let since = oldest.map_or_else(String::new, |seconds| format!(", the oldest for {seconds} s"));
    let said = format!("{waiting} packages wait to be delivered{since}; {failed} failed for good.");
    check("outbox", status, said)
}

fn check_inbox(stock: &Result<Stock>) -> HealthCheck {
    let stock = match stock {
        Ok(stock) => stock,
        Err(error) => return check("inbox", HealthStatus::Fail, error.to_string()),
    };
    let count = |state| stock.incoming.get(&state).copied().unwrap_or(0);
    let (received, failed) = (count(IncomingState::Received), count(IncomingState::Failed));
    let status = if failed > 0 { HealthStatus::Warn } else { HealthStatus::Pass };
    let said = format!("{received} packages wait to be unpacked; {failed} could not be unpacked.");
    check("inbox", status, said)
}

/// How many packages of ours are on their way and not delivered yet.
fn waiting_in(stock: &Stock) -> u64 {
    OutgoingState::OPEN.iter().filter_map(|state| stock.outgoing.get(state)).sum()
}
