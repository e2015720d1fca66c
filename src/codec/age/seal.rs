//! A `Write` that seals what is written to it, chunk by chunk.

use std::io::{self, Write};

use super::super::wiped::Wiped;
use super::file_key;
use super::keys::AgeRecipients;
use super::payload::{CHUNK, PayloadKey, SEALED_CHUNK};
use crate::{Error, ErrorKind, Result};

/// Encrypts what is written to it; `finish` writes the last chunk.
///
/// A chunk is sealed only when more comes, since the last one is sealed in another way.
pub(in crate::codec) struct Encryptor<W> {
    output: W,
    key: PayloadKey,
    index: u64,
    chunk: Wiped,
    failed: bool,
}

impl<W: Write> Encryptor<W> {
    pub(in crate::codec) fn new(recipients: &AgeRecipients, mut output: W) -> Result<Self> {
        let (start, key) = file_key::seal(recipients)?;
        output.write_all(&start)?;
        // It never grows beyond that: growing would leave a copy of the plaintext behind.
        let chunk = Wiped::new(Vec::with_capacity(SEALED_CHUNK));
        Ok(Self { output, key, index: 0, chunk, failed: false })
    }

    pub(in crate::codec) fn finish(mut self) -> Result<W> {
        if self.failed {
            return Err(failed_before());
        }
        self.seal_chunk(true)?;
        Ok(self.output)
    }

    fn seal_chunk(&mut self, is_last: bool) -> Result<()> {
        self.key.seal(self.index, is_last, &mut self.chunk)?;
        self.output.write_all(&self.chunk)?;
        self.chunk.clear();
        self.index += 1;
        Ok(())
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let mut rest = plaintext;
        while !rest.is_empty() {
            if self.failed {
                return Err(failed_before().into());
            }
            if self.chunk.len() == CHUNK {
                self.failed = true;
                self.seal_chunk(false)?;
                self.failed = false;
            }
            let (piece, later) = rest.split_at(rest.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(piece);
            rest = later;
        }
        Ok(plaintext.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

fn failed_before() -> Error {
    Error::new(ErrorKind::Io, "an earlier write of ciphertext failed")
}

#[cfg(test)]
mod tests {
    use super::super::AgeIdentity;
    use super::*;

    #[test]
    fn an_output_that_refuses_the_header_is_told_as_it_is() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(Error::new(ErrorKind::Cancelled, "stopped on request").into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let recipients = AgeIdentity::generate().recipient().into();
        let error = Encryptor::new(&recipients, Full).err().unwrap();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Cancelled, "stopped on request"));
    }
}
