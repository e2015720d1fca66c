//! Secrets are gone from memory once what held them is dropped: a process of its own uses a key, drops it, and looks for it,
//! and for what was made of it on the way, in all of its writable memory, the stack among it.

#![cfg(all(target_os = "linux", feature = "capi"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod border;
#[path = "../c_library/mod.rs"]
mod c_library;
mod exchange;
mod keys;
#[path = "../peers/mod.rs"]
mod peers;
mod process;
#[path = "../support/mod.rs"]
mod support;
mod transport;
#[path = "../transport_tls/mod.rs"]
mod transport_tls;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use process::{Secret, found, playing};

const PROCESS: &str = "a_process_that_looks_through_its_memory";

/// Every test here is such a process, or several.
#[test]
#[ignore = "the other tests start it"]
fn a_process_that_looks_through_its_memory() {
    process::play(|case, lent| match case {
        "an exchange" => exchange::play(case, lent),
        "a client's key" | "a token on its way" | "a receiver's key" => transport::play(case, lent),
        _ => keys::play(case, lent),
    });
}

/// Plays a case, and expects to find none of the secrets that are sought.
#[track_caller]
fn nothing_is_left(case: &str, lent: Vec<Secret>, sought: impl FnOnce(&[u8]) -> Vec<Secret>) {
    only(&[], case, lent, sought);
}

/// Plays a case, and expects to find none of the secrets that are sought but these, which a library leaves that has no way to
/// be asked to wipe them.
#[track_caller]
fn only(known: &[&str], case: &str, lent: Vec<Secret>, sought: impl FnOnce(&[u8]) -> Vec<Secret>) {
    let found = found(playing(PROCESS, case), &lent, sought);
    let left: Vec<_> = found.iter().filter(|(name, _)| !known.contains(&name.as_str())).collect();
    assert!(left.is_empty(), "{case} left {left:#?}");
    assert_eq!(found.len(), known.len(), "of {known:?} there is only {:?}", found.keys());
}

/// So many bytes that follow from this number.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}
