//! Hash tables of recent positions, several to a bucket.
//!
//! A bucket is one integer of 16-bit lanes: a new position is shifted in and the oldest falls out, all lanes are
//! tested at once, and all positions of a hash come with one access to memory. A chain of positions (Deutsch's in
//! zlib) finds the same ones with an access for each, every one waiting for the one before.

use zeroize::{DefaultIsZeroes, Zeroize};

/// The latest positions of one hash, the newest in the lowest lane.
///
/// Only the low 16 bits of a position are kept: a lane is a hint where to look, and the bytes there decide. So nothing
/// moves when the window does, and the zero of an empty lane does no harm.
pub(super) trait Bucket: DefaultIsZeroes {
    /// Lanes.
    const WAYS: usize;

    /// Shifts in the newest position.
    fn push(self, at: u16) -> Self;
    /// The position in a lane.
    fn position(self, way: usize) -> u16;
    /// The highest bit of every lane whose position is not 1 to 32,768 bytes before `at`.
    fn stale(self, at: u16) -> Self;
    /// The highest bit of a lane, as 0 or 1.
    fn flag(self, way: usize) -> u64;
}

macro_rules! bucket {
    ($lanes:ty, $ways:expr) => {
        #[allow(clippy::cast_possible_truncation, reason = "a lane is cut out")]
        #[allow(trivial_numeric_casts, reason = "one of the types is as wide as asked for")]
        impl Bucket for $lanes {
            const WAYS: usize = $ways;

            #[inline(always)]
            fn push(self, at: u16) -> Self {
                self.unbounded_shl(16) | Self::from(at)
            }

            #[inline(always)]
            fn position(self, way: usize) -> u16 {
                (self >> (16 * way)) as u16
            }

            #[inline(always)]
            fn stale(self, at: u16) -> Self {
                const ONES: $lanes = <$lanes>::MAX / 0xFFFF;
                const HIGHEST: $lanes = ONES << 15;
                // The distance less 1 in every lane, no borrow passing to the next one (Warren, Hacker's Delight, 2-18).
                let before = ONES.wrapping_mul(Self::from(at.wrapping_sub(1)));
                ((before | HIGHEST).wrapping_sub(self & !HIGHEST)) ^ ((before ^ !self) & HIGHEST)
            }

            #[inline(always)]
            fn flag(self, way: usize) -> u64 {
                (self >> (16 * way + 15)) as u64 & 1
            }
        }
    };
}

bucket!(u16, 1);
bucket!(u32, 2);
bucket!(u64, 4);
bucket!(u128, 8);

/// Buckets by the hash of `BYTES` bytes; at most `SIZE` of them, a power of two.
pub(super) struct Table<B, const SIZE: usize, const BYTES: u32> {
    buckets: Box<[B; SIZE]>,
    shift: u32,
    /// How many were ever used, from the first one.
    used: usize,
}

impl<B: Bucket, const SIZE: usize, const BYTES: u32> Table<B, SIZE, BYTES> {
    pub(super) fn new() -> Self {
        Self { buckets: on_heap(), shift: 0, used: 0 }
    }

    /// Forgets all, for a text of so many bytes: a short one clears and uses a small part of the table.
    pub(super) fn reset(&mut self, length: usize) {
        let bits = length.max(64).ilog2().min(SIZE.ilog2());
        self.shift = 64 - bits;
        self.used = self.used.max(1 << bits);
        self.buckets[..1 << bits].fill(B::default());
    }

    /// Overwrites all positions.
    pub(super) fn wipe(&mut self) {
        self.buckets[..self.used].zeroize();
    }

    /// How many places of all buckets hold a position.
    #[cfg(test)]
    pub(super) fn positions(&self) -> usize {
        let of = |bucket: &B| (0..B::WAYS).filter(|way| bucket.position(*way) != 0).count();
        self.buckets.iter().map(of).sum()
    }

    pub(super) fn buckets(&mut self) -> Buckets<'_, B, SIZE, BYTES> {
        Buckets { buckets: &mut self.buckets, shift: self.shift }
    }
}

/// An array that never was on the stack, which may be small on a host's thread.
pub(super) fn on_heap<T: Copy + Default, const N: usize>() -> Box<[T; N]> {
    vec![T::default(); N].try_into().unwrap_or_else(|_| Box::new([T::default(); N]))
}

/// The buckets of a [`Table`].
pub(super) struct Buckets<'a, B, const SIZE: usize, const BYTES: u32> {
    buckets: &'a mut [B; SIZE],
    shift: u32,
}

impl<B: Bucket, const SIZE: usize, const BYTES: u32> Buckets<'_, B, SIZE, BYTES> {
    /// Adds `at`, where `text` stands, and gives the bucket as it was before.
    #[inline(always)]
    pub(super) fn exchange(&mut self, text: u64, at: u16) -> B {
        // Multiplication by the golden ratio spreads best (Knuth, The Art of Computer Programming, volume 3, 6.4).
        let product = (text << (64 - 8 * BYTES)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The remainder only tells the compiler what the shift ensures.
        let bucket = &mut self.buckets[usize::try_from(product >> self.shift).unwrap_or_default() % SIZE];
        let before = *bucket;
        *bucket = before.push(at);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_stale_where_its_position_is_out_of_reach() {
        for at in (0..=u16::MAX).step_by(251).chain([0, 1, 0x7FFF, 0x8000, 0x8001, u16::MAX]) {
            for position in
                (0..=u16::MAX).step_by(127).chain([0, 1, at, at.wrapping_add(1), at.wrapping_sub(1)])
            {
                let is_out = !(1..=0x8000).contains(&at.wrapping_sub(position));
                let bucket = u64::default().push(!position).push(position).push(at).push(position);
                let stale = bucket.stale(at);
                assert_eq!(stale.flag(0) == 1, is_out, "{position} from {at}");
                assert_eq!(stale.flag(1), 1, "the position itself");
                assert_eq!(stale.flag(2) == 1, is_out, "{position} from {at}");
            }
        }
    }

    #[test]
    fn the_newest_positions_stay() {
        let bucket = (1..=9).fold(u128::default(), Bucket::push);
        assert_eq!((0..8).map(|way| bucket.position(way)).collect::<Vec<_>>(), [9, 8, 7, 6, 5, 4, 3, 2]);
        assert_eq!(1u16.push(2).position(0), 2);
    }
}
