//! The C interface as a host's build and a host's program find it, in C, C++ and the languages that call C.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../c_library/mod.rs"]
mod c_library;
#[path = "../peers/mod.rs"]
mod peers;

mod abi;
mod codec;
mod exchange;
mod header;
#[cfg(all(unix, feature = "capi"))]
mod hosts;
#[cfg(target_os = "linux")]
mod install;
#[cfg(all(unix, feature = "capi"))]
mod language_hosts;
#[cfg(target_os = "linux")]
mod sanitized;
mod settings;
mod surface;
#[cfg(target_os = "linux")]
mod sweep;
