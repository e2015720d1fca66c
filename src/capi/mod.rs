//! The C border: what the crate can do, for hosts that load it as a shared library.
//!
//! `guide.h` is the contract with those hosts and opens the generated header; `docs/c-abi.md` has the whole of it. Three
//! files decide for all others: `border` catches panics and turns errors into codes, `pointer` is where pointers that
//! came from C are followed, `failure` is how functions of the host are called and believed.

#![allow(unsafe_code, reason = "this is the C border")]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]
#![allow(unreachable_pub, reason = "the header's generator reads what is public")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's opening comment is the contract of every function"
)]
#![allow(clippy::exhaustive_structs, reason = "the layout of a C struct is fixed")]

mod answer;
mod answering;
mod archive_directory;
mod archive_name;
mod archive_reader;
#[cfg(test)]
mod archive_tests;
mod archive_writer;
mod border;
mod buffer;
mod callback;
mod case_documents;
mod case_system;
mod claim_out;
mod code;
mod codec_batch;
mod codec_bytes;
mod codec_file;
mod codec_stream;
mod digest;
mod directory_inbox;
mod error;
mod event;
mod exchange;
mod exchange_keys;
mod exchange_settings;
#[cfg(test)]
mod exchange_tests;
mod failure;
mod history;
mod host_case_system;
#[cfg(test)]
mod host_for_tests;
mod host_reply;
mod host_transport;
mod incoming;
mod incoming_request;
mod json;
mod key;
mod log;
mod message;
#[cfg(test)]
mod misuse_tests;
mod monitoring;
mod naming;
mod outbox;
mod outgoing;
mod pack;
mod package_state;
mod partner;
mod partner_trial;
mod pointer;
#[cfg(test)]
mod proof_tests;
mod receiver;
mod scan;
mod signing_key;
mod sink;
mod staged;
mod stream;
mod transport;
mod transport_https;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod two_sites;
mod unpack;
mod version;
mod watch;
mod webhook;
mod webhook_options;
