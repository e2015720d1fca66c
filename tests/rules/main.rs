//! The rules of what may leave and what may come in: each as the pure check that it is, and as an export meets them.

#![cfg(feature = "exchange")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[cfg(all(feature = "sqlite", feature = "age"))]
#[path = "../support/mod.rs"]
mod support;

mod export;
mod import;
mod names;
mod naming;
#[cfg(feature = "regex")]
mod naming_regex;
#[cfg(all(feature = "sqlite", feature = "age"))]
mod refused_exports;
mod selection;
