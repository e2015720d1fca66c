//! One piece of work on content in memory: measure it, look whether compression gains something, compress.

use super::super::deflate::Deflater;
use super::super::wiped::Wiped;
use super::buffer::{Buffer, Buffers};
#[cfg(feature = "zstd")]
use super::compression::Compression;
use super::content::{is_dense, is_worth_compressing};
use super::digest::{EntryDigest, Measure};
#[cfg(feature = "zstd")]
use super::frames::Frames;
use super::options::PackOptions;
use super::record::Method;
use super::source::{Block, ShortFile, ended_early};
use crate::Result;

/// The content of an entry, or a block of one that is too long to be held as a whole.
pub(super) struct Job {
    buffer: Buffer,
    part: Part,
    /// The bytes of the content, as far as is known before it is read.
    length: usize,
    done: Option<Result<Done>>,
}

/// Which part of an entry's content a job has.
pub(super) enum Part {
    Whole,
    File(ShortFile),
    Block(Block),
}

/// What became of the content, which the job's buffer has in the form to be written.
pub(super) struct Done {
    pub(super) method: Method,
    /// Size, SHA-256 and CRC-32 of the whole entry; a block has it only where it is the last one.
    pub(super) measured: Option<(EntryDigest, u32)>,
    /// The bytes that came from a file.
    pub(super) read: u64,
}

/// What a thread needs to work, used again from job to job.
pub(super) struct Tools {
    options: PackOptions,
    deflater: Option<Deflater>,
    #[cfg(feature = "zstd")]
    frames: Option<Frames>,
    compressed: Wiped,
}

impl Tools {
    /// Compresses as these say; at level 0 not at all.
    pub(super) fn new(options: PackOptions) -> Self {
        Self {
            options,
            deflater: None,
            #[cfg(feature = "zstd")]
            frames: None,
            compressed: Wiped::default(),
        }
    }

    /// Makes room for all that content of `length` may become: growing would leave a copy that is not wiped.
    fn make_room(&mut self, length: usize) {
        let longest = Deflater::room(length);
        #[cfg(feature = "zstd")]
        let longest = longest.max(Frames::longest(length));
        if self.compressed.capacity() < longest {
            self.compressed = Wiped::new(Vec::with_capacity(Buffers::capacity_for(longest)));
        }
    }

    /// Compresses what is in `buffer`. Gives how it is kept then.
    fn compress(&mut self, buffer: &Buffer, part: &Part) -> Result<Method> {
        self.make_room(buffer.content().len());
        #[cfg(feature = "zstd")]
        if self.options.compression() == Compression::Zstd
            && self.compress_to_frames(buffer.content(), part)?
        {
            return Ok(Method::Zstd);
        }
        let is_last = if let Part::Block(block) = part { block.is_last } else { true };
        self.deflate(buffer, is_last);
        Ok(Method::Deflated)
    }

    /// Tells whether the content may stand so.
    #[cfg(feature = "zstd")]
    fn compress_to_frames(&mut self, content: &[u8], part: &Part) -> Result<bool> {
        let frames = match &mut self.frames {
            Some(frames) => frames,
            none => none.insert(Frames::new(self.options.level())?),
        };
        match part {
            Part::Whole | Part::File(_) => frames.whole(content, &mut self.compressed),
            Part::Block(_) => frames.block(content, &mut self.compressed).map(|()| true),
        }
    }

    fn deflate(&mut self, buffer: &Buffer, is_last: bool) {
        let (buffer, start) = buffer.with_window();
        let deflater = self.deflater.get_or_insert_with(|| Deflater::new(self.options.level()));
        self.compressed.clear();
        deflater.deflate(buffer, start, is_last, &mut self.compressed);
    }
}

impl Job {
    /// Work on what is in `buffer`, or will be.
    pub(super) fn new(buffer: Buffer, part: Part, length: usize) -> Self {
        Self { buffer, part, length, done: None }
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// What became of it.
    pub(super) fn into_done(self) -> (Buffer, Result<Done>) {
        (self.buffer, self.done.unwrap_or_else(|| Err(ended_early())))
    }

    pub(super) fn work(&mut self, tools: &mut Tools) {
        self.done = Some(self.read_and_measure().and_then(|(measured, is_from_file)| {
            let read = if is_from_file { self.buffer.content().len() as u64 } else { 0 };
            Ok(Done { method: self.compress(tools)?, measured, read })
        }));
    }

    /// Reads the content if it is in a file. Gives the measure where the entry ends, and whether it came from a file.
    fn read_and_measure(&mut self) -> Result<(Option<(EntryDigest, u32)>, bool)> {
        let is_from_file = match &mut self.part {
            Part::Whole => false,
            Part::File(file) => file.read(&mut self.buffer).map(|()| true)?,
            Part::Block(block) => return block.read_and_measure(&mut self.buffer),
        };
        let mut measure = Measure::new();
        measure.update(self.buffer.content());
        Ok((Some(measure.finish()), is_from_file))
    }

    /// Puts the compressed form into the buffer where it is shorter. Gives how the content is kept there.
    fn compress(&mut self, tools: &mut Tools) -> Result<Method> {
        let content = self.buffer.content();
        let is_worth = match &self.part {
            Part::Whole | Part::File(_) => is_worth_compressing(content),
            Part::Block(_) => !is_dense(content),
        };
        if tools.options.level() == 0 || content.is_empty() || !is_worth {
            return Ok(Method::Stored);
        }
        let method = tools.compress(&self.buffer, &self.part)?;
        if tools.compressed.len() >= content.len() {
            return Ok(Method::Stored);
        }
        self.buffer.replace(&tools.compressed);
        Ok(method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 20;

    fn capacity_for(length: usize) -> usize {
        let mut tools = Tools::new(PackOptions::default());
        tools.make_room(length);
        tools.compressed.capacity()
    }

    #[test]
    fn there_is_room_for_whatever_content_becomes() {
        assert_eq!(capacity_for(MOST - 4200), MOST);
        assert_eq!(capacity_for(MOST - 64), 2 * MOST);
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn a_frame_may_take_more_room_than_deflate() {
        assert!(Deflater::room(MOST - 2048) <= MOST);
        assert_eq!(capacity_for(MOST - 2048), 2 * MOST);
    }
}
