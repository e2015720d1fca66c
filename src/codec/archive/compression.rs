//! What entries are compressed with, and how long ones are cut for that.

use std::fmt;
use std::str::FromStr;

use super::super::deflate::WINDOW;
use super::record::Method;
use crate::{Error, ErrorKind, Result};

/// What the entries of an archive are compressed with, as far as they gain from it. What gains nothing is stored either way.
///
/// ```
/// use claimwire::codec::Compression;
///
/// assert_eq!("deflate".parse::<Compression>()?, Compression::default());
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Deflate (RFC 1951), which every program reads that reads zip archives.
    #[default]
    Deflate,
    /// Zstandard (RFC 8878), method 93 of the zip format: for recipients that read it, which
    /// docs/package-format.md lists. It takes a fraction of the time and makes less; recipients with this library need its
    /// feature `zstd`.
    #[cfg(feature = "zstd")]
    Zstd,
}

/// How content is cut that is too long to be held in memory.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    /// The bytes of the buffer of a block.
    pub(super) buffer: usize,
    /// How many of them are for the end of the block before.
    pub(super) window: usize,
}

impl Compression {
    /// The name that settings and options use: `deflate`, `zstd`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    /// Packing is as fast as one thread encrypts, and the others must keep up with it: this leaves them time to spare.
    pub(super) fn default_level(self) -> u8 {
        3
    }

    /// How an entry is kept that is compressed so.
    pub(super) fn method(self) -> Method {
        match self {
            Self::Deflate => Method::Deflated,
            #[cfg(feature = "zstd")]
            Self::Zstd => Method::Zstd,
        }
    }

    pub(super) fn blocks(self) -> Blocks {
        match self {
            Self::Deflate => Blocks { buffer: 512 * 1024, window: WINDOW },
            // Each is a frame, which refers to nothing before it, so that it has to be longer to make as little.
            #[cfg(feature = "zstd")]
            Self::Zstd => Blocks { buffer: 1024 * 1024, window: 0 },
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Reads a [`name`](Self::name).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument): there is none of this name, or it is not built in.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "deflate" => Ok(Self::Deflate),
            #[cfg(feature = "zstd")]
            "zstd" => Ok(Self::Zstd),
            #[cfg(not(feature = "zstd"))]
            "zstd" => Err(Error::new(ErrorKind::InvalidArgument, NOT_BUILT_IN)),
            _ => Err(Error::new(ErrorKind::InvalidArgument, "there are `deflate` and `zstd`")),
        }
    }
}

#[cfg(not(feature = "zstd"))]
pub(super) const NOT_BUILT_IN: &str = "zstd is not built in; build with the feature `zstd`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_is_read_by_the_name_it_is_shown_by() {
        let mut all = vec![(Compression::Deflate, "deflate")];
        #[cfg(feature = "zstd")]
        all.push((Compression::Zstd, "zstd"));
        for (compression, name) in all {
            assert_eq!((compression.name(), compression.to_string()), (name, name.to_owned()));
            assert_eq!(name.parse::<Compression>().unwrap(), compression);
        }
        let error = "lzma".parse::<Compression>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("there are"), "{error}");
    }
}
