//! What a site keeps: the embedded ledger, the history in it, and the embedded case system.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "a process tells the test that started it")]

#[cfg(feature = "age")]
#[path = "../peers/mod.rs"]
mod peers;
#[cfg(feature = "age")]
#[path = "../support/mod.rs"]
mod support;

mod case_system_conformance;
mod case_system_sqlite;
mod case_system_update;
mod history_chain;
#[cfg(feature = "age")]
mod history_export;
#[cfg(feature = "age")]
mod history_lists;
mod ledger_conformance;
mod ledger_sqlite;
