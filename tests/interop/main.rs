//! What is written here is read by the programs of others, and the other way round; and the documents say what is done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, reason = "what is counted here is small")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "../peers/mod.rs"]
mod peers;
#[cfg(all(feature = "sqlite", feature = "age"))]
#[path = "../support/mod.rs"]
mod support;
#[cfg(all(feature = "sqlite", feature = "age", feature = "https", feature = "receiver"))]
#[path = "../transport_tls/mod.rs"]
mod transport_tls;

mod archives;
mod ciphers;
#[cfg(all(feature = "sqlite", feature = "age", feature = "https", feature = "receiver"))]
mod http;
#[cfg(all(feature = "sqlite", feature = "age", feature = "toml"))]
mod json_schemas;
#[cfg(feature = "exchange")]
mod protocol_example;
#[cfg(feature = "exchange")]
mod protocol_peer;
#[cfg(feature = "exchange")]
mod protocol_signatures;
