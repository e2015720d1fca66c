//! The HTTPS endpoint: who comes in, how much of whom, and uploads that go on where they broke off.

#![cfg(all(feature = "https", feature = "receiver"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[cfg(all(feature = "sqlite", feature = "age"))]
#[path = "../support/mod.rs"]
mod support;
#[path = "../transport_tls/mod.rs"]
mod transport_tls;

#[cfg(all(feature = "sqlite", feature = "age"))]
mod authentication;
mod bounds;
#[cfg(all(feature = "sqlite", feature = "age"))]
mod floods;
mod mounted;
#[cfg(all(feature = "sqlite", feature = "age"))]
mod resumable_upload;
mod tls;
