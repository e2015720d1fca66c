//! The plaintext of a sealed file from any place and for several threads: chunks are sealed one by one, and each is
//! opened when it is read.

use std::io::{self, BufReader, Read};

use super::super::read_at::{ReadAt, fill_at};
use super::super::wiped::Wiped;
use super::cut_short;
use super::header::read_start;
use super::keys::AgeIdentity;
use super::payload::{CHUNK, PayloadKey, SEALED_CHUNK, TAG};
use crate::Result;

/// What opens the chunks of a file, wherever they are.
///
/// Opening verifies the last chunk, which a file that was cut or continued does not have; each of the others is
/// verified when it is read, and nothing of it is given when it is not good.
pub(in crate::codec) struct RandomAccess {
    key: PayloadKey,
    /// Where the first chunk begins.
    start: u64,
    plaintext: u64,
}

impl RandomAccess {
    /// What [`read_at`](Self::read_at) takes whole, in bytes.
    pub(in crate::codec) const GRANULE: usize = CHUNK;

    /// Reads the header and the last chunk, with the errors of [`Decryptor`](super::Decryptor).
    pub(in crate::codec) fn open(identity: &AgeIdentity, sealed: &dyn ReadAt) -> Result<Self> {
        let (start, key) =
            read_start(identity, BufReader::with_capacity(1024, FromStart { sealed, position: 0 }))?;
        let payload = sealed.length()?.saturating_sub(start);
        let chunks = payload.div_ceil(SEALED_CHUNK as u64);
        let last = chunks.saturating_sub(1);
        let mut chunk = Wiped::new(vec![0; SEALED_CHUNK]);
        let came = fill_at(sealed, start + last * SEALED_CHUNK as u64, &mut chunk)?;
        key.open_last(last, chunk.get_mut(..came).unwrap_or_default())?;
        Ok(Self { key, start, plaintext: payload.saturating_sub(chunks * TAG as u64) })
    }

    /// The length of the plaintext.
    pub(in crate::codec) fn length(&self) -> u64 {
        self.plaintext
    }

    /// Fills `buffer` with the plaintext from `offset` on, or to its end; returns how many bytes that are. Both the
    /// offset and the length of the buffer are whole [granules](Self::GRANULE); what lies in it behind the plaintext,
    /// or after an error, is of no meaning.
    pub(in crate::codec) fn read_at(
        &self,
        sealed: &dyn ReadAt,
        offset: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let mut opened = 0;
        for (index, piece) in (offset / CHUNK as u64..).zip(buffer.chunks_mut(CHUNK)) {
            let left = self.plaintext.saturating_sub(index.saturating_mul(CHUNK as u64));
            if left == 0 {
                break;
            }
            let length = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            let chunk = piece.get_mut(..length).unwrap_or_default();
            self.read_chunk(sealed, index, left <= CHUNK as u64, chunk)?;
            opened += length;
        }
        Ok(opened)
    }

    /// Reads a chunk into its place, and opens it there.
    fn read_chunk(&self, sealed: &dyn ReadAt, index: u64, is_last: bool, chunk: &mut [u8]) -> io::Result<()> {
        let place = self.start + index * SEALED_CHUNK as u64;
        let mut tag = [0; TAG];
        let came = fill_at(sealed, place, chunk)? + fill_at(sealed, place + chunk.len() as u64, &mut tag)?;
        if came < chunk.len() + TAG {
            return Err(cut_short().into());
        }
        Ok(self.key.open_apart(index, is_last, chunk, tag)?)
    }
}

