//! Writes an archive entry by entry onto an output that need not seek.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::mem;

use super::super::pump::{Counted, fill};
use super::buffer::{Buffer, Buffers};
use super::compression::Blocks;
use super::digest::EntryDigest;
use super::job::{Done, Job, Part};
use super::limits::Limits;
use super::name::{Names, check_path, to_nfc};
use super::options::PackOptions;
use super::record::{self, Header, Method};
use super::source::{Chain, ended_early};
use super::stored::LongData;
use super::workers::Workers;
use crate::{Error, ErrorKind, Result};

/// Content up to this length waits in memory, so that its header can state its size and CRC.
pub(super) const BUFFERED: usize = 4 * 1024 * 1024;

/// The most bytes of buffers that wait to be written, where other threads work ahead.
const AHEAD: usize = 16 * 1024 * 1024;

/// Buffers kept beyond these, so that one of the right size is mostly there.
const SPARE: usize = 8 * 1024 * 1024;

/// Writes a zip archive in one pass. The same entries give the same bytes, on any number of threads.
///
/// Content up to 4 MiB is held in memory and gets a header with exact sizes; it is stored where compression gains nothing
/// (judged by its bytes). Longer content is compressed in blocks, with a data descriptor after it; a block that gains
/// nothing becomes stored blocks of deflate, or raw ones of Zstandard, since many readers cannot take a stored entry with
/// a descriptor. All entries carry the time 1980-01-01.
///
/// Content is read and the archive written on the caller's thread alone. Measuring and compressing is done
/// [ahead](Self::queue) by others, as [`PackOptions`] says; they have ended when the writer is finished or dropped. Up
/// to 16 MiB of content wait in memory then, in 24 MiB of buffers, and each thread has at most 5 MiB more.
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
    workers: Workers,
    buffers: Buffers,
    ahead: usize,
    /// How long content is kept, and how it is cut.
    long: Method,
    pub(super) blocks: Blocks,
    /// What was handed to the workers and is to be written, in order.
    queue: VecDeque<Queued>,
    /// What was read of files, of the entries written, and no watch was told of.
    pub(super) untold: u64,
    /// The long entry of which a part is written.
    open: Option<Open>,
    settled: Vec<(String, EntryDigest)>,
    broken: bool,
}

/// What is to be written next; all but a directory is a job of the workers.
pub(super) enum Queued {
    Directory(String),
    Whole(String),
    FirstBlock(String),
    Block,
}

/// A long entry of which the header is written.
struct Open {
    name: String,
    header_at: u64,
    data_at: u64,
    data: LongData,
}

impl<W: Write> ArchiveWriter<W> {
    /// Writes an archive onto `output`, from where it stands, with the default [`PackOptions`].
    pub fn new(output: W) -> Self {
        Self::with_options(output, &PackOptions::default())
    }

    /// Writes an archive onto `output`, from where it stands.
    pub fn with_options(output: W, options: &PackOptions) -> Self {
        let workers = Workers::new(options);
        // With nobody to work ahead, what was read is best written while it is in the processor's cache.
        let ahead = if workers.are_several() { AHEAD } else { 0 };
        Self {
            output: Counted::new(output),
            names: Names::default(),
            directory: Vec::new(),
            entries: 0,
            workers,
            buffers: Buffers::new(ahead + SPARE),
            ahead,
            long: options.compression().method(),
            blocks: options.compression().blocks(),
            queue: VecDeque::new(),
            untold: 0,
            open: None,
            settled: Vec::new(),
            broken: false,
        }
    }

    /// Adds an entry `name` with what `content` yields up to its end, and returns its size and SHA-256. It is written
    /// when this returns, and so are those [queued](Self::queue) before.
    ///
    /// # Errors
    ///
    /// - [`HostileName`](ErrorKind::HostileName): see [`check_path`], with the default [`Limits`].
    /// - [`InvalidArgument`](ErrorKind::InvalidArgument): the name is not in Unicode form C (see [`to_nfc`]), or
    ///   would meet another on a file system that does not tell case apart; or an earlier entry failed half way.
    /// - [`Io`](ErrorKind::Io): `content` or the output refused.
    ///
    /// After a failure half way through long content or the output, the archive cannot be finished any more.
    pub fn add(&mut self, name: &str, content: impl Read) -> Result<EntryDigest> {
        self.queue(name, content)?;
        self.write_queued()?;
        let own = self.settled.pop().map(|(_, digest)| digest);
        own.ok_or_else(|| Error::new(ErrorKind::Internal, format!("entry `{name}` was not measured")))
    }

