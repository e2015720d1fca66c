//! Sealed bytes on their way into a durable file: counted against a limit and digested as they pass.

use crate::durable_file::DurableFile;
use crate::protocol::{Digest, Hasher};
use crate::{Error, ErrorKind, Result};
use std::io::Write;
use std::path::PathBuf;

/// A sealed package being written; gone when dropped before [`place`](Self::place).
pub(super) struct SealedFile {
    file: DurableFile,
    hasher: Hasher,
    size: u64,
    limit: u64,
    refuses: bool,
}

impl SealedFile {
    /// A file that refuses to grow past `limit`: for bytes that come from outside.
    pub(super) fn limited(file: DurableFile, limit: u64) -> Self {
        Self { file, hasher: Hasher::new(), size: 0, limit, refuses: true }
    }

    /// A file that past `limit` only counts, so that the size can be told; it must not be placed then.
    pub(super) fn counting(file: DurableFile, limit: u64) -> Self {
        Self { refuses: false, ..Self::limited(file, limit) }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of what was written so far.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Syncs the file and gives it its name.
    pub(super) fn place(self, name: &str) -> Result<PathBuf> {
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        self.file.place(name)
    }
}

impl Write for SealedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.size + bytes.len() as u64 > self.limit {
            if self.refuses {
                return Err(too_large(self.limit).into());
            }
            self.size += bytes.len() as u64;
            return Ok(bytes.len());
        }
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// The refusal of a package above the agreed size.
pub(super) fn too_large(limit: u64) -> Error {
    Error::new(
        ErrorKind::SealedTooLarge,
        format!(
            "the sealed package is larger than the limit of {limit} bytes ({} MiB); send fewer or smaller documents",
            limit >> 20
        ),
    )
}
