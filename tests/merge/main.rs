//! Merging: what comes in, what is here and what both last had in common, as a pure function and between two sites.

#![cfg(feature = "exchange")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[cfg(all(feature = "sqlite", feature = "age"))]
#[path = "../support/mod.rs"]
mod support;

#[cfg(all(feature = "sqlite", feature = "age"))]
mod contacts_matched;
#[cfg(all(feature = "sqlite", feature = "age"))]
mod loop_suppression;
mod properties;
mod three_way;
