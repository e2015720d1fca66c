//! How the writers of archives use the machine: threads and compression level.

use std::num::NonZeroUsize;

use super::extract::available_threads;

/// Packing is as fast as one thread encrypts, and the others must keep up with it: this level leaves them time to spare.
const DEFAULT_LEVEL: u8 = 3;

/// How entries are compressed: on how many threads, and how hard.
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
}

impl PackOptions {
    /// Works on at most this many threads, the caller's among them; by default on as many as the machine runs at once.
    /// The number changes nothing about the bytes. The others are started only when enough content waits for them.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The level of deflate, from 1 (least work) to 9 (most), by default 3; 0 stores everything, and what is above 9
    /// counts as 9. More work mostly gives less to send, but not for every content. Of reports and
    /// bills, level 3 makes 1 to 2 percent more than `zip -6`, level 6 a little less than that.
    #[must_use]
    pub fn with_level(mut self, level: u8) -> Self {
        self.level = Some(level.min(9));
        self
    }

    /// The most threads at work, the caller's among them.
    #[must_use]
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or_else(available_threads)
    }

    /// The level of deflate.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level.unwrap_or(DEFAULT_LEVEL)
    }
}
