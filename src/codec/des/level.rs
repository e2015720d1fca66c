//! Which instructions this room uses: the best this processor has, found once.
//!
//! The environment variable `CLAIMWIRE_SIMD` lowers the level, to find out whether a difference between two machines
//! comes from here: `reference` (the `des` crate), `portable`, `sse2`, `avx2`, `avx512` or `neon`. It is read once, before the
//! first key is set up; a name of a level that this processor does not have, or no name at all, changes nothing.

use std::sync::OnceLock;

use super::BLOCK;
use super::bitslice;
#[cfg(target_arch = "aarch64")]
use super::lanes::aarch64::Neon;
#[cfg(target_arch = "x86_64")]
use super::lanes::x86_64::{Avx2, Avx512, Sse2};
use super::rehash::{HASH, abreast, one_by_one};
#[cfg(target_arch = "x86_64")]
use super::round::{BitFields, Rotations};
use super::schedule::Schedule;

/// A level that this processor has: there is no other way to get one than to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Reference,
    Portable,
    #[cfg(target_arch = "x86_64")]
    Sse2,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// Every name that `CLAIMWIRE_SIMD` may have, on any processor.
    #[cfg(test)]
    pub(super) const NAMES: [&str; 6] = ["reference", "portable", "sse2", "avx2", "avx512", "neon"];

    /// The best level, or the one that `CLAIMWIRE_SIMD` names.
    pub(super) fn chosen() -> Self {
        static CHOSEN: OnceLock<Level> = OnceLock::new();
        *CHOSEN.get_or_init(|| Self::named(std::env::var("CLAIMWIRE_SIMD").ok().as_deref()))
    }

    /// The level of this name if the processor has it, else the best.
    fn named(name: Option<&str>) -> Self {
        let available = Self::available();
        let lowered = available.iter().find(|level| Some(level.name()) == name);
        lowered.or(available.last()).copied().unwrap_or(Self(Instructions::Portable))
    }

    /// What this processor has, the slowest first.
    pub(super) fn available() -> Vec<Self> {
        let mut available = vec![Self(Instructions::Reference), Self(Instructions::Portable)];
        if cfg!(miri) {
            return available;
        }
        #[cfg(target_arch = "x86_64")]
        {
            available.push(Self(Instructions::Sse2));
            if is_x86_feature_detected!("avx2") {
                available.push(Self(Instructions::Avx2));
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                available.push(Self(Instructions::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            available.push(Self(Instructions::Neon));
        }
        available
    }

    /// The name in `CLAIMWIRE_SIMD`.
    pub(super) fn name(self) -> &'static str {
        match self.0 {
            Instructions::Reference => "reference",
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Sse2 => "sse2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => "neon",
        }
    }

    /// Whether the `des` crate takes the place of this room.
    pub(super) fn is_reference(self) -> bool {
        self.0 == Instructions::Reference
    }

    /// What written-out rounds of encryption take, if this level and the processor have it.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn bit_fields(self) -> Option<BitFields> {
        match self.0 {
            Instructions::Reference | Instructions::Portable | Instructions::Sse2 => None,
            Instructions::Avx2 | Instructions::Avx512 => BitFields::detect(),
        }
    }

    /// What the other form of them takes, likewise.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn rotations(self) -> Option<Rotations> {
        self.bit_fields().and_then(|_| Rotations::detect())
    }

    /// [`bitslice::decrypt`] with the instructions of this level.
    pub(super) fn decrypt(self, schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
        match self.0 {
            Instructions::Reference | Instructions::Portable => portable(schedule, chain, blocks),
            #[cfg(target_arch = "x86_64")]
            Instructions::Sse2 => sse2(schedule, chain, blocks),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a level is one that this processor has.
            Instructions::Avx2 => unsafe { avx2(schedule, chain, blocks) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Instructions::Avx512 => unsafe { avx512(schedule, chain, blocks) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Instructions::Neon => unsafe { neon(schedule, chain, blocks) },
        }
    }

    /// Puts the MD5 hash of each of `hashes` in its place, `times` times: [`abreast`] with the instructions of this level.
    pub(super) fn rehash(self, hashes: &mut [[u8; HASH]], times: u32) {
        match self.0 {
            Instructions::Reference | Instructions::Portable => one_by_one(hashes, times),
            #[cfg(target_arch = "x86_64")]
            Instructions::Sse2 => sse2_rehash(hashes, times),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a level is one that this processor has.
            Instructions::Avx2 => unsafe { avx2_rehash(hashes, times) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Instructions::Avx512 => unsafe { avx512_rehash(hashes, times) },
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => one_by_one(hashes, times),
        }
    }
}

fn portable(schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
    // SAFETY: every processor has words of 64 bits.
    unsafe { bitslice::decrypt::<u64>(schedule, chain, blocks) }
}

#[cfg(target_arch = "x86_64")]
fn sse2_rehash(hashes: &mut [[u8; HASH]], times: u32) {
    // SAFETY: SSE2 belongs to x86-64.
    unsafe { abreast::<Sse2, 2>(hashes, times) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2_rehash(hashes: &mut [[u8; HASH]], times: u32) {
    // SAFETY: this function is only called where the processor has AVX2.
    unsafe { abreast::<Avx2, 2>(hashes, times) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn avx512_rehash(hashes: &mut [[u8; HASH]], times: u32) {
    // SAFETY: this function is only called where the processor has AVX-512 F and BW.
    unsafe { abreast::<Avx512, 1>(hashes, times) }
}

#[cfg(target_arch = "x86_64")]
fn sse2(schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
    // SAFETY: SSE2 belongs to x86-64.
    unsafe { bitslice::decrypt::<Sse2>(schedule, chain, blocks) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
    // SAFETY: this function is only called where the processor has AVX2.
    unsafe { bitslice::decrypt::<Avx2>(schedule, chain, blocks) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn avx512(schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
    // SAFETY: this function is only called where the processor has AVX-512 F and BW.
    unsafe { bitslice::decrypt::<Avx512>(schedule, chain, blocks) }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
    // SAFETY: this function is only called where the processor has NEON.
    unsafe { bitslice::decrypt::<Neon>(schedule, chain, blocks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_lowered_by_its_name_and_never_raised() {
        let available = Level::available();
        for level in &available {
            assert!(Level::NAMES.contains(&level.name()));
            assert_eq!(Level::named(Some(level.name())), *level);
            assert_eq!(level.is_reference(), level.name() == "reference");
        }
        let missing =
            Level::NAMES.into_iter().filter(|name| available.iter().all(|level| level.name() != *name));
        for name in missing.map(Some).chain([None, Some(""), Some("AVX2"), Some("best")]) {
            assert_eq!(Some(&Level::named(name)), available.last());
        }
    }
}
