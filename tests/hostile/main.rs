//! Input from an enemy: deliveries, answers, receipts, packages and archives, each fault refused by a kind of its own.

#![cfg(feature = "age")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, reason = "what is counted here is small")]

#[path = "../hostile_kit/kit.rs"]
mod kit;
#[cfg(feature = "sqlite")]
#[path = "../raw_zip/mod.rs"]
mod raw_zip;
#[cfg(feature = "sqlite")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "sqlite")]
mod answer;
#[cfg(feature = "sqlite")]
mod archive;
#[cfg(feature = "sqlite")]
mod delivery;
mod inputs;
#[cfg(feature = "sqlite")]
mod package;
#[cfg(feature = "sqlite")]
mod receipt;
