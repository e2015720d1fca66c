//! Frames that come in pieces into content, in bounded memory.
//!
//! Nothing about a frame is believed: whatever the bytes, decoding ends with the content, a demand for more, or an error; its
//! cost is bounded by the bytes that come in and go out, and by the window.

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, DParameter, ErrorCode, InBuffer, OutBuffer, ResetDirective, is_error_kind};

use super::super::wiped::Wiped;
use super::compress::no_memory;
use super::frame::{MAGIC, is_skippable};
use crate::{Error, ErrorKind, Result};

/// The largest window that a frame may need: 8 MiB, what every decoder should have (RFC 8878, 3.1.1.1.2).
const WINDOW_LOG: u32 = 23;

/// How much content is given at once.
const PIECE: usize = 128 * 1024;

/// A decoder of what one entry has, frame by frame, and of another one after that.
///
/// About 500 KiB, and the window that a frame asks for.
pub(crate) struct Decompressor {
    context: DCtx<'static>,
    output: Wiped,
    /// The first bytes of the frame, until there are enough to know that it is one.
    magic: [u8; 4],
    known: usize,
    /// How many frames ended.
    frames: u64,
}

impl Decompressor {
    /// # Errors
    ///
    /// [`Internal`](ErrorKind::Internal): there is no memory for it.
    pub(crate) fn new() -> Result<Self> {
        let mut context = DCtx::try_create().ok_or_else(no_memory)?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(refused)?;
        let output = Wiped::new(vec![0; PIECE]);
        Ok(Self { context, output, magic: [0; 4], known: 0, frames: 0 })
    }

    /// Starts over with what another entry has.
    ///
    /// # Errors
    ///
    /// None that occurs.
    pub(crate) fn reset(&mut self) -> Result<()> {
        self.context.reset(ResetDirective::SessionOnly).map_err(refused)?;
        (self.known, self.frames) = (0, 0);
        Ok(())
    }

    /// Decodes `input`, the next bytes of the entry, and gives `sink` the content that they complete, in pieces of up to
    /// 128 KiB.
    ///
    /// # Errors
    ///
    /// - [`Altered`](ErrorKind::Altered): this is no frame. `sink` may have got content before.
    /// - [`UnsupportedArchive`](ErrorKind::UnsupportedArchive): a frame needs a larger window, or a dictionary.
    /// - [`InconsistentArchive`](ErrorKind::InconsistentArchive): bytes follow the frames, or stand in one that is skipped.
    /// - What `sink` returns.
    ///
    /// After an error, it takes a [`reset`](Self::reset) to go on.
    pub(crate) fn decompress(
        &mut self,
        mut input: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while let Some((first, rest)) = input.split_first() {
            if let Some(place) = self.magic.get_mut(self.known) {
                *place = *first;
                (self.known, input) = (self.known + 1, rest);
                if self.known == self.magic.len() {
                    self.judge_magic()?;
                    let magic = self.magic;
                    self.decode(&magic, sink)?;
                }
            } else {
                let consumed = self.decode(input, sink)?;
                input = input.get(consumed..).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// Says that the entry has no more bytes.
    ///
    /// # Errors
    ///
    /// [`Altered`](ErrorKind::Altered): it ends within a frame, or has none.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.known > 0 || self.frames == 0 {
            return Err(damaged());
        }
        Ok(())
    }

    fn judge_magic(&self) -> Result<()> {
        let inconsistent = |what: &str| {
            let message = format!("the archive contradicts itself: {what}");
            Err(Error::new(ErrorKind::InconsistentArchive, message))
        };
        match self.magic {
            MAGIC => Ok(()),
            magic if is_skippable(magic) => {
                inconsistent("it has a skippable frame, which hides bytes that are no content")
            }
            _ if self.frames > 0 => inconsistent("it has bytes after its compressed content"),
            _ => Err(damaged()),
        }
    }

    /// Decodes up to the end of `input` or of the frame. Gives how many bytes of it were taken.
    fn decode(&mut self, input: &[u8], sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<usize> {
        let mut input_left = InBuffer::around(input);
        loop {
            let room = self.output.as_mut_slice();
            let capacity = room.len();
            let mut output = OutBuffer::around(room);
            let hint = self.context.decompress_stream(&mut output, &mut input_left).map_err(refused)?;
            let given = output.pos();
            sink(self.output.get(..given).unwrap_or_default())?;
            if hint == 0 {
                (self.known, self.frames) = (0, self.frames + 1);
                return Ok(input_left.pos());
            }
            if input_left.pos() == input.len() && given < capacity {
                return Ok(input_left.pos());
            }
        }
    }
}

/// What is said of frames that are none, or that end too early.
fn damaged() -> Error {
    Error::new(ErrorKind::Altered, "it does not decompress: it was changed after it was written")
}

fn refused(code: ErrorCode) -> Error {
    let is = |kind| is_error_kind(code, kind);
    let unsupported = |what| Error::new(ErrorKind::UnsupportedArchive, what);
    if is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) {
        unsupported("it needs a window of more than 8 MiB; ask the sender to compress it with a smaller one")
    } else if is(ZSTD_ErrorCode::ZSTD_error_dictionary_wrong) {
        unsupported("it needs a dictionary, which no archive has; ask the sender to compress it without")
    } else if is(ZSTD_ErrorCode::ZSTD_error_memory_allocation) {
        no_memory()
    } else {
        damaged()
    }
}
