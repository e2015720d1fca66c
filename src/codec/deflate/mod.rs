//! Raw deflate (RFC 1951), written.
//!
//! From text to bits: a [`Window`] holds the text in reach, a [`Table`] where its strings stood, a `Finder` compares, a
//! parse picks literals and matches, `Frequencies` tell where a new code pays, `block` writes with Huffman's codes.
//! Everything is in safe Rust: where a bounds check would cost, the data is laid out so that the compiler sees that none is
//! needed.

mod bits;
mod block;
mod bucket;
mod frequencies;
mod huffman;
mod matches;
mod parse;
#[cfg(test)]
mod tests;
mod token;
mod window;

use std::fmt;

use zeroize::Zeroize;

use self::block::BlockWriter;
pub(crate) use self::block::STORED;
use self::bucket::{Bucket, Table};
use self::frequencies::Frequencies;
use self::matches::Finder;
use self::parse::Strategy;
pub(crate) use self::token::WINDOW;
use self::token::{Token, Tokens};
use self::window::Window;

/// Tokens after which a block may end.
const PIECE: usize = 4096;
/// Tokens after which a block must end.
const BLOCK: usize = 8 * PIECE;
/// The most tokens that are held at once.
const MOST_TOKENS: usize = BLOCK + PIECE + Tokens::SPARE;

/// Compresses bytes to raw deflate. Holds its tables, so that the next text costs no allocation; they are wiped when it is
/// dropped, since text can be told from them.
///
/// The same bytes, cut in the same way, give the same output, whatever was compressed before.
///
/// | level | how | buckets |
/// |---|---|---|
/// | 0 | stored blocks | none |
/// | 1, 2 | takes every match at once | 1 position of 6 bytes |
/// | 3 to 5 | looks ahead by one where a match is below 12 bytes | 2 positions of 5 bytes |
/// | 6 | the same | 4 positions of 5 bytes |
/// | 7 to 9 | looks ahead from every match | 8 positions of 5 bytes |
///
/// At every level a block is written in the kind that takes the fewest bits, so that a text that is stored grows by 5 bytes
/// for every 65,535 and for every call, and none beyond what [`room`](Self::room) tells.
pub(crate) struct Deflater {
    search: Search,
    window: Window,
    tokens: Vec<Token>,
}

/// The table of a level, and what is done with it.
enum Search {
    Stored,
    Fast(Table<u16, 0x8000, 6>),
    Light(Table<u32, 0x4000, 5>),
    Normal(Table<u64, 0x4000, 5>),
    Best(Table<u128, 0x4000, 5>),
}

impl Deflater {
    /// A compressor of a level from 0 (stores) to 9; what is above is 9.
    pub(crate) fn new(level: u8) -> Self {
        let search = match level {
            0 => Search::Stored,
            1 | 2 => Search::Fast(Table::new()),
            3..=5 => Search::Light(Table::new()),
            6 => Search::Normal(Table::new()),
            _ => Search::Best(Table::new()),
        };
        Self { search, window: Window::new(), tokens: Vec::new() }
    }

    /// The room with which an output never grows while it takes `length` bytes: up to 6 more for each block, the last one
    /// and the empty one at the end among them, and 16 ahead of what is written.
    pub(crate) fn room(length: usize) -> usize {
        length + 6 * (length / PIECE + 2) + 16
    }

    /// Appends `buffer[start..]` as deflate blocks to `output`, which may refer to the 32 KiB before `start`.
    ///
    /// The output starts and ends on a byte boundary: with the final block if `is_last`, else with an empty stored
    /// block. So what several compressors make of consecutive parts of a text is one stream when put together.
    pub(crate) fn deflate(&mut self, buffer: &[u8], start: usize, is_last: bool, output: &mut Vec<u8>) {
        let start = start.min(buffer.len());
        let text = &buffer[start.saturating_sub(WINDOW)..];
        let start = start.min(WINDOW);
        self.make_room(text.len() - start);
        let writer = BlockWriter::new(text, start, output);
        let mut job =
            Job { text, start, is_last, window: &mut self.window, tokens: &mut self.tokens, writer };
        match &mut self.search {
            Search::Stored => job.writer.store(text.len(), is_last),
            Search::Fast(table) => job.run(table, Strategy::Greedy { within: 3 }),
            Search::Light(table) => job.run(table, Strategy::Lazy { below: 12 }),
            Search::Normal(table) => job.run(table, Strategy::Lazy { below: 12 }),
            Search::Best(table) => job.run(table, Strategy::Lazy { below: 258 }),
        }
        job.writer.finish(is_last);
    }

