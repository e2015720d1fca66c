//! Lanes: a machine word whose every bit belongs to another block, and the few operations the bitsliced cipher needs.
//!
//! A word holds one 64-bit column for each of `WORDS` blocks while blocks are transposed, and one bit of each of
//! `BLOCKS` blocks afterwards.

#[cfg(target_arch = "aarch64")]
pub(super) mod aarch64;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86_64;

/// A mask for every lane, all ones or all zeros, twice: the widest that every processor repeats without a shuffle.
#[derive(Clone, Copy, Debug, Default, zeroize::Zeroize)]
#[repr(align(16))]
pub(super) struct Mask(pub(super) [u64; 2]);

/// The lookup that takes its second input where the first is one, else the third.
const SELECT: i32 = 0xca;

/// What the rounds and the transposition are written in.
///
/// A value of a type whose instructions not every processor has can come only from the `unsafe` functions, so a value at
/// hand is the proof that this processor has them.
pub(super) trait Lanes: Copy {
    /// How many 64-bit words there are.
    const WORDS: usize;

    /// How many blocks are worked on at once.
    const BLOCKS: usize = 64 * Self::WORDS;

    /// Whether [`lookup`](Self::lookup) is one instruction.
    const LOOKUPS: bool = false;

    /// # Safety
    ///
    /// The processor has the instructions of this type, and `8 * WORDS` bytes can be read from `from`.
    unsafe fn load(from: *const u8) -> Self;

    /// # Safety
    ///
    /// `8 * WORDS` bytes can be written to `to`.
    unsafe fn store(self, to: *mut u8);

    /// `self ^ mask`.
    fn masked(self, mask: &Mask) -> Self;

    fn xor(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    /// `self & !other`.
    fn and_not(self, other: Self) -> Self;
    fn not(self) -> Self;

    /// `self ^ other ^ mask`.
    #[inline(always)]
    fn xor_masked(self, other: Self, mask: &Mask) -> Self {
        self.masked(mask).xor(other)
    }

    /// Bit 4a + 2b + c of `TABLE`.
    #[inline(always)]
    fn lookup<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
        let side = |bit: i32, value: Self| if bit == 0 { value.not() } else { value };
        let none = a.xor(a);
        (0..8).filter(|cell| TABLE >> cell & 1 == 1).fold(none, |value, cell| {
            value.or(side(cell & 4, a).and(side(cell & 2, b)).and(side(cell & 1, c)))
        })
    }

    /// Every byte is `byte`.
    fn every_byte(self, byte: u8) -> Self;

    /// The words shifted towards their highest bit.
    fn raised<const SHIFT: i32>(self) -> Self;

    /// The words shifted towards their lowest bit.
    fn lowered<const SHIFT: i32>(self) -> Self;

    /// Exchanges, in each byte, the bits of `high` that `MASK` names with those of `low` `SHIFT` places above.
    #[inline(always)]
    fn exchange<const SHIFT: i32, const MASK: u8>(low: Self, high: Self) -> (Self, Self) {
        let below = low.every_byte(MASK);
        if Self::LOOKUPS {
            let above = low.every_byte(MASK << SHIFT);
            let (raised, lowered) = (high.raised::<SHIFT>(), low.lowered::<SHIFT>());
            return (
                Self::lookup::<SELECT>(above, raised, low),
                Self::lookup::<SELECT>(below, lowered, high),
            );
        }
        let change = low.lowered::<SHIFT>().xor(high).and(below);
        (low.xor(change.raised::<SHIFT>()), high.xor(change))
    }

    /// Brings byte k of all blocks of the eight rows into row k, in an order that [`join`](Self::join) undoes.
    fn split(rows: [Self; 8]) -> [Self; 8];

    /// Undoes [`split`](Self::split).
    fn join(rows: [Self; 8]) -> [Self; 8];
}

/// Lanes of 32 bits that are also counted with, each a number of its own.
pub(super) trait Words: Lanes {
    /// How many numbers there are.
    const NUMBERS: usize = 2 * Self::WORDS;

    /// Every number is `number`.
    fn every_number(self, number: u32) -> Self;

    /// The sums, modulo 2^32.
    fn add(self, other: Self) -> Self;

    /// The numbers rotated towards their highest bit.
    fn rotated<const BY: i32>(self) -> Self;

    /// In each bit, `a` where `choice` is one, else `b`.
    #[inline(always)]
    fn select(choice: Self, a: Self, b: Self) -> Self {
        if Self::LOOKUPS {
            return Self::lookup::<SELECT>(choice, a, b);
        }
        a.xor(b).and(choice).xor(b)
    }
}

/// Stages of the transposition of bytes: rows a and a + 4 are interleaved byte by byte. Seen as a number of seven bits,
/// three for the row and four for the byte in it, the address of every byte is rotated left by one bit each time.
#[inline(always)]
fn rotate<L: Copy>(times: usize, mut rows: [L; 8], interleave: impl Fn(L, L) -> (L, L)) -> [L; 8] {
    for _ in 0..times {
        let [a, b, c, d, e, f, g, h] = rows;
        let pairs = [interleave(a, e), interleave(b, f), interleave(c, g), interleave(d, h)];
        let [(a, b), (c, d), (e, f), (g, h)] = pairs;
        rows = [a, b, c, d, e, f, g, h];
    }
    rows
}

/// A word of the processor itself: 64 blocks at once, on every processor.
impl Lanes for u64 {
    const WORDS: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller says that eight bytes can be read.
        Self::from_le_bytes(unsafe { from.cast::<[u8; 8]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        // SAFETY: the caller says that eight bytes can be written.
        unsafe { to.cast::<[u8; 8]>().write(self.to_le_bytes()) }
    }

    #[inline(always)]
    fn masked(self, mask: &Mask) -> Self {
        self ^ mask.0[0]
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self & !other
    }

    #[inline(always)]
    fn not(self) -> Self {
        !self
    }

    #[inline(always)]
    fn every_byte(self, byte: u8) -> Self {
        Self::from_ne_bytes([byte; 8])
    }

    #[inline(always)]
    fn raised<const SHIFT: i32>(self) -> Self {
        self << SHIFT
    }

    #[inline(always)]
    fn lowered<const SHIFT: i32>(self) -> Self {
        self >> SHIFT
    }

    #[inline(always)]
    fn split(rows: [Self; 8]) -> [Self; 8] {
        transpose_bytes(rows)
    }

    #[inline(always)]
    fn join(rows: [Self; 8]) -> [Self; 8] {
        transpose_bytes(rows)
    }
}

/// The transpose of eight rows of eight bytes, by halves, quarters and eighths.
#[inline(always)]
fn transpose_bytes(mut rows: [u64; 8]) -> [u64; 8] {
    for (distance, shift, mask) in
        [(4, 32, 0x0000_0000_ffff_ffff), (2, 16, 0x0000_ffff_0000_ffff_u64), (1, 8, 0x00ff_00ff_00ff_00ff)]
    {
        for row in (0..8).filter(|row| row & distance == 0) {
            let change = (rows[row] >> shift ^ rows[row + distance]) & mask;
            rows[row] ^= change << shift;
            rows[row + distance] ^= change;
        }
    }
    rows
}
