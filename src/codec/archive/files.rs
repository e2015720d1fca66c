//! Files into an archive: read, too, by whoever works ahead, so that the caller's thread only writes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::super::file::at;
use super::super::pump::CHUNK;
use super::super::watch::{Watch, tell};
use super::buffer::Buffers;
use super::job::{Job, Part};
use super::source::{Chain, ShortFile};
use super::tree::Item;
use super::writer::{ArchiveWriter, BUFFERED, Queued};
use crate::Result;

impl<W: Write> ArchiveWriter<W> {
    /// Adds a file as [`queue`](Self::queue) would; it may be read later. `watch` is told, on this thread, of what was read
    /// and written by now.
    ///
    /// # Errors
    ///
    /// Those of [`queue`](Self::queue); those of reading any file may be told by a later call, and then the archive
    /// cannot be finished any more.
    pub(super) fn queue_file(&mut self, file: &Item, watch: &dyn Watch) -> Result<()> {
        self.check(&file.name)?;
        match usize::try_from(file.size) {
            Ok(length) if length <= BUFFERED => self.queue_short(file, length)?,
            _ => self.queue_long(&file.name, &file.path, watch)?,
        }
        self.tell_read(watch)
    }

    /// Writes all that is queued, telling `watch` of what was read of files.
    pub(in crate::codec) fn write_files(&mut self, watch: &dyn Watch) -> Result<()> {
        while self.write_next()? {
            self.tell_read(watch)?;
        }
        Ok(())
    }

    fn queue_short(&mut self, file: &Item, length: usize) -> Result<()> {
        let Item { name, path, identity, .. } = file;
        self.insert(name, false)?;
        let buffer = self.take_buffer(Buffers::capacity_for(length))?;
        let file = ShortFile { name: name.clone(), path: path.clone(), length, identity: *identity };
        self.submit(Queued::Whole(name.clone()), Job::new(buffer, Part::File(file), length));
        Ok(())
    }

    /// Queues a file in blocks, each of which is read when the one before was.
    fn queue_long(&mut self, name: &str, path: &Path, watch: &dyn Watch) -> Result<()> {
        let file = File::open(path).map_err(at(path))?;
        // No further than it reaches now: were the archive itself in this directory, it would never end.
        let mut left = file.metadata().map_err(at(path))?.len();
        self.insert(name, false)?;
        let mut queued = Queued::FirstBlock(name.to_owned());
        let mut chain = Chain::of_file(file.take(left), self.blocks.window);
        let mut longest = self.blocks.buffer;
        loop {
            let buffer = self.take_block_buffer()?;
            self.tell_read(watch)?;
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(longest);
            left -= length as u64;
            if left == 0 {
                self.submit(queued, Job::new(buffer, Part::Block(chain.last()), length));
                return Ok(());
            }
            self.submit(queued, Job::new(buffer, Part::Block(chain.next()), length));
            (queued, longest) = (Queued::Block, self.blocks.buffer - self.blocks.window);
        }
    }

    /// Tells of what was read of files, in pieces after which whoever watches can stop the work.
    fn tell_read(&mut self, watch: &dyn Watch) -> Result<()> {
        while self.untold > 0 {
            let piece = self.untold.min(CHUNK as u64);
            self.untold -= piece;
            tell(watch, piece)?;
        }
        Ok(())
    }
}
