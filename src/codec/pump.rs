//! Moving bytes from a `Read` to a `Write` in chunks that suit the ciphers.

use std::io::{self, Read, Write};

use super::wiped::Wiped;
use crate::Result;

/// The size of every buffer a stream passes through: large enough that calls cost nothing, small enough for the L2
/// cache.
pub(super) const CHUNK: usize = 64 * 1024;

/// Copies `input` to its end into `output`; returns the bytes moved. The buffer is wiped, since plaintext passes it.
pub(super) fn pump(mut input: impl Read, mut output: impl Write) -> Result<u64> {
    let mut buffer = Wiped::new(vec![0; CHUNK]);
    let mut moved = 0;
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => return Ok(moved),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        output.write_all(buffer.get(..length).unwrap_or_default())?;
        moved += length as u64;
    }
}

/// Reads until `buffer` is full or the input ends; returns how many bytes came.
pub(super) fn fill(input: impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    fill_from(input, buffer, &mut filled)?;
    Ok(filled)
}

/// Reads behind the first `filled` bytes of `buffer` until it is full or the input ends. What came before an error is
/// counted, so that an input which had nothing to give yet can be asked again.
pub(super) fn fill_from(mut input: impl Read, buffer: &mut [u8], filled: &mut usize) -> io::Result<()> {
    while let Some(rest) = buffer.get_mut(*filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(length) => *filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A `Write` that counts what passes.
pub(super) struct Counted<W> {
    pub(super) inner: W,
    pub(super) bytes: u64,
}

impl<W> Counted<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, bytes: 0 }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, interrupted before each, and fails where the bytes end if it shall.
    struct Faltering<'b> {
        bytes: &'b [u8],
        was_interrupted: bool,
        end: Option<io::ErrorKind>,
    }

    impl Read for Faltering<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.was_interrupted = !self.was_interrupted;
            if self.was_interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match self.end {
                Some(kind) if self.bytes.is_empty() => Err(kind.into()),
                _ => self.bytes.read(buffer.get_mut(..1).unwrap_or_default()),
            }
        }
    }

    fn faltering(end: Option<io::ErrorKind>) -> Faltering<'static> {
        Faltering { bytes: b"claim", was_interrupted: false, end }
    }

    #[test]
    fn an_interruption_loses_nothing_and_another_fault_is_told() {
        let mut moved = Vec::new();
        assert_eq!((pump(faltering(None), &mut moved).unwrap(), &moved[..]), (5, &b"claim"[..]));
        let mut filled = [0; 8];
        assert_eq!(fill(faltering(None), &mut filled).unwrap(), 5);
        assert_eq!(&filled[..5], b"claim");

        let failed = faltering(Some(io::ErrorKind::TimedOut));
        assert_eq!(pump(failed, io::sink()).unwrap_err().kind(), crate::ErrorKind::Io);
        let mut came = 0;
        let nothing_yet = faltering(Some(io::ErrorKind::WouldBlock));
        let error = fill_from(nothing_yet, &mut filled, &mut came).unwrap_err();
        assert_eq!((error.kind(), came), (io::ErrorKind::WouldBlock, 5), "what came is counted");
    }
}
