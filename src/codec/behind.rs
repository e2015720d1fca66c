//! Output that another thread writes, so that the one which makes it does not wait for the system.

use std::io::{self, Write};
use std::mem;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

use crate::{Error, ErrorKind, Result};

/// How much is handed over at once: the system wakes a thread for each.
const PIECE: usize = 512 * 1024;

/// How many pieces wait at most, beside the one that is filled and the one that is written.
const WAITING: usize = 2;

/// Runs `work` with an output that is carried to `output`, and flushed in the end; what comes of `work` is given once all
/// that it wrote is there. Of several `threads`, one carries; none is started for less than 512 KiB.
///
/// # Errors
///
/// What `output` refused, or else what came of `work`.
pub(crate) fn write_behind<W: Write + Send, T>(
    threads: NonZeroUsize,
    output: &mut W,
    work: impl FnOnce(&mut Behind<'_, '_, W>) -> Result<T>,
) -> Result<T> {
    let output = Mutex::new(output);
    scope(|scope| {
        let is_alone = threads == NonZeroUsize::MIN;
        let mut behind = Behind { scope, output: &output, carrier: None, is_alone, piece: Vec::new() };
        let outcome = work(&mut behind);
        // Where the output refused, `work` heard of it without the reason.
        behind.end()?;
        outcome
    })
}

/// The output of [`write_behind`]. To flush it does nothing: nobody has seen what was written before `work` has ended.
pub(crate) struct Behind<'scope, 'env, W> {
    scope: &'scope Scope<'scope, 'env>,
    /// Held by the carrier while there is one.
    output: &'env Mutex<&'env mut W>,
    carrier: Option<Carrier<'scope>>,
    /// There is no thread to carry, or the system has none to give.
    is_alone: bool,
    /// What was not handed over yet.
    piece: Vec<u8>,
}

/// The thread that writes.
struct Carrier<'scope> {
    thread: ScopedJoinHandle<'scope, io::Result<()>>,
    pieces: SyncSender<Vec<u8>>,
    /// The pieces come back, to be filled again.
    written: Receiver<Vec<u8>>,
}

impl<'scope, W: Write + Send> Behind<'scope, '_, W> {
    fn start(&self) -> io::Result<Carrier<'scope>> {
        let (pieces, coming) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, written) = channel();
        let output = self.output;
        let carry = move || {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            for mut piece in coming {
                output.write_all(&piece)?;
                piece.clear();
                // Nobody takes it back after the last one.
                let _ = give_back.send(piece);
            }
            output.flush()
        };
        let thread = Builder::new().name("claimwire-write".to_owned()).spawn_scoped(self.scope, carry)?;
        Ok(Carrier { thread, pieces, written })
    }

    /// Hands the piece over; where there is nobody to take it, writes it.
    fn hand_over(&mut self) -> io::Result<()> {
        if self.carrier.is_none() && !self.is_alone {
            self.carrier = self.start().ok();
            self.is_alone = self.carrier.is_none();
        }
        let Some(carrier) = &self.carrier else { return self.write_piece() };
        let refused = |_| io::Error::other("the output refused what was written before");
        carrier.pieces.send(mem::take(&mut self.piece)).map_err(refused)?;
        self.piece = carrier.written.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE));
        Ok(())
    }

    fn write_piece(&mut self) -> io::Result<()> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).write_all(&self.piece)?;
        self.piece.clear();
        Ok(())
    }

    /// Sees that all is written.
    fn end(mut self) -> Result<()> {
        let Some(Carrier { thread, pieces, written: _ }) = self.carrier.take() else {
            self.write_piece()?;
            return Ok(self.output.lock().unwrap_or_else(PoisonError::into_inner).flush()?);
        };
        // Refused where an earlier piece was, and then the thread tells why.
        let _ = pieces.send(self.piece);
        drop(pieces);
        let written = thread.join();
        Ok(written.map_err(|_| Error::new(ErrorKind::Internal, "the output panicked"))??)
    }
}

impl<W: Write + Send> Write for Behind<'_, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE {
            self.hand_over()?;
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses all beyond this many bytes.
    struct Short(usize);

    impl Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn piecewise(output: &mut impl Write, length: usize) -> Result<()> {
        for piece in vec![7; length].chunks(10_007) {
            output.write_all(piece)?;
        }
        Ok(())
    }

    const ONE: NonZeroUsize = NonZeroUsize::MIN;
    const SEVERAL: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn what_was_written_arrives_in_order() {
        let lengths = [0, 1, PIECE - 1, PIECE, PIECE + 1, 9 * PIECE + 5];
        for (threads, length) in
            [ONE, SEVERAL].into_iter().flat_map(|threads| lengths.map(|length| (threads, length)))
        {
            let content: Vec<u8> = (0..length).map(|n| (n ^ n >> 8).to_le_bytes()[0]).collect();
            let mut arrived = Vec::new();
            let told = write_behind(threads, &mut arrived, |output| {
                for piece in content.chunks(10_007) {
                    output.write_all(piece)?;
                }
                Ok(length)
            });
            assert_eq!(told.unwrap(), length);
            assert!(arrived == content, "{length}");
        }
    }

    #[test]
    fn what_is_written_at_once_is_handed_over_in_whole_pieces() {
        struct Lengths(Vec<usize>);
        impl Write for Lengths {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.len());
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for threads in [ONE, SEVERAL] {
            let mut output = Lengths(Vec::new());
            write_behind(threads, &mut output, |output| {
                output.write_all(b"header")?;
                Ok(output.write_all(&vec![7; 1 << 20])?)
            })
            .unwrap();
            assert_eq!(output.0, [524_288, 524_288, 6]);
        }
    }

    #[test]
    fn an_output_that_refuses_is_the_error_whenever_it_does() {
        for (room, length) in [(0, 1), (PIECE, PIECE + 1), (PIECE, 20 * PIECE), (5 * PIECE, 20 * PIECE)] {
            for threads in [ONE, SEVERAL] {
                let error =
                    write_behind(threads, &mut Short(room), |output| piecewise(output, length)).unwrap_err();
                assert!(error.to_string().contains("no storage space"), "{error}");
            }
        }
    }

    #[test]
    fn an_error_of_the_work_is_told_when_the_output_took_all() {
        for length in [0, 3 * PIECE] {
            let outcome: Result<()> = write_behind(SEVERAL, &mut Vec::new(), |output| {
                piecewise(output, length)?;
                Err(Error::new(ErrorKind::Cancelled, "stopped on request"))
            });
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
        }
    }

    #[test]
    fn an_output_that_panics_is_an_error() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("broken");
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write_behind(SEVERAL, &mut Broken, |output| piecewise(output, 3 * PIECE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}
