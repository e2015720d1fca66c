//! A `Read` that opens what it reads, chunk by chunk, and yields nothing of a chunk that is not good.

use std::io::{self, BufRead, Read};

use super::super::pump::fill_from;
use super::super::wiped::Wiped;
use super::header::read_start;
use super::keys::AgeIdentity;
use super::payload::{PayloadKey, SEALED_CHUNK};
use crate::Result;

/// Decrypts what it reads. Where the input has nothing to give yet (`WouldBlock`), the same read may be tried again.
///
/// The buffer holds, from its start, plaintext (`taken..ready` not yet yielded), or the chunk that comes; it is filled
/// one byte further than a chunk reaches, because only that tells whether it is the last.
pub(in crate::codec) struct Decryptor<R> {
    input: R,
    key: PayloadKey,
    index: u64,
    buffer: Wiped,
    taken: usize,
    ready: usize,
    filled: usize,
    ended: bool,
}

impl<R: BufRead> Decryptor<R> {
    pub(in crate::codec) fn new(identity: &AgeIdentity, mut input: R) -> Result<Self> {
        let (_, key) = read_start(identity, &mut input)?;
        let buffer = Wiped::new(vec![0; SEALED_CHUNK + 1]);
        Ok(Self { input, key, index: 0, buffer, taken: 0, ready: 0, filled: 0, ended: false })
    }

    /// Fills the buffer with the next chunk, and opens it.
    fn refill(&mut self) -> io::Result<()> {
        if self.ready > 0 {
            self.buffer.copy_within(SEALED_CHUNK..self.filled, 0);
            self.filled -= SEALED_CHUNK;
            (self.taken, self.ready) = (0, 0);
        }
        fill_from(&mut self.input, &mut self.buffer, &mut self.filled)?;
        let sealed = self.buffer.get_mut(..self.filled.min(SEALED_CHUNK)).unwrap_or_default();
        if self.filled > SEALED_CHUNK {
            self.ready = self.key.open(self.index, false, sealed)?;
            self.index += 1;
        } else {
            self.ready = self.key.open_last(self.index, sealed)?;
            self.ended = true;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Decryptor<R> {
    fn read(&mut self, plaintext: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready && !self.ended {
            self.refill()?;
        }
        let length = self.buffer.get(self.taken..self.ready).unwrap_or_default().read(plaintext)?;
        self.taken += length;
        Ok(length)
    }
}
