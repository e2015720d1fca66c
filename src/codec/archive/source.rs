//! Content that whoever works on it reads: short files, and long entries block by block.
//!
//! Some of that goes in the order of the content and cannot be done side by side: reading a file, and SHA-256. A
//! [`Baton`] carries it from block to block; whoever passed it on deflates while the next one reads.

use std::fs::File;
use std::io::{Read, Take};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::super::file::at;
use super::super::wiped::Wiped;
use super::buffer::Buffer;
use super::digest::{EntryDigest, Measure};
use super::identity::Identity;
use crate::{Error, ErrorKind, Result};

/// A file that is read as a whole.
pub(super) struct ShortFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// How long it was when it was listed.
    pub(super) length: usize,
    /// Which file it was then.
    pub(super) identity: Option<Identity>,
}

impl ShortFile {
    /// Reads the file into `buffer`, which was made for the length it had when its directory was listed.
    pub(super) fn read(&self, buffer: &mut Buffer) -> Result<()> {
        let file = File::open(&self.path).map_err(at(&self.path))?;
        if let Some(listed) = self.identity
            && !listed.is_same(&Identity::of(&file.metadata().map_err(at(&self.path))?))
        {
            return Err(replaced(&self.path));
        }
        // No further than it reached then: what is still being written, the archive itself for one, has no end yet.
        let length = self.length as u64;
        let read = buffer.fill(file.take(length));
        read.map_err(|error| Error::from(error).within(format_args!("entry `{}`", self.name)))
    }
}

/// Of another file, as much as the one before had would be half a document.
fn replaced(path: &Path) -> Error {
    let message = format!("`{}` was replaced while it was packed; pack again", path.display());
    Error::new(ErrorKind::Io, message)
}

/// A block among others of a long entry.
pub(super) struct Block {
    pub(super) is_last: bool,
    before: Receiver<Baton>,
    after: Option<SyncSender<Baton>>,
}

/// Gives the blocks of one entry in their order, each bound to the one before.
pub(super) struct Chain(Receiver<Baton>);

/// What goes from each block to the next.
struct Baton {
    measure: Measure,
    file: Option<LongFile>,
}

/// A long file, and the end of what was read of it.
struct LongFile {
    rest: Take<File>,
    window: Wiped,
    /// How much the window holds.
    reach: usize,
}

impl Chain {
    /// Blocks whose content is in their buffers.
    pub(super) fn of_content() -> Self {
        Self::start(None)
    }

    /// Blocks that read `file`, each with up to `window` bytes from the end of the one before.
    pub(super) fn of_file(file: Take<File>, window: usize) -> Self {
        Self::start(Some(LongFile { rest: file, window: Wiped::default(), reach: window }))
    }

    fn start(file: Option<LongFile>) -> Self {
        let (first, before) = sync_channel(1);
        // The channel has room for it, and the other end is here.
        let _ = first.send(Baton { measure: Measure::new(), file });
        Self(before)
    }

    /// The next block, with another to come.
    pub(super) fn next(&mut self) -> Block {
        let (after, coming) = sync_channel(1);
        Block { is_last: false, before: mem::replace(&mut self.0, coming), after: Some(after) }
    }

    /// The last block.
    pub(super) fn last(self) -> Block {
        Block { is_last: true, before: self.0, after: None }
    }
}

impl Block {
    /// Waits for the block before, which some thread took earlier and begins with this; then reads and measures. Gives
    /// the measure of the entry if this is its last block, and whether the content came from a file.
    pub(super) fn read_and_measure(
        &mut self,
        buffer: &mut Buffer,
    ) -> Result<(Option<(EntryDigest, u32)>, bool)> {
        // Gone when this fails, so that the block after does not wait in vain.
        let after = self.after.take();
        let mut baton = self.before.recv().map_err(|_| ended_early())?;
        if let Some(file) = &mut baton.file {
            buffer.start_after(&file.window);
            buffer.fill(&mut file.rest)?;
            file.window = Wiped::new(buffer.tail(file.reach).to_vec());
        }
        baton.measure.update(buffer.content());
        let is_from_file = baton.file.is_some();
        let Some(after) = after else { return Ok((Some(baton.measure.finish()), is_from_file)) };
        // Nobody waits for it only when the writer was dropped.
        after.send(baton).map_err(|_| ended_early())?;
        Ok((None, is_from_file))
    }
}

/// What can only be when a thread ended early, or another block failed.
pub(super) fn ended_early() -> Error {
    Error::new(ErrorKind::Internal, "compression failed")
}

#[cfg(test)]
mod tests {
    use super::super::buffer::Buffers;
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_block_that_cannot_be_read_leaves_none_after_it_waiting() {
        let directory = tempfile::tempdir().unwrap();
        // Open for writing only.
        let unreadable = File::create(directory.path().join("scan")).unwrap();
        let mut chain = Chain::of_file(unreadable.take(100), 0);
        let mut blocks = [chain.next(), chain.last()];
        let mut buffers = Buffers::new(0);
        let mut kind =
            |block: &mut Block| block.read_and_measure(&mut buffers.take(1)).map(|_| ()).unwrap_err().kind();
        assert_eq!(blocks.each_mut().map(&mut kind), [ErrorKind::Io, ErrorKind::Internal]);
    }
}
