//! Bitsliced DES-CBC decryption: as many blocks at once as a vector has bits (E. Biham, "A fast new DES implementation
//! in software", 1997).
//!
//! Blocks are transposed, so that word i of the state holds bit i of every block. Permutations and the expansion then
//! cost nothing, they only say which word is meant, and the S-boxes are circuits of logic instructions. No branch and no
//! address depends on the key or the text: the running time does not tell anything about them.

use super::BLOCK;
use super::circuits::{gates, lookups};
use super::lanes::Lanes;
use super::schedule::{Round, Schedule};

/// Where bit i of the output of the S-boxes goes: the inverse of the permutation P of FIPS 46-3, numbered from 0.
const PERMUTED: [usize; 32] = [
    8, 16, 22, 30, 12, 27, 1, 17, 23, 15, 29, 5, 25, 19, 9, 0, 7, 13, 24, 2, 3, 28, 10, 18, 31, 11, 21, 6, 4,
    26, 14, 20,
];

/// The bytes of the widest batch.
const WIDEST: usize = 512 * BLOCK;

/// One batch on its way: the two halves, and the eight groups of eight vectors between two steps of a transposition.
/// Plaintext in the end, so it is wiped.
struct State<L: Lanes> {
    left: [L; 32],
    right: [L; 32],
    groups: [[L; 8]; 8],
}

/// Decrypts all of `blocks`, a multiple of 8 bytes, in place; `chain` is the ciphertext block before, then the last one.
///
/// # Safety
///
/// The processor has the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn decrypt<L: Lanes>(schedule: &Schedule, chain: &mut [u8; BLOCK], blocks: &mut [u8]) {
    // SAFETY: the caller says that the processor has the instructions, and this many bytes are read.
    let none = unsafe { L::load([0; WIDEST / 64].as_ptr()) };
    let mut state = State { left: [none; 32], right: [none; 32], groups: [[none; 8]; 8] };
    let batch = L::BLOCKS * BLOCK;
    let mut batches = blocks.chunks_exact_mut(batch);
    for blocks in &mut batches {
        decrypt_batch(schedule, &mut state, chain, blocks);
    }
    let rest = batches.into_remainder();
    if let Some(last) = rest.last_chunk().copied() {
        // A batch takes as long whether it is full or not, which is less than ten blocks one by one take.
        let mut padded = [0; WIDEST];
        padded[..rest.len()].copy_from_slice(rest);
        decrypt_batch(schedule, &mut state, chain, &mut padded[..batch]);
        rest.copy_from_slice(&padded[..rest.len()]);
        for vector in padded.as_chunks_mut::<64>().0 {
            // SAFETY: a reference can be written to; the write is volatile so that it is not left out.
            unsafe { std::ptr::write_volatile(vector, [0; 64]) };
        }
        *chain = last;
    }
    for bit in state.left.iter_mut().chain(&mut state.right).chain(state.groups.as_flattened_mut()) {
        // SAFETY: a reference can be written to; the write is volatile so that it is not left out.
        unsafe { std::ptr::write_volatile(bit, none) };
    }
}

/// Decrypts one batch of `L::BLOCKS` blocks.
#[inline(always)]
fn decrypt_batch<L: Lanes>(
    schedule: &Schedule,
    state: &mut State<L>,
    chain: &mut [u8; BLOCK],
    blocks: &mut [u8],
) {
    slice(blocks, state);
    let State { left, right, .. } = state;
    for (bit, mask) in right.iter_mut().zip(&schedule.first) {
        *bit = bit.masked(mask);
    }
    for rounds in schedule.rounds.chunks_exact(2) {
        round(&rounds[0], right, left);
        round(&rounds[1], left, right);
    }
    for (bit, mask) in left.iter_mut().zip(&schedule.last) {
        *bit = bit.masked(mask);
    }
    unslice(state, chain, blocks);
}

