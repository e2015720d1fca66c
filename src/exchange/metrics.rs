//! Numbers for an operator's monitoring: a snapshot as values, and as text in the OpenMetrics format.

use super::Exchange;
use super::counters::Counted;
use crate::Result;
use crate::ledger::{Direction, IncomingState, OutgoingState, Step, Stock};
use crate::model::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What an exchange counted since it was opened, and what lies in its outbox and inbox now.
///
/// Serialises to JSON with the members below. Counters begin at zero whenever the exchange is opened; the history keeps
/// what happened for good.
///
/// No number stands under a name that a partner chose: each name is one of a few that this crate defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// When the exchange was opened.
    pub since: Timestamp,
    /// When this snapshot was taken.
    pub at: Timestamp,
    /// How many packages made each step. The usual steps are there from zero on.
    pub steps: Vec<StepCount>,
    /// How many steps failed, and packages were rejected, by direction and the error's stable name.
    pub failures: Vec<FailureCount>,
    /// Sealed bytes, by direction: outgoing as the partners' receipts prove them held, incoming as durably held here.
    pub sealed_bytes: BTreeMap<Direction, u64>,
    /// How many requests were answered, refused ones among them.
    pub requests: u64,
    /// How many of them were refused, by the error's stable name; what a server
    /// [refused by itself](crate::protocol::Endpoint::refused) among them.
    pub refused_requests: BTreeMap<&'static str, u64>,
    /// How many packages of ours stand in each state; every state is there.
    pub outbox: BTreeMap<OutgoingState, u64>,
    /// How many packages that came in stand in each state; every state is there.
    pub inbox: BTreeMap<IncomingState, u64>,
    /// For how long the oldest package of ours that is not delivered yet, and did not fail for good, has waited, in
    /// seconds; none where none waits.
    pub oldest_waiting_seconds: Option<u64>,
}

/// How many packages made a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepCount {
    /// Which way they go.
    pub direction: Direction,
    /// The step.
    pub step: Step,
    /// The stable name of what they carry.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
}

/// How many steps ended in an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailureCount {
    /// Which way the packages go.
    pub direction: Direction,
    /// The error's stable name; `other` for one that this version does not know.
    pub error: &'static str,
    /// How many.
    pub count: u64,
}

impl Exchange {
    /// The counters and gauges of this exchange. Costs a count over the ledger's packages by state.
    ///
    /// # Errors
    /// [`ErrorKind::Ledger`](crate::ErrorKind::Ledger).
    pub fn metrics(&self) -> Result<Metrics> {
        let stock = self.0.ledger.stock()?;
        Ok(Metrics::new(self.0.counters.now(), stock, self.now()))
    }
}

impl Metrics {
    /// The media type of [`to_openmetrics`](Self::to_openmetrics).
    pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    fn new(counted: Counted, stock: Stock, at: Timestamp) -> Self {
        let steps = counted.steps.into_iter();
        let failures = counted.failures.into_iter();
        Self {
            since: counted.since,
            at,
            steps: steps
                .map(|((direction, step, kind), count)| StepCount { direction, step, kind, count })
                .collect(),
            failures: failures
                .map(|((direction, error), count)| FailureCount { direction, error, count })
                .collect(),
            sealed_bytes: counted.bytes,
            requests: counted.requests,
            refused_requests: counted.refused,
            oldest_waiting_seconds: stock.oldest_waiting.map(|since| seconds_between(since, at)),
            outbox: every(OutgoingState::ALL, &stock.outgoing),
            inbox: every(IncomingState::ALL, &stock.incoming),
        }
    }

    /// The snapshot as text that Prometheus and others scrape: OpenMetrics 1.0, which ends in `# EOF`.
    ///
    /// ```
    /// # #[cfg(all(feature = "sqlite", feature = "age"))] {
    /// # use claimwire::{case_system::SqliteCaseSystem, protocol::SigningKey};
    /// # use claimwire::exchange::{Exchange, ExchangeSettings};
    /// # let folder = tempfile::tempdir()?;
    /// # let (site, cases) = ("IMEX".parse()?, SqliteCaseSystem::open(folder.path().join("cases"))?);
    /// # let settings = ExchangeSettings::new(site, folder.path(), SigningKey::generate("imex-1")?, cases);
    /// # let exchange = Exchange::open(settings)?;
    /// let text = exchange.metrics()?.to_openmetrics();
    /// assert!(text.contains("\nclaimwire_outbox_packages{state=\"queued\"} 0\n"));
    /// # }
    /// # Ok::<(), claimwire::Error>(())
    /// ```
    #[must_use]
    pub fn to_openmetrics(&self) -> String {
        let mut text = Text::default();
        text.family("claimwire_build", "info", "The version of the library.");
        text.sample("claimwire_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        text.family("claimwire_opened_timestamp_seconds", "gauge", "When the exchange was opened.");
        text.sample("claimwire_opened_timestamp_seconds", &[], self.since.unix_seconds());
        text.family("claimwire_package_steps", "counter", "Packages that made a step of their way.");
        for StepCount { direction, step, kind, count } in &self.steps {
            let labels = [("direction", direction.name()), ("step", step.name()), ("kind", *kind)];
            text.sample("claimwire_package_steps_total", &labels, count);
        }
        text.family("claimwire_failures", "counter", "Steps that failed and packages that were rejected.");
        for FailureCount { direction, error, count } in &self.failures {
            let labels = [("direction", direction.name()), ("error", *error)];
            text.sample("claimwire_failures_total", &labels, count);
        }
        text.family("claimwire_sealed_bytes", "counter", "Sealed bytes that are held by their recipient.");
        for (direction, bytes) in &self.sealed_bytes {
            text.sample("claimwire_sealed_bytes_total", &[("direction", direction.name())], bytes);
        }
        text.family("claimwire_requests", "counter", "Requests that were answered.");
        text.sample("claimwire_requests_total", &[], self.requests);
        text.family("claimwire_refused_requests", "counter", "Requests that were refused.");
        for (error, count) in &self.refused_requests {
            text.sample("claimwire_refused_requests_total", &[("error", error)], count);
        }
        text.family("claimwire_outbox_packages", "gauge", "Packages of this site by state.");
        for (state, count) in &self.outbox {
            text.sample("claimwire_outbox_packages", &[("state", state.name())], count);
        }
        text.family("claimwire_inbox_packages", "gauge", "Packages that came in by state.");
        for (state, count) in &self.inbox {
            text.sample("claimwire_inbox_packages", &[("state", state.name())], count);
        }
        let oldest = "claimwire_outbox_oldest_waiting_seconds";
        text.family(oldest, "gauge", "For how long the oldest package has waited to be delivered.");
        text.sample(oldest, &[], self.oldest_waiting_seconds.unwrap_or(0));
        text.0.push_str("# EOF\n");
        text.0
    }
}

/// Text in the OpenMetrics format. Names and label values are all of this crate, so nothing has to be escaped.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if let Some(unit) = ["bytes", "seconds"].into_iter().find(|unit| name.ends_with(unit)) {
            let _ = writeln!(self.0, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

/// Every state with its count, zeros too.
fn every<S: Ord + Copy>(states: &[S], counts: &BTreeMap<S, u64>) -> BTreeMap<S, u64> {
    states.iter().map(|state| (*state, counts.get(state).copied().unwrap_or(0))).collect()
}

/// Whole seconds from one moment to a later one; 0 where a clock was set back.
pub(super) fn seconds_between(since: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.unix_seconds().saturating_sub(since.unix_seconds())).unwrap_or(0)
}
