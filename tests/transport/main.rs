//! What carries requests and events to others: each transport by itself, under the one suite, and on the whole way.

#![cfg(feature = "exchange")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[cfg(all(feature = "sqlite", feature = "age", feature = "https", feature = "receiver"))]
#[path = "../support/mod.rs"]
mod support;
#[cfg(all(feature = "https", feature = "receiver"))]
#[path = "../transport_tls/mod.rs"]
mod transport_tls;
#[cfg(all(feature = "sqlite", feature = "age", feature = "receiver", feature = "webhook"))]
#[path = "../webhook_host/mod.rs"]
mod webhook_host;

#[cfg(all(feature = "https", feature = "receiver"))]
mod conformance;
mod directory;
#[cfg(all(feature = "sqlite", feature = "age", feature = "https", feature = "receiver"))]
mod exchange;
#[cfg(feature = "https")]
mod https;
#[cfg(all(feature = "sqlite", feature = "age", feature = "receiver", feature = "webhook"))]
mod webhook_delivery;
