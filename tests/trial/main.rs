//! Trials: whether two sites are set up right, found out without a claim, and by whom that is abused.

#![cfg(all(feature = "sqlite", feature = "age"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;
#[cfg(all(feature = "https", feature = "receiver"))]
#[path = "../transport_tls/mod.rs"]
mod transport_tls;

mod exchange;
mod hostile;
#[cfg(all(feature = "https", feature = "receiver"))]
mod https;
mod names;
