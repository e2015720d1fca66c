//! Many messages under one key, a few of them beside each other on one processor.
//!
//! A message alone waits most of the time: each hash that its key comes from waits for the hash before, each block for
//! the block before. So the keys of the next messages are derived together, and the chains of a few messages are encrypted
//! together; where one ends, the next message takes its lane.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::iter::Enumerate;

use super::super::des::{ABREAST, BLOCK, CbcEncryptor, Run};
use super::super::pump::{CHUNK, Counted, fill};
use super::super::wiped::Wiped;
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
    derived: Box<Derived>,
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
    plaintext: Wiped,
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
        Self { message: None, plaintext: Wiped::default(), sealed: Vec::new(), encrypted: 0, filled: 0 }
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

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::super::Framing;
    use super::*;
    use crate::codec::{decrypt_bytes, encrypt_bytes, encrypt_bytes_batch};

    /// Lengths at the edges of blocks and buffers, in no order.
    const LENGTHS: [usize; 12] = [0, 20_000, CHUNK, 1, 7, 8, 2 * CHUNK + 1, 9, CHUNK - 1, 64, 300, CHUNK + 8];

    fn message(number: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 31 + number * 7).to_le_bytes()[0]).collect()
    }

    #[test]
    fn each_message_becomes_what_it_becomes_alone() {
        for framing in [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: [7; 8] }] {
            let key = DesMd5Key::new("legacy-Secret1", framing).unwrap().with_fixed_salt([3; 8]);
            for count in [0, 1, 2, 3, 4, LENGTHS.len(), ABREAST + 1, 2 * ABREAST + 3] {
                let lengths = LENGTHS.iter().cycle().skip(count);
                let messages: Vec<_> = lengths.take(count).enumerate().map(|(n, l)| message(n, *l)).collect();
                let alone =
                    messages.iter().map(|message| encrypt_bytes(&key.clone().into(), message).unwrap());
                let together = encrypt_bytes_batch(&key.clone().into(), &messages).unwrap();
                assert!(together == alone.collect::<Vec<_>>(), "{count} messages, {framing:?}");
            }
        }
    }

    #[test]
    fn each_message_has_a_salt_of_its_own_and_tells_its_size() {
        let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
        let messages: Vec<_> = LENGTHS.iter().map(|length| message(1, *length)).collect();
        let mut sealed = vec![Vec::new(); messages.len()];
        let streams = messages.iter().map(Vec::as_slice).zip(&mut sealed);
        let written = encrypt_batch(&key, streams).unwrap();
        for ((message, sealed), written) in messages.iter().zip(&sealed).zip(written) {
            assert_eq!(written, sealed.len() as u64);
            assert!(decrypt_bytes(&key.clone().into(), sealed).unwrap() == *message);
        }
        let mut salts: Vec<_> = sealed.iter().map(|sealed| &sealed[..BLOCK]).collect();
        salts.sort_unstable();
        salts.dedup();
        assert_eq!(salts.len(), messages.len());
    }

    #[test]
    fn a_message_that_cannot_be_read_is_named() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
        let inputs = (0..40).map(|number| -> Box<dyn Read> {
            if number == 17 { Box::new(Broken) } else { Box::new(io::empty()) }
        });
        let error = encrypt_batch(&key, inputs.map(|input| (input, io::sink()))).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Io);
        assert!(error.to_string().starts_with("message 17: "), "{error}");
    }

    #[test]
    fn what_is_derived_and_read_is_wiped() {
        fn assert_wiped(_: &impl ZeroizeOnDrop) {}
        let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
        key.derive_all(&[[1; 8], [2; 8]]).iter().for_each(|derived| assert_wiped(&**derived));
        assert_wiped(&Lane::<&[u8], Vec<u8>>::idle().plaintext);
    }
}
