//! Writes an archive entry by entry onto an output that need not seek.

use std::fmt;
use std::io::{self, Read, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::super::pump::{Counted, pump};
use super::content::is_worth_deflating;
use super::digest::{EntryDigest, Measure};
use super::limits::Limits;
use super::name::{Names, check_path, to_nfc};
use super::record::{self, Header, Method};
use crate::{Error, ErrorKind, Result};

/// Content up to this length waits in memory, so that its header can state its size and CRC.
const BUFFERED: usize = 4 * 1024 * 1024;

/// Writes a zip archive in one pass. The same entries give the same bytes.
///
/// Content up to 4 MiB is held in memory and gets a header with exact sizes; it is stored where deflate gains nothing
/// (judged by its bytes). Longer content streams through deflate, with a data descriptor after it; where deflate
/// gains nothing it is written in deflate's stored blocks, since many readers cannot take a stored entry with a
/// descriptor. All entries carry the time 1980-01-01.
///
/// **[`finish`](Self::finish) is not optional**: without it there is no directory, and nobody can read the archive.
///
/// ```
/// use claimwire::codec::{ArchiveReader, ArchiveWriter, Limits};
///
/// # fn main() -> claimwire::Result<()> {
/// let mut archive = ArchiveWriter::new(Vec::new());
/// let written = archive.add("documents/1/report.txt", &b"The windscreen is cracked."[..])?;
/// let bytes = archive.finish()?;
///
/// let mut archive = ArchiveReader::open(std::io::Cursor::new(bytes), &Limits::default())?;
/// let mut report = Vec::new();
/// assert_eq!(archive.read("documents/1/report.txt", &mut report)?, written);
/// # Ok(())
/// # }
/// ```
#[must_use = "an archive that is not finished cannot be read"]
pub struct ArchiveWriter<W: Write> {
    output: Counted<W>,
    names: Names,
    directory: Vec<u8>,
    entries: u64,
    deflater: Compress,
    content: Vec<u8>,
    deflated: Vec<u8>,
    broken: bool,
}

impl<W: Write> ArchiveWriter<W> {
    /// Writes an archive onto `output`, from where it stands.
    pub fn new(output: W) -> Self {
        Self {
            output: Counted::new(output),
            names: Names::default(),
            directory: Vec::new(),
            entries: 0,
            deflater: Compress::new(Compression::default(), false),
            content: Vec::new(),
            deflated: Vec::new(),
            broken: false,
        }
    }

    /// Adds an entry `name` with what `content` yields up to its end, and returns its size and SHA-256.
    ///
    /// # Errors
    ///
    /// - [`HostileName`](ErrorKind::HostileName): see [`check_path`], with the default [`Limits`].
    /// - [`InvalidArgument`](ErrorKind::InvalidArgument): the name is not in Unicode form C (see [`to_nfc`]), or
    ///   would meet another on a file system that does not tell case apart; or an earlier entry failed half way.
    /// - [`Io`](ErrorKind::Io): `content` or the output refused.
    ///
    /// After a failure half way through long content or the output, the archive cannot be finished any more.
    pub fn add(&mut self, name: &str, mut content: impl Read) -> Result<EntryDigest> {
        self.check(name)?;
        self.content.clear();
        (&mut content).take(BUFFERED as u64 + 1).read_to_end(&mut self.content).map_err(within(name))?;
        // Not before, so that an entry whose content could not be read may be tried again.
        self.insert(name, false)?;
        self.broken = true;
        let digest = if self.content.len() <= BUFFERED {
            self.write_buffered(name)
        } else {
            self.write_streamed(name, content).map_err(|error| error.within(format_args!("entry `{name}`")))
        }?;
        self.broken = false;
        Ok(digest)
    }

    /// Adds a directory that would otherwise not be there, since it is empty.
    pub(super) fn add_directory(&mut self, name: &str) -> Result<()> {
        self.check(name)?;
        self.insert(name, true)?;
        self.broken = true;
        let name = format!("{name}/");
        let mut header = self.header(&name, Method::Stored);
        header.is_directory = true;
        self.output.write_all(&header.local())?;
        self.record(&header);
        self.broken = false;
        Ok(())
    }

    /// Writes the directory of the archive and gives the output back, not flushed.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) when the output refuses; [`InvalidArgument`](ErrorKind::InvalidArgument) when an earlier
    /// entry failed half way.
    pub fn finish(self) -> Result<W> {
        Ok(self.end()?.inner)
    }

    /// Finishes, flushes, and returns the bytes written in all.
    pub(super) fn finish_flushed(self) -> Result<u64> {
        let mut output = self.end()?;
        output.flush()?;
        Ok(output.bytes)
    }

    fn end(mut self) -> Result<Counted<W>> {
        self.refuse_if_broken()?;
        let offset = self.output.bytes;
        self.output.write_all(&self.directory)?;
        self.output.write_all(&record::end(self.entries, offset, self.directory.len() as u64))?;
        Ok(self.output)
    }

    fn check(&self, name: &str) -> Result<()> {
        self.refuse_if_broken()?;
        check_path(name, &Limits::default())?;
        if to_nfc(name) != name {
            let message = format!("the entry name `{name}` is not in Unicode normalization form C");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(())
    }

    fn insert(&mut self, name: &str, is_directory: bool) -> Result<()> {
        self.names.insert(name, is_directory).map_err(|fault| Error::new(ErrorKind::InvalidArgument, fault))
    }

    fn refuse_if_broken(&self) -> Result<()> {
        if self.broken {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "the archive broke off at an earlier entry; start anew",
            ));
        }
        Ok(())
    }

    fn header<'n>(&self, name: &'n str, method: Method) -> Header<'n> {
        Header {
            name,
            method,
            is_directory: false,
            has_descriptor: false,
            crc32: 0,
            compressed: 0,
            inflated: 0,
            offset: self.output.bytes,
        }
    }

    fn record(&mut self, header: &Header<'_>) {
        self.directory.extend(header.central());
        self.entries += 1;
    }

    /// Writes the entry whose whole content is in memory, in the shorter form.
    fn write_buffered(&mut self, name: &str) -> Result<EntryDigest> {
        let mut measure = Measure::new();
        measure.update(&self.content);
        let (digest, crc32) = measure.finish();
        let method = if is_worth_deflating(&self.content) && self.deflate_buffered()? {
            Method::Deflated
        } else {
            Method::Stored
        };
        let mut header = self.header(name, method);
        let data = if method == Method::Deflated { &self.deflated } else { &self.content };
        header.crc32 = crc32;
        header.compressed = data.len() as u64;
        header.inflated = digest.size();
        self.output.write_all(&header.local())?;
        self.output.write_all(data)?;
        self.record(&header);
        Ok(digest)
    }

    /// Deflates the buffered content; false when that makes it no shorter.
    fn deflate_buffered(&mut self) -> Result<bool> {
        self.deflater.reset();
        self.deflated.clear();
        loop {
            self.deflated.reserve(self.content.len() / 4 + 1024);
            let consumed = usize::try_from(self.deflater.total_in()).unwrap_or(usize::MAX);
            let rest = self.content.get(consumed..).unwrap_or_default();
            let status = self
                .deflater
                .compress_vec(rest, &mut self.deflated, FlushCompress::Finish)
                .map_err(|error| Error::new(ErrorKind::Internal, "deflate failed").caused_by(error))?;
            if self.deflated.len() >= self.content.len() {
                return Ok(false);
            }
            if status == Status::StreamEnd {
                return Ok(true);
            }
        }
    }

    /// Writes the entry that begins with the buffered content and goes on with `rest`.
    fn write_streamed(&mut self, name: &str, rest: impl Read) -> Result<EntryDigest> {
        let level =
            if is_worth_deflating(&self.content) { Compression::default() } else { Compression::none() };
        let mut header = self.header(name, Method::Deflated);
        header.has_descriptor = true;
        self.output.write_all(&header.local())?;
        let start = self.output.bytes;
        let (digest, crc32) = {
            let inner = DeflateEncoder::new(&mut self.output, level);
            let mut content = Measured { inner, measure: Measure::new() };
            content.write_all(&self.content)?;
            pump(rest, &mut content)?;
            content.inner.finish()?;
            content.measure.finish()
        };
        header.crc32 = crc32;
        header.compressed = self.output.bytes - start;
        header.inflated = digest.size();
        self.output.write_all(&header.descriptor())?;
        self.record(&header);
        Ok(digest)
    }
}

impl<W: Write> fmt::Debug for ArchiveWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveWriter")
            .field("entries", &self.entries)
            .field("written", &self.output.bytes)
            .finish_non_exhaustive()
    }
}

/// A `Write` that measures what passes.
struct Measured<W> {
    inner: W,
    measure: Measure,
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.inner.write_all(content)?;
        self.measure.update(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Says which entry's content could not be read.
fn within(name: &str) -> impl FnOnce(io::Error) -> Error {
    move |error| Error::from(error).within(format_args!("entry `{name}`"))
}
