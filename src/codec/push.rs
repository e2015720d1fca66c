//! Decryption for callers to whom sealed bytes come in pieces: they push them in.
//!
//! The decryptors of the suites read. Here they read from an [`Inlet`] that has nothing to give once a piece is used
//! up, and go on when the next one came: one decryptor serves both forms, so that both find the same.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "age")]
use super::age;
use super::des_md5;
use super::pump::CHUNK;
use super::suite::OpeningKey;
use super::wiped::Wiped;
use crate::{Error, ErrorKind, Result};

/// Decrypts sealed bytes that are pushed in as they come, in pieces of any length, in constant memory. It finds the
/// same as [`Decryptor`](super::Decryptor), which reads.
///
/// **What it writes is not verified until [`finish`](Self::finish) returned without an error**, and with the suite
/// `des-md5` not even then: only the padding was checked, which 1 in 256 wrong keys passes. Write to a place that can
/// be thrown away, and act on nothing before that.
///
/// It holds up to 64 KiB back until more comes: a chunk of `age`, a buffer of `des-md5`.
///
/// ```
/// use claimwire::codec::{DesMd5Key, Framing, PushDecryptor, encrypt_bytes};
///
/// # fn main() -> claimwire::Result<()> {
/// let key = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl)?;
/// let sealed = encrypt_bytes(&key.clone().into(), b"claim")?;
///
/// let mut unverified = Vec::new();
/// let mut decryptor = PushDecryptor::new(&key.into());
/// for piece in sealed.chunks(3) {
///     decryptor.update(piece, &mut unverified)?;
/// }
/// decryptor.finish(&mut unverified)?;
/// assert_eq!(unverified, b"claim");
/// # Ok(())
/// # }
/// ```
#[must_use = "what was decrypted is not verified before `finish`"]
pub struct PushDecryptor {
    state: State,
    buffer: Wiped,
}

enum State {
    Opening(Opening),
    Open(Open),
    Failed,
}

impl PushDecryptor {
    /// Makes ready to decrypt with `key`.
    pub fn new(key: &OpeningKey) -> Self {
        let header = match key {
            OpeningKey::DesMd5(key) => Header::Salt(des_md5::header_length(key)),
            #[cfg(feature = "age")]
            OpeningKey::Age(_) => Header::Age(age::HeaderScan::default()),
        };
        let opening = Opening { key: key.clone(), start: Vec::new(), header };
        Self { state: State::Opening(opening), buffer: Wiped::new(vec![0; CHUNK]) }
    }

    /// Takes the next sealed bytes, and writes to `output` what they decrypt to.
    ///
    /// # Errors
    ///
    /// Those of [`Decryptor`](super::Decryptor), as soon as they show; [`Io`](ErrorKind::Io) when `output` refuses;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) after an earlier error.
    pub fn update(&mut self, sealed: &[u8], output: &mut impl Write) -> Result<()> {
        let (mut open, rest) = match self.begin() {
            State::Opening(mut opening) => {
                let rest = opening.take(sealed);
                if !opening.is_complete() {
                    self.state = State::Opening(opening);
                    return Ok(());
                }
                (opening.open(false)?, rest)
            }
            State::Open(open) => (open, sealed),
            State::Failed => return Err(failed_before()),
        };
        open.drain(&mut self.buffer, output)?;
        for piece in rest.chunks(CHUNK) {
            open.feed.put(piece);
            open.drain(&mut self.buffer, output)?;
        }
        self.state = State::Open(open);
        Ok(())
    }

    /// Says that no more comes, and writes the rest. Only when this returns without an error, everything that was
    /// written is good.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub fn finish(mut self, output: &mut impl Write) -> Result<()> {
        let mut open = match self.begin() {
            State::Opening(opening) => opening.open(true)?,
            State::Open(open) => open,
            State::Failed => return Err(failed_before()),
        };
        open.feed.end();
        open.drain(&mut self.buffer, output)
    }

    /// Takes the state out, so that nothing goes on after an error or a panic of the output.
    fn begin(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Failed)
    }
}

fn failed_before() -> Error {
    Error::new(ErrorKind::InvalidArgument, "decryption failed before; start it anew")
}

impl fmt::Debug for PushDecryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = matches!(self.state, State::Failed);
        f.debug_struct("PushDecryptor").field("failed", &failed).finish_non_exhaustive()
    }
}

/// Collects what stands before the ciphertext, which the decryptors read at once.
struct Opening {
    key: OpeningKey,
    start: Vec<u8>,
    header: Header,
}

/// How the end of the header is found.
enum Header {
    /// By its length in bytes.
    Salt(usize),
    #[cfg(feature = "age")]
    Age(age::HeaderScan),
}

impl Header {
    /// The most bytes it may have.
    fn longest(&self) -> usize {
        match self {
            Self::Salt(length) => *length,
            #[cfg(feature = "age")]
            Self::Age(_) => age::HeaderScan::LONGEST,
        }
    }
}

impl Opening {
    /// Takes as much as a header may have, and gives the rest back.
    fn take<'s>(&mut self, sealed: &'s [u8]) -> &'s [u8] {
        let room = self.header.longest().saturating_sub(self.start.len());
        let (taken, rest) = sealed.split_at(sealed.len().min(room));
        self.start.extend_from_slice(taken);
        rest
    }

    fn is_complete(&mut self) -> bool {
        match &mut self.header {
            Header::Salt(length) => self.start.len() >= *length,
            #[cfg(feature = "age")]
            Header::Age(header) => header.is_enough(&self.start),
        }
    }

    fn open(self, ended: bool) -> Result<Open> {
        let feed = Feed::default();
        if ended {
            feed.end();
        }
        let inlet = Inlet { current: self.start, taken: 0, feed: feed.clone() };
        let decryptor: Box<dyn Read + Send> = match &self.key {
            OpeningKey::DesMd5(key) => Box::new(des_md5::Decryptor::new(key, inlet)?),
            #[cfg(feature = "age")]
            OpeningKey::Age(identity) => Box::new(age::Decryptor::new(identity, inlet)?),
        };
        Ok(Open { feed, decryptor })
    }
}

/// A decryptor, and where it is fed.
struct Open {
    feed: Feed,
    decryptor: Box<dyn Read + Send>,
}

impl Open {
    /// Decrypts what was fed.
    fn drain(&mut self, buffer: &mut [u8], output: &mut impl Write) -> Result<()> {
        loop {
            match self.decryptor.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => output.write_all(buffer.get(..length).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Hands pieces to the [`Inlet`] that shares it.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    piece: Vec<u8>,
    ended: bool,
}

impl Feed {
    /// Puts a piece in; the one before it was taken out.
    fn put(&self, piece: &[u8]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.piece.clear();
        waiting.piece.extend_from_slice(piece);
    }

    fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
    }
}

/// What a decryptor reads: the pieces one after the other, `WouldBlock` where there is none yet, the end when that was
/// said.
struct Inlet {
    current: Vec<u8>,
    taken: usize,
    feed: Feed,
}

impl BufRead for Inlet {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.current.len() {
            let mut waiting = self.feed.0.lock().unwrap_or_else(PoisonError::into_inner);
            self.current.clear();
            self.taken = 0;
            std::mem::swap(&mut self.current, &mut waiting.piece);
            if self.current.is_empty() && !waiting.ended {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        Ok(self.current.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

impl Read for Inlet {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}
