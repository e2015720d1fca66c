//! Progress and cancellation: one small trait, and a wrapper that reports what passes through it.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use super::read_at::ReadAt;
use crate::{Error, ErrorKind, Result};

/// Sees work move on, and may stop it.
///
/// A closure is a watch, and `()` is the one that lets everything pass:
///
/// ```
/// use std::ops::ControlFlow;
/// use claimwire::codec::Watch;
///
/// let watch = |bytes: u64| if bytes < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
/// assert!(watch.moved(3).is_continue());
/// assert!(().moved(u64::MAX).is_continue());
/// ```
pub trait Watch: Send + Sync {
    /// Told how many bytes moved since the last call; `Break` stops the work with [`ErrorKind::Cancelled`].
    ///
    /// Called on the thread that works, often (about every 64 KiB), so it must be quick.
    fn moved(&self, bytes: u64) -> ControlFlow<()>;
}

impl Watch for () {
    fn moved(&self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F: Fn(u64) -> ControlFlow<()> + Send + Sync> Watch for F {
    fn moved(&self, bytes: u64) -> ControlFlow<()> {
        self(bytes)
    }
}

/// A `Read` or a `Write` that tells a [`Watch`] of every chunk that passes.
///
/// When the watch says stop, the read or write fails with an [`io::Error`] that carries
/// [`ErrorKind::Cancelled`]; [`Error::from`] finds it again.
pub struct Watched<'w, S> {
    inner: S,
    watch: &'w dyn Watch,
}

impl<'w, S> Watched<'w, S> {
    /// Reports to `watch` what is read from, or written to, `inner`.
    pub fn new(inner: S, watch: &'w dyn Watch) -> Self {
        Self { inner, watch }
    }

    /// What was wrapped.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn report(&self, bytes: usize) -> io::Result<usize> {
        tell(self.watch, bytes as u64)?;
        Ok(bytes)
    }
}

/// Tells `watch` that so many bytes moved, and fails with [`ErrorKind::Cancelled`] when it says stop.
pub(crate) fn tell(watch: &dyn Watch, bytes: u64) -> Result<()> {
    match watch.moved(bytes) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "stopped on request")),
    }
}

impl<S: Read> Read for Watched<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.report(bytes)
    }
}

impl<S: Write> Write for Watched<'_, S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let bytes = self.inner.write(buffer)?;
        self.report(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: ReadAt> ReadAt for Watched<'_, S> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read_at(offset, buffer)?;
        self.report(bytes)
    }

    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }
}

impl<S: fmt::Debug> fmt::Debug for Watched<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn every_byte_read_and_written_is_reported() {
        let seen = AtomicU64::new(0);
        let watch = |bytes: u64| {
            seen.fetch_add(bytes, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let mut reader = Watched::new(&b"a document"[..], &watch);
        let mut writer = Watched::new(Vec::new(), &watch);
        io::copy(&mut reader, &mut writer).unwrap();
        assert_eq!(writer.into_inner(), b"a document");
        assert_eq!(seen.into_inner(), 20);
    }

    #[test]
    fn flushing_reaches_what_is_watched() {
        let mut buffered = Watched::new(io::BufWriter::new(Vec::new()), &());
        buffered.write_all(b"a document").unwrap();
        assert!(buffered.inner.get_ref().is_empty());
        buffered.flush().unwrap();
        assert_eq!(buffered.inner.get_ref(), b"a document");
    }

    #[test]
    fn a_break_is_an_error_of_the_kind_cancelled() {
        let stop = |_: u64| ControlFlow::Break(());
        let error = io::copy(&mut Watched::new(&b"abc"[..], &stop), &mut io::sink()).unwrap_err();
        assert_eq!(Error::from(error).kind(), ErrorKind::Cancelled);
    }
}
