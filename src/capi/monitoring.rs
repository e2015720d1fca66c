//! What an operator's monitoring asks an exchange: its counters, and whether it can do its work.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::exchange::cw_exchange;
use super::pointer::{Out, shared, tell};
use crate::exchange::HealthStatus;

/// All is well.
pub const CW_HEALTH_PASS: i32 = 0;

/// It works, and somebody should look at it.
pub const CW_HEALTH_WARN: i32 = 1;

/// It does not work.
pub const CW_HEALTH_FAIL: i32 = 2;

/// What the exchange counted since it was opened, and what lies in its outbox and inbox now, as a JSON object: "since"
/// and "at", "steps" and "failures", "sealed_bytes", "requests" and "refused_requests", "outbox" and "inbox" by state, and
/// "oldest_waiting_seconds". docs/metrics.md describes them.
///
/// Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_metrics(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_metrics", error, || {
            let answer = Answer::json_alone(out);
            answer.give_json(&shared("exchange", exchange)?.0.metrics()?)
        })
    }
}

/// The same as text in the OpenMetrics format, which Prometheus and others scrape, to be served as
/// "application/openmetrics-text; version=1.0.0; charset=utf-8".
///
/// Errors: as cw_exchange_metrics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_openmetrics(
    exchange: *const cw_exchange,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_openmetrics", error, || {
            let out = Out::new("out", out)?;
            let metrics = shared("exchange", exchange)?.0.metrics()?;
            out.give(cw_buffer::new(metrics.to_openmetrics()));
            Ok(())
        })
    }
}

/// Checks whether the site can do its work now: that its ledger and its folder can be written, that its key signs, that
/// its partners have their keys, and what waits in outbox and inbox. Nothing that it writes stays. `*status` is the worst
/// of the checks, CW_HEALTH_PASS, CW_HEALTH_WARN or CW_HEALTH_FAIL; `out` gets a JSON object with "status", "at",
/// "waiting", "oldest_waiting_seconds", and in "checks" for each its "code", "status" and "message". Both may be NULL.
///
/// What does not work is in the answer; errors are of the call itself.
///
/// Errors: CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_exchange_health(
    exchange: *const cw_exchange,
    status: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_exchange_health", error, || {
            tell(status, CW_HEALTH_PASS);
            let answer = Answer::new(out, status, std::ptr::null_mut());
            let health = shared("exchange", exchange)?.0.health();
            answer.give(&health, code_of(health.status), None)
        })
    }
}

fn code_of(status: HealthStatus) -> i32 {
    match status {
        HealthStatus::Pass => CW_HEALTH_PASS,
        HealthStatus::Warn => CW_HEALTH_WARN,
        HealthStatus::Fail => CW_HEALTH_FAIL,
    }
}
