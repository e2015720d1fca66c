//! Sealed bytes as the plaintext that is in them, read at any place and from several threads at once.

use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(feature = "age")]
use super::decrypt::Decryptor;
use super::des_md5::RandomAccess;
#[cfg(feature = "age")]
use super::file::at;
#[cfg(feature = "age")]
use super::pump::pump;
use super::read_at::{ReadAt, fill_at};
use super::suite::OpeningKey;
use super::watch::{Watch, Watched};
#[cfg(feature = "age")]
use super::window::Window;
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
    DesMd5(RandomAccess),
    /// Decrypted into an unnamed file.
    #[cfg(feature = "age")]
    Held(File),
}

impl<'s> Plaintext<'s> {
    /// Opens the sealed bytes that are all of `sealed`, from its first byte, with the errors of
    /// [`Decryptor`](super::Decryptor). `watch` is told of the sealed bytes read. `folder` is private: a suite that is
    /// decrypted from beginning to end only is held there in an unnamed file.
    pub(crate) fn of_file(
        key: &OpeningKey,
        sealed: &'s File,
        watch: &'s dyn Watch,
        folder: &Path,
    ) -> Result<Self> {
        Self::open(key, Watched::new(sealed, watch), folder)
    }

    /// As [`of_file`](Self::of_file), of bytes in memory.
    #[cfg(feature = "exchange")]
    pub(crate) fn of_bytes(
        key: &OpeningKey,
        sealed: &'s &'s [u8],
        watch: &'s dyn Watch,
        folder: &Path,
    ) -> Result<Self> {
        Self::open(key, Watched::new(sealed, watch), folder)
    }

    /// Bytes that are not sealed.
    pub(in crate::codec) fn plain(bytes: &'s dyn ReadAt) -> Result<Self> {
        Ok(Self { sealed: Watched::new(bytes, &()), suite: Opened::Plain, length: bytes.length()? })
    }

    #[cfg_attr(not(feature = "age"), allow(unused_variables, reason = "nothing is held"))]
    fn open(key: &OpeningKey, sealed: Watched<'s, &'s dyn ReadAt>, folder: &Path) -> Result<Self> {
        let (suite, length) = match key {
            OpeningKey::DesMd5(key) => {
                let opened = RandomAccess::open(key, &sealed)?;
                let length = opened.length();
                (Opened::DesMd5(opened), length)
            }
            #[cfg(feature = "age")]
            OpeningKey::Age(_) => {
                let mut held = tempfile::tempfile_in(folder).map_err(at(folder))?;
                let sealed = Plaintext::plain(&sealed)?;
                let length = pump(Decryptor::new(key, Window::new(&sealed))?, &mut held)?;
                (Opened::Held(held), length)
            }
        };
        Ok(Self { sealed, suite, length })
    }

    /// How many bytes it has.
    pub(in crate::codec) fn length(&self) -> u64 {
        self.length
    }

    /// What [`read_at`](Self::read_at) takes whole: the block of the cipher, in bytes.
    pub(in crate::codec) fn granule(&self) -> usize {
        match self.suite {
            Opened::DesMd5(_) => 8,
            _ => 1,
        }
    }

    /// Fills `buffer` with what stands at `offset`, or to the end; returns how many bytes came. Both `offset` and the
    /// length of `buffer` are whole [granules](Self::granule).
    pub(in crate::codec) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.suite {
            Opened::Plain => fill_at(&self.sealed, offset, buffer),
            Opened::DesMd5(opened) => opened.read_at(&self.sealed, offset, buffer),
            #[cfg(feature = "age")]
            Opened::Held(held) => fill_at(held, offset, buffer),
        }
    }
}
