//! Reads the entries of an archive whose catalogue was found good, and holds each to what it declares.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};

use zip::read::{ArchiveOffset, Config, ZipArchive};
use zip::result::ZipError;

use super::super::inflate::{self, Inflater};
use super::super::pump::CHUNK;
#[cfg(feature = "zstd")]
use super::super::zstd::Decompressor;
use super::catalogue::{self, ArchiveEntry, inconsistent};
use super::digest::{EntryDigest, Measure};
use super::limits::Limits;
use super::local::{self, Placed};
use super::record::Method;
use crate::{Error, ErrorKind, Result};

/// Reads a zip archive from outside.
///
/// Opening reads the archive's directory and refuses the archive as a whole when anything in it is hostile, beyond
/// the [`Limits`] or contradictory; nothing is inflated for that. What is left allows one reading only: names, sizes
/// and places stand in it twice, agree, and account for every byte. The `zip` crate, a second reader, has to find the
/// same entries before anything is read.
pub struct ArchiveReader<R: Read + Seek> {
    input: BufReader<R>,
    entries: Entries,
    unpacker: Unpacker,
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
    /// | [`UnsupportedArchive`](ErrorKind::UnsupportedArchive) | encrypted entries, links, methods other than stored, deflated and (feature `zstd`) Zstandard, split archives, a comment of the archive; an entry that has, in the directory, more than 16 extra fields, more of them than 512 bytes beside the longest path, a comment of more than 512 bytes, or beside its name in UTF-8 another of three times the longest path |
    /// | [`InconsistentArchive`](ErrorKind::InconsistentArchive) | entries that collide, overlap, hide or differ from the directory; bytes that belong to nothing |
    /// | [`Io`](ErrorKind::Io) | `input` cannot be read |
    pub fn open(mut input: R, limits: &Limits) -> Result<Self> {
        let entries = Entries::read(&mut input, limits, local::hold)?;
        let input = BufReader::with_capacity(CHUNK, input);
        Ok(Self { input, entries, unpacker: Unpacker::new() })
    }

    /// The files, in the order of the archive's directory.
    pub fn entries(&self) -> impl Iterator<Item = &ArchiveEntry> {
        self.entries.files()
    }

    /// Writes the content of the file `name` to `output`, and returns its measured size and SHA-256.
    ///
    /// What was written is verified only when this returns: on an error, throw away what `output` got.
    ///
    /// # Errors
    ///
    /// - [`InvalidArgument`](ErrorKind::InvalidArgument): no file has this name.
    /// - [`Altered`](ErrorKind::Altered): the content does not decompress, or its CRC-32 is wrong.
    /// - [`InconsistentArchive`](ErrorKind::InconsistentArchive): it is shorter or longer than declared, or bytes follow it.
    /// - [`UnsupportedArchive`](ErrorKind::UnsupportedArchive): it was compressed with a dictionary, or with a window of more
    ///   than 8 MiB.
    /// - [`Io`](ErrorKind::Io): the archive cannot be read, or `output` refuses.
    pub fn read(&mut self, name: &str, output: impl Write) -> Result<EntryDigest> {
        let entry = self.entries.named(name)?;
        self.input.seek(SeekFrom::Start(entry.data_start))?;
        self.unpacker.unpack(entry, (&mut self.input).take(entry.compressed), output)
    }
}

/// The entries of an archive that was found good.
pub(super) struct Entries {
    all: Vec<ArchiveEntry>,
    by_name: Vec<usize>,
}

