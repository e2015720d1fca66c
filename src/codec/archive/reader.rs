//! Reads the entries of an archive whose catalogue was found good, and holds each to what it declares.

use std::fmt;
use std::io::{Read, Seek, Write};

use zip::read::{ArchiveOffset, Config, ZipArchive};
use zip::result::ZipError;

use super::super::inflate::{self, Inflater};
use super::super::pump::{CHUNK, fill};
use super::catalogue::{self, ArchiveEntry};
use super::digest::{EntryDigest, Measure};
use super::limits::Limits;
use super::record::Method;
use crate::{Error, ErrorKind, Result};

/// Reads a zip archive from outside.
///
/// Opening reads the archive's directory and refuses the archive as a whole when anything in it is hostile, beyond
/// the [`Limits`] or contradictory; nothing is inflated for that. What is left allows one reading only: names, sizes
/// and places stand in it twice, agree, and account for every byte. The `zip` crate, a second reader, has to find the
/// same entries before it is used to fetch them.
pub struct ArchiveReader<R: Read + Seek> {
    archive: ZipArchive<R>,
    entries: Vec<ArchiveEntry>,
    by_name: Vec<usize>,
    inflater: Inflater,
    buffer: Vec<u8>,
}

impl<R: Read + Seek> ArchiveReader<R> {
    /// Reads the directory of the archive that is all of `input`.
    ///
    /// # Errors
    ///
    /// | kind | when |
    /// |---|---|
    /// | [`NotAnArchive`](ErrorKind::NotAnArchive) | it neither begins nor ends as a zip archive |
    /// | [`Truncated`](ErrorKind::Truncated) | it begins as one, and has no directory |
    /// | [`TooManyEntries`](ErrorKind::TooManyEntries), [`InflatedTooLarge`](ErrorKind::InflatedTooLarge) | it is beyond `limits` |
    /// | [`HostileName`](ErrorKind::HostileName) | see [`check_path`](super::check_path) |
    /// | [`UnsupportedArchive`](ErrorKind::UnsupportedArchive) | encrypted entries, links, methods other than stored and deflated, split archives, comments |
    /// | [`InconsistentArchive`](ErrorKind::InconsistentArchive) | entries that collide, overlap, hide or differ from the directory; bytes that belong to nothing |
    /// | [`Io`](ErrorKind::Io) | `input` cannot be read |
    pub fn open(mut input: R, limits: &Limits) -> Result<Self> {
        let entries = catalogue::read(&mut input, limits)?;
        let from_the_start = Config { archive_offset: ArchiveOffset::Known(0) };
        let archive = ZipArchive::with_config(from_the_start, input).map_err(refused)?;
        if !finds_the_same(&archive, &entries) {
            return Err(inconsistent("two readers of its directory find different entries"));
        }
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by_key(|index| entries.get(*index).map(ArchiveEntry::name));
        Ok(Self { archive, entries, by_name, inflater: Inflater::new(), buffer: Vec::new() })
    }

    /// The files, in the order of the archive's directory.
    pub fn entries(&self) -> impl Iterator<Item = &ArchiveEntry> {
        self.entries.iter().filter(|entry| !entry.is_directory)
    }

