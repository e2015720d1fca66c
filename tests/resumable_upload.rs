//! A package whose upload breaks off goes on where it broke: asked by hand of the endpoint, and over the real wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![cfg(all(feature = "sqlite", feature = "age", feature = "https", feature = "receiver"))]

mod support;
mod transport_tls;
mod upload;
