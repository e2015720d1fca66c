//! The size and SHA-256 of an entry's content, and the pass that measures them together with the CRC-32.

use std::fmt;

use sha2::{Digest, Sha256};

/// The size and SHA-256 (FIPS 180-4) of an entry's content, measured on the bytes that passed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryDigest {
    size: u64,
    sha256: [u8; 32],
}

impl EntryDigest {
    /// The digest of bytes that are at hand.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut measure = Measure::new();
        measure.update(content);
        measure.finish().0
    }

    /// The number of bytes, not compressed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of the bytes, not compressed.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The SHA-256 in lower-case hexadecimal, as `sha256sum` prints it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.sha256.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
    }
}

impl fmt::Debug for EntryDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryDigest({} bytes, {})", self.size, self.to_hex())
    }
}

/// Measures content as it passes.
pub(super) struct Measure {
    size: u64,
    sha256: Sha256,
    crc32: crc32fast::Hasher,
}

impl Measure {
    pub(super) fn new() -> Self {
        Self { size: 0, sha256: Sha256::new(), crc32: crc32fast::Hasher::new() }
    }

    pub(super) fn update(&mut self, content: &[u8]) {
        self.size += content.len() as u64;
        self.sha256.update(content);
        self.crc32.update(content);
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The digest, and the CRC-32 that the zip format keeps.
    pub(super) fn finish(self) -> (EntryDigest, u32) {
        (EntryDigest { size: self.size, sha256: self.sha256.finalize().into() }, self.crc32.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of `abc` is the first example for SHA-256 of FIPS 180-4; 0xcbf43926 is the check value of CRC-32.
    #[test]
    fn content_is_measured_as_it_passes() {
        let mut measure = Measure::new();
        for piece in [&b"1234"[..], b"", b"56789"] {
            measure.update(piece);
        }
        assert_eq!(measure.size(), 9);
        assert_eq!(measure.finish(), (EntryDigest::of(b"123456789"), 0xcbf4_3926));
        let digest = EntryDigest::of(b"abc");
        assert_eq!((digest.size(), digest.sha256()[..4].to_vec()), (3, vec![0xba, 0x78, 0x16, 0xbf]));
        assert!(digest.to_hex().starts_with("ba7816bf"));
    }
}
