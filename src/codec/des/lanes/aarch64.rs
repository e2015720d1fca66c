//! Lanes on AArch64: NEON, 128 blocks at once.

use std::arch::aarch64::*;

use super::{Lanes, Mask, rotate};

/// 128 blocks.
#[derive(Clone, Copy)]
pub(in crate::codec::des) struct Neon(uint8x16_t);

impl Neon {
    #[inline(always)]
    fn interleave(a: Self, b: Self) -> (Self, Self) {
        // SAFETY: a value of this type is the proof of its instructions.
        unsafe { (Self(vzip1q_u8(a.0, b.0)), Self(vzip2q_u8(a.0, b.0))) }
    }
}

impl Lanes for Neon {
    const WORDS: usize = 2;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller says that the processor has the instruction and the bytes can be read.
        Self(unsafe { vld1q_u8(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        // SAFETY: the caller says that the bytes can be written.
        unsafe { vst1q_u8(to, self.0) }
    }

    #[inline(always)]
    fn masked(self, mask: &Mask) -> Self {
        // SAFETY: a value of this type is the proof of its instructions; a mask has 16 bytes.
        self.xor(Self(unsafe { vld1q_u8(mask.0.as_ptr().cast()) }))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { veorq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vandq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vorrq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vbicq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn not(self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vmvnq_u8(self.0) })
    }

    #[inline(always)]
    fn every_byte(self, byte: u8) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vdupq_n_u8(byte) })
    }

    #[inline(always)]
    fn raised<const SHIFT: i32>(self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vreinterpretq_u8_u64(vshlq_n_u64::<SHIFT>(vreinterpretq_u64_u8(self.0))) })
    }

    #[inline(always)]
    fn lowered<const SHIFT: i32>(self) -> Self {
        // SAFETY: a value of this type is the proof of its instructions.
        Self(unsafe { vreinterpretq_u8_u64(vshrq_n_u64::<SHIFT>(vreinterpretq_u64_u8(self.0))) })
    }

    #[inline(always)]
    fn exchange<const SHIFT: i32, const MASK: u8>(low: Self, high: Self) -> (Self, Self) {
        let (below, above) = (low.every_byte(MASK), low.every_byte(MASK << SHIFT));
        let (raised, lowered) = (high.raised::<SHIFT>(), low.lowered::<SHIFT>());
        // SAFETY: a value of this type is the proof of its instructions.
        unsafe { (Self(vbslq_u8(above.0, raised.0, low.0)), Self(vbslq_u8(below.0, lowered.0, high.0))) }
    }

    #[inline(always)]
    fn split(rows: [Self; 8]) -> [Self; 8] {
        rotate(4, rows, Self::interleave)
    }

    #[inline(always)]
    fn join(rows: [Self; 8]) -> [Self; 8] {
        rotate(3, rows, Self::interleave)
    }
}
