//! Content in memory into one frame that states its size.

use zstd_safe::{CCtx, CParameter, ErrorCode, compress_bound, get_error_name};

use crate::{Error, ErrorKind, Result};

/// Compresses at one level. Holds libzstd's tables, so that the next content costs no allocation.
///
/// The same content gives the same frame, whatever was compressed before.
pub(crate) struct Compressor {
    context: CCtx<'static>,
}

impl Compressor {
    /// A compressor of a level from 1 to 9.
    ///
    /// | level | libzstd's level | beside that |
    /// |---|---|---|
    /// | 1, 2 | 1 | |
    /// | 3 | 1 | a table of 32,768 places for strings of 7 bytes |
    /// | 4 | 3 | strings of 6 bytes |
    /// | 5 to 9 | the same | |
    ///
    /// Of a claim's reports and bills, level 3 makes less than libzstd's level 3, in two thirds of its time: in documents
    /// of this size its short matches cost more than they save.
    ///
    /// # Errors
    ///
    /// [`Internal`](ErrorKind::Internal): there is no memory for it.
    pub(crate) fn new(level: u8) -> Result<Self> {
        let mut context = CCtx::try_create().ok_or_else(no_memory)?;
        let parameters: &[CParameter] = match level {
            0..=2 => &[CParameter::CompressionLevel(1)],
            3 => &[CParameter::CompressionLevel(1), CParameter::HashLog(15), CParameter::MinMatch(7)],
            4 => &[CParameter::CompressionLevel(3), CParameter::MinMatch(6)],
            level => &[CParameter::CompressionLevel(level.into())],
        };
        for parameter in parameters {
            context.set_parameter(*parameter).map_err(failed)?;
        }
        Ok(Self { context })
    }

    /// Replaces what is in `output` by a frame with `content`. It does not grow: it has to have room for the
    /// [longest](Self::longest).
    ///
    /// # Errors
    ///
    /// [`Internal`](ErrorKind::Internal): there is no memory for it, or no room.
    pub(crate) fn compress(&mut self, content: &[u8], output: &mut Vec<u8>) -> Result<()> {
        output.clear();
        self.context.compress2(output, content).map(drop).map_err(failed)
    }

    /// The longest that a frame with `length` bytes of content becomes.
    pub(crate) fn longest(length: usize) -> usize {
        compress_bound(length)
    }
}

pub(super) fn no_memory() -> Error {
    Error::new(ErrorKind::Internal, "there is no memory for Zstandard")
}

fn failed(code: ErrorCode) -> Error {
    Error::new(ErrorKind::Internal, format!("Zstandard failed: {}", get_error_name(code)))
}
