//! The chunks of a payload: STREAM (<https://eprint.iacr.org/2015/189>) as age v1 lays it down, section "Payload" of
//! <https://c2sp.org/age>.
//!
//! The plaintext goes in chunks of 64 KiB, the last of 1 byte to 64 KiB, or of none when there is no plaintext at all.
//! Each is sealed by itself with ChaCha20-Poly1305 (RFC 8439), without associated data, and grows by the tag of 16
//! bytes. The nonce of a chunk is its index from 0 as 11 bytes, big-endian, and a byte that is 1 for the last chunk
//! and else 0: chunks cannot be left out, swapped, repeated or cut off. The key is HKDF-SHA-256 (RFC 5869) of the file
//! key, with the nonce of the file as salt and `payload` as info; no two files have the same.

use age::secrecy::ExposeSecret;
use age_core::format::FileKey;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use super::super::wiped::Wiped;
use super::{NONCE, cut_short};
use crate::wiped_stack::on_wiped_stack;
use crate::{Error, ErrorKind, Result};

/// The plaintext of every chunk but the last, in bytes.
pub(super) const CHUNK: usize = 64 * 1024;

/// What stands behind the ciphertext of each chunk, in bytes.
pub(super) const TAG: usize = 16;

/// Every chunk but the last, in bytes.
pub(super) const SEALED_CHUNK: usize = CHUNK + TAG;

/// The key of one payload: in one place from when it is made until it is wiped.
pub(super) struct PayloadKey(Box<Zeroizing<[u8; 32]>>);

impl PayloadKey {
    pub(super) fn derive(file_key: &FileKey, nonce: &[u8; NONCE]) -> Result<Self> {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        Salt::new(HKDF_SHA256, nonce)
            .extract(file_key.expose_secret())
            .expand(&[b"payload"], &CHACHA20_POLY1305)
            .and_then(|derived| derived.fill(&mut key[..]))
            .map_err(unfit)?;
        Ok(Self(key))
    }

    /// The cipher for one chunk. `ring` does not wipe it, so that none is kept but on a stack that is: it costs nothing to
    /// make.
    fn cipher(&self) -> Result<LessSafeKey> {
        Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &self.0[..]).map_err(unfit)?))
    }

    /// Seals a chunk where it stands, and puts its tag behind it.
    pub(super) fn seal(&self, index: u64, is_last: bool, chunk: &mut Vec<u8>) -> Result<()> {
        let tag = on_wiped_stack(|| {
            let cipher = self.cipher()?;
            cipher.seal_in_place_separate_tag(nonce(index, is_last), Aad::empty(), chunk).map_err(unfit)
        })?;
        chunk.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a sealed chunk where it stands, and returns the length of its plaintext.
    ///
    /// # Errors
    ///
    /// [`Altered`](ErrorKind::Altered) when it is not what was sealed at this place; its ciphertext is gone then, and
    /// no plaintext is there.
    pub(super) fn open(&self, index: u64, is_last: bool, sealed: &mut [u8]) -> Result<usize> {
        let (chunk, tag) = sealed.split_last_chunk_mut().ok_or_else(altered)?;
        self.open_apart(index, is_last, chunk, *tag)?;
        Ok(chunk.len())
    }

    /// As [`open`](Self::open), with the tag in another place.
    pub(super) fn open_apart(
        &self,
        index: u64,
        is_last: bool,
        chunk: &mut [u8],
        tag: [u8; TAG],
    ) -> Result<()> {
        on_wiped_stack(|| {
            let (nonce, cipher) = (nonce(index, is_last), self.cipher()?);
            let opened = cipher.open_in_place_separate_tag(nonce, Aad::empty(), tag.into(), chunk, 0..);
            opened.map(|_| ()).map_err(|_| altered())
        })
    }

    /// Opens what stands at the end of a payload.
    ///
    /// The last chunk fails in the same way whether it was cut or changed. When whole chunks came before it, a cut is
    /// by far the likelier cause; when it is whole itself and good for any place but the last, a cut is certain.
    ///
    /// # Errors
    ///
    /// [`Truncated`](ErrorKind::Truncated) and [`Altered`](ErrorKind::Altered). No plaintext is there then.
    pub(super) fn open_last(&self, index: u64, sealed: &mut [u8]) -> Result<usize> {
        if sealed.is_empty() {
            return Err(cut_short());
        }
        let whole = (sealed.len() == SEALED_CHUNK).then(|| Wiped::new(sealed.to_vec()));
        match (self.open(index, true, sealed), whole) {
            (Ok(0), _) | (Err(_), None) if index > 0 => Err(Error::new(
                ErrorKind::Truncated,
                "the encrypted bytes end too early, or the last 64 KiB of them were changed",
            )),
            (Err(error), Some(mut whole)) => {
                let is_good = self.open(index, false, &mut whole).is_ok();
                Err(if is_good { cut_short() } else { error })
            }
            (outcome, _) => outcome,
        }
    }
}

fn altered() -> Error {
    Error::new(ErrorKind::Altered, "the encrypted bytes were changed or cut short after they were written")
}

fn nonce(index: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = is_last.into();
    Nonce::assume_unique_for_key(nonce)
}

/// For lengths that the cipher does not take, of which there are none here.
fn unfit(_: Unspecified) -> Error {
    Error::new(ErrorKind::Internal, "ChaCha20-Poly1305 took a key or a chunk for too long")
}