/// Reads sealed bytes from the first on.
struct FromStart<'s> {
    sealed: &'s dyn ReadAt,
    position: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.sealed.read_at(self.position, buffer)?;
        self.position += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::codec::{decrypt_bytes, encrypt_bytes};
    use crate::{Error, ErrorKind};
    use proptest::prelude::*;

    /// Reads all of the plaintext, chunk by chunk, behind what is in `plaintext`.
    pub(in super::super) fn read_all(
        identity: &AgeIdentity,
        sealed: &[u8],
        plaintext: &mut Vec<u8>,
    ) -> Result<()> {
        let opened = RandomAccess::open(identity, &sealed)?;
        let mut chunk = vec![0; CHUNK];
        while (plaintext.len() as u64) < opened.length() {
            let came = opened.read_at(&sealed, plaintext.len() as u64, &mut chunk)?;
            plaintext.extend_from_slice(&chunk[..came]);
        }
        Ok(())
    }

    fn sealed(length: usize) -> (AgeIdentity, Vec<u8>, Vec<u8>) {
        let identity = AgeIdentity::generate();
        let plaintext: Vec<u8> = (0..=250).cycle().take(length).collect();
        let sealed = encrypt_bytes(&identity.recipient().into(), &plaintext).unwrap();
        (identity, plaintext, sealed)
    }

    /// How it is refused before anything is read.
    fn refusal(identity: &AgeIdentity, sealed: &[u8]) -> Option<ErrorKind> {
        RandomAccess::open(identity, &sealed).err().map(|error| error.kind())
    }

    /// How the reading of one chunk ended.
    fn chunk_at(opened: &RandomAccess, sealed: &[u8], index: usize) -> Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK];
        let came = opened.read_at(&sealed, (index * CHUNK) as u64, &mut chunk)?;
        chunk.truncate(came);
        Ok(chunk)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_place_reads_as_it_stands_in_the_plaintext(
            chunks in 0_usize..4, more in 0_usize..3,
            places in prop::collection::vec((0_usize..6, 0_usize..4), 1..8),
        ) {
            let length = (chunks * CHUNK + more).saturating_sub(1);
            let (identity, plaintext, sealed) = sealed(length);
            let opened = RandomAccess::open(&identity, &sealed).unwrap();
            prop_assert_eq!(opened.length(), length as u64);
            for (index, count) in places {
                let mut buffer = vec![0; count * CHUNK];
                let came = opened.read_at(&sealed, (index * CHUNK) as u64, &mut buffer).unwrap();
                let rest = plaintext.get(index * CHUNK..).unwrap_or_default();
                prop_assert!(buffer[..came] == rest[..rest.len().min(count * CHUNK)], "{} from {}", count, index);
            }
        }

        #[test]
        fn what_was_edited_is_refused_from_any_place_as_from_the_start(
            length in prop_oneof![0_usize..300, (CHUNK - 20)..(CHUNK + 20), (2 * CHUNK - 20)..(2 * CHUNK + 20)],
            edit in 0..4, at in any::<prop::sample::Index>(), count in 1_usize..70_000, change in 1_u8..,
        ) {
            let (identity, _, mut sealed) = sealed(length);
            let at = at.index(sealed.len());
            match edit {
                0 => sealed[at] ^= change,
                1 => sealed.truncate(at),
                2 => sealed.extend(vec![change; count]),
                _ => drop(sealed.drain(at..(at + count).min(sealed.len()))),
            }
            prop_assert!(decrypt_bytes(&identity.clone().into(), &sealed).is_err());
            prop_assert!(read_all(&identity, &sealed, &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn several_threads_read_the_same_file_at_once() {
        let (identity, plaintext, sealed) = sealed(3 * CHUNK + 1);
        let opened = RandomAccess::open(&identity, &sealed).unwrap();
        std::thread::scope(|scope| {
            let readers = [0, 1, 2, 3].map(|index| {
                let (opened, sealed) = (&opened, &sealed);
                scope.spawn(move || chunk_at(opened, sealed, index).unwrap())
            });
            let read = readers.map(|reader| reader.join().unwrap()).concat();
            assert!(read == plaintext);
        });
    }

    #[test]
    fn a_cut_or_a_continuation_is_refused_at_opening() {
        for length in [0, 1, CHUNK, 3 * CHUNK, 3 * CHUNK + 5] {
            let (identity, _, sealed) = sealed(length);
            let start = sealed.len() - length - length.div_ceil(CHUNK).max(1) * TAG;
            let borders = (start..sealed.len()).step_by(SEALED_CHUNK);
            for end in borders.flat_map(|at| [at, at + 1, at + TAG]).filter(|end| *end < sealed.len()) {
                let kind = refusal(&identity, &sealed[..end]);
                // Of the only chunk nobody can tell whether it was cut or changed.
                let is_certain = end == start || end >= start + SEALED_CHUNK;
                let expected = if is_certain { ErrorKind::Truncated } else { ErrorKind::Altered };
                assert_eq!(kind, Some(expected), "{length} bytes, cut at {end} after {start}");
            }
            for more in [1, TAG, SEALED_CHUNK] {
                let longer = [&sealed[..], &vec![0; more]].concat();
                assert!(refusal(&identity, &longer).is_some(), "{length} bytes and {more} more");
            }
        }
    }

    #[test]
    fn each_changed_byte_of_a_small_file_is_refused_at_opening() {
        let (identity, _, sealed) = sealed(20);
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(refusal(&identity, &changed).is_some(), "{position}");
        }
    }

    #[test]
    fn a_changed_chunk_is_refused_each_time_it_is_read_and_the_others_are_good() {
        let (identity, plaintext, mut sealed) = sealed(3 * CHUNK);
        let second = sealed.len() - 2 * SEALED_CHUNK;
        for position in [second, second + 40_000, second + SEALED_CHUNK - 1] {
            sealed[position] ^= 0x80;
            let opened = RandomAccess::open(&identity, &sealed).unwrap();
            for _ in 0..2 {
                assert_eq!(chunk_at(&opened, &sealed, 1).unwrap_err().kind(), ErrorKind::Altered);
                assert!(chunk_at(&opened, &sealed, 0).unwrap() == plaintext[..CHUNK]);
                assert!(chunk_at(&opened, &sealed, 2).unwrap() == plaintext[2 * CHUNK..]);
            }
            sealed[position] ^= 0x80;
        }
    }

    #[test]
    fn chunks_that_changed_places_are_refused() {
        let (identity, _, mut sealed) = sealed(3 * CHUNK);
        let start = sealed.len() - 3 * SEALED_CHUNK;
        let (first, second) = sealed[start..start + 2 * SEALED_CHUNK].split_at_mut(SEALED_CHUNK);
        first.swap_with_slice(second);
        let opened = RandomAccess::open(&identity, &sealed).unwrap();
        for index in [0, 1] {
            assert_eq!(chunk_at(&opened, &sealed, index).unwrap_err().kind(), ErrorKind::Altered);
        }
    }

    #[test]
    fn a_file_that_ends_earlier_than_when_it_was_opened_is_cut_short() {
        let (identity, _, sealed) = sealed(3 * CHUNK);
        let opened = RandomAccess::open(&identity, &sealed).unwrap();
        let cut = &sealed[..sealed.len() - SEALED_CHUNK - 1];
        for index in [1, 2] {
            assert_eq!(chunk_at(&opened, cut, index).unwrap_err().kind(), ErrorKind::Truncated);
        }
        assert_eq!(
            Error::from(opened.read_at(&cut, 0, &mut vec![0; 2 * CHUNK]).unwrap_err()).kind(),
            ErrorKind::Truncated
        );
    }
}