    fn wipe(&mut self) {
        self.tokens.as_mut_slice().zeroize();
        self.window.wipe();
        match &mut self.search {
            Search::Stored => {}
            Search::Fast(table) => table.wipe(),
            Search::Light(table) => table.wipe(),
            Search::Normal(table) => table.wipe(),
            Search::Best(table) => table.wipe(),
        }
    }

    /// Makes room for the tokens of so many bytes, none of which has more than one; short texts need not clear the rest.
    fn make_room(&mut self, bytes: usize) {
        let needed = bytes.min(MOST_TOKENS);
        if self.tokens.len() < needed {
            self.tokens.as_mut_slice().zeroize();
            self.tokens = vec![Token::default(); needed.next_power_of_two().min(MOST_TOKENS)];
        }
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Deflater").finish_non_exhaustive()
    }
}

/// One call of [`Deflater::deflate`].
struct Job<'a> {
    text: &'a [u8],
    start: usize,
    is_last: bool,
    window: &'a mut Window,
    tokens: &'a mut [Token],
    writer: BlockWriter<'a>,
}

/// A block that has not been written yet: its first tokens, and where their text ends.
struct Open {
    to: usize,
    tokens: usize,
    frequencies: Frequencies,
}

impl Job<'_> {
    fn run<B: Bucket, const SIZE: usize, const BYTES: u32>(
        &mut self,
        table: &mut Table<B, SIZE, BYTES>,
        strategy: Strategy,
    ) {
        self.window.reset();
        table.reset(self.text.len());
        let mut end = self.take_in_window(table);
        let mut at = self.start;
        let mut open = Open { to: at, tokens: 0, frequencies: Frequencies::NONE };
        while at < self.text.len() {
            let mut tokens = Tokens::after(self.tokens, open.tokens, open.tokens + PIECE);
            while at < self.text.len() && !tokens.is_full() {
                if at >= end {
                    end = self.window.fill(self.text, at);
                }
                let finder = Finder { text: self.text, ring: self.window.ring(), buckets: table.buckets() };
                at = parse::parse(strategy, finder, at, end, &mut tokens);
            }
            let count = tokens.count();
            let piece = Frequencies::of(&self.tokens[open.tokens..count]);
            if open.tokens > 0 && (count > BLOCK || open.frequencies.differ_from(&piece)) {
                self.write(&open, false);
                self.tokens.copy_within(open.tokens..count, 0);
                open = Open { to: at, tokens: count - open.tokens, frequencies: piece };
            } else {
                open.frequencies.add(&piece);
                (open.to, open.tokens) = (at, count);
            }
        }
        if self.is_last || open.tokens > 0 {
            self.write(&open, self.is_last);
        }
    }

    /// Puts the window before the text into the table; gives up to where positions can be searched then.
    fn take_in_window<B: Bucket, const SIZE: usize, const BYTES: u32>(
        &mut self,
        table: &mut Table<B, SIZE, BYTES>,
    ) -> usize {
        let mut at = 0;
        let mut end = self.window.fill(self.text, at);
        while at < self.start {
            let mut finder = Finder { text: self.text, ring: self.window.ring(), buckets: table.buckets() };
            let stop = self.start.min(end);
            (at..stop).for_each(|position| finder.insert(position));
            at = stop;
            if at == end {
                end = self.window.fill(self.text, at);
            }
        }
        end
    }

    fn write(&mut self, open: &Open, is_final: bool) {
        self.writer.write(open.to, &self.tokens[..open.tokens], &open.frequencies, is_final);
    }
}
