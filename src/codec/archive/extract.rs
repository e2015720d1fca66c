//! Takes many files out of an archive at once: every core decrypts, inflates, measures and writes entries of its own.

use std::cmp::Reverse;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::super::file::at;
use super::super::plaintext::Plaintext;
use super::super::relay::Relay;
use super::super::watch::{Watch, Watched};
use super::super::window::Window;
use super::catalogue::ArchiveEntry;
use super::digest::EntryDigest;
use super::limits::Limits;
use super::local::hold_abreast;
use super::reader::{Entries, Unpacker};
use crate::{Error, ErrorKind, Result};

/// Less content than this is unpacked sooner by one thread than others are started.
const WORTH_A_THREAD: u64 = 1024 * 1024;

/// A shared archive: found good as by [`ArchiveReader`](super::ArchiveReader), with entries for several threads.
pub(crate) struct SharedArchive<'p> {
    plaintext: &'p Plaintext<'p>,
    entries: Entries,
    hand: Hand<'p>,
}

/// A file to be taken out: the name it has in the archive, and where it shall be.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl<'p> SharedArchive<'p> {
    /// With the errors of [`ArchiveReader::open`](super::ArchiveReader::open). Up to `threads` threads look at the headers,
    /// this one among them; `relay` was made on this one.
    pub(crate) fn open(
        plaintext: &'p Plaintext<'p>,
        limits: &Limits,
        threads: NonZeroUsize,
        relay: &Relay<'_>,
    ) -> Result<Self> {
        let mut window = Window::new(plaintext);
        let entries = Entries::read(&mut window, limits, |window, placed| {
            hold_abreast(plaintext, window, placed, threads, relay)
        })?;
        Ok(Self { plaintext, entries, hand: Hand { window, unpacker: Unpacker::new() } })
    }

    /// The files, in the order of the archive's directory.
    pub(crate) fn files(&self) -> impl Iterator<Item = &ArchiveEntry> {
        self.entries.files()
    }

    /// The directories that the archive lists by themselves.
    pub(in crate::codec) fn directories(&self) -> impl Iterator<Item = &str> {
        self.entries.directories()
    }

    /// As [`ArchiveReader::read`](super::ArchiveReader::read).
    pub(crate) fn read(&mut self, name: &str, output: impl Write) -> Result<EntryDigest> {
        self.hand.read(self.entries.named(name)?, output)
    }

    /// Writes each wanted file to its path, where nothing is yet, by up to `threads` threads. `judge` has the last
    /// word on each. `written` is told of what is written, `relay` waited with.
    ///
    /// Of several errors, that of the file which is wanted first is given, whatever the number of threads. What was
    /// written then is the caller's to remove.
    pub(crate) fn extract(
        &mut self,
        wanted: &[Wanted],
        threads: NonZeroUsize,
        relay: &Relay<'_>,
        written: &dyn Watch,
        judge: &(dyn Fn(&Wanted, &EntryDigest) -> Result<()> + Sync),
    ) -> Result<Vec<EntryDigest>> {
        let Self { plaintext, entries, hand } = self;
        let tasks = wanted.iter().map(|file| Ok((entries.named(&file.name)?, file)));
        let tasks: Vec<_> = tasks.collect::<Result<_>>()?;
        let turns = Turns::new(&tasks, relay);
        let work = |hand: &mut Hand<'_>| {
            while let Some(turn) = turns.next() {
                let Some((entry, file)) = tasks.get(turn).copied() else { continue };
                let taken = create(file).and_then(|output| {
                    let output = Watched::new(Output { file: output, turn, turns: &turns }, written);
                    let digest = hand.read(entry, output)?;
                    judge(file, &digest)?;
                    Ok(digest)
                });
                turns.end(turn, taken);
            }
        };
        let content: u64 = tasks.iter().map(|(entry, _)| entry.size()).sum();
        let helpers =
            if content < WORTH_A_THREAD { 0 } else { threads.get().min(tasks.len()).saturating_sub(1) };
        let help = || work(&mut Hand { window: Window::new(plaintext), unpacker: Unpacker::new() });
        relay.share(helpers, || work(hand), help);
        turns.finish()
    }
}

impl fmt::Debug for SharedArchive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedArchive").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// As many threads as this machine runs at once.
pub(crate) fn available_threads() -> NonZeroUsize {
    // Asked once: the answer is looked up in several files.
    static AVAILABLE: OnceLock<NonZeroUsize> = OnceLock::new();
    *AVAILABLE.get_or_init(|| thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
}

/// What one thread works with.
struct Hand<'p> {
    window: Window<'p>,
    unpacker: Unpacker,
}

impl Hand<'_> {
    fn read(&mut self, entry: &ArchiveEntry, output: impl Write) -> Result<EntryDigest> {
        let packed = self.window.range(entry.data_start, entry.compressed);
        self.unpacker.unpack(entry, packed, output)
    }
}

fn create(file: &Wanted) -> Result<File> {
    OpenOptions::new().write(true).create_new(true).open(&file.path).map_err(at(&file.path))
}

/// Who takes which file: each is taken once.
struct Turns<'r> {
    relay: &'r Relay<'r>,
    /// The files in the order in which they are taken.
    order: Vec<usize>,
    next: AtomicUsize,
    /// The first of the files, as they are wanted, that failed.
    failed: AtomicUsize,
    ended: Mutex<Vec<Option<Result<EntryDigest>>>>,
}

impl<'r> Turns<'r> {
    fn new(tasks: &[(&ArchiveEntry, &Wanted)], relay: &'r Relay<'r>) -> Self {
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        // The large ones first, so that no thread is left alone with one at the end.
        order.sort_by_key(|turn| {
            let packed = tasks.get(*turn).map_or(0, |(entry, _)| entry.compressed);
            Reverse(if packed < WORTH_A_THREAD { 0 } else { packed })
        });
        let ended = Mutex::new(tasks.iter().map(|_| None).collect());
        Self { relay, order, next: AtomicUsize::new(0), failed: AtomicUsize::new(usize::MAX), ended }
    }

    /// The next file to take. After a failure only those before it are left: one of them may fail too.
    fn next(&self) -> Option<usize> {
        while !self.relay.is_stopped() {
            let turn = *self.order.get(self.next.fetch_add(1, Ordering::Relaxed))?;
            if !self.is_in_vain(turn) {
                return Some(turn);
            }
        }
        None
    }

    fn is_in_vain(&self, turn: usize) -> bool {
        self.failed.load(Ordering::Relaxed) < turn
    }

    fn end(&self, turn: usize, taken: Result<EntryDigest>) {
        if taken.is_err() {
            self.failed.fetch_min(turn, Ordering::Relaxed);
        }
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = ended.get_mut(turn) {
            *place = Some(taken);
        }
    }

    /// The digests of all files, or the first error.
    fn finish(self) -> Result<Vec<EntryDigest>> {
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        let digests = ended.into_iter().map(|taken| taken.unwrap_or_else(|| Err(stopped())));
        let digests = digests.collect::<Result<Vec<_>>>()?;
        if self.relay.is_stopped() { Err(stopped()) } else { Ok(digests) }
    }
}

/// A file being written, for as long as it is of use.
struct Output<'t> {
    file: File,
    turn: usize,
    turns: &'t Turns<'t>,
}

impl Write for Output<'_> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        if self.turns.is_in_vain(self.turn) {
            return Err(stopped().into());
        }
        self.file.write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "stopped on request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_threads_as_the_machine_runs() {
        assert_eq!(Some(available_threads()), thread::available_parallelism().ok());
    }
}
