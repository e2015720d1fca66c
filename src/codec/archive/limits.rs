//! How much an archive from outside may cost. Measured on real bytes, never on what a header declares.

/// How much an archive may cost before it is refused.
///
/// ```
/// use claimwire::codec::Limits;
///
/// let limits = Limits::default().with_inflated_size(64 * 1024 * 1024).with_entries(100);
/// assert_eq!(limits.entries(), 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    inflated_size: u64,
    entries: u64,
    name_length: usize,
    path_length: usize,
    ratio: u64,
}

impl Limits {
    /// The inflated size below which no ratio is looked at: so little does no harm, and a blank page deflates as far
    /// as deflate goes (1032 : 1).
    pub(super) const RATIO_FLOOR: u64 = 64 * 1024 * 1024;

    /// The most extra fields of an entry in the directory. Tools write five at the most: zip64, times, NTFS, the owner, a
    /// name in UTF-8.
    pub(super) const EXTRA_FIELDS: usize = 16;

    /// The most bytes of an entry's comment.
    pub(super) const COMMENT_LENGTH: usize = 512;

    /// What a local and a central header have beside their names, extra fields and comment, and a descriptor.
    const HEADERS: u64 = 128;

    /// All entries together inflate to at most this many bytes. Default: 2 GiB.
    #[must_use]
    pub fn with_inflated_size(mut self, bytes: u64) -> Self {
        self.inflated_size = bytes;
        self
    }

    /// At most this many entries, and at most as many directories on the way to them. Default: 20,000.
    #[must_use]
    pub fn with_entries(mut self, entries: u64) -> Self {
        self.entries = entries;
        self
    }

    /// A name between two slashes has at most this many bytes of UTF-8. Default: 255, what file systems take.
    #[must_use]
    pub fn with_name_length(mut self, bytes: usize) -> Self {
        self.name_length = bytes;
        self
    }

    /// A whole path has at most this many bytes of UTF-8. Default: 1024.
    #[must_use]
    pub fn with_path_length(mut self, bytes: usize) -> Self {
        self.path_length = bytes;
        self
    }

    /// What is compressed inflates to at most this many times its size, looked at beyond 64 MiB. Default: 1000.
    #[must_use]
    pub fn with_ratio(mut self, ratio: u64) -> Self {
        self.ratio = ratio;
        self
    }

    /// See [`with_inflated_size`](Self::with_inflated_size).
    #[must_use]
    pub fn inflated_size(&self) -> u64 {
        self.inflated_size
    }

    /// See [`with_entries`](Self::with_entries).
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// See [`with_name_length`](Self::with_name_length).
    #[must_use]
    pub fn name_length(&self) -> usize {
        self.name_length
    }

    /// See [`with_path_length`](Self::with_path_length).
    #[must_use]
    pub fn path_length(&self) -> usize {
        self.path_length
    }

    /// See [`with_ratio`](Self::with_ratio).
    #[must_use]
    pub fn ratio(&self) -> u64 {
        self.ratio
    }

    /// The most bytes of a path beside the same in UTF-8, with a slash at its end: Info-ZIP writes `#U00fc` for two bytes.
    pub(super) fn raw_path_length(&self) -> usize {
        self.path_length.saturating_mul(3).saturating_add(1)
    }

    /// The most bytes of an entry's extra fields in the directory, one of which may be its path once more.
    pub(super) fn extra_length(&self) -> usize {
        self.path_length.saturating_add(512)
    }

    /// The longest archive that can keep these limits: everything stored, and for each entry two headers with the longest
    /// name, extra fields and comment.
    pub(in crate::codec) fn archive_size(&self) -> u64 {
        let header = (self.raw_path_length() as u64).saturating_add(self.extra_length() as u64);
        let beside = Self::HEADERS + Self::COMMENT_LENGTH as u64;
        let entry = header.saturating_mul(2).saturating_add(beside);
        self.inflated_size.saturating_add(self.entries.saturating_mul(entry)).saturating_add(1024)
    }

    /// Whether `inflated` bytes out of `compressed` are beyond the ratio.
    pub(super) fn is_bomb(&self, compressed: u64, inflated: u64) -> bool {
        inflated > Self::RATIO_FLOOR && inflated > compressed.saturating_mul(self.ratio)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inflated_size: 2 * 1024 * 1024 * 1024,
            entries: 20_000,
            name_length: 255,
            path_length: 1024,
            ratio: 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_kept_by_what_reaches_it_and_broken_by_one_byte_more() {
        let limits = Limits::default().with_ratio(500);
        assert!(!limits.is_bomb(200_000, 100_000_000));
        assert!(limits.is_bomb(200_000, 100_000_001));
    }

    #[test]
    fn no_ratio_is_looked_at_up_to_sixty_four_mebibytes() {
        assert!(!Limits::default().is_bomb(1, 67_108_864));
        assert!(Limits::default().is_bomb(1, 67_108_865));
    }

    #[test]
    fn the_longest_archive_stores_everything_under_the_longest_names() {
        let limits = Limits::default().with_inflated_size(5_000_000).with_entries(10).with_path_length(100);
        assert_eq!(limits.archive_size(), 5_000_000 + 10 * (2 * (301 + 612) + 640) + 1024);
        let boundless = Limits::default().with_inflated_size(u64::MAX).with_entries(u64::MAX);
        assert_eq!(boundless.archive_size(), u64::MAX);
    }

    #[test]
    fn the_defaults_are_those_that_are_written_down() {
        let limits = Limits::default();
        assert_eq!(limits.inflated_size(), 2_147_483_648, "2 GiB");
        assert_eq!((limits.entries(), limits.ratio()), (20_000, 1000));
        assert_eq!((limits.name_length(), limits.path_length()), (255, 1024));
    }
}
