//! Inflates raw deflate streams (RFC 1951) that come in pieces, in constant memory.
//!
//! Nothing about a stream is believed: whatever the bytes, decoding ends with the content, a demand for more, or an
//! error; its cost is bounded by the bytes that come in and go out. What is accepted is what zlib accepts.
//!
//! - [`bits`]: the bits of the stream, across the borders of pieces
//! - [`canonical`], [`entry`] and [`table`]: prefix codes, from their lengths to a table
//! - [`codes`]: the codes of a block and the header that describes them
//! - [`symbols`]: the hot loop
//! - [`window`]: the output, where matches copy from it

mod bits;
mod canonical;
mod codes;
mod entry;
mod symbols;
mod table;
mod window;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod zlib;

use self::bits::Bits;
use self::codes::{Codes, Header, Progress};
use self::symbols::Stop;
use self::window::Window;
use crate::{Error, ErrorKind, Result};

/// How far one piece of input brought a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inflated {
    /// How many bytes of the piece belong to the stream: all of them, unless it ended.
    pub(crate) consumed: usize,
    /// Whether the stream ended.
    pub(crate) ended: bool,
}

/// A decoder of raw deflate streams, one after the other.
///
/// About 160 KiB, allocated once. What was decoded is wiped when it is dropped.
pub(crate) struct Inflater {
    stage: Stage,
    is_last_block: bool,
    bits: Bits,
    header: Box<Header>,
    codes: Box<Codes>,
    window: Window,
}

/// What comes next in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    BlockType,
    StoredLength,
    Stored { left: usize },
    Codes,
    FixedSymbols,
    Symbols,
    Ended,
    Failed,
}

/// What a step came to.
enum Step {
    Done,
    WindowFull,
    NeedsInput,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::BlockType,
            is_last_block: false,
            bits: Bits::default(),
            header: Box::new(Header::new()),
            codes: Box::new(Codes::new()),
            window: Window::new(),
        }
    }

    /// Starts over with another stream.
    pub(crate) fn reset(&mut self) {
        self.stage = Stage::BlockType;
        self.bits = Bits::default();
        self.window.reset();
    }

    /// Decodes `input`, the next bytes of the stream, and gives `sink` all content that they complete, in pieces of up
    /// to 128 KiB. When the stream ended, what follows it in `input` is left alone.
    ///
    /// # Errors
    ///
    /// - [`Altered`](ErrorKind::Altered): this is no deflate stream. `sink` may have got content before.
    /// - What `sink` returns.
    ///
    /// After an error, it takes a [`reset`](Self::reset) to go on.
    pub(crate) fn inflate(
        &mut self,
        input: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Inflated> {
        let result = self.run(input, sink);
        if result.is_err() {
            self.stage = Stage::Failed;
        }
        result
    }

    fn run(&mut self, input: &[u8], sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Inflated> {
        let mut rest = input;
        while self.stage != Stage::Ended {
            match self.step(&mut rest)? {
                Step::Done => {}
                Step::WindowFull => self.window.give(sink)?,
                Step::NeedsInput => break,
            }
        }
        self.window.give(sink)?;
        let ended = self.stage == Stage::Ended;
        // What the last bits were read ahead for is of this piece: the piece before had too few bits to end with.
        let unread = if ended { rest.len() + self.bits.whole_bytes() } else { 0 };
        if ended {
            self.bits = Bits::default();
        }
        Ok(Inflated { consumed: input.len() - unread, ended })
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<Step> {
        match self.stage {
            Stage::BlockType => self.begin_block(input),
            Stage::StoredLength => self.begin_stored(input),
            Stage::Stored { left: 0 } => Ok(self.end_block()),
            Stage::Stored { left } => Ok(self.copy_stored(left, input)),
            Stage::Codes => match self.header.read(&mut self.codes, &mut self.bits, input) {
                Progress::Complete => Ok(self.enter(Stage::Symbols)),
                Progress::NeedsInput => Ok(Step::NeedsInput),
                Progress::Damaged => Err(damaged()),
            },
            Stage::FixedSymbols | Stage::Symbols => self.decode_symbols(input),
            Stage::Ended => Ok(Step::NeedsInput),
            Stage::Failed => Err(damaged()),
        }
    }

    fn enter(&mut self, stage: Stage) -> Step {
        self.stage = stage;
        Step::Done
    }

    /// Reads what a block is (RFC 1951, 3.2.3).
    fn begin_block(&mut self, input: &mut &[u8]) -> Result<Step> {
        self.bits.fill(input);
        let Some(header) = self.bits.take(3) else { return Ok(Step::NeedsInput) };
        self.is_last_block = header & 1 == 1;
        match header >> 1 {
            0 => {
                self.bits.align();
                Ok(self.enter(Stage::StoredLength))
            }
            1 => Ok(self.enter(Stage::FixedSymbols)),
            2 => {
                self.header.reset();
                Ok(self.enter(Stage::Codes))
            }
            _ => Err(damaged()),
        }
    }

    /// Reads the length of a stored block and its complement (RFC 1951, 3.2.4).
    fn begin_stored(&mut self, input: &mut &[u8]) -> Result<Step> {
        self.bits.fill(input);
        let Some(lengths) = self.bits.take(32) else { return Ok(Step::NeedsInput) };
        let (length, complement) = (lengths & 0xffff, lengths >> 16);
        if length != complement ^ 0xffff {
            return Err(damaged());
        }
        Ok(self.enter(Stage::Stored { left: length as usize }))
    }

    /// Copies bytes of a stored block: first those that were read ahead, then others from the input itself.
    fn copy_stored(&mut self, left: usize, input: &mut &[u8]) -> Step {
        let ahead = self.bits.peek_byte().map(|byte| [byte]);
        let source = ahead.as_ref().map_or(*input, <[u8; 1]>::as_slice);
        if source.is_empty() {
            return Step::NeedsInput;
        }
        let copied = self.window.append(source.get(..left).unwrap_or(source));
        if copied == 0 {
            return Step::WindowFull;
        }
        match ahead {
            Some(_) => self.bits.consume(8),
            None => *input = input.get(copied..).unwrap_or_default(),
        }
        self.enter(Stage::Stored { left: left - copied })
    }

    fn decode_symbols(&mut self, input: &mut &[u8]) -> Result<Step> {
        let codes = if self.stage == Stage::FixedSymbols { Codes::fixed() } else { &*self.codes };
        let bits = &mut self.bits;
        let stop = self.window.write(|memory, at| symbols::decode(codes, bits, input, memory, at));
        match stop {
            Some(Stop::EndOfBlock) => Ok(self.end_block()),
            Some(Stop::NeedsInput) => Ok(Step::NeedsInput),
            Some(Stop::Full) => Ok(Step::WindowFull),
            Some(Stop::Damaged) | None => Err(damaged()),
        }
    }

    fn end_block(&mut self) -> Step {
        self.enter(if self.is_last_block { Stage::Ended } else { Stage::BlockType })
    }
}

/// What is said of a stream that is none, or that ends too early.
pub(crate) fn damaged() -> Error {
    Error::new(ErrorKind::Altered, "it does not inflate: it was changed after it was written")
}
