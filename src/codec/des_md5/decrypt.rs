//! A `Read` that decrypts DES in CBC mode, and holds the last block back until its padding was checked.

use std::io::{self, Read};

use super::super::des::{BLOCK, CbcDecryptor};
use super::super::pump::{CHUNK, fill, fill_from};
use super::super::wiped::Wiped;
use super::OPENSSL_MAGIC;
use super::key::{DesMd5Key, Framing};
use crate::{Error, ErrorKind, Result};

/// Decrypts what it reads.
///
/// The buffer holds, from its start: plaintext (`taken..ready` not yet yielded), then ciphertext up to `filled`
/// that waits until it is known whether it is the end.
pub(in crate::codec) struct Decryptor<R> {
    cipher: CbcDecryptor,
    input: R,
    buffer: Wiped,
    taken: usize,
    ready: usize,
    filled: usize,
    ended: bool,
}

impl<R: Read> Decryptor<R> {
    pub(in crate::codec) fn new(key: &DesMd5Key, mut input: R) -> Result<Self> {
        let derived = key.derive(read_salt(key, &mut input)?);
        let cipher = CbcDecryptor::new(&derived.key, &derived.iv);
        let buffer = Wiped::new(vec![0; CHUNK]);
        Ok(Self { cipher, input, buffer, taken: 0, ready: 0, filled: 0, ended: false })
    }

    /// Fills the buffer and decrypts all of it but the last 1 to 8 bytes; at the end of the input, all of it.
    ///
    /// Where the input has nothing to give yet, what came of it stays in the buffer for the next call.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.ready..self.filled, 0);
        self.filled -= self.ready;
        (self.taken, self.ready) = (0, 0);
        fill_from(&mut self.input, &mut self.buffer, &mut self.filled)?;
        self.ended = self.filled < self.buffer.len();
        if self.ended && (self.filled == 0 || !self.filled.is_multiple_of(BLOCK)) {
            return Err(cut_short().into());
        }
        let whole = if self.ended { self.filled } else { (self.filled - 1) / BLOCK * BLOCK };
        self.cipher.decrypt(self.buffer.get_mut(..whole).unwrap_or_default());
        let last = self.buffer.get(whole.saturating_sub(BLOCK)..whole).unwrap_or_default();
        self.ready = if self.ended { whole - padding(last)? } else { whole };
        Ok(())
    }
}

/// The length of the padding in the last block: 1 to 8 bytes that each hold their number.
pub(super) fn padding(last: &[u8]) -> Result<usize> {
    let length = last.last().map_or(0, |byte| usize::from(*byte));
    let padded = (1..=BLOCK).contains(&length)
        && last.iter().rev().take(length).all(|byte| usize::from(*byte) == length);
    if !padded {
        return Err(Error::new(
            ErrorKind::WrongKey,
            "the padding is wrong: the password, framing or iterations differ from the sender's, or the last bytes \
             were damaged on the way",
        ));
    }
    Ok(length)
}

/// How many bytes stand before the ciphertext.
pub(in crate::codec) fn header_length(key: &DesMd5Key) -> usize {
    match key.framing() {
        Framing::Bare { .. } => 0,
        Framing::SaltPrefix => BLOCK,
        Framing::OpenSsl => 2 * BLOCK,
    }
}

impl<R: Read> Read for Decryptor<R> {
    fn read(&mut self, plaintext: &mut [u8]) -> io::Result<usize> {
        if plaintext.is_empty() {
            return Ok(0);
        }
        while self.taken == self.ready && !self.ended {
            self.refill()?;
        }
        let waiting = self.buffer.get(self.taken..self.ready).unwrap_or_default();
        let length = waiting.len().min(plaintext.len());
        if let (Some(to), Some(from)) = (plaintext.get_mut(..length), waiting.get(..length)) {
            to.copy_from_slice(from);
        }
        self.taken += length;
        Ok(length)
    }
}

/// The salt, agreed or as it stands before the ciphertext, which comes next then.
pub(super) fn read_salt(key: &DesMd5Key, input: &mut impl Read) -> Result<[u8; BLOCK]> {
    match key.framing() {
        Framing::Bare { salt } => Ok(salt),
        Framing::SaltPrefix => salt_prefix(input),
        Framing::OpenSsl => openssl_salt(input),
    }
}

/// The 8 bytes before the ciphertext of the framing `salt-prefix`.
fn salt_prefix(input: &mut impl Read) -> Result<[u8; BLOCK]> {
    let mut salt = [0; BLOCK];
    if fill(input, &mut salt)? < BLOCK {
        return Err(cut_short());
    }
    if salt == OPENSSL_MAGIC {
        return Err(Error::new(
            ErrorKind::UnsupportedSuite,
            "this begins as the framing `openssl` does, but `salt-prefix` is agreed with this partner",
        ));
    }
    Ok(salt)
}

/// The salt after `Salted__`.
fn openssl_salt(input: &mut impl Read) -> Result<[u8; BLOCK]> {
    let mut start = [0; 2 * BLOCK];
    let length = fill(input, &mut start)?;
    let (magic, salt) = start.split_at(BLOCK);
    let known = length.min(BLOCK);
    if magic.get(..known) != OPENSSL_MAGIC.get(..known) {
        return Err(Error::new(
            ErrorKind::UnsupportedSuite,
            "this does not begin with `Salted__` as the framing `openssl` does; ask the partner for the framing",
        ));
    }
    if length < start.len() {
        return Err(cut_short());
    }
    <[u8; BLOCK]>::try_from(salt).map_err(|_| cut_short())
}

pub(super) fn cut_short() -> Error {
    Error::new(
        ErrorKind::Truncated,
        "the encrypted bytes end too early: their number is not one that DES writes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_1_to_8_bytes_that_each_hold_their_number() {
        for length in 1..=8_u8 {
            let mut last = [9; BLOCK];
            last[BLOCK - usize::from(length)..].fill(length);
            assert_eq!(padding(&last).unwrap(), usize::from(length));
            if length > 1 {
                last[BLOCK - usize::from(length)] ^= 1;
                assert_eq!(padding(&last).unwrap_err().kind(), ErrorKind::WrongKey, "{last:?}");
            }
        }
        for none in [[0; BLOCK], [9; BLOCK]] {
            assert_eq!(padding(&none).unwrap_err().kind(), ErrorKind::WrongKey, "{none:?}");
        }
    }
}
