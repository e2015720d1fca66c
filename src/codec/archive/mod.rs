//! Zip archives, written so that every tool opens them and read so that none of them is believed.
//!
//! The format is PKWARE's APPNOTE 6.3.10. The container is read and written here and not by a library, for two
//! reasons: a writer on an output that cannot seek must give small entries exact headers (some readers take stored
//! entries no other way) and large ones a data descriptor; and a reader that must find every contradiction in an
//! archive has to see all of its bytes itself, since two parsers of the same bytes are where attacks live.
//! Deflate is written and read by the codec's own encoder and decoder, Zstandard by libzstd; CRC-32 comes from `crc32fast`.
//!
//! - [`name`]: which names may be written to a file system, and which collide
//! - [`limits`]: how much an archive may cost
//! - [`record`]: the records of the format as bytes
//! - [`compression`] and [`content`]: what entries are compressed with, and which are stored
//! - [`job`], [`source`], [`workers`], [`buffer`], `frames` and [`stored`]: content measured and compressed ahead, on other
//!   threads
//! - [`writer`] and [`reader`]: one entry at a time; [`catalogue`] and [`local`]: what the archive says of its entries
//! - [`extract`]: many entries, by every core; [`order`]: entries in the order that suits the threads
//! - [`files`]: files of a directory, read by the threads, too; [`identity`]: those that were replaced meanwhile
//! - [`tree`]: a whole directory; [`target`]: where it is unpacked to; [`memory`]: a handful of small files

mod buffer;
mod catalogue;
mod compression;
mod content;
mod digest;
#[cfg(test)]
mod end_tests;
mod extract;
mod files;
#[cfg(feature = "zstd")]
mod frames;
mod identity;
mod job;
mod limits;
mod local;
mod memory;
mod name;
mod options;
mod order;
mod reader;
mod record;
mod source;
mod stored;
mod target;
mod tree;
mod workers;
mod writer;

pub use self::catalogue::ArchiveEntry;
pub use self::compression::Compression;
pub use self::digest::EntryDigest;
#[cfg(feature = "exchange")]
pub(crate) use self::extract::Wanted;
pub(crate) use self::extract::{SharedArchive, available_threads};
pub use self::limits::Limits;
pub use self::memory::{compress_bytes, decompress_bytes};
pub use self::name::{check_path, to_nfc};
pub use self::options::PackOptions;
pub use self::reader::ArchiveReader;
pub(super) use self::target::Target;
pub use self::tree::{compress, decompress};
pub(super) use self::tree::{decompress_from, spool};
pub use self::writer::ArchiveWriter;

pub(super) use self::order::spread;
pub(super) use self::tree::{add, list};
