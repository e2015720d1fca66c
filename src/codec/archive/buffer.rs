//! Buffers that plaintext passes through: of a few sizes, used again and again, wiped at the end.

use std::io::{self, Read};

use super::super::pump::CHUNK;
use super::super::wiped::Wiped;

/// The sizes of buffers are powers of two, from this one on.
const SMALLEST: usize = 16 * 1024;

/// Bytes on their way, in a buffer that never grows: growing would leave a copy that is not wiped.
pub(super) struct Buffer {
    bytes: Wiped,
    start: usize,
    end: usize,
}

impl Buffer {
    fn new(capacity: usize) -> Self {
        Self { bytes: Wiped::new(vec![0; capacity]), start: 0, end: 0 }
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// The content, without what was put before it.
    pub(super) fn content(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// What was put before the content, the content, and where that starts.
    pub(super) fn with_window(&self) -> (&[u8], usize) {
        (self.bytes.get(..self.end).unwrap_or_default(), self.start)
    }

    /// The last `length` bytes, or all where there are fewer.
    pub(super) fn tail(&self, length: usize) -> &[u8] {
        self.bytes.get(self.end.saturating_sub(length)..self.end).unwrap_or_default()
    }

    /// Empties the buffer and puts `window` before the content to come.
    pub(super) fn start_after(&mut self, window: &[u8]) {
        self.replace(window);
        self.start = self.end;
    }

    /// Puts `bytes` in place of all there is; what is longer than the buffer is cut.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        (self.start, self.end) = (0, 0);
        self.push(bytes);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let length = bytes.len().min(self.capacity() - self.end);
        let room = self.bytes.get_mut(self.end..self.end + length);
        room.unwrap_or_default().copy_from_slice(bytes.get(..length).unwrap_or_default());
        self.end += length;
    }

    /// Reads until the buffer is full or the input ends, in pieces after which whoever watches can stop the work.
    pub(super) fn fill(&mut self, mut input: impl Read) -> io::Result<()> {
        while !self.is_full() {
            let to = self.bytes.len().min(self.end + CHUNK);
            match input.read(self.bytes.get_mut(self.end..to).unwrap_or_default()) {
                Ok(0) => break,
                Ok(length) => self.end += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Buffers that wait to be used again, and how many bytes all of them have, these and the ones given out.
pub(super) struct Buffers {
    waiting: Vec<Buffer>,
    waiting_bytes: usize,
    in_use: usize,
    most: usize,
}

impl Buffers {
    /// Keeps buffers as long as there are no more than `most` bytes in all.
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: Vec::new(), waiting_bytes: 0, in_use: 0, most }
    }

    /// The capacity of a buffer for `length` bytes.
    pub(super) fn capacity_for(length: usize) -> usize {
        length.clamp(SMALLEST, usize::MAX / 2).next_power_of_two()
    }

    /// The bytes of all buffers given out.
    pub(super) fn in_use(&self) -> usize {
        self.in_use
    }

    /// The bytes of all buffers, those that wait as well.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.in_use + self.waiting_bytes
    }

    /// An empty buffer of at least this capacity. To take one that is up to four times as large is better than to wipe
    /// and free others for a new one.
    pub(super) fn take(&mut self, capacity: usize) -> Buffer {
        let is_room = self.waiting_bytes + self.in_use + capacity <= self.most;
        let most = if is_room { capacity } else { 4 * capacity };
        self.reuse(capacity, most).unwrap_or_else(|| self.make(capacity))
    }

    /// An empty buffer of exactly this capacity.
    pub(super) fn take_exactly(&mut self, capacity: usize) -> Buffer {
        self.reuse(capacity, capacity).unwrap_or_else(|| self.make(capacity))
    }

    /// The smallest one of these capacities that waits.
    fn reuse(&mut self, least: usize, most: usize) -> Option<Buffer> {
        let fitting = self
            .waiting
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, buffer)| (least..=most).contains(&buffer.capacity()));
        let (at, _) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        let mut buffer = self.waiting.swap_remove(at);
        self.waiting_bytes -= buffer.capacity();
        self.in_use += buffer.capacity();
        buffer.replace(&[]);
        Some(buffer)
    }