    /// Adds an entry as [`add`](Self::add) does, but returns as soon as `content` is read, so that entries are
    /// compressed side by side. [`settle`](Self::settle) tells the sizes and digests.
    ///
    /// ```
    /// use claimwire::codec::{ArchiveWriter, EntryDigest};
    ///
    /// # fn main() -> claimwire::Result<()> {
    /// let mut archive = ArchiveWriter::new(Vec::new());
    /// archive.queue("1/report.txt", &b"The windscreen is cracked."[..])?;
    /// archive.queue("1/bill.csv", &b"windscreen;412.50"[..])?;
    /// let written = archive.settle()?;
    /// assert_eq!(written[1], ("1/bill.csv".to_owned(), EntryDigest::of(b"windscreen;412.50")));
    /// archive.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`add`](Self::add). That the output refuses may be told by a later call.
    pub fn queue(&mut self, name: &str, mut content: impl Read) -> Result<()> {
        self.check(name)?;
        let mut buffer = self.take_buffer(Buffers::capacity_for(0))?;
        let mut next = [0];
        loop {
            let read = buffer.fill(&mut content).and_then(|()| match buffer.is_full() {
                true => fill(&mut content, &mut next),
                false => Ok(0),
            });
            let is_more = match read {
                Ok(length) => length > 0,
                Err(error) => {
                    self.buffers.give_back(buffer);
                    return Err(within(name)(error));
                }
            };
            if !is_more || buffer.capacity() >= BUFFERED {
                // Not before, so that an entry whose content could not be read may be tried again.
                if let Err(error) = self.insert(name, false) {
                    self.buffers.give_back(buffer);
                    return Err(error);
                }
                if !is_more {
                    self.submit_read(Queued::Whole(name.to_owned()), buffer, Part::Whole);
                    return Ok(());
                }
                self.queue_blocks(name, &buffer, (&next[..]).chain(content))?;
                self.buffers.give_back(buffer);
                return Ok(());
            }
            let mut larger = self.take_buffer(buffer.capacity() * 2)?;
            larger.push(buffer.content());
            larger.push(&next);
            self.buffers.give_back(mem::replace(&mut buffer, larger));
        }
    }

    /// Waits until all queued entries are written. Returns name, size and SHA-256 of each in their order, except for
    /// those that were told before.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) when the output refuses; [`InvalidArgument`](ErrorKind::InvalidArgument) when an earlier
    /// entry failed half way.
    pub fn settle(&mut self) -> Result<Vec<(String, EntryDigest)>> {
        self.refuse_if_broken()?;
        self.write_queued()?;
        Ok(self.take_settled())
    }

    /// What [`settle`](Self::settle) would return, of the entries that are written by now.
    pub(crate) fn take_settled(&mut self) -> Vec<(String, EntryDigest)> {
        mem::take(&mut self.settled)
    }

    /// Adds a directory that would otherwise not be there, since it is empty.
    pub(super) fn add_directory(&mut self, name: &str) -> Result<()> {
        self.check(name)?;
        self.insert(name, true)?;
        self.queue.push_back(Queued::Directory(format!("{name}/")));
        Ok(())
    }

