//! Many messages under one key, a few of them beside each other on one processor.
//!
//! A message alone waits most of the time: each hash that its key comes from waits for the hash before, each block for
//! the block before. So the keys of the next messages are derived together, and the chains of a few messages are encrypted
//! together; where one ends, the next message takes its lane.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::iter::Enumerate;

use zeroize::Zeroizing;

use super::super::des::{ABREAST, BLOCK, CbcEncryptor, Run};
use super::super::pump::{CHUNK, Counted, fill};
use super::encrypt::write_header;
use super::key::{Derived, DesMd5Key};
use crate::{Error, Result};

/// Encrypts every message, a `Read` and the `Write` it is sealed into, which is flushed then. Returns the bytes written of
/// each; an error names the message it is about, counted from 0.
pub(in crate::codec) fn encrypt_batch<R: Read, W: Write>(
    key: &DesMd5Key,
    messages: impl Iterator<Item = (R, W)>,
) -> Result<Vec<u64>> {
    let mut messages = Keyed { key, coming: messages.enumerate(), ready: VecDeque::new() };
    let mut lanes: [Lane<R, W>; CbcEncryptor::ABREAST] = std::array::from_fn(|_| Lane::idle());
    let mut written = Vec::new();
    loop {
        for lane in lanes.iter_mut().filter(|lane| lane.message.is_none()) {
            let Some(message) = messages.next()? else { break };
            lane.begin(key, message)?;
            written.push(0);
        }
        let mut runs: Vec<_> = lanes.iter_mut().filter_map(Lane::run).collect();
        if runs.is_empty() {
            return Ok(written);
        }
        let blocks = CbcEncryptor::encrypt_abreast(&mut runs);
        for lane in &mut lanes {
            let ended = lane.go_on(blocks)?;
            if let Some((index, bytes)) = ended
                && let Some(written) = written.get_mut(index)
            {
                *written = bytes;
            }
        }
    }
}

/// The messages that come, each with its key.
struct Keyed<'k, I: Iterator> {
    key: &'k DesMd5Key,
    coming: Enumerate<I>,
    ready: VecDeque<Message<I::Item>>,
}

/// A message's streams, its salt and what is derived from that.
struct Message<S> {
    index: usize,
    streams: S,
    salt: [u8; BLOCK],
    derived: Derived,
}

impl<I: Iterator> Keyed<'_, I> {
    fn next(&mut self) -> Result<Option<Message<I::Item>>> {
        if self.ready.is_empty() {
            let coming: Vec<_> = self.coming.by_ref().take(ABREAST).collect();
            let salts = coming.iter().map(|_| self.key.sealing_salt()).collect::<Result<Vec<_>>>()?;
            let derived = self.key.derive_all(&salts);
            let keyed = coming.into_iter().zip(salts).zip(derived);
            self.ready.extend(keyed.map(|(((index, streams), salt), derived)| Message {
                index,
                streams,
                salt,
                derived,
            }));
        }
        Ok(self.ready.pop_front())
    }
}

/// Where one message after the other passes.
struct Lane<R, W> {
    message: Option<Open<R, W>>,
    /// What was read and, behind its end, the padding.
    plaintext: Zeroizing<Vec<u8>>,
    /// Its blocks, encrypted, each in its place: so many of so many.
    sealed: Vec<[u8; BLOCK]>,
    encrypted: usize,
    filled: usize,
}

/// A message that is being encrypted.
struct Open<R, W> {
    index: usize,
    cipher: CbcEncryptor,
    input: R,
    output: Counted<W>,
    ended: bool,
}

impl<R: Read, W: Write> Lane<R, W> {
    fn idle() -> Self {
        Self { message: None, plaintext: Zeroizing::default(), sealed: Vec::new(), encrypted: 0, filled: 0 }
    }

    fn begin(&mut self, key: &DesMd5Key, message: Message<(R, W)>) -> Result<()> {
        let Message { index, streams: (input, output), salt, derived } = message;
        let mut output = Counted::new(output);
        write_header(key, &salt, &mut output).map_err(|error| within(index, error))?;
        let cipher = CbcEncryptor::new(&derived.key, &derived.iv);
        // Not before, so that a lane which nobody needs costs nothing.
        self.plaintext.resize(CHUNK, 0);
        self.sealed.resize(CHUNK / BLOCK, [0; BLOCK]);
        self.message = Some(Open { index, cipher, input, output, ended: false });
        self.refill().map_err(|error| within(index, error))
    }

    /// What is there to be encrypted.
    fn run(&mut self) -> Option<Run<'_>> {
        let message = self.message.as_mut()?;
        let (plaintext, _) = self.plaintext.as_chunks();
        Some(Run {
            encryptor: &mut message.cipher,
            plaintext: plaintext.get(self.encrypted..self.filled)?,
            ciphertext: self.sealed.get_mut(self.encrypted..self.filled)?,
        })
    }

    /// Takes note that so many blocks more are encrypted, and sees to the next ones. When there are none, the lane is idle, and
    /// this tells which message ended and how many bytes it came to.
    fn go_on(&mut self, blocks: usize) -> Result<Option<(usize, u64)>> {
        let Some(message) = &mut self.message else { return Ok(None) };
        let index = message.index;
        self.encrypted += blocks;
        if self.encrypted < self.filled {
            return Ok(None);
        }
        let sealed = self.sealed.get(..self.filled).unwrap_or_default().as_flattened();
        message.output.write_all(sealed).map_err(|error| within(index, error))?;
        if !message.ended {
            self.refill().map_err(|error| within(index, error))?;
            return Ok(None);
        }
        message.output.flush().map_err(|error| within(index, error))?;
        let bytes = message.output.bytes;
        self.message = None;
        Ok(Some((index, bytes)))
    }

    /// Reads as much as there is room for; where the message ends, its padding makes the last block whole.
    fn refill(&mut self) -> io::Result<()> {
        let Some(message) = &mut self.message else { return Ok(()) };
        let mut length = fill(&mut message.input, &mut self.plaintext)?;
        if length < self.plaintext.len() {
            let padding = BLOCK - length % BLOCK;
            let place = self.plaintext.get_mut(length..length + padding).unwrap_or_default();
            place.fill(u8::try_from(padding).unwrap_or_default());
            message.ended = true;
            length += padding;
        }
        (self.encrypted, self.filled) = (0, length / BLOCK);
        Ok(())
    }
}

fn within(index: usize, error: impl Into<Error>) -> Error {
    error.into().within(format_args!("message {index}"))
}