/// Transposes a batch of 64 vectors into its halves after the initial permutation.
///
/// Bytes first, eight vectors of blocks into one of each of the eight bytes; then bits between the eight vectors of the
/// same byte. The permutation takes the bits of a byte to eight different places, its even bits to the right half.
#[inline(always)]
fn slice<L: Lanes>(blocks: &[u8], State { left, right, groups }: &mut State<L>) {
    let mut vectors = blocks.chunks_exact(8 * L::WORDS);
    // SAFETY: a chunk is as long as a vector; `left` holds values of its type.
    let mut load = |none: L| vectors.next().map_or(none, |vector| unsafe { L::load(vector.as_ptr()) });
    for rows in groups.iter_mut() {
        *rows = L::split(eight(|row| load(left[row])));
    }
    for byte in 0..8 {
        let bits = transpose(eight(|group| groups[group][byte]));
        for j in 0..4 {
            left[8 * j + 7 - byte] = bits[6 - 2 * j];
            right[8 * j + 7 - byte] = bits[7 - 2 * j];
        }
    }
}

/// Undoes [`slice`], which is the final permutation and the transposition back, and adds the ciphertext block before each.
/// The halves are exchanged after the last round.
#[inline(always)]
fn unslice<L: Lanes>(
    State { left, right, groups }: &mut State<L>,
    chain: &mut [u8; BLOCK],
    blocks: &mut [u8],
) {
    for (byte, bits) in groups.iter_mut().enumerate() {
        *bits = transpose(eight(|bit| {
            let place = 8 * (3 - bit / 2) + 7 - byte;
            if bit % 2 == 0 { right[place] } else { left[place] }
        }));
    }
    let bytes = 8 * L::WORDS;
    let mut before = [0; WIDEST / 64];
    before[..BLOCK].copy_from_slice(chain);
    before[BLOCK..bytes].copy_from_slice(&blocks[..bytes - BLOCK]);
    chain.copy_from_slice(&blocks[(L::BLOCKS - 1) * BLOCK..]);
    // From the end, so that the block before each is still ciphertext when it is needed.
    for group in (0..8).rev() {
        let rows = L::join(eight(|byte| groups[byte][group]));
        for row in (0..8).rev() {
            let at = bytes * (8 * group + row);
            let shifted = if at == 0 { &before[..bytes] } else { &blocks[at - BLOCK..][..bytes] };
            // SAFETY: both slices are as long as a vector, whose type has values here.
            unsafe { rows[row].xor(L::load(shifted.as_ptr())).store(blocks[at..][..bytes].as_mut_ptr()) };
        }
    }
}

/// Eight vectors. `array::from_fn` is not always inlined, and what is not inlined does not get the instructions.
#[inline(always)]
fn eight<L>(mut vector: impl FnMut(usize) -> L) -> [L; 8] {
    [vector(0), vector(1), vector(2), vector(3), vector(4), vector(5), vector(6), vector(7)]
}

/// Transposes bits between the bytes at the same place of eight vectors.
#[inline(always)]
fn transpose<L: Lanes>(rows: [L; 8]) -> [L; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let ((a, e), (b, f)) = (L::exchange::<4, 0x0f>(a, e), L::exchange::<4, 0x0f>(b, f));
    let ((c, g), (d, h)) = (L::exchange::<4, 0x0f>(c, g), L::exchange::<4, 0x0f>(d, h));
    let ((a, c), (b, d)) = (L::exchange::<2, 0x33>(a, c), L::exchange::<2, 0x33>(b, d));
    let ((e, g), (f, h)) = (L::exchange::<2, 0x33>(e, g), L::exchange::<2, 0x33>(f, h));
    let ((a, b), (c, d)) = (L::exchange::<1, 0x55>(a, b), L::exchange::<1, 0x55>(c, d));
    let ((e, f), (g, h)) = (L::exchange::<1, 0x55>(e, f), L::exchange::<1, 0x55>(g, h));
    [a, b, c, d, e, f, g, h]
}

/// One round: `changed ^= P(S(E(read) ^ key))`. See [`Schedule`] for where the key bits are.
#[inline(always)]
fn round<L: Lanes>(masks: &Round, read: &[L; 32], changed: &mut [L; 32]) {
    macro_rules! boxes {
        ($($number:literal $name:ident)*) => { $({
            let input = |place: usize| {
                let bit = read[(4 * $number + 31 + place) % 32];
                match place {
                    0 => bit.masked(&masks.edges[$number][0]),
                    5 => bit.masked(&masks.edges[$number][1]),
                    _ => bit,
                }
            };
            let output = |place: usize, bit: L| {
                let place = PERMUTED[4 * $number + place];
                changed[place] = changed[place].xor_masked(bit, &masks.changes[place]);
            };
            if L::LOOKUPS { lookups::$name(input, output) } else { gates::$name(input, output) }
        })* };
    }
    boxes!(0 s1 1 s2 2 s3 3 s4 4 s5 5 s6 6 s7 7 s8);
}

