//! The codec by itself: archives and seals, from file to file and piece by piece, and what is refused of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, reason = "what is counted here is small")]

#[path = "../peers/mod.rs"]
mod peers;
#[path = "../raw_zip/mod.rs"]
mod raw_zip;

mod archive;
mod example;
mod files;
mod hostile;
mod noise;
mod pack;
mod push;
mod suites;
#[cfg(feature = "age")]
mod unpack;
#[cfg(all(feature = "age", feature = "zstd"))]
mod zstd;
