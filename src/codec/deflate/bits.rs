//! Bits onto bytes: the first bit of a byte is its lowest (RFC 1951, section 3.1.1).

/// The most bits that are put at once: with the up to 7 that are pending they fill a word.
const MOST: u32 = 56;

/// Appends bits to a vector of bytes.
///
/// Room is made for many bits at once ([`reserve`](Self::reserve)), so that a single code costs no call and no growth.
pub(super) struct BitWriter<'a> {
    output: &'a mut Vec<u8>,
    /// Where the next whole byte goes; `output` reaches further while room is reserved.
    position: usize,
    pending: u64,
    /// Bits pending: at most 7 after [`flush`](Self::flush).
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(output: &'a mut Vec<u8>) -> Self {
        let position = output.len();
        Self { output, position, pending: 0, count: 0 }
    }

    /// Makes room for `bits` more. What is put beyond it is lost.
    pub(super) fn reserve(&mut self, bits: u64) {
        let bytes = usize::try_from(bits / 8).unwrap_or(usize::MAX);
        self.output.resize(self.position.saturating_add(bytes).saturating_add(16), 0);
    }

    /// Bits that would fill the last byte.
    pub(super) fn padding(&self) -> u32 {
        self.count.wrapping_neg() % 8
    }

    /// Adds the lowest `count` bits of `bits`, which has no others. At most 56 between two flushes.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.pending |= bits << self.count;
        self.count += count;
    }

    /// Moves whole bytes out.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        if let Some(place) = self.output.get_mut(self.position..).and_then(<[u8]>::first_chunk_mut) {
            *place = self.pending.to_le_bytes();
        }
        self.position += (self.count / 8) as usize;
        self.pending >>= self.count & !7;
        self.count &= 7;
    }

    /// Puts what `each` gives for every item: bits and their count, at most 56. Room must be reserved.
    ///
    /// Two at a time where they are no more together, as they mostly are: each waits for the bits put before it.
    #[inline(always)]
    pub(super) fn put_each<T: Copy>(&mut self, items: &[T], each: impl Fn(T) -> (u64, u32)) {
        let output = self.output.as_mut_slice();
        let (mut pending, mut count, mut position) = (self.pending, self.count, self.position);
        let mut put = |(bits, length): (u64, u32)| {
            pending |= bits << count;
            count += length;
            if let Some(place) = output.get_mut(position..).and_then(<[u8]>::first_chunk_mut) {
                *place = pending.to_le_bytes();
            }
            position += (count / 8) as usize;
            pending >>= count & 56;
            count &= 7;
        };
        let (pairs, rest) = items.as_chunks();
        for &[first, second] in pairs {
            let (first, second) = (each(first), each(second));
            let both = first.1 + second.1;
            if both <= MOST {
                put((first.0 | second.0 << first.1, both));
            } else {
                put(first);
                put(second);
            }
        }
        rest.iter().for_each(|item| put(each(*item)));
        (self.pending, self.count, self.position) = (pending, count, position);
    }

    /// Fills the last byte with zero bits.
    pub(super) fn align(&mut self) {
        self.count += self.padding();
        self.flush();
    }

    /// Appends whole bytes; the writer must be aligned.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.output.truncate(self.position);
        self.output.extend_from_slice(bytes);
        self.position = self.output.len();
    }

    /// Gives up the room that was not used.
    pub(super) fn finish(mut self) {
        self.reserve(0);
        self.align();
        self.output.truncate(self.position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_fill_bytes_from_the_lowest() {
        let mut output = vec![0xAA];
        let mut writer = BitWriter::new(&mut output);
        writer.reserve(64);
        writer.put(0b1, 1);
        writer.put(0b10, 2);
        writer.flush();
        assert_eq!(writer.padding(), 5);
        writer.put_each(&[0xFFu64, 0x00], |byte| (byte, 8));
        writer.align();
        writer.bytes(b"ab");
        writer.put(0b11, 2);
        writer.finish();
        assert_eq!(output, [0xAA, 0b1111_1101, 0b0000_0111, 0b0000_0000, b'a', b'b', 0b11]);
    }

    #[test]
    fn many_items_are_put_as_each_by_itself() {
        let items: Vec<(u64, u32)> =
            (0..500u32).map(|n| n * 37 % (MOST + 1)).map(|length| ((1 << length) - 1, length)).collect();
        for (count, before) in [0, 1, 2, 3, 499, 500].into_iter().flat_map(|count| [(count, 0), (count, 7)]) {
            let put = |each: &dyn Fn(&mut BitWriter<'_>)| {
                let mut output = Vec::new();
                let mut writer = BitWriter::new(&mut output);
                writer.reserve(500 * 56 + 8);
                writer.put(0, before);
                each(&mut writer);
                writer.finish();
                output
            };
            let together = put(&|writer| writer.put_each(&items[..count], |item| item));
            let apart = put(&|writer| {
                for (bits, length) in &items[..count] {
                    writer.put(*bits, *length);
                    writer.flush();
                }
            });
            assert_eq!(together, apart, "{count} after {before} bits");
        }
    }
}