#[cfg(test)]
mod tests {
    use super::super::sboxes;
    use super::*;

    /// The lookups of a processor that has them, modelled on `u64`: everything else is `u64`'s own.
    #[derive(Clone, Copy)]
    struct Model(u64);

    impl Lanes for Model {
        const WORDS: usize = 1;
        const LOOKUPS: bool = true;

        unsafe fn load(from: *const u8) -> Self {
            // SAFETY: what the caller says is what is asked for.
            Self(unsafe { u64::load(from) })
        }
        unsafe fn store(self, to: *mut u8) {
            // SAFETY: what the caller says is what is asked for.
            unsafe { self.0.store(to) }
        }
        fn masked(self, mask: &super::super::lanes::Mask) -> Self {
            Self(self.0.masked(mask))
        }
        fn xor(self, other: Self) -> Self {
            Self(self.0 ^ other.0)
        }
        fn and(self, other: Self) -> Self {
            Self(self.0 & other.0)
        }
        fn or(self, other: Self) -> Self {
            Self(self.0 | other.0)
        }
        fn and_not(self, other: Self) -> Self {
            Self(self.0 & !other.0)
        }
        fn not(self) -> Self {
            Self(!self.0)
        }
        fn every_byte(self, byte: u8) -> Self {
            Self(self.0.every_byte(byte))
        }
        fn raised<const SHIFT: i32>(self) -> Self {
            Self(self.0.raised::<SHIFT>())
        }
        fn lowered<const SHIFT: i32>(self) -> Self {
            Self(self.0.lowered::<SHIFT>())
        }
        fn split(rows: [Self; 8]) -> [Self; 8] {
            u64::split(rows.map(|row| row.0)).map(Self)
        }
        fn join(rows: [Self; 8]) -> [Self; 8] {
            u64::join(rows.map(|row| row.0)).map(Self)
        }
    }

    /// The truth table of each input: bit x is the input's value in pattern x.
    fn input(place: usize) -> u64 {
        (0..64)
            .filter(|pattern| pattern >> (5 - place) & 1 == 1)
            .fold(0, |table, pattern| table | 1 << pattern)
    }

    fn check(number: usize, outputs: [u64; 4]) {
        for pattern in 0..64 {
            let value = outputs.iter().fold(0, |value, output| value << 1 | (output >> pattern & 1));
            assert_eq!(
                value,
                u64::from(sboxes::value(number, pattern)),
                "box {} for {pattern:06b}",
                number + 1
            );
        }
    }

    macro_rules! prove {
        ($($number:literal $name:ident)*) => { $({
            let mut outputs = [0; 4];
            gates::$name(input, |place, value: u64| outputs[place] = value);
            check($number, outputs);
            outputs = [0; 4];
            lookups::$name(|place| Model(input(place)), |place, value: Model| outputs[place] = value.0);
            check($number, outputs);
        })* };
    }

    #[test]
    fn every_circuit_gives_what_its_box_gives_for_every_input() {
        prove!(0 s1 1 s2 2 s3 3 s4 4 s5 5 s6 6 s7 7 s8);
    }

    #[test]
    fn lookups_decrypt_as_gates_do() {
        for seed in 0..if cfg!(miri) { 1 } else { 50_u64 } {
            let mut state = seed + 1;
            let mut random = || {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                state.rotate_left(29).to_le_bytes()
            };
            let (schedule, iv) = (Schedule::for_decryption(&random()), random());
            let blocks: Vec<u8> = (0..1 + 3 * seed).flat_map(|_| random()).collect();
            let (mut gates, mut lookups) = (blocks.clone(), blocks);
            // SAFETY: words of 64 bits are on every processor.
            unsafe {
                decrypt::<u64>(&schedule, &mut iv.clone(), &mut gates);
                decrypt::<Model>(&schedule, &mut iv.clone(), &mut lookups);
            }
            assert_eq!(gates, lookups);
        }
    }
}
