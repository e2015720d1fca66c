//! Decryption at any place: in CBC mode a block takes nothing but the key and the block of ciphertext before it.

use std::io;

use zeroize::Zeroizing;

use super::super::des::{BLOCK, CbcDecryptor};
use super::super::read_at::{ReadAt, fill_at};
use super::decrypt::{cut_short, header_length, padding, read_salt};
use super::key::{Derived, DesMd5Key};
use crate::Result;

/// Sealed bytes whose beginning and end were found good, to be decrypted anywhere between.
pub(in crate::codec) struct RandomAccess {
    derived: Box<Derived>,
    cipher: CbcDecryptor,
    /// Where the ciphertext begins, and how long it is.
    start: u64,
    ciphertext: u64,
    plaintext: u64,
}

impl RandomAccess {
    /// What [`read_at`](Self::read_at) takes whole, in bytes.
    pub(in crate::codec) const GRANULE: usize = BLOCK;

    /// Reads the salt and checks the padding, with the errors of [`Decryptor`](super::Decryptor).
    pub(in crate::codec) fn open(key: &DesMd5Key, sealed: &dyn ReadAt) -> Result<Self> {
        let mut header = [0; 2 * BLOCK];
        let start = header_length(key);
        let came = fill_at(sealed, 0, header.get_mut(..start).unwrap_or_default())?;
        let salt = read_salt(key, &mut header.get(..came).unwrap_or_default())?;
        let ciphertext = sealed.length()?.saturating_sub(start as u64);
        if ciphertext == 0 || !ciphertext.is_multiple_of(BLOCK as u64) {
            return Err(cut_short());
        }
        let derived = key.derive(salt);
        let cipher = CbcDecryptor::new(&derived.key, &derived.iv);
        let mut opened = Self { derived, cipher, start: start as u64, ciphertext, plaintext: ciphertext };
        let mut last = Zeroizing::new([0; BLOCK]);
        opened.read_at(sealed, ciphertext - BLOCK as u64, last.as_mut_slice())?;
        opened.plaintext -= padding(last.as_slice())? as u64;
        Ok(opened)
    }

    /// The length of the plaintext.
    pub(in crate::codec) fn length(&self) -> u64 {
        self.plaintext
    }

    /// Fills `buffer` with the plaintext from `offset` on, or to its end; returns how many bytes that are. Both the
    /// offset and the length of the buffer are whole [granules](Self::GRANULE); what lies in it behind the plaintext is of no meaning.
    pub(in crate::codec) fn read_at(
        &self,
        sealed: &dyn ReadAt,
        offset: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let left = self.ciphertext.saturating_sub(offset);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let blocks = buffer.get_mut(..length).unwrap_or_default();
        if blocks.is_empty() {
            return Ok(0);
        }
        let (mut before, place) = (self.derived.iv, self.start + offset);
        let has_before = offset == 0 || fill_at(sealed, place - BLOCK as u64, &mut before)? == BLOCK;
        if !has_before || fill_at(sealed, place, blocks)? < length {
            return Err(cut_short().into());
        }
        self.cipher.at(&before).decrypt(blocks);
        let left = self.plaintext.saturating_sub(offset);
        Ok(usize::try_from(left).map_or(length, |left| left.min(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::encrypt::encrypt_bytes;
    use super::super::Framing;
    use super::*;
    use crate::ErrorKind;

    fn key(framing: Framing) -> DesMd5Key {
        DesMd5Key::new("legacy-Secret1", framing).unwrap()
    }

    #[test]
    fn any_run_of_blocks_is_what_it_is_in_the_whole() {
        let content: Vec<u8> = (0..=255).collect();
        for framing in [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: [7; 8] }] {
            let key = key(framing);
            for length in [0, 1, 7, 8, 9, 64, 250] {
                let content = &content[..length];
                let sealed = encrypt_bytes(&key.clone().into(), content).unwrap();
                let opened = RandomAccess::open(&key, &sealed).unwrap();
                assert_eq!(opened.length(), length as u64);
                for start in (0..=length + 16).step_by(8) {
                    for room in (0..=length + 16).step_by(8) {
                        let mut buffer = vec![0; room];
                        let came = opened.read_at(&sealed, start as u64, &mut buffer).unwrap();
                        let expected = content.get(start..).unwrap_or_default();
                        assert_eq!(&buffer[..came], &expected[..expected.len().min(room)]);
                    }
                }
            }
        }
    }

    #[test]
    fn what_lost_its_end_after_it_was_opened_is_cut_short() {
        let key = key(Framing::SaltPrefix);
        let sealed = encrypt_bytes(&key.clone().into(), &[5; 100]).unwrap();
        let opened = RandomAccess::open(&key, &sealed).unwrap();
        let error = opened.read_at(&&sealed[..50], 40, &mut [0; 16]).unwrap_err();
        assert_eq!(crate::Error::from(error).kind(), ErrorKind::Truncated);
    }
}
