//! How the writers of archives use the machine: threads, compression and its level.

use std::num::NonZeroUsize;

use super::compression::Compression;
use super::extract::available_threads;

/// How entries are compressed: on how many threads, with what, and how hard.
///
/// ```
/// use std::num::NonZeroUsize;
/// use claimwire::codec::PackOptions;
///
/// let options = PackOptions::default().with_threads(NonZeroUsize::MIN).with_level(9);
/// assert_eq!((options.threads().get(), options.level()), (1, 9));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PackOptions {
    threads: Option<NonZeroUsize>,
    level: Option<u8>,
    compression: Compression,
}

impl PackOptions {
    /// Works on at most this many threads, the caller's among them; by default on as many as the machine runs at once.
    /// The number changes nothing about the bytes. The others are started only when enough content waits for them.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The level of compression, from 1 (least work) to 9 (most), by default 3; 0 stores everything, and what is above 9
    /// counts as 9. More work mostly gives less to send, but not for every content. Of reports and
    /// bills, level 3 of deflate makes 1 to 2 percent more than `zip -6`, level 6 a little less than that. Of
    /// Zstandard, level 3 makes less than level 6 of deflate in a fraction of the time.
    #[must_use]
    pub fn with_level(mut self, level: u8) -> Self {
        self.level = Some(level.min(9));
        self
    }

    /// What entries are compressed with; by default [`Compression::Deflate`].
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The most threads at work, the caller's among them.
    #[must_use]
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or_else(available_threads)
    }

    /// The level of compression.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level.unwrap_or_else(|| self.compression.default_level())
    }

    /// What entries are compressed with.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_they_were_given() {
        let threads = NonZeroUsize::new(7).unwrap();
        let options = PackOptions::default().with_threads(threads).with_level(12);
        assert_eq!((options.threads(), options.level()), (threads, 9));
        assert_eq!((options.compression(), PackOptions::default().level()), (Compression::Deflate, 3));
    }
}
