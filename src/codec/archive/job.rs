//! One piece of work on content in memory: measure it, look whether deflate gains something, deflate.

use std::sync::mpsc::{Receiver, SyncSender};

use zeroize::Zeroizing;

use super::super::deflate::Deflater;
use super::buffer::Buffer;
use super::content::{is_dense, is_worth_deflating};
use super::digest::{EntryDigest, Measure};
use super::record::Method;

/// The content of an entry, or a block of one that is too long to be held as a whole.
pub(super) struct Job {
    buffer: Buffer,
    part: Part,
    done: Option<Done>,
}

/// Which part of an entry's content a job has.
pub(super) enum Part {
    Whole,
    Block(Block),
}

/// A block among others. What is measured goes from each to the next, since SHA-256 knows no other way.
pub(super) struct Block {
    pub(super) is_last: bool,
    pub(super) before: Option<Receiver<Measure>>,
    pub(super) after: Option<SyncSender<Measure>>,
}

/// What became of the content, which the job's buffer has in the form to be written.
pub(super) struct Done {
    pub(super) method: Method,
    /// Size, SHA-256 and CRC-32 of the whole entry; a block has it only where it is the last one.
    pub(super) measured: Option<(EntryDigest, u32)>,
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
    pub(super) fn new(buffer: Buffer, part: Part) -> Self {
        Self { buffer, part, done: None }
    }

    pub(super) fn length(&self) -> usize {
        self.buffer.content().len()
    }

    /// What became of it; `None` where the work ended early.
    pub(super) fn into_done(self) -> (Buffer, Option<Done>) {
        (self.buffer, self.done)
    }

    pub(super) fn work(&mut self, tools: &mut Tools) {
        self.done = self.measure().map(|measured| {
            let method = if self.deflate(tools) { Method::Deflated } else { Method::Stored };
            Done { method, measured }
        });
    }

    /// Measures the content. A block waits for the one before, which some thread took earlier and begins with this.
    fn measure(&mut self) -> Option<Option<(EntryDigest, u32)>> {
        let (before, after) = match &mut self.part {
            Part::Whole => (None, None),
            Part::Block(block) => (block.before.take(), block.after.take()),
        };
        let mut measure = match before {
            Some(before) => before.recv().ok()?,
            None => Measure::new(),
        };
        measure.update(self.buffer.content());
        let Some(after) = after else { return Some(Some(measure.finish())) };
        // Nobody waits for it only when the writer was dropped.
        after.send(measure).ok()?;
        Some(None)
    }

    /// Puts the deflated form into the buffer where it is shorter.
    fn deflate(&mut self, tools: &mut Tools) -> bool {
        let content = self.buffer.content();
        let (is_worth, is_last) = match &self.part {
            Part::Whole => (is_worth_deflating(content), true),
            Part::Block(block) => (!is_dense(content), block.is_last),
        };
        if tools.level == 0 || content.is_empty() || !is_worth {
            return false;
        }
        // Room for all, since growing would leave a copy that is not wiped.
        let longest = content.len() + content.len() / 1024 + 1024;
        if tools.deflated.capacity() < longest {
            tools.deflated = Zeroizing::new(Vec::with_capacity(longest));
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
