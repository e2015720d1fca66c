//! The fuzz targets as one library: compiled once, where each binary under `fuzz_targets/` would compile all of it again.

#[path = "../../tests/fuzz_targets/bodies/mod.rs"]
mod bodies;
// What is private to the crate is compiled into this one again.
#[path = "../../src/scan/any_reply.rs"]
mod any_reply;
#[path = "../../src/receiver/framing/conversation.rs"]
mod conversation;
#[path = "../../src/receiver/framing/mod.rs"]
mod framing;
#[path = "../../src/codec/inflate/mod.rs"]
mod inflate;
#[path = "../../src/scan/instream.rs"]
mod instream;
#[path = "../../src/codec/inflate/zlib.rs"]
mod zlib;

use claimwire::scan::Verdict;
use claimwire::{Error, ErrorKind, Result, protocol};
use framing::{Watched, http};
use inflate::Inflater;

macro_rules! targets {
    ($($target:ident: $body:path),* $(,)?) => {
        $(pub fn $target(bytes: &[u8]) {
            $body(bytes);
        })*
    };
}

targets!(
    age_payload: bodies::age_payload,
    answer: bodies::answer,
    archive: bodies::archive,
    border: bodies::border,
    clamd: any_reply::any_reply,
    claim_file: bodies::claim_file,
    deflate: bodies::deflate,
    drop_folder: bodies::drop_folder,
    endpoint: bodies::endpoint,
    evidence: bodies::evidence,
    framing: conversation::conversation,
    history: bodies::history,
    inflate: zlib::agrees,
    keys: bodies::keys,
    merging: bodies::merging,
    naming: bodies::naming,
    package: bodies::package,
    request: bodies::request,
    sealed: bodies::sealed,
    settings: bodies::settings,
    trial: bodies::trial,
    upload: bodies::upload,
    values: bodies::values,
    webhook: bodies::webhook,
    zstd: bodies::zstd,
);
