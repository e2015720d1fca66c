//! What was promised stays promised: an outbox in time, and what a process that died may leave.

#![cfg(all(feature = "sqlite", feature = "age"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod crash_points;
mod outbox;
