//! Zstandard (RFC 8878), written and read by libzstd through `zstd-safe`.
//!
//! An encoder of its own would have to reach what libzstd reaches, and a decoder may be handed anything: libzstd is fuzzed
//! without pause and is what the field reads with. Nothing of it is called but its two streaming contexts.
//!
//! - [`compress`]: content into a frame
//! - [`frame`]: what is said of a frame, and frames of content that is stored
//! - [`decompress`]: frames from outside into content, with bounded memory
//!
//! What libzstd's contexts hold of a content is freed with them and not wiped: it has no way to ask for that.

mod compress;
mod decompress;
mod frame;

#[cfg(test)]
mod hostile_tests;

pub(crate) use self::compress::Compressor;
pub(crate) use self::decompress::Decompressor;
pub(crate) use self::frame::{EMPTY, RawFrame};
