//! A `Write` that encrypts with DES in CBC mode, many blocks at a time in one buffer that is used again and again.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::super::des::{BLOCK, CbcEncryptor};
use super::super::pump::CHUNK;
use super::OPENSSL_MAGIC;
use super::key::{DesMd5Key, Framing};
use crate::{Error, ErrorKind, Result};

/// Encrypts what is written to it; `finish` writes the padded last block.
pub(in crate::codec) struct Encryptor<W> {
    cipher: CbcEncryptor,
    buffer: Zeroizing<Vec<u8>>,
    output: W,
    failed: bool,
}

impl<W: Write> Encryptor<W> {
    pub(in crate::codec) fn new(key: &DesMd5Key, mut output: W) -> Result<Self> {
        let salt = key.sealing_salt()?;
        match key.framing() {
            Framing::SaltPrefix => output.write_all(&salt)?,
            Framing::OpenSsl => {
                output.write_all(&OPENSSL_MAGIC)?;
                output.write_all(&salt)?;
            }
            Framing::Bare { .. } => {}
        }
        let derived = key.derive(salt);
        let cipher = CbcEncryptor::new(&derived.key, &derived.iv);
        // Room for the padding too: growing would leave a copy of plaintext behind that is not wiped.
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK + BLOCK));
        Ok(Self { cipher, buffer, output, failed: false })
    }

    pub(in crate::codec) fn finish(mut self) -> Result<W> {
        let length = self.buffer.len();
        let padding = BLOCK - length % BLOCK;
        self.buffer.resize(length + padding, u8::try_from(padding).unwrap_or_default());
        self.encrypt_whole_blocks()?;
        Ok(self.output)
    }

    /// Encrypts and writes the whole blocks of the buffer, and keeps the rest of less than a block.
    fn encrypt_whole_blocks(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(Error::new(ErrorKind::Io, "an earlier write of ciphertext failed").into());
        }
        let whole = self.buffer.len() - self.buffer.len() % BLOCK;
        self.cipher.encrypt(&mut self.buffer);
        self.failed = true;
        self.output.write_all(self.buffer.get(..whole).unwrap_or_default())?;
        self.failed = false;
        self.buffer.drain(..whole);
        Ok(())
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        // The last block waits for `finish`, so a full buffer is encrypted only when more arrives.
        if self.buffer.len() == CHUNK && !plaintext.is_empty() {
            self.encrypt_whole_blocks()?;
        }
        let taken = plaintext.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(plaintext.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encrypt_whole_blocks()?;
        self.output.flush()
    }
}