    /// The directories that the archive lists by themselves.
    pub(super) fn directories(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| entry.is_directory).map(ArchiveEntry::name)
    }

    /// Writes the content of the file `name` to `output`, and returns its measured size and SHA-256.
    ///
    /// What was written is verified only when this returns: on an error, throw away what `output` got.
    ///
    /// # Errors
    ///
    /// - [`InvalidArgument`](ErrorKind::InvalidArgument): no file has this name.
    /// - [`Altered`](ErrorKind::Altered): the content does not inflate, or its CRC-32 is wrong.
    /// - [`InconsistentArchive`](ErrorKind::InconsistentArchive): it is shorter or longer than declared.
    /// - [`Io`](ErrorKind::Io): the archive cannot be read, or `output` refuses.
    pub fn read(&mut self, name: &str, output: impl Write) -> Result<EntryDigest> {
        let index = self.find(name)?;
        self.read_entry(index, output).map_err(|error| error.within(format_args!("entry `{name}`")))
    }

    fn read_entry(&mut self, index: usize, output: impl Write) -> Result<EntryDigest> {
        let Self { archive, entries, inflater, buffer, .. } = self;
        let entry = entries.get(index).ok_or_else(|| inconsistent("it has no such entry"))?;
        let mut packed = archive.by_index_raw(index).map_err(refused)?;
        let mut content = Declared { size: entry.size(), measure: Measure::new(), output };
        match entry.method {
            Method::Stored => copy(&mut packed, buffer, &mut content)?,
            Method::Deflated => {
                if inflate(&mut packed, inflater, buffer, &mut content)? != entry.compressed {
                    return Err(inconsistent("it has bytes after its compressed content"));
                }
            }
        }
        let (digest, crc32) = content.measure.finish();
        if digest.size() != entry.size() {
            return Err(inconsistent("it is shorter than it declares"));
        }
        if crc32 != entry.crc32 {
            return Err(Error::new(
                ErrorKind::Altered,
                "it was changed after it was written: its CRC-32 is wrong",
            ));
        }
        Ok(digest)
    }

    fn find(&self, name: &str) -> Result<usize> {
        let named = |index: &usize| self.entries.get(*index).map(ArchiveEntry::name);
        let position = self.by_name.binary_search_by(|index| named(index).cmp(&Some(name))).ok();
        let index = position.and_then(|position| self.by_name.get(position).copied());
        index.filter(|index| self.entries.get(*index).is_some_and(|entry| !entry.is_directory)).ok_or_else(
            || {
                Error::new(
                    ErrorKind::InvalidArgument,
                    format!("the archive has no file `{}`", name.escape_debug()),
                )
            },
        )
    }
}

/// Moves the bytes of a stored entry.
fn copy(stored: &mut impl Read, buffer: &mut Vec<u8>, content: &mut Declared<impl Write>) -> Result<()> {
    buffer.resize(CHUNK, 0);
    loop {
        let came = fill(&mut *stored, buffer)?;
        if came == 0 {
            return Ok(());
        }
        content.take(buffer.get(..came).unwrap_or_default())?;
    }
}

/// Inflates the bytes of a deflated entry: one deflate stream (RFC 1951), whose length this returns.
fn inflate(
    deflated: &mut impl Read,
    inflater: &mut Inflater,
    buffer: &mut Vec<u8>,
    content: &mut Declared<impl Write>,
) -> Result<u64> {
    inflater.reset();
    buffer.resize(CHUNK, 0);
    let mut consumed = 0;
    loop {
        let came = fill(&mut *deflated, buffer)?;
        if came == 0 {
            return Err(inflate::damaged());
        }
        let piece = buffer.get(..came).unwrap_or_default();
        let inflated = inflater.inflate(piece, &mut |inflated| content.take(inflated))?;
        consumed += inflated.consumed as u64;
        if inflated.ended {
            return Ok(consumed);
        }
    }
}

/// Whether the other reader found the same entries in the same order.
fn finds_the_same<R: Read + Seek>(archive: &ZipArchive<R>, entries: &[ArchiveEntry]) -> bool {
    archive.len() == entries.len()
        && archive.file_names().zip(entries).all(|(theirs, ours)| {
            theirs.is_ok_and(|theirs| match ours.is_directory {
                true => theirs.strip_suffix('/') == Some(ours.name()),
                false => theirs == ours.name(),
            })
        })
}

fn refused(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => error.into(),
        error => inconsistent(&error.to_string()).caused_by(error),
    }
}

impl<R: Read + Seek> fmt::Debug for ArchiveReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveReader").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// The content of an entry on its way out, held to the size its header declares.
struct Declared<W> {
    size: u64,
    measure: Measure,
    output: W,
}

impl<W: Write> Declared<W> {
    fn take(&mut self, content: &[u8]) -> Result<()> {
        if self.measure.size() + content.len() as u64 > self.size {
            return Err(inconsistent("it is longer than it declares"));
        }
        self.measure.update(content);
        self.output.write_all(content)?;
        Ok(())
    }
}

fn inconsistent(what: &str) -> Error {
    Error::new(ErrorKind::InconsistentArchive, format!("the archive contradicts itself: {what}"))
}
