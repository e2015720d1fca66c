//! The last of the output: what matches copy from (RFC 1951, 3.2.3), and what has not gone to the sink yet.
//!
//! A buffer of a fixed size that is filled from its start. When it is nearly full, its last 32 KiB move to the start.
//! Behind the point that counts as full is room for whatever one step of decoding writes, so that one look per step is
//! enough.

use zeroize::Zeroize;

use crate::Result;

/// How far back a match reaches at most (RFC 1951, 2).
const REACH: usize = 32 * 1024;

/// What the indexes of the hot path stay below; they are masked with it, which costs less than to look.
const MASKED: usize = 128 * 1024;

/// The most that a step of decoding writes: two literals, one more, a match of 258, and what its copy overshoots.
const STEP: usize = 320;

/// Where the window counts as full.
const FULL: usize = MASKED - STEP;

/// The steps of copying: what is written at once, and so by how much a copy overshoots at most.
const WIDE: usize = 32;

/// All of the buffer.
const SIZE: usize = MASKED + STEP;

/// The memory of a window. Functions that write to it take the place behind what was written, and return the next.
pub(super) type Memory = [u8; SIZE];

/// The window, and how much of it is filled and was given away. What was written is wiped on drop: it is plaintext.
pub(super) struct Window {
    memory: Vec<u8>,
    filled: usize,
    given: usize,
    /// How far it was ever written: not far where streams are short.
    used: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { memory: vec![0; SIZE], filled: 0, given: 0, used: 0 }
    }

    /// Forgets what was written.
    pub(super) fn reset(&mut self) {
        self.filled = 0;
        self.given = 0;
    }

    /// Calls `write` with the memory and the place behind what was written; it returns the place behind what it wrote.
    pub(super) fn write<T>(&mut self, write: impl FnOnce(&mut Memory, usize) -> (usize, T)) -> Option<T> {
        let memory = self.memory.first_chunk_mut::<SIZE>()?;
        let (filled, result) = write(memory, self.filled);
        self.filled = filled.min(SIZE);
        self.note_written(STEP);
        Some(result)
    }

    /// Copies as much of `content` as fits, and returns how much that was.
    pub(super) fn append(&mut self, content: &[u8]) -> usize {
        let room = self.memory.get_mut(self.filled..FULL).unwrap_or_default();
        let length = content.len().min(room.len());
        if let (Some(room), Some(content)) = (room.get_mut(..length), content.get(..length)) {
            room.copy_from_slice(content);
            self.filled += length;
            self.note_written(0);
        }
        length
    }

    /// Notes that it is written as far as it is filled, and so much further.
    fn note_written(&mut self, further: usize) {
        self.used = self.used.max(self.filled + further).min(SIZE);
    }

    /// Gives what was written since the last time to `sink`, and makes room.
    pub(super) fn give(&mut self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let ready = self.memory.get(self.given..self.filled).unwrap_or_default();
        if !ready.is_empty() {
            sink(ready)?;
        }
        if is_full(self.filled) {
            self.memory.copy_within(self.filled - REACH..self.filled, 0);
            self.filled = REACH;
        }
        self.given = self.filled;
        Ok(())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.memory[..self.used].zeroize();
    }
}

/// Whether there is no room for another step.
#[inline(always)]
pub(super) fn is_full(filled: usize) -> bool {
    filled >= FULL
}

/// Writes `literals`, and returns where the first of them is.
#[inline(always)]
pub(super) fn put_literals(memory: &mut Memory, at: usize, literals: [u8; 4]) -> usize {
    store(memory, at, literals);
    at
}

/// Repeats `length` bytes, at most 258, of what is `distance` before `at`; the two may overlap.
#[inline(always)]
pub(super) fn copy_match(memory: &mut Memory, at: usize, distance: usize, length: usize) -> usize {
    let from = at.wrapping_sub(distance);
    if distance >= WIDE {
        let first: [u8; WIDE] = load(memory, from);
        store(memory, at, first);
        if length > WIDE {
            copy_steps::<WIDE>(memory, at + WIDE, from + WIDE, length - WIDE);
        }
    } else {
        copy_near(memory, at, distance, length);
    }
    at + length
}

#[inline(never)]
fn copy_near(memory: &mut Memory, at: usize, distance: usize, length: usize) {
    if distance >= 8 {
        copy_steps::<8>(memory, at, at - distance, length);
    } else {
        repeat(memory, at, distance, length);
    }
}

/// Copies forwards in steps of `N`, where `from` is at least as far before `to`.
#[inline(always)]
fn copy_steps<const N: usize>(memory: &mut Memory, mut to: usize, mut from: usize, length: usize) {
    let end = to + length;
    loop {
        let step: [u8; N] = load(memory, from);
        store(memory, to, step);
        to += N;
        from += N;
        if to >= end {
            return;
        }
    }
}

/// Repeats a period of less than 8 bytes, as many whole periods at a time as 8 bytes hold.
fn repeat(memory: &mut Memory, at: usize, period: usize, length: usize) {
    /// Numbers that repeat the lowest 1 to 7 bytes of 8 when multiplied with them.
    const REPEAT: [u64; 8] = [
        0,
        0x0101_0101_0101_0101,
        0x0001_0001_0001_0001,
        0x0001_0000_0100_0001,
        0x0000_0001_0000_0001,
        0x0000_0100_0000_0001,
        0x0001_0000_0000_0001,
        0x0100_0000_0000_0001,
    ];
    const STEP: [usize; 8] = [8, 8, 8, 6, 8, 5, 6, 7];
    let period = period & 7;
    let once = u64::from_le_bytes(load(memory, at - period)) & !(u64::MAX << (8 * period));
    let pattern = once.wrapping_mul(REPEAT[period]).to_le_bytes();
    let mut to = at;
    while to < at + length {
        store(memory, to, pattern);
        to += STEP[period];
    }
}

#[inline(always)]
fn load<const N: usize>(memory: &Memory, at: usize) -> [u8; N] {
    let at = at & (MASKED - 1);
    let mut step = [0; N];
    step.copy_from_slice(&memory[at..at + N]);
    step
}

#[inline(always)]
fn store<const N: usize>(memory: &mut Memory, at: usize, step: [u8; N]) {
    let at = at & (MASKED - 1);
    memory[at..at + N].copy_from_slice(&step);
}
