//! One round of serial DES: eight lookups whose outputs are added to a half.
//!
//! CBC encryption is one long chain of rounds, and nothing counts but how many cycles pass until the next round has its
//! input: one to take a group out, four or five to read an entry, and as many as it takes to add the entries up.

#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;

use super::boxes::{BOXES, place};

/// A way to compute rounds.
pub(super) trait Round: Copy {
    /// What the S-boxes make of `input`, added to `half`; both are expanded, `input` has the round key in it, and so
    /// has what comes out the key that `half` brings along.
    fn round(self, half: u64, input: u64) -> u64;
}

/// What every processor can do.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Round for Portable {
    #[inline(always)]
    fn round(self, half: u64, input: u64) -> u64 {
        let entry = |byte: usize| {
            let [group, ..] = (input >> (8 * byte) & 0x3f).to_le_bytes();
            BOXES.tables[place(byte)][usize::from(group)]
        };
        (0..8).fold(half, |half, byte| half ^ entry(byte))
    }
}

/// Proof that the processor has AVX2 and the bit manipulation instructions BMI1, of which `bextr` takes a group out.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct BitFields(());

#[cfg(target_arch = "x86_64")]
impl BitFields {
    pub(super) fn detect() -> Option<Self> {
        let has = !cfg!(miri) && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1");
        has.then_some(Self(()))
    }
}

#[cfg(target_arch = "x86_64")]
impl Round for BitFields {
    /// Written out, because compilers take two instructions for a group where `bextr` is one, and add the entries up in
    /// one row, so that the last one read waits for all others. Three sums take in the entries as they come, since a sum
    /// takes one in a cycle. The order is the fastest of some hundreds measured on Zen 5, where a round takes 10.6 cycles.
    #[inline(always)]
    fn round(self, mut half: u64, input: u64) -> u64 {
        // SAFETY: `self` proves that the processor has `bextr`. Only the tables are read: `bextr` takes six bits, so
        // the entry is one of the 64 of its table; the bytes 7, 0 and 1 are taken whole, and their tables are the first
        // three (`place`), so the entry is at most number 2 * 64 + 255 of 8 * 64.
        unsafe {
            std::arch::asm!(
                "movzx {a:e}, {input:l}",
                "bextr {b}, {input}, {field_4}",
                "movzx esi, {input:h}",
                "bextr {c}, {input}, {field_3}",
                "bextr {d}, {input}, {field_2}",
                "mov rsi, [{boxes} + rsi*8 + 512*2]",
                "xor {half}, [{boxes} + {b}*8 + 512*5]",
                "bextr {b}, {input}, {field_6}",
                "xor rsi, [{boxes} + {a}*8 + 512*1]",
                "mov {d}, [{boxes} + {d}*8 + 512*3]",
                "xor {d}, [{boxes} + {c}*8 + 512*4]",
                "mov {a}, {input}",
                "shr {a}, 56",
                "bextr {c}, {input}, {field_5}",
                "xor rsi, [{boxes} + {b}*8 + 512*7]",
                "xor {half}, [{boxes} + {a}*8]",
                "xor {d}, [{boxes} + {c}*8 + 512*6]",
                "xor {half}, rsi",
                "xor {half}, {d}",
                input = in(reg_abcd) input,
                half = inout(reg) half,
                boxes = in(reg) BOXES.tables.as_ptr(),
                field_2 = in(reg) field(2),
                field_3 = in(reg) field(3),
                field_4 = in(reg) field(4),
                field_5 = in(reg) field(5),
                field_6 = in(reg) field(6),
                a = out(reg) _,
                b = out(reg) _,
                c = out(reg) _,
                d = out(reg) _,
                // The second byte of a register can only be moved to one of the old registers.
                out("rsi") _,
                options(pure, readonly, nostack),
            );
        }
        half
    }
}

/// Proof that the processor has AVX2 and the bit manipulation instructions BMI1 and BMI2.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Rotations(());

#[cfg(target_arch = "x86_64")]
impl Rotations {
    pub(super) fn detect() -> Option<Self> {
        (BitFields::detect().is_some() && is_x86_feature_detected!("bmi2")).then_some(Self(()))
    }

    /// Whether these rounds are faster than those of [`BitFields`] where so many chains go on beside each other.
    ///
    /// On processors of Intel they always are: there `bextr` takes two cycles, and moving the second byte of a register three,
    /// while the lowest byte is moved in none. On those of AMD, which take two shifts or `bextr` a cycle but four moves or
    /// masks, they are the faster ones when there is other work to wait with.
    pub(super) fn are_faster(self, chains: usize) -> bool {
        // Asking who made the processor takes long in a virtual machine.
        static BY_INTEL: OnceLock<bool> = OnceLock::new();
        chains > 1 || *BY_INTEL.get_or_init(is_intel)
    }
}

