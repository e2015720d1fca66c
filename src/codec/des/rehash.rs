//! MD5 (RFC 1321) of MD5 hashes, again and again, many of them side by side: what the keys of the suite des-md5 are
//! derived by.
//!
//! A hash waits for the one before, and within it each of 64 steps for the one before, so that most of a processor stands
//! still. Here each lane of a vector has a derivation of its own. No branch and no address depends on what is hashed.

use md5::{Digest, Md5};
use zeroize::Zeroize;

use super::lanes::Words;

/// An MD5 hash, in bytes.
pub(in crate::codec) const HASH: usize = 16;

/// The most numbers that stand side by side, and so the derivations that cost as much as one.
pub(in crate::codec) const ABREAST: usize = 16;

/// What a hash begins with.
const BEGINNING: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The constants of the steps: 2^32 times the absolute sine of the step's number, counted from 1.
#[rustfmt::skip]
const SINES: [[u32; 16]; 4] = [
    [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    ],
    [
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    ],
    [
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    ],
    [
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ],
];

/// The lookup that is the exclusive or of its three inputs, and the one that is `b ^ (a | !c)`.
const PARITY: i32 = 0x96;
const LAST: i32 = 0x39;

/// Puts the hash of each of `hashes` in its place, `times` times, by the crate `md-5`.
pub(super) fn one_by_one(hashes: &mut [[u8; HASH]], times: u32) {
    for hash in hashes {
        for _ in 0..times {
            *hash = Md5::digest(&hash).into();
        }
    }
}

/// The same in the lanes of `G` vectors at a time.
///
/// # Safety
///
/// The processor has the instructions of `W`.
#[inline(always)]
pub(super) unsafe fn abreast<W: Words, const G: usize>(hashes: &mut [[u8; HASH]], times: u32) {
    const { assert!(G * W::NUMBERS <= ABREAST) };
    for hashes in hashes.chunks_mut(G * W::NUMBERS) {
        // Where vectors have no rotation and no lookups, each step takes them longer than it takes numbers.
        if hashes.len() == 1 && !W::LOOKUPS {
            one_by_one(hashes, times);
            continue;
        }
        let mut words = [[0_u32; ABREAST]; 4];
        for (lane, hash) in hashes.iter().enumerate() {
            for (word, bytes) in words.iter_mut().zip(hash.as_chunks().0) {
                word[lane] = u32::from_le_bytes(*bytes);
            }
        }
        let mut state = words.each_ref().map(|word| {
            // SAFETY: the caller says that the processor has the instructions, and there are numbers for all groups.
            std::array::from_fn(|group| unsafe { W::load(word[group * W::NUMBERS..].as_ptr().cast()) })
        });
        for _ in 0..times {
            state = hashed::<W, G>(state);
        }
        for (word, groups) in words.iter_mut().zip(state) {
            for (group, vector) in groups.into_iter().enumerate() {
                // SAFETY: as above, there is room for the numbers of all groups.
                unsafe { vector.store(word[group * W::NUMBERS..].as_mut_ptr().cast()) };
            }
        }
        for (lane, hash) in hashes.iter_mut().enumerate() {
            for (word, bytes) in words.iter().zip(hash.as_chunks_mut().0) {
                *bytes = word[lane].to_le_bytes();
            }
        }
        words.zeroize();
    }
}

/// The hash of a message that is a hash: one block.
#[inline(always)]
fn hashed<W: Words, const G: usize>(hash: [[W; G]; 4]) -> [[W; G]; 4] {
    let all = |number| hash[0].map(|like| like.every_number(number));
    // Behind the message stand a one and, at the end of the block, how many bits it has.
    let (none, one, length) = (all(0), all(0x80), all(8 * 16));
    let [first, second, third, fourth] = hash;
    let message = [
        first, second, third, fourth, one, none, none, none, none, none, none, none, none, none, length, none,
    ];
    let beginning = BEGINNING.map(all);
    let state = round::<W, G, 7, 12, 17, 22>(
        beginning,
        |step| (message[step % 16], SINES[0][step]),
        |b, c, d| W::select(b, c, d),
    );
    let state = round::<W, G, 5, 9, 14, 20>(
        state,
        |step| (message[(5 * step + 1) % 16], SINES[1][step]),
        // As two parts, the one with the latest of the three is short.
        |b, c, d| if W::LOOKUPS { W::select(d, b, c) } else { d.and(b).or(c.and_not(d)) },
    );
    let state = round::<W, G, 4, 11, 16, 23>(
        state,
        |step| (message[(3 * step + 5) % 16], SINES[2][step]),
        |b, c, d| if W::LOOKUPS { W::lookup::<PARITY>(b, c, d) } else { c.xor(d).xor(b) },
    );
    let state = round::<W, G, 6, 10, 15, 21>(
        state,
        |step| (message[7 * step % 16], SINES[3][step]),
        |b, c, d| if W::LOOKUPS { W::lookup::<LAST>(b, c, d) } else { b.or(d.not()).xor(c) },
    );
    let mut sums = state;
    for (sum, begun) in sums.as_flattened_mut().iter_mut().zip(beginning.as_flattened()) {
        *sum = sum.add(*begun);
    }
    sums
}

/// Sixteen steps: `word` gives the word of the message and the constant of each, `mix` makes one of three words, and the
/// rotations repeat every four steps.
#[inline(always)]
fn round<W: Words, const G: usize, const R1: i32, const R2: i32, const R3: i32, const R4: i32>(
    [mut a, mut b, mut c, mut d]: [[W; G]; 4],
    word: impl Fn(usize) -> ([W; G], u32),
    mix: impl Fn(W, W, W) -> W,
) -> [[W; G]; 4] {
    for first in (0..16).step_by(4) {
        a = step::<W, G, R1>(a, [b, c, d], word(first), &mix);
        d = step::<W, G, R2>(d, [a, b, c], word(first + 1), &mix);
        c = step::<W, G, R3>(c, [d, a, b], word(first + 2), &mix);
        b = step::<W, G, R4>(b, [c, d, a], word(first + 3), &mix);
    }
    [a, b, c, d]
}

/// One step: the new word in the place of `old`.
#[inline(always)]
fn step<W: Words, const G: usize, const BY: i32>(
    mut old: [W; G],
    [b, c, d]: [[W; G]; 3],
    (message, constant): ([W; G], u32),
    mix: impl Fn(W, W, W) -> W,
) -> [W; G] {
    for (group, old) in old.iter_mut().enumerate() {
        // What has been there longest is added up first, so that the next step waits for as little as can be.
        let known = message[group].add(old.every_number(constant)).add(*old);
        *old = mix(b[group], c[group], d[group]).add(known).rotated::<BY>().add(b[group]);
    }
    old
}

#[cfg(test)]
mod tests {
    use super::super::level::Level;
    use super::*;

    #[test]
    fn every_level_hashes_any_number_of_hashes_as_the_md5_crate_does() {
        let mut seed = 0_u8;
        let mut hash = || -> [u8; HASH] {
            seed = seed.wrapping_add(1);
            Md5::digest([seed]).into()
        };
        for count in (0..=2 * ABREAST + 1).chain([5 * ABREAST]) {
            let hashes: Vec<_> = (0..count).map(|_| hash()).collect();
            for times in [0, 1, 2, 19] {
                let mut expected = hashes.clone();
                one_by_one(&mut expected, times);
                for level in Level::available() {
                    let mut came = hashes.clone();
                    level.rehash(&mut came, times);
                    assert_eq!(came, expected, "{count} hashes, {times} times, {}", level.name());
                }
            }
        }
    }
}
