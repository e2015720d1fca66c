//! Encryption in two layers: a `Write` that encrypts what is written to it, and calls that seal a whole stream.

use std::fmt;
use std::io::{self, Read, Write};

#[cfg(feature = "age")]
use super::age;
use super::des_md5;
use super::pump::{Counted, pump};
use super::suite::SealingKey;
use crate::Result;

/// Encrypts what is written to it, in constant memory.
///
/// **[`finish`](Self::finish) is not optional.** Without it the last bytes are missing and nobody can open what was
/// written; dropping an `Encryptor` finishes nothing, since a drop has no way to report that it failed.
///
/// ```
/// use std::io::Write;
/// use claimwire::codec::{DesMd5Key, Encryptor, Framing, SealingKey};
///
/// # fn main() -> claimwire::Result<()> {
/// let key = SealingKey::from(DesMd5Key::new("legacy-Secret1", Framing::OpenSsl)?);
/// let mut encryptor = Encryptor::new(&key, Vec::new())?;
/// encryptor.write_all(b"claim")?;
/// let sealed = encryptor.finish()?;
/// assert!(sealed.starts_with(b"Salted__"));
/// # Ok(())
/// # }
/// ```
#[must_use = "an encryptor that is not finished leaves bytes that nobody can open"]
pub struct Encryptor<W: Write>(Inner<W>);

enum Inner<W: Write> {
    DesMd5(Box<des_md5::Encryptor<W>>),
    #[cfg(feature = "age")]
    Age(Box<age::Encryptor<W>>),
}

impl<W: Write> Encryptor<W> {
    /// Encrypts for `key` into `output`, and writes what stands before the ciphertext (salt or header) at once.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) when `output` refuses, or the system has no randomness to give.
    pub fn new(key: &SealingKey, output: W) -> Result<Self> {
        Ok(Self(match key {
            SealingKey::DesMd5(key) => Inner::DesMd5(Box::new(des_md5::Encryptor::new(key, output)?)),
            #[cfg(feature = "age")]
            SealingKey::Age(recipients) => Inner::Age(Box::new(age::Encryptor::new(recipients, output)?)),
        }))
    }

    /// Writes the last block and gives `output` back, not flushed.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) when `output` refuses, or refused an earlier write.
    pub fn finish(self) -> Result<W> {
        match self.0 {
            Inner::DesMd5(encryptor) => encryptor.finish(),
            #[cfg(feature = "age")]
            Inner::Age(encryptor) => encryptor.finish(),
        }
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::DesMd5(encryptor) => encryptor.write(plaintext),
            #[cfg(feature = "age")]
            Inner::Age(encryptor) => encryptor.write(plaintext),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::DesMd5(encryptor) => encryptor.flush(),
            #[cfg(feature = "age")]
            Inner::Age(encryptor) => encryptor.flush(),
        }
    }
}

impl<W: Write> fmt::Debug for Encryptor<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryptor").finish_non_exhaustive()
    }
}

/// Encrypts `input` to its end into `output`, and flushes it. Returns the bytes written.
///
/// # Errors
///
/// [`Io`](crate::ErrorKind::Io) when either side refuses.
pub fn encrypt(key: &SealingKey, input: impl Read, output: impl Write) -> Result<u64> {
    let mut encryptor = Encryptor::new(key, Counted::new(output))?;
    pump(input, &mut encryptor)?;
    let mut output = encryptor.finish()?;
    output.flush()?;
    Ok(output.bytes)
}

/// Encrypts `plaintext` in memory.
///
/// # Errors
///
/// [`Io`](crate::ErrorKind::Io) when the system has no randomness to give.
pub fn encrypt_bytes(key: &SealingKey, plaintext: &[u8]) -> Result<Vec<u8>> {
    let mut encryptor = Encryptor::new(key, room_for(plaintext))?;
    encryptor.write_all(plaintext)?;
    encryptor.finish()
}

/// An empty buffer for what `plaintext` becomes: small ones have most of their length from the header.
pub(super) fn room_for(plaintext: &[u8]) -> Vec<u8> {
    Vec::with_capacity(plaintext.len().saturating_add(512))
}
