//! Sealed bytes as the plaintext that is in them, read at any place and from several threads at once.

use std::fs::File;
use std::io;

#[cfg(feature = "age")]
use super::age;
use super::des_md5;
use super::read_at::{ReadAt, fill_at};
use super::suite::OpeningKey;
use super::watch::{Watch, Watched};
use crate::Result;

/// The plaintext of sealed bytes.
///
/// As with [`Decryptor`](super::Decryptor), what it gives is not verified before all of it was read: act on nothing
/// before that.
pub(crate) struct Plaintext<'s> {
    sealed: Watched<'s, &'s dyn ReadAt>,
    suite: Opened,
    length: u64,
}

enum Opened {
    /// Not sealed at all.
    Plain,
    DesMd5(des_md5::RandomAccess),
    #[cfg(feature = "age")]
    Age(age::RandomAccess),
}

impl<'s> Plaintext<'s> {
    /// Opens the sealed bytes that are all of `sealed`, from its first byte, with the errors of
    /// [`Decryptor`](super::Decryptor). `watch` is told of the sealed bytes read.
    pub(crate) fn of_file(key: &OpeningKey, sealed: &'s File, watch: &'s dyn Watch) -> Result<Self> {
        Self::open(key, Watched::new(sealed, watch))
    }

    /// As [`of_file`](Self::of_file), of bytes in memory.
    #[cfg(any(feature = "exchange", test))]
    pub(crate) fn of_bytes(key: &OpeningKey, sealed: &'s &'s [u8], watch: &'s dyn Watch) -> Result<Self> {
        Self::open(key, Watched::new(sealed, watch))
    }

    /// Bytes that are not sealed.
    pub(in crate::codec) fn plain(bytes: &'s dyn ReadAt) -> Result<Self> {
        Ok(Self { sealed: Watched::new(bytes, &()), suite: Opened::Plain, length: bytes.length()? })
    }

    fn open(key: &OpeningKey, sealed: Watched<'s, &'s dyn ReadAt>) -> Result<Self> {
        let (suite, length) = match key {
            OpeningKey::DesMd5(key) => {
                let opened = des_md5::RandomAccess::open(key, &sealed)?;
                let length = opened.length();
                (Opened::DesMd5(opened), length)
            }
            #[cfg(feature = "age")]
            OpeningKey::Age(identity) => {
                let opened = age::RandomAccess::open(identity, &sealed)?;
                let length = opened.length();
                (Opened::Age(opened), length)
            }
        };
        Ok(Self { sealed, suite, length })
    }

    /// How many bytes it has.
    pub(in crate::codec) fn length(&self) -> u64 {
        self.length
    }

    /// What [`read_at`](Self::read_at) takes whole: the block or chunk of the suite, in bytes.
    pub(in crate::codec) fn granule(&self) -> usize {
        match self.suite {
            Opened::Plain => 1,
            Opened::DesMd5(_) => des_md5::RandomAccess::GRANULE,
            #[cfg(feature = "age")]
            Opened::Age(_) => age::RandomAccess::GRANULE,
        }
    }

    /// Fills `buffer` with what stands at `offset`, or to the end; returns how many bytes came. Both `offset` and the
    /// length of `buffer` are whole [granules](Self::granule).
    pub(in crate::codec) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.suite {
            Opened::Plain => fill_at(&self.sealed, offset, buffer),
            Opened::DesMd5(opened) => opened.read_at(&self.sealed, offset, buffer),
            #[cfg(feature = "age")]
            Opened::Age(opened) => opened.read_at(&self.sealed, offset, buffer),
        }
    }
}
