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
    /// A compressor of a level from 1 to 9, which are libzstd's.
    ///
    /// # Errors
    ///
    /// [`Internal`](ErrorKind::Internal): there is no memory for it.
    pub(crate) fn new(level: u8) -> Result<Self> {
        let mut context = CCtx::try_create().ok_or_else(no_memory)?;
        context.set_parameter(CParameter::CompressionLevel(level.into())).map_err(failed)?;
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