    fn make(&mut self, capacity: usize) -> Buffer {
        self.in_use += capacity;
        while self.waiting_bytes + self.in_use > self.most
            && let Some(buffer) = self.waiting.pop()
        {
            self.waiting_bytes -= buffer.capacity();
        }
        Buffer::new(capacity)
    }

    pub(super) fn give_back(&mut self, buffer: Buffer) {
        self.in_use -= buffer.capacity();
        self.waiting_bytes += buffer.capacity();
        self.waiting.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_came_back_is_used_again_and_empty() {
        let mut buffers = Buffers::new(1 << 20);
        let mut buffer = buffers.take(SMALLEST);
        buffer.start_after(b"window");
        buffer.fill(&b"content"[..]).unwrap();
        assert_eq!((buffer.content(), buffer.tail(4)), (&b"content"[..], &b"tent"[..]));
        assert_eq!(buffer.with_window(), (&b"windowcontent"[..], 6));
        let place = buffer.bytes.as_ptr();
        buffers.give_back(buffer);
        let buffer = buffers.take(SMALLEST);
        assert_eq!((buffer.bytes.as_ptr(), buffer.content().len()), (place, 0));
    }

    #[test]
    fn buffers_of_other_sizes_make_room() {
        let mut buffers = Buffers::new(8 * SMALLEST);
        let taken: Vec<_> = (0..8).map(|_| buffers.take(SMALLEST)).collect();
        taken.into_iter().for_each(|buffer| buffers.give_back(buffer));
        let _large = buffers.take(4 * SMALLEST);
        assert_eq!((buffers.in_use, buffers.waiting_bytes), (4 * SMALLEST, 4 * SMALLEST));
    }

    #[test]
    fn a_larger_buffer_is_used_only_where_there_is_no_room_for_another() {
        let mut buffers = Buffers::new(8 * SMALLEST);
        let four = buffers.take(4 * SMALLEST);
        buffers.give_back(four);
        let small = buffers.take(SMALLEST);
        assert_eq!(small.capacity(), SMALLEST);
        let two = buffers.take_exactly(2 * SMALLEST);
        assert_eq!((two.capacity(), buffers.waiting_bytes), (2 * SMALLEST, 4 * SMALLEST));
        let _three = buffers.take(SMALLEST);
        assert_eq!(buffers.take(2 * SMALLEST).capacity(), 4 * SMALLEST);
    }

    #[test]
    fn a_buffer_fits_what_it_is_asked_for() {
        for (length, capacity) in [(0, SMALLEST), (SMALLEST, SMALLEST), (SMALLEST + 1, 2 * SMALLEST)] {
            assert_eq!(Buffers::capacity_for(length), capacity);
        }
    }

    #[test]
    fn what_is_longer_than_the_buffer_is_cut() {
        let mut buffer = Buffer::new(8);
        buffer.start_after(b"window");
        assert!(!buffer.is_full());
        buffer.push(b"content");
        assert_eq!((buffer.content(), buffer.is_full()), (&b"co"[..], true));
    }

    /// Gives what it is asked for, but is interrupted each time before.
    #[derive(Default)]
    struct Interrupted {
        asked: Vec<usize>,
        is_ready: bool,
    }

    impl Read for Interrupted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.is_ready = !self.is_ready;
            if self.is_ready {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.asked.push(buffer.len());
            buffer.fill(7);
            Ok(buffer.len())
        }
    }

    #[test]
    fn a_buffer_is_filled_in_pieces_whatever_interrupts() {
        let mut buffer = Buffer::new(2 * CHUNK);
        buffer.start_after(b"window");
        let mut input = Interrupted::default();
        buffer.fill(&mut input).unwrap();
        assert!(buffer.is_full() && buffer.content().iter().all(|byte| *byte == 7));
        assert_eq!(input.asked, [CHUNK, CHUNK - 6]);
    }

    #[test]
    fn what_was_taken_again_is_in_use_and_waits_no_more() {
        let mut buffers = Buffers::new(8 * SMALLEST);
        let (first, second) = (buffers.take(SMALLEST), buffers.take(2 * SMALLEST));
        assert_eq!(buffers.in_use(), 3 * SMALLEST);
        buffers.give_back(first);
        buffers.give_back(second);
        let _again = buffers.take_exactly(2 * SMALLEST);
        assert_eq!((buffers.in_use(), buffers.waiting_bytes), (2 * SMALLEST, SMALLEST));
    }
}
