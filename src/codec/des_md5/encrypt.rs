//! A `Write` that encrypts with DES in CBC mode: from the caller's buffer into one that is used again and again.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::super::des::{BLOCK, CbcEncryptor};
use super::super::pump::CHUNK;
use super::OPENSSL_MAGIC;
use super::key::{DesMd5Key, Framing};
use crate::{Error, ErrorKind, Result};

/// Writes what stands before the ciphertext.
pub(super) fn write_header(key: &DesMd5Key, salt: &[u8; BLOCK], output: &mut impl Write) -> io::Result<()> {
    match key.framing() {
        Framing::SaltPrefix => output.write_all(salt),
        Framing::OpenSsl => {
            output.write_all(&OPENSSL_MAGIC)?;
            output.write_all(salt)
        }
        Framing::Bare { .. } => Ok(()),
    }
}

/// Encrypts what is written to it; `finish` writes the padded last block.
pub(in crate::codec) struct Encryptor<W> {
    cipher: CbcEncryptor,
    /// The plaintext of a block that is not whole yet: its first `begun` bytes.
    block: Zeroizing<[u8; BLOCK]>,
    begun: usize,
    /// Ciphertext, `filled` blocks of it, which waits until it is worth a write.
    sealed: Vec<[u8; BLOCK]>,
    filled: usize,
    output: W,
    failed: bool,
}

impl<W: Write> Encryptor<W> {
    pub(in crate::codec) fn new(key: &DesMd5Key, mut output: W) -> Result<Self> {
        let salt = key.sealing_salt()?;
        write_header(key, &salt, &mut output)?;
        let derived = key.derive(salt);
        let cipher = CbcEncryptor::new(&derived.key, &derived.iv);
        let sealed = vec![[0; BLOCK]; CHUNK / BLOCK];
        Ok(Self { cipher, block: Zeroizing::default(), begun: 0, sealed, filled: 0, output, failed: false })
    }

    pub(in crate::codec) fn finish(mut self) -> Result<W> {
        let padding = BLOCK - self.begun;
        let padded = [u8::try_from(padding).unwrap_or_default(); BLOCK];
        self.write_all(padded.get(..padding).unwrap_or_default())?;
        self.write_sealed()?;
        Ok(self.output)
    }

    /// Takes bytes of the block that was begun, and encrypts it once it is whole.
    fn complete(&mut self, plaintext: &[u8]) -> usize {
        let mut place = self.block.get_mut(self.begun..).unwrap_or_default();
        let taken = place.write(plaintext).unwrap_or_default();
        self.begun += taken;
        if self.begun == BLOCK {
            let room = self.sealed.get_mut(self.filled..).unwrap_or_default();
            self.cipher.encrypt(std::slice::from_ref(&self.block), room);
            self.filled += 1;
            self.begun = 0;
        }
        taken
    }

    /// Encrypts blocks as far as there is room, and tells how many.
    fn encrypt(&mut self, plaintext: &[[u8; BLOCK]]) -> usize {
        let room = self.sealed.get_mut(self.filled..).unwrap_or_default();
        let taken = room.len().min(plaintext.len());
        self.cipher.encrypt(plaintext, room);
        self.filled += taken;
        taken
    }

    /// Writes the ciphertext that waits.
    fn write_sealed(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(Error::new(ErrorKind::Io, "an earlier write of ciphertext failed").into());
        }
        self.failed = true;
        self.output.write_all(self.sealed.get(..self.filled).unwrap_or_default().as_flattened())?;
        self.failed = false;
        self.filled = 0;
        Ok(())
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        if self.filled == self.sealed.len() {
            self.write_sealed()?;
        }
        match plaintext.as_chunks() {
            (blocks, _) if self.begun == 0 && !blocks.is_empty() => Ok(BLOCK * self.encrypt(blocks)),
            _ => Ok(self.complete(plaintext)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_sealed()?;
        self.output.flush()
    }
}
