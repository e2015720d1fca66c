//! The C border: what the crate can do, for hosts that load it as a shared library.
//!
//! `guide.h` is the contract with those hosts and opens the generated header; `docs/c-abi.md` has the whole of it. Three
//! files decide for all others: `border` catches panics and turns errors into codes, `pointer` is where pointers that
//! came from C are followed, `callback` is how functions of the host are called.

#![allow(unsafe_code, reason = "this is the C border")]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]
#![allow(unreachable_pub, reason = "the header's generator reads what is public")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's opening comment is the contract of every function"
)]
#![allow(clippy::exhaustive_structs, reason = "the layout of a C struct is fixed")]

mod archive_directory;
mod archive_reader;
mod archive_writer;
mod border;
mod buffer;
mod callback;
mod case_system;
mod code;
mod codec_bytes;
mod codec_file;
mod codec_stream;
mod error;
mod exchange;
#[cfg(test)]
mod host_for_tests;
mod host_stream;
mod json;
mod key;
mod partner;
mod pointer;
mod transport;
mod version;
mod watch;
