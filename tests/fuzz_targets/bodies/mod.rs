//! What the fuzz targets do with the bytes that they are given: run by libFuzzer, and with every compiler by
//! `tests/fuzz_targets/` on the kept corpus and on what is changed of it.
//!
//! All take plain bytes, so that a file of the corpus means the same to both. The decoder of deflate, the reader of
//! clamd's replies and the watcher of the receiver's connections are private to the crate; their bodies stand beside them:
//! `src/codec/inflate/zlib.rs`, `src/scan/any_reply.rs` and `src/receiver/framing/conversation.rs`.

#![allow(dead_code, unused_imports, reason = "each target runs one of them")]
#![allow(clippy::expect_used, reason = "a broken promise is what is looked for")]

mod age_payload;
mod border;
mod claims;
mod codec;
mod drop_folder;
mod endpoint;
mod kept;
mod merging;
mod messages;
mod script;
mod settings;
mod texts;
mod webhook;

pub(crate) use age_payload::age_payload;
pub(crate) use border::border;
pub(crate) use claims::{claim_file, naming, package};
pub(crate) use codec::{SALT, archive, deflate, legacy_key, sealed, zstd};
pub(crate) use drop_folder::drop_folder;
pub(crate) use endpoint::endpoint;
pub(crate) use kept::{evidence, history};
pub(crate) use merging::merging;
pub(crate) use messages::{SIGNED_ID, answer, answered, request, signed_at, signer, trial, upload};
pub(crate) use settings::settings;
pub(crate) use texts::{keys, values};
pub(crate) use webhook::webhook;

/// A folder of a target's own: in memory where the system has room for files there, since nothing of it has to survive.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a place for files")
}
