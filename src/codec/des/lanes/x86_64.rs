//! Lanes on x86-64: SSE2 (128 blocks at once), AVX2 (256) and AVX-512 F and BW (512, lookups of three inputs).

use std::arch::x86_64::*;

use super::{Lanes, Mask, Words, rotate};

/// The lookup that is the exclusive or of its three inputs.
const PARITY: i32 = 0x96;

/// One vector type: its intrinsics, and how it repeats a mask.
macro_rules! vector {
    ($(#[$doc:meta])* $name:ident, $vector:ty, $words:literal, $load:ident, $store:ident, $xor:ident, $and:ident,
     $or:ident, $and_not:ident, $byte:ident, $left:ident, $right:ident, $unpack_low:ident, $unpack_high:ident,
     $repeat:ident, { $($own:item)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(in crate::codec::des) struct $name($vector);

        impl $name {
            #[inline(always)]
            fn interleave(a: Self, b: Self) -> (Self, Self) {
                // SAFETY: a value of this type is the proof of its instructions.
                unsafe { (Self($unpack_low(a.0, b.0)), Self($unpack_high(a.0, b.0))) }
            }
        }

        impl Lanes for $name {
            const WORDS: usize = $words;

            #[inline(always)]
            unsafe fn load(from: *const u8) -> Self {
                // SAFETY: the caller says that the processor has the instruction and the bytes can be read.
                Self(unsafe { $load(from.cast()) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut u8) {
                // SAFETY: the caller says that the bytes can be written.
                unsafe { $store(to.cast(), self.0) }
            }

            #[inline(always)]
            fn masked(self, mask: &Mask) -> Self {
                // SAFETY: a value of this type is the proof of its instructions; a mask is aligned to its 16 bytes.
                self.xor(Self(unsafe { $repeat(_mm_load_si128(mask.0.as_ptr().cast())) }))
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $xor(self.0, other.0) })
            }

            #[inline(always)]
            fn and(self, other: Self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $and(self.0, other.0) })
            }

            #[inline(always)]
            fn or(self, other: Self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $or(self.0, other.0) })
            }

            #[inline(always)]
            fn and_not(self, other: Self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions, which negate their first operand.
                Self(unsafe { $and_not(other.0, self.0) })
            }

            #[inline(always)]
            fn not(self) -> Self {
                self.xor(self.every_byte(0xff))
            }

            #[inline(always)]
            fn every_byte(self, byte: u8) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $byte(byte.cast_signed()) })
            }

            #[inline(always)]
            fn raised<const SHIFT: i32>(self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $left(self.0, _mm_cvtsi32_si128(SHIFT)) })
            }

            #[inline(always)]
            fn lowered<const SHIFT: i32>(self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $right(self.0, _mm_cvtsi32_si128(SHIFT)) })
            }

            #[inline(always)]
            fn split(rows: [Self; 8]) -> [Self; 8] {
                rotate(4, rows, Self::interleave)
            }

            #[inline(always)]
            fn join(rows: [Self; 8]) -> [Self; 8] {
                rotate(3, rows, Self::interleave)
            }

            $($own)*
        }
    };
}

vector!(
    /// 128 blocks.
    Sse2, __m128i, 2, _mm_loadu_si128, _mm_storeu_si128, _mm_xor_si128, _mm_and_si128, _mm_or_si128, _mm_andnot_si128,
    _mm_set1_epi8, _mm_sll_epi64, _mm_srl_epi64, _mm_unpacklo_epi8, _mm_unpackhi_epi8, identity, {}
);

vector!(
    /// 256 blocks.
    Avx2, __m256i, 4, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_xor_si256, _mm256_and_si256, _mm256_or_si256,
    _mm256_andnot_si256, _mm256_set1_epi8, _mm256_sll_epi64, _mm256_srl_epi64, _mm256_unpacklo_epi8,
    _mm256_unpackhi_epi8, _mm256_broadcastsi128_si256, {}
);

vector!(
    /// 512 blocks.
    Avx512, __m512i, 8, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_xor_si512, _mm512_and_si512, _mm512_or_si512,
    _mm512_andnot_si512, _mm512_set1_epi8, _mm512_sll_epi64, _mm512_srl_epi64, _mm512_unpacklo_epi8,
    _mm512_unpackhi_epi8, _mm512_broadcastq_epi64, {
        const LOOKUPS: bool = true;

        #[inline(always)]
        fn xor_masked(self, other: Self, mask: &Mask) -> Self {
            // SAFETY: a value of this type is the proof of its instructions; a mask is aligned to its 16 bytes.
            let mask = Self(unsafe { _mm512_broadcastq_epi64(_mm_load_si128(mask.0.as_ptr().cast())) });
            Self::lookup::<PARITY>(self, other, mask)
        }

        #[inline(always)]
        fn lookup<const TABLE: i32>(a: Self, b: Self, c: Self) -> Self {
            // SAFETY: a value of this type is the proof of its instructions.
            Self(unsafe { _mm512_ternarylogic_epi64::<TABLE>(a.0, b.0, c.0) })
        }
    }
);

/// Numbers of one vector type: its intrinsics.
macro_rules! numbers {
    ($name:ident, $every:ident, $add:ident, $rotate:ident) => {
        impl Words for $name {
            #[inline(always)]
            fn every_number(self, number: u32) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $every(number.cast_signed()) })
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn rotated<const BY: i32>(self) -> Self {
                // SAFETY: a value of this type is the proof of its instructions.
                Self(unsafe { $rotate::<BY>(self.0) })
            }
        }
    };
}

numbers!(Sse2, _mm_set1_epi32, _mm_add_epi32, rotate_128);
numbers!(Avx2, _mm256_set1_epi32, _mm256_add_epi32, rotate_256);
numbers!(Avx512, _mm512_set1_epi32, _mm512_add_epi32, _mm512_rol_epi32);

/// Before AVX-512, a rotation is two shifts.
///
/// # Safety
///
/// The processor has SSE2, which belongs to x86-64.
#[inline(always)]
unsafe fn rotate_128<const BY: i32>(numbers: __m128i) -> __m128i {
    // SAFETY: the caller says that the processor has the instructions.
    unsafe {
        let raised = _mm_sll_epi32(numbers, _mm_cvtsi32_si128(BY));
        _mm_or_si128(raised, _mm_srl_epi32(numbers, _mm_cvtsi32_si128(32 - BY)))
    }
}

/// As [`rotate_128`].
///
/// # Safety
///
/// The processor has AVX2.
#[inline(always)]
unsafe fn rotate_256<const BY: i32>(numbers: __m256i) -> __m256i {
    // SAFETY: the caller says that the processor has the instructions.
    unsafe {
        let raised = _mm256_sll_epi32(numbers, _mm_cvtsi32_si128(BY));
        _mm256_or_si256(raised, _mm256_srl_epi32(numbers, _mm_cvtsi32_si128(32 - BY)))
    }
}

/// SSE2 repeats a mask by loading it.
#[inline(always)]
fn identity(mask: __m128i) -> __m128i {
    mask
}
