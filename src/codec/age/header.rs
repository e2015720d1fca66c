//! Headers: how long one may be, where it ends, and what a file is that does not begin with one.

use std::io::{BufRead, Read};

use super::super::pump::fill;
use super::keys::AgeIdentity;
use super::payload::PayloadKey;
use super::{NONCE, cut_short, file_key};
use crate::{Error, ErrorKind, Result};

/// The first line of every file of version 1.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// A longer header is refused. There is room for as many as [`AgeRecipients`](super::AgeRecipients) may be, and little enough to
/// parse at no cost.
const LONGEST_HEADER: usize = 32 * 1024;

/// Reads what stands before the first chunk. Returns how many bytes that are, and the key of the payload.
pub(super) fn read_start(identity: &AgeIdentity, mut input: impl BufRead) -> Result<(u64, PayloadKey)> {
    let mut start = read_header(&mut input)?;
    let mut nonce = [0; NONCE];
    let came = fill(&mut input, &mut nonce)?;
    start.extend_from_slice(nonce.get(..came).unwrap_or_default());
    let key = file_key::open(identity, &start, came == NONCE)?;
    Ok((start.len() as u64, key))
}

/// Takes the header, up to and with the line `--- MAC`, so that its length is bounded before anything parses it.
fn read_header(input: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut input = input.take(LONGEST_HEADER as u64);
    let mut header = Vec::new();
    input.read_until(b'\n', &mut header)?;
    if header != MAGIC {
        return Err(not_age(&header));
    }
    loop {
        let start = header.len();
        input.read_until(b'\n', &mut header)?;
        let line = header.get(start..).unwrap_or_default();
        if !line.ends_with(b"\n") {
            return Err(if input.limit() == 0 {
                Error::new(
                    ErrorKind::Altered,
                    format!("the age header is longer than {LONGEST_HEADER} bytes"),
                )
            } else {
                cut_short()
            });
        }
        if line.starts_with(b"---") {
            return Ok(header);
        }
    }
}

/// Looks, while a file arrives in pieces, for the end of its header, by the same rules as [`read_header`].
#[derive(Default)]
pub(in crate::codec) struct HeaderScan {
    line: usize,
    scanned: usize,
}

impl HeaderScan {
    /// More bytes than this need not be shown.
    pub(in crate::codec) const LONGEST: usize = LONGEST_HEADER + NONCE;

    /// Whether `start`, the beginning of a file, is enough to open it or to refuse it. Each time it is the same or has
    /// grown.
    pub(in crate::codec) fn is_enough(&mut self, start: &[u8]) -> bool {
        while let Some(length) =
            start.get(self.scanned..).and_then(|new| new.iter().position(|b| *b == b'\n'))
        {
            let end = self.scanned + length + 1;
            let line = start.get(self.line..end).unwrap_or_default();
            if self.line == 0 && line != MAGIC {
                return true;
            }
            if line.starts_with(b"---") {
                return start.len() >= end + NONCE;
            }
            (self.line, self.scanned) = (end, end);
        }
        self.scanned = start.len();
        start.len() >= Self::LONGEST
    }
}

/// What a first line says that is not the one of age v1.
fn not_age(line: &[u8]) -> Error {
    if MAGIC.starts_with(line) {
        return cut_short();
    }
    let what = if line.starts_with(b"age-encryption.org/") {
        "this is an age file, but not of version 1"
    } else if line.starts_with(b"-----BEGIN AGE") {
        "this is an age file in text armour; ask the sender for the binary form"
    } else {
        "this is not an age file: the sender most likely uses another suite"
    };
    Error::new(ErrorKind::UnsupportedSuite, what)
}

#[cfg(test)]
mod tests {
    use super::super::keys::AgeRecipients;
    use super::*;
    use std::io::{self, BufReader};

    #[test]
    fn a_header_without_end_costs_no_memory() {
        for start in [&b""[..], b"-> X25519 a\n", b"--- \n", b"--- a mac that is too short\n"] {
            let endless = MAGIC.chain(start).chain(BufReader::new(io::repeat(b'a')));
            let error = read_start(&AgeIdentity::generate(), endless).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Altered, "{start:?}");
        }
    }

    /// The header of a sealed file, up to and with the dashes of its last line.
    fn header(identity: &AgeIdentity) -> Vec<u8> {
        let (start, _) = file_key::seal(&identity.recipient().into()).unwrap();
        let mac = start.windows(5).position(|five| five == b"\n--- ").unwrap();
        start[..mac + 5].to_vec()
    }

    #[test]
    fn a_header_has_room_for_three_hundred_recipients() {
        let identity = AgeIdentity::generate();
        let recipients = AgeRecipients::new(vec![identity.recipient(); 300]).unwrap();
        let (start, _) = file_key::seal(&recipients).unwrap();
        assert_eq!(read_start(&identity, &start[..]).unwrap().0, start.len() as u64);
        let mut scan = HeaderScan::default();
        assert!(!scan.is_enough(&start[..start.len() - 1]) && scan.is_enough(&start));
    }

    #[test]
    fn a_header_whose_last_line_is_cut_was_altered_where_a_nonce_follows_it() {
        let identity = AgeIdentity::generate();
        for (after, kind) in [(NONCE, ErrorKind::Altered), (NONCE - 1, ErrorKind::Truncated)] {
            let start = [&header(&identity)[..], b"\n", &[0; NONCE][..after]].concat();
            assert_eq!(read_start(&identity, &start[..]).err().unwrap().kind(), kind, "{after}");
        }
    }

    #[test]
    fn a_header_and_the_nonce_are_enough_and_a_byte_less_is_not() {
        let start = [MAGIC, b"-> X25519 a\n--- mac\n", &[0; NONCE]].concat();
        assert!(!HeaderScan::default().is_enough(&start[..start.len() - 1]));
        assert!(HeaderScan::default().is_enough(&start));
        let mut scan = HeaderScan::default();
        let enough = (0..=start.len()).find(|length| scan.is_enough(&start[..*length]));
        assert_eq!(enough, Some(start.len()));
    }

    #[test]
    fn of_a_header_without_end_as_much_is_waited_for_as_the_longest_has_with_its_nonce() {
        let endless = [MAGIC, &[b'a'; 32_768]].concat();
        let mut scan = HeaderScan::default();
        assert!(!scan.is_enough(&endless[..32_783]) && scan.is_enough(&endless[..32_784]));
    }

    #[test]
    fn what_is_not_an_age_file_is_named() {
        let identity = AgeIdentity::generate();
        for (bytes, kind) in [
            (&b""[..], ErrorKind::Truncated),
            (b"age-encryption.org/v", ErrorKind::Truncated),
            (b"age-encryption.org/v1\n", ErrorKind::Truncated),
            (b"age-encryption.org/v2\n", ErrorKind::UnsupportedSuite),
            (b"-----BEGIN AGE ENCRYPTED FILE-----\n", ErrorKind::UnsupportedSuite),
            (b"PK\x03\x04", ErrorKind::UnsupportedSuite),
        ] {
            assert_eq!(read_start(&identity, bytes).err().unwrap().kind(), kind, "{bytes:?}");
        }
    }
}
