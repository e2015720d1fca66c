//! Partners: what was settled with them, the keys they have in time, and settings that change while packages wait.

#![cfg(feature = "age")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[cfg(feature = "sqlite")]
#[path = "../support/mod.rs"]
mod support;
#[cfg(all(feature = "sqlite", feature = "https", feature = "receiver", feature = "toml"))]
#[path = "../transport_tls/mod.rs"]
mod transport_tls;

#[cfg(all(feature = "sqlite", feature = "zstd"))]
mod compression;
#[cfg(feature = "sqlite")]
mod keys_in_time;
#[cfg(feature = "toml")]
mod settings;
#[cfg(feature = "sqlite")]
mod traffic;
#[cfg(all(feature = "sqlite", feature = "https", feature = "receiver", feature = "toml"))]
mod unsigned;
#[cfg(feature = "sqlite")]
mod while_running;
