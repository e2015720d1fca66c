//! The bits of the stream: the lowest bit of each byte first (RFC 1951, 3.1.1).

/// Up to 63 bits that were read and not consumed yet: all that has to outlive a piece of the input.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    /// The next bit is the lowest. Above the last are zeros.
    pub(super) buffer: u64,
    pub(super) count: u32,
}

impl Bits {
    /// Reads bytes from the front of `input` until there are 56 bits, or no input.
    pub(super) fn fill(&mut self, input: &mut &[u8]) {
        while let Some((byte, rest)) = input.split_first().filter(|_| self.count < 56) {
            self.buffer |= u64::from(*byte) << self.count;
            self.count += 8;
            *input = rest;
        }
    }

    /// Takes `count` bits, at most 32, if there are as many.
    pub(super) fn take(&mut self, count: u32) -> Option<u32> {
        let taken = self.peek(count)?;
        self.consume(count);
        Some(taken)
    }

    /// The next `count` bits, at most 32, if there are as many.
    pub(super) fn peek(&self, count: u32) -> Option<u32> {
        let bits = self.buffer & !(u64::MAX << count);
        (count <= self.count).then_some((bits & 0xffff_ffff) as u32)
    }

    /// Drops `count` bits, which are there.
    pub(super) fn consume(&mut self, count: u32) {
        self.buffer >>= count;
        self.count -= count;
    }

    /// Drops what is left of a byte that was begun.
    pub(super) fn align(&mut self) {
        self.consume(self.count % 8);
    }

    /// The next whole byte, if there is one.
    pub(super) fn peek_byte(&self) -> Option<u8> {
        let [byte, ..] = self.buffer.to_le_bytes();
        (self.count >= 8).then_some(byte)
    }

    /// How many whole bytes there are.
    pub(super) fn whole_bytes(&self) -> usize {
        (self.count / 8) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_while_there_is_room_for_a_whole_one() {
        for (count, taken) in [(0, 7), (1, 7), (7, 7), (8, 6), (55, 1), (56, 0), (63, 0)] {
            let mut bits = Bits { buffer: 0, count };
            let mut input = &[0xff; 16][..];
            bits.fill(&mut input);
            assert_eq!(
                (bits.count, input.len()),
                (count + 8 * taken, 16 - taken as usize),
                "from {count} bits"
            );
            assert_eq!(bits.buffer.count_ones(), 8 * taken);
        }
    }
}
