//! One piece of work on content in memory: measure it, look whether deflate gains something, deflate.

use zeroize::Zeroizing;

use super::super::deflate::Deflater;
use super::buffer::{Buffer, Buffers};
use super::content::{is_dense, is_worth_deflating};
use super::digest::{EntryDigest, Measure};
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
    level: u8,
    deflater: Option<Deflater>,
    deflated: Zeroizing<Vec<u8>>,
}

impl Tools {
    /// Deflates at `level`; at 0 not at all.
    pub(super) fn new(level: u8) -> Self {
        Self { level, deflater: None, deflated: Zeroizing::default() }
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
        self.done = Some(self.read_and_measure().map(|(measured, is_from_file)| {
            let read = if is_from_file { self.buffer.content().len() as u64 } else { 0 };
            let method = if self.deflate(tools) { Method::Deflated } else { Method::Stored };
            Done { method, measured, read }
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

    /// Puts the deflated form into the buffer where it is shorter.
    fn deflate(&mut self, tools: &mut Tools) -> bool {
        let content = self.buffer.content();
        let (is_worth, is_last) = match &self.part {
            Part::Whole | Part::File(_) => (is_worth_deflating(content), true),
            Part::Block(block) => (!is_dense(content), block.is_last),
        };
        if tools.level == 0 || content.is_empty() || !is_worth {
            return false;
        }
        // Room for all, since growing would leave a copy that is not wiped.
        let longest = content.len() + content.len() / 1024 + 1024;
        if tools.deflated.capacity() < longest {
            tools.deflated = Zeroizing::new(Vec::with_capacity(Buffers::capacity_for(longest)));
        }
        let (buffer, start) = self.buffer.with_window();
        let deflater = tools.deflater.get_or_insert_with(|| Deflater::new(tools.level));
        tools.deflated.clear();
        deflater.deflate(buffer, start, is_last, &mut tools.deflated);
        let is_shorter = tools.deflated.len() < content.len();
        if is_shorter {
            self.buffer.replace(&tools.deflated);
        }
        is_shorter
    }
}
