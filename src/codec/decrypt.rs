//! Decryption in two layers: a `Read` that decrypts as it is read, and calls that release nothing before the end.

use std::fmt;
#[cfg(feature = "age")]
use std::io::BufReader;
use std::io::{self, Read, Seek, Write};

#[cfg(feature = "age")]
use super::age;
use super::des_md5;
#[cfg(feature = "age")]
use super::pump::CHUNK;
use super::pump::pump;
use super::suite::OpeningKey;
use crate::{Error, ErrorKind, Result};

/// How much plaintext [`decrypt`] holds in memory before it goes to a temporary file.
const HELD_IN_MEMORY: usize = 1024 * 1024;

/// Decrypts what it reads, in constant memory.
///
/// **What it yields is not verified until it was read to its end without an error.** With the suite `des-md5` it is
/// not even then: only the padding was checked, which 1 in 256 wrong keys passes. Do not act on the bytes before
/// that, or use [`decrypt`], which holds them back. After an error every further read fails too, unless the error was
/// that of an input with nothing to give yet ([`WouldBlock`](io::ErrorKind::WouldBlock)): then reading goes on.
/// Where sealed bytes come in pieces, [`PushDecryptor`](super::PushDecryptor) takes them.
///
/// The errors of `read` carry one of ours: [`Error::from`] finds it again.
///
/// | kind | when |
/// |---|---|
/// | [`Truncated`](ErrorKind::Truncated) | the bytes end where they cannot have ended |
/// | [`WrongKey`](ErrorKind::WrongKey) | the key does not open it; with `des-md5` also: the last block was damaged |
/// | [`Altered`](ErrorKind::Altered) | `age` only: the bytes were changed after they were written |
/// | [`UnsupportedSuite`](ErrorKind::UnsupportedSuite) | it does not begin as the suite and framing begin |
///
/// The last chunk (64 KiB) of an `age` file fails in the same way whether it was cut or changed. It is taken for cut
/// when good chunks came before it, and for changed when it is the only one.
pub struct Decryptor<R: Read> {
    inner: Inner<R>,
    failed: bool,
}

enum Inner<R: Read> {
    DesMd5(Box<des_md5::Decryptor<R>>),
    #[cfg(feature = "age")]
    Age(Box<age::Decryptor<BufReader<R>>>),
}

impl<R: Read> Decryptor<R> {
    /// Reads what stands before the ciphertext (salt or header), and makes ready to decrypt the rest.
    ///
    /// # Errors
    ///
    /// As `read` gives them, see the table above; [`Io`](ErrorKind::Io) when `input` cannot be read.
    pub fn new(key: &OpeningKey, input: R) -> Result<Self> {
        let inner = match key {
            OpeningKey::DesMd5(key) => Inner::DesMd5(Box::new(des_md5::Decryptor::new(key, input)?)),
            #[cfg(feature = "age")]
            OpeningKey::Age(identity) => {
                let input = BufReader::with_capacity(CHUNK, input);
                Inner::Age(Box::new(age::Decryptor::new(identity, input)?))
            }
        };
        Ok(Self { inner, failed: false })
    }
}

impl<R: Read> Read for Decryptor<R> {
    fn read(&mut self, plaintext: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(
                Error::new(ErrorKind::InvalidArgument, "decryption failed before; start it anew").into()
            );
        }
        let outcome = match &mut self.inner {
            Inner::DesMd5(decryptor) => decryptor.read(plaintext),
            #[cfg(feature = "age")]
            Inner::Age(decryptor) => decryptor.read(plaintext),
        };
        self.failed = outcome.as_ref().is_err_and(|error| {
            !matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
        });
        outcome
    }
}

impl<R: Read> fmt::Debug for Decryptor<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").field("failed", &self.failed).finish_non_exhaustive()
    }
}

/// Decrypts `input` to its end into `output`, and flushes it. Returns the bytes written.
///
/// Nothing reaches `output` before all of `input` was decrypted and found good: what is above 1 MiB waits in an
/// unnamed file in the system's directory for temporary files, private to this process and gone with it. With
/// the suite `des-md5` "found good" means only that the padding was right; verify a digest or a signature as well.
///
/// # Errors
///
/// Those of [`Decryptor`]; [`Io`](ErrorKind::Io) when either side, or the temporary file, refuses.
pub fn decrypt(key: &OpeningKey, input: impl Read, mut output: impl Write) -> Result<u64> {
    let mut held = tempfile::spooled_tempfile(HELD_IN_MEMORY);
    pump(Decryptor::new(key, input)?, &mut held)?;
    held.rewind()?;
    let written = pump(held, &mut output)?;
    output.flush()?;
    Ok(written)
}

/// Decrypts `sealed` in memory.
///
/// # Errors
///
/// Those of [`Decryptor`].
pub fn decrypt_bytes(key: &OpeningKey, sealed: &[u8]) -> Result<Vec<u8>> {
    let mut plaintext = Vec::with_capacity(sealed.len());
    Decryptor::new(key, sealed)?.read_to_end(&mut plaintext)?;
    Ok(plaintext)
}