    /// Writes what is queued and the directory of the archive, and gives the output back, not flushed.
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
        self.write_queued()?;
        let offset = self.output.bytes;
        self.output.write_all(&self.directory)?;
        self.output.write_all(&record::end(self.entries, offset, self.directory.len() as u64))?;
        Ok(self.output)
    }

    pub(super) fn check(&self, name: &str) -> Result<()> {
        self.refuse_if_broken()?;
        check_path(name, &Limits::default())?;
        if to_nfc(name) != name {
            let message = format!("the entry name `{name}` is not in Unicode normalization form C");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, name: &str, is_directory: bool) -> Result<()> {
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

    /// Reads `start` and `rest` block by block, each with its window before it, and hands them to the workers.
    fn queue_blocks(&mut self, name: &str, start: &Buffer, rest: impl Read) -> Result<()> {
        let mut content = start.content().chain(rest);
        let mut queued = Queued::FirstBlock(name.to_owned());
        let mut chain = Chain::of_content();
        self.broken = true;
        let mut buffer = self.take_block_buffer()?;
        buffer.fill(&mut content).map_err(within(name))?;
        loop {
            let mut next = self.take_block_buffer()?;
            next.start_after(buffer.tail(self.blocks.window));
            next.fill(&mut content).map_err(within(name))?;
            if next.content().is_empty() {
                self.buffers.give_back(next);
                self.submit_read(queued, buffer, Part::Block(chain.last()));
                self.broken = false;
                return Ok(());
            }
            let queued = mem::replace(&mut queued, Queued::Block);
            self.submit_read(queued, buffer, Part::Block(chain.next()));
            buffer = next;
        }
    }

    /// A buffer of at least this capacity, for which what is queued may have to be written first.
    pub(super) fn take_buffer(&mut self, capacity: usize) -> Result<Buffer> {
        self.make_room(capacity)?;
        Ok(self.buffers.take(capacity))
    }

    /// A buffer for a block, likewise. Its capacity decides what is in the block, and so is the same each time.
    pub(super) fn take_block_buffer(&mut self) -> Result<Buffer> {
        self.make_room(self.blocks.buffer)?;
        Ok(self.buffers.take_exactly(self.blocks.buffer))
    }

    fn make_room(&mut self, capacity: usize) -> Result<()> {
        while self.buffers.in_use() + capacity > self.ahead && self.write_next()? {}
        Ok(())
    }

    pub(super) fn submit(&mut self, queued: Queued, job: Job) {
        self.queue.push_back(queued);
        self.workers.submit(job);
    }

    /// Submits content that is in its buffer.
    fn submit_read(&mut self, queued: Queued, buffer: Buffer, part: Part) {
        let length = buffer.content().len();
        self.submit(queued, Job::new(buffer, part, length));
    }

    fn write_queued(&mut self) -> Result<()> {
        while self.write_next()? {}
        Ok(())
    }

    /// Writes what is next in the queue, and tells whether anything was. The archive is lost where that fails.
    pub(super) fn write_next(&mut self) -> Result<bool> {
        let Some(queued) = self.queue.pop_front() else { return Ok(false) };
        let was_broken = mem::replace(&mut self.broken, true);
        match queued {
            Queued::Directory(name) => self.write_directory(&name)?,
            queued => {
                let (buffer, done) = self.workers.next().ok_or_else(ended_early)?.into_done();
                self.write_done(queued, buffer.content(), done)?;
                self.buffers.give_back(buffer);
            }
        }
        self.broken = was_broken;
        Ok(true)
    }

    fn write_done(&mut self, queued: Queued, data: &[u8], done: Result<Done>) -> Result<()> {
        let done = match (&queued, &self.open) {
            (Queued::FirstBlock(name), _) => {
                done.map_err(|error| error.within(format_args!("entry `{name}`")))?
            }
            (Queued::Whole(_), _) | (_, None) => done?,
            (_, Some(open)) => done.map_err(|error| error.within(format_args!("entry `{}`", open.name)))?,
        };
        self.untold += done.read;
        match queued {
            Queued::Whole(name) => return self.write_whole(name, data, &done),
            Queued::FirstBlock(name) => self.open(name)?,
            _ => {}
        }
        self.write_block(data, &done)
    }

    fn write_directory(&mut self, name: &str) -> Result<()> {
        let mut header = self.header(name, Method::Stored);
        header.is_directory = true;
        self.output.write_all(&header.local())?;
        self.record(&header);
        Ok(())
    }

    /// Writes an entry whose whole content was in memory.
    fn write_whole(&mut self, name: String, data: &[u8], done: &Done) -> Result<()> {
        let (digest, crc32) = done.measured.ok_or_else(ended_early)?;
        let mut header = self.header(&name, done.method);
        header.crc32 = crc32;
        header.compressed = data.len() as u64;
        header.inflated = digest.size();
        self.output.write_all(&header.local())?;
        self.output.write_all(data)?;
        self.record(&header);
        self.settled.push((name, digest));
        Ok(())
    }

    /// Begins an entry that is too long to be held in memory.
    fn open(&mut self, name: String) -> Result<()> {
        let header_at = self.output.bytes;
        let mut header = self.header(&name, self.long);
        header.has_descriptor = true;
        self.output.write_all(&header.local()).map_err(within(&name))?;
        let data = LongData::new(self.long);
        self.open = Some(Open { name, header_at, data_at: self.output.bytes, data });
        Ok(())
    }

    /// Writes a block of the open entry, and ends the entry with the last one.
    fn write_block(&mut self, data: &[u8], done: &Done) -> Result<()> {
        let mut open = self.open.take().ok_or_else(ended_early)?;
        let is_last = done.measured.is_some();
        let is_stored = done.method == Method::Stored;
        open.data.write(data, is_stored, is_last, &mut self.output).map_err(within(&open.name))?;
        let Some((digest, crc32)) = done.measured else {
            self.open = Some(open);
            return Ok(());
        };
        let mut header = self.header(&open.name, self.long);
        header.has_descriptor = true;
        header.offset = open.header_at;
        header.crc32 = crc32;
        header.compressed = self.output.bytes - open.data_at;
        header.inflated = digest.size();
        self.output.write_all(&header.descriptor()).map_err(within(&open.name))?;
        self.record(&header);
        self.settled.push((open.name, digest));
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
}

impl<W: Write> fmt::Debug for ArchiveWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveWriter")
            .field("entries", &self.entries)
            .field("written", &self.output.bytes)
            .finish_non_exhaustive()
    }
}

/// Says which entry's content could not be read, or which long entry could not be written.
fn within(name: &str) -> impl FnOnce(io::Error) -> Error {
    move |error| Error::from(error).within(format_args!("entry `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn most_in_use(threads: usize, lengths: &[usize]) -> usize {
        let options = PackOptions::default().with_threads(NonZeroUsize::new(threads).unwrap()).with_level(0);
        let mut archive = ArchiveWriter::with_options(io::sink(), &options);
        let queue_one = |(number, length): (usize, &usize)| {
            archive.queue(&format!("{number}.bin"), &vec![7; *length][..]).unwrap();
            assert!(archive.buffers.kept() <= AHEAD + SPARE);
            archive.buffers.in_use()
        };
        lengths.iter().enumerate().map(queue_one).max().unwrap_or_default()
    }

    #[test]
    fn what_waits_in_memory_is_bounded() {
        let (small, large) = (vec![16 * 1024; 1100], vec![BUFFERED; 6]);
        assert_eq!(most_in_use(3, &[&small[..], &large, &small].concat()), AHEAD);
        assert_eq!(most_in_use(1, &[BUFFERED / 4; 6]), BUFFERED / 4, "what is read is written at once");
    }
}
