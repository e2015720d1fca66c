//! The way of a package between two sites, from the export to what its sender learns of it in the end.

#![cfg(all(feature = "sqlite", feature = "age"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, reason = "what is counted here is small")]

#[path = "../peers/mod.rs"]
mod peers;
#[path = "../support/mod.rs"]
mod support;

mod any_order;
mod crossing_packages;
mod document_scan;
mod monitoring;
mod notes;
mod rejecting;
mod restored_backup;
mod retention;
mod sent_snapshots;
mod telling_senders;
mod told;
mod undisclosed;
mod unpack_feedback;
mod unpack_outcomes;
mod way;