impl Entries {
    /// Reads and judges the directory of the archive that is all of `input`.
    pub(super) fn read<R: Read + Seek>(
        input: &mut R,
        limits: &Limits,
        hold: impl FnOnce(&mut R, &mut [Placed<'_>]) -> Result<()>,
    ) -> Result<Self> {
        let all = catalogue::read(input, limits, hold)?;
        let from_the_start = Config { archive_offset: ArchiveOffset::Known(0) };
        let archive = ZipArchive::with_config(from_the_start, input).map_err(refused)?;
        if !finds_the_same(&archive, &all) {
            return Err(inconsistent("two readers of its directory find different entries"));
        }
        let mut by_name: Vec<usize> = (0..all.len()).collect();
        by_name.sort_by_key(|index| all.get(*index).map(ArchiveEntry::name));
        Ok(Self { all, by_name })
    }

    /// The files, in the order of the archive's directory.
    pub(super) fn files(&self) -> impl Iterator<Item = &ArchiveEntry> {
        self.all.iter().filter(|entry| !entry.is_directory)
    }

    /// The directories that the archive lists by themselves.
    pub(super) fn directories(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|entry| entry.is_directory).map(ArchiveEntry::name)
    }

    /// The file `name`.
    pub(super) fn named(&self, name: &str) -> Result<&ArchiveEntry> {
        let at = |index: &usize| self.all.get(*index).map(ArchiveEntry::name);
        let position = self.by_name.binary_search_by(|index| at(index).cmp(&Some(name))).ok();
        let index = position.and_then(|position| self.by_name.get(position));
        let entry = index.and_then(|index| self.all.get(*index));
        entry.filter(|entry| !entry.is_directory).ok_or_else(|| {
            let message = format!("the archive has no file `{}`", name.escape_debug());
            Error::new(ErrorKind::InvalidArgument, message)
        })
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entries").field(&self.all.len()).finish()
    }
}

/// Gets the content out of entries, one after the other, with the same buffers.
pub(super) struct Unpacker {
    inflater: Inflater,
    /// Made when an entry needs it.
    #[cfg(feature = "zstd")]
    decompressor: Option<Decompressor>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            #[cfg(feature = "zstd")]
            decompressor: None,
        }
    }

    /// Writes the content of `entry`, whose bytes in the archive `packed` gives, to `output`.
    pub(super) fn unpack(
        &mut self,
        entry: &ArchiveEntry,
        packed: impl BufRead,
        output: impl Write,
    ) -> Result<EntryDigest> {
        let content = Declared { size: entry.size(), measure: Measure::new(), output };
        self.unpack_declared(entry, packed, content)
            .map_err(|error| error.within(format_args!("entry `{}`", entry.name())))
    }

    fn unpack_declared(
        &mut self,
        entry: &ArchiveEntry,
        mut packed: impl BufRead,
        mut content: Declared<impl Write>,
    ) -> Result<EntryDigest> {
        match entry.method {
            Method::Stored => copy(&mut packed, &mut content)?,
            Method::Deflated => {
                let consumed = inflate(&mut packed, &mut self.inflater, &mut content)?;
                if consumed != entry.compressed {
                    return Err(inconsistent("it has bytes after its compressed content"));
                }
            }
            #[cfg(feature = "zstd")]
            Method::Zstd => {
                let decompressor = match &mut self.decompressor {
                    Some(decompressor) => decompressor,
                    none => none.insert(Decompressor::new()?),
                };
                decompress(&mut packed, decompressor, &mut content)?;
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
}

/// Moves the bytes of a stored entry.
fn copy(stored: &mut impl BufRead, content: &mut Declared<impl Write>) -> Result<()> {
    loop {
        let came = next_piece(stored)?;
        if came.is_empty() {
            return Ok(());
        }
        content.take(came)?;
        let length = came.len();
        stored.consume(length);
    }
}

/// Inflates the bytes of a deflated entry: one deflate stream (RFC 1951). Returns how many bytes it has.
fn inflate(
    deflated: &mut impl BufRead,
    inflater: &mut Inflater,
    content: &mut Declared<impl Write>,
) -> Result<u64> {
    inflater.reset();
    let mut consumed = 0;
    loop {
        let piece = next_piece(deflated)?;
        if piece.is_empty() {
            return Err(inflate::damaged());
        }
        let inflated = inflater.inflate(piece, &mut |inflated| content.take(inflated))?;
        deflated.consume(inflated.consumed);
        consumed += inflated.consumed as u64;
        if inflated.ended {
            return Ok(consumed);
        }
    }
}

/// Decompresses the bytes of an entry that is Zstandard frames (RFC 8878).
#[cfg(feature = "zstd")]
fn decompress(
    frames: &mut impl BufRead,
    decompressor: &mut Decompressor,
    content: &mut Declared<impl Write>,
) -> Result<()> {
    decompressor.reset()?;
    loop {
        let piece = next_piece(frames)?;
        if piece.is_empty() {
            return decompressor.finish();
        }
        decompressor.decompress(piece, &mut |content_piece| content.take(content_piece))?;
        let length = piece.len();
        frames.consume(length);
    }
}

/// What the input gives next; nothing at its end.
fn next_piece(input: &mut impl BufRead) -> io::Result<&[u8]> {
    // Asked twice, since what an interruption gave may not be kept over a second try.
    while let Err(error) = input.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    input.fill_buf()
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
        error => inconsistent(&error).caused_by(error),
    }
}

impl<R: Read + Seek> fmt::Debug for ArchiveReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveReader").field("entries", &self.entries).finish_non_exhaustive()
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
