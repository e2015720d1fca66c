//! A reader's place in a [`Plaintext`]: what lies around it, decrypted into a buffer that stays in the cache.

use std::io::{self, BufRead, Read, Seek, SeekFrom, Take};

use super::plaintext::Plaintext;
use super::wiped::Wiped;

/// The most that is decrypted at once: little enough for the L2 cache, together with what it inflates to.
const LONGEST: usize = 128 * 1024;

/// What is decrypted after a leap, when nobody said how much will be read: a header with what stands around it.
const SHORTEST: usize = 4 * 1024;

/// Reads a plaintext from any place on. Each thread has its own.
pub(crate) struct Window<'p> {
    plaintext: &'p Plaintext<'p>,
    position: u64,
    buffer: Wiped,
    /// Where in the plaintext the buffer begins, and how much of it is filled.
    start: u64,
    filled: usize,
    /// How much was fetched last; twice as much is next when reading goes on from there.
    ahead: usize,
    /// Where the range ends that is being read: nothing beyond is fetched.
    fence: Option<u64>,
}

impl<'p> Window<'p> {
    /// At the beginning of `plaintext`.
    pub(in crate::codec) fn new(plaintext: &'p Plaintext<'p>) -> Self {
        Self { plaintext, position: 0, buffer: Wiped::default(), start: 0, filled: 0, ahead: 0, fence: None }
    }

    /// Exactly the `length` bytes from `start` on.
    pub(in crate::codec) fn range(&mut self, start: u64, length: u64) -> Take<&mut Self> {
        self.position = start;
        self.fence = Some(start.saturating_add(length));
        self.take(length)
    }

    /// The bytes in the buffer from the position on.
    fn waiting(&self) -> &[u8] {
        let taken = self.position.checked_sub(self.start).and_then(|taken| usize::try_from(taken).ok());
        taken.and_then(|taken| self.buffer.get(taken..self.filled)).unwrap_or_default()
    }

    /// Fetches what stands at the position.
    fn fetch(&mut self) -> io::Result<()> {
        let (start, wanted) = self.next_fetch();
        let room = wanted.next_multiple_of(self.plaintext.granule());
        if self.buffer.len() < room {
            // Growing would leave a copy of the plaintext behind.
            self.buffer = Wiped::new(vec![0; room]);
        }
        self.filled = 0;
        self.filled = self.plaintext.read_at(start, self.buffer.get_mut(..room).unwrap_or_default())?;
        self.start = start;
        Ok(())
    }

    /// From where on to fetch, and how much.
    fn next_fetch(&mut self) -> (u64, usize) {
        let length = self.plaintext.length();
        if let Ok(all) = usize::try_from(length)
            && all <= LONGEST
        {
            return (0, all);
        }
        let goes_on = self.filled > 0 && self.position == self.start + self.filled as u64;
        let fence = self.fence.filter(|fence| *fence > self.position);
        let mut start = self.position;
        self.ahead = match fence {
            Some(_) => LONGEST,
            None if goes_on => (self.ahead * 2).min(LONGEST),
            None => {
                // A leap to the end is for what is read backwards from there.
                start = start.min(length.saturating_sub(SHORTEST as u64));
                SHORTEST
            }
        };
        start -= start % self.plaintext.granule() as u64;
        let end = self.position.saturating_add(self.ahead as u64).min(fence.unwrap_or(length)).min(length);
        (start, usize::try_from(end.saturating_sub(start)).unwrap_or(self.ahead))
    }
}

impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.waiting().is_empty() && self.position < self.plaintext.length() {
            self.fetch()?;
        }
        Ok(self.waiting())
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(away) => self.plaintext.length().checked_add_signed(away),
            SeekFrom::Current(away) => self.position.checked_add_signed(away),
        };
        self.position = place.ok_or(io::ErrorKind::InvalidInput)?;
        self.fence = None;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::super::des_md5::{DesMd5Key, Framing};
    use super::super::encrypt::encrypt_bytes;
    use super::super::suite::{OpeningKey, SealingKey};
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;
    use std::num::NonZeroU32;

    fn keys() -> Vec<(SealingKey, OpeningKey)> {
        let password = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)
            .unwrap()
            .with_iterations(NonZeroU32::MIN)
            .unwrap();
        #[cfg(feature = "age")]
        let identity = super::super::age::AgeIdentity::generate();
        vec![
            (password.clone().into(), password.into()),
            #[cfg(feature = "age")]
            (identity.recipient().into(), identity.into()),
        ]
    }

    /// A leap of one of three kinds, or a range, and how much is read there.
    type Step = (prop::sample::Index, usize, u8);

    fn reads_as_a_cursor(plaintext: &Plaintext<'_>, content: &[u8], steps: &[Step]) {
        let (mut window, mut cursor) = (Window::new(plaintext), Cursor::new(content));
        for (place, room, how) in steps {
            let place = place.index(content.len() + 1) as u64;
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            if *how == 3 {
                window.range(place, *room as u64).read_to_end(&mut ours).unwrap();
                cursor.seek(SeekFrom::Start(place)).unwrap();
            } else {
                let back = -i64::try_from(content.len() as u64 - place).unwrap();
                let to = [SeekFrom::Start(place), SeekFrom::End(back), SeekFrom::Current(0)];
                let to = to[usize::from(*how)];
                assert_eq!(window.seek(to).unwrap(), cursor.seek(to).unwrap());
                window.by_ref().take(*room as u64).read_to_end(&mut ours).unwrap();
            }
            cursor.by_ref().take(*room as u64).read_to_end(&mut theirs).unwrap();
            assert!(ours == theirs, "{room} bytes from {place}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn a_window_on_sealed_bytes_reads_and_seeks_as_a_cursor_on_the_plaintext(
            length in prop_oneof![0..300_usize, 120_000..400_000_usize],
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0..200_000_usize, 0..4_u8), 1..12),
        ) {
            let content: Vec<u8> = (0..length).map(|n| (n ^ n >> 8).to_le_bytes()[0]).collect();
            reads_as_a_cursor(&Plaintext::plain(&content).unwrap(), &content, &steps);
            for (sealing, opening) in keys() {
                let sealed = encrypt_bytes(&sealing, &content).unwrap();
                let sealed = sealed.as_slice();
                reads_as_a_cursor(&Plaintext::of_bytes(&opening, &sealed, &()).unwrap(), &content, &steps);
            }
        }
    }

    /// Where in the plaintext the buffer begins, and how much of it is filled, after a byte was read.
    fn fetched(window: &mut Window<'_>) -> (u64, usize) {
        window.position += window.waiting().len() as u64;
        assert_eq!(window.read(&mut [0]).unwrap(), 1);
        (window.start, window.filled)
    }

    #[test]
    fn what_goes_on_is_fetched_in_pieces_that_double() {
        let content = vec![7; 1 << 20];
        let plaintext = Plaintext::plain(&content).unwrap();
        let mut window = Window::new(&plaintext);
        let (mut start, mut piece) = (0, SHORTEST);
        while start < 600_000 {
            assert_eq!(fetched(&mut window), (start, piece));
            start += piece as u64;
            piece = (2 * piece).min(LONGEST);
        }
        window.seek(SeekFrom::Start(900_000)).unwrap();
        assert_eq!(fetched(&mut window), (900_000, SHORTEST), "a leap begins anew");
    }

    #[test]
    fn a_leap_to_the_end_fetches_what_stands_before_it() {
        let content = vec![7; 1 << 20];
        let plaintext = Plaintext::plain(&content).unwrap();
        let mut window = Window::new(&plaintext);
        window.seek(SeekFrom::End(-22)).unwrap();
        assert_eq!(fetched(&mut window), ((1 << 20) - 4096, SHORTEST));
    }

    #[test]
    fn of_a_range_nothing_beyond_its_end_is_fetched() {
        let content = vec![7; 1 << 20];
        let plaintext = Plaintext::plain(&content).unwrap();
        let mut window = Window::new(&plaintext);
        let mut range = window.range(100, 200_000);
        assert_eq!(fetched(range.get_mut()), (100, LONGEST));
        assert_eq!(fetched(range.get_mut()), (100 + LONGEST as u64, 200_000 - LONGEST));
        assert_eq!(fetched(&mut window), (200_100, LONGEST), "behind it what goes on, goes on");
    }

    #[test]
    fn a_plaintext_that_fits_is_fetched_at_once() {
        for (length, first) in [(100, (0, 100)), (LONGEST, (0, LONGEST)), (LONGEST + 1, (70, SHORTEST))] {
            let content = vec![7; length];
            let plaintext = Plaintext::plain(&content).unwrap();
            let mut window = Window::new(&plaintext);
            window.seek(SeekFrom::Start(70)).unwrap();
            assert_eq!(fetched(&mut window), first);
        }
    }

    #[test]
    fn the_last_bytes_are_read_at_every_offset_of_the_block() {
        for (sealing, opening) in keys() {
            for length in 200_000..200_009 {
                let sealed = encrypt_bytes(&sealing, &vec![7; length]).unwrap();
                let sealed = sealed.as_slice();
                let plaintext = Plaintext::of_bytes(&opening, &sealed, &()).unwrap();
                for back in 1..10 {
                    let (mut window, mut last) = (Window::new(&plaintext), Vec::new());
                    window.seek(SeekFrom::End(-back)).unwrap();
                    assert_eq!(window.read_to_end(&mut last).unwrap() as u64, back.unsigned_abs());
                }
            }
        }
    }
}