#[cfg(target_arch = "x86_64")]
fn is_intel() -> bool {
    #[allow(unused_unsafe, reason = "not every version of the compiler asks for it")]
    // SAFETY: every processor of this architecture has the instruction.
    let vendor = unsafe { std::arch::x86_64::__cpuid(0) };
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
}

#[cfg(target_arch = "x86_64")]
impl Round for Rotations {
    /// Groups come to the lowest byte by a rotation, or by the reversal of the lower four, and the next ones stand beside them
    /// then: under a mask they lead to a row. What is found is added up in three sums, because a sum takes one entry at a
    /// time. The order is the fastest of some thousands measured, where a round takes 10.6 cycles.
    #[inline(always)]
    fn round(self, mut half: u64, input: u64) -> u64 {
        // SAFETY: `self` proves that the processor has `rorx` and `andn`. Only the boxes are read: a byte leads to an entry of
        // its own table, or of what follows it, at most number 7 * 64 + 255 of the 8 * 64 + 64 * 32 of all; a masked second
        // byte is at most 63 * 256, the distance of the last row.
        unsafe {
            std::arch::asm!(
                "mov {reversed:e}, {input:e}",
                "bswap {reversed:e}",
                "rorx {upper}, {input}, 32",
                "movzx {a:e}, {reversed:l}",
                "movzx {b:e}, {input:l}",
                "xor {half}, [{boxes} + {b}*8 + 512*1]",
                "xor {half}, [{boxes} + {a}*8 + 512*4]",
                "andn {a:e}, {not_second:e}, {input:e}",
                "mov {a}, [{boxes} + {a} + 512*8 + 8*0]",
                "andn {b:e}, {not_second:e}, {upper:e}",
                "movzx {c:e}, {upper:l}",
                "and {reversed:e}, 0x3f00",
                "xor {a}, [{boxes} + {reversed} + 512*8 + 8*1]",
                "rorx {reversed}, {input}, 48",
                "movzx {upper:e}, {reversed:l}",
                "and {reversed:e}, 0x3f00",
                "mov {b}, [{boxes} + {b} + 512*8 + 8*2]",
                "xor {b}, [{boxes} + {upper}*8 + 512*7]",
                "xor {b}, {a}",
                "xor {half}, [{boxes} + {c}*8 + 512*5]",
                "xor {half}, [{boxes} + {reversed} + 512*8 + 8*3]",
                "xor {half}, {b}",
                input = in(reg) input,
                half = inout(reg) half,
                boxes = in(reg) std::ptr::from_ref(&BOXES),
                not_second = in(reg) !0x3f00_u64,
                reversed = out(reg) _,
                upper = out(reg) _,
                a = out(reg) _,
                b = out(reg) _,
                c = out(reg) _,
                options(pure, readonly, nostack),
            );
        }
        half
    }
}

/// What tells `bextr` to take the group in this byte: where it begins, and six bits.
#[cfg(target_arch = "x86_64")]
const fn field(byte: u64) -> u64 {
    (6 << 8) + 8 * byte
}

#[cfg(test)]
mod tests {
    use super::super::expanded::expand;
    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_written_out_rounds_are_the_portable_one() {
        let (bit_fields, rotations) = (BitFields::detect(), Rotations::detect());
        let mut half = 0x0123_4567_89ab_cdef;
        let mut input = 0;
        for _ in 0..10_000 {
            let output = Portable.round(half, input);
            assert!(bit_fields.is_none_or(|fast| fast.round(half, input) == output));
            assert!(rotations.is_none_or(|fast| fast.round(half, input) == output));
            (half, input) = (input, output & 0x3f3f_3f3f_3f3f_3f3f);
        }
    }

    /// The two entries that FIPS 46-3 explains: S1 of 011011 is 5, whose bits 4 and 2 P moves to 9 and 17.
    #[test]
    fn a_group_leads_to_the_entry_that_the_standard_names() {
        let all = Portable.round(0, 0);
        let first = Portable.round(all, 0b01_1011 << 56);
        let s1_of_zero = 14;
        let changed: u64 = [(8, 9), (4, 17), (2, 23), (1, 31)]
            .into_iter()
            .filter(|(bit, _)| (s1_of_zero ^ 5) & bit != 0)
            .map(|(_, place)| 1 << (32 - place))
            .sum();
        assert_eq!(first, expand(changed));
    }
}
