//! Where the text at a position stood before, and for how long both agree.

use super::bucket::{Bucket, Buckets};
use super::token::MAX_MATCH;
use super::window::Ring;

/// A place before that has the same bytes. Without one, the length is below [`LEAST`].
#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) distance: usize,
}

/// Matches of fewer bytes are not worth their distance.
pub(super) const LEAST: usize = 4;

/// What the first eight bytes tell.
#[derive(Clone, Copy)]
pub(super) struct Probe<B> {
    bucket: B,
    /// See [`Finder::ranked`].
    best: u32,
}

/// Finds matches in one text.
pub(super) struct Finder<'a, B, const SIZE: usize, const BYTES: u32> {
    pub(super) text: &'a [u8],
    pub(super) ring: Ring<'a>,
    pub(super) buckets: Buckets<'a, B, SIZE, BYTES>,
}

impl<B: Bucket, const SIZE: usize, const BYTES: u32> Finder<'_, B, SIZE, BYTES> {
    /// Adds a position without looking for its match.
    #[inline(always)]
    pub(super) fn insert(&mut self, at: usize) {
        let at = low(at);
        self.buckets.exchange(self.ring.load(at), at);
    }

    /// Adds a position and compares the first eight bytes with those at every position of its bucket, be it in reach or not.
    ///
    /// There is no branch in it: the processor overlaps the probes of two positions, and has nothing to guess.
    #[inline(always)]
    pub(super) fn probe(&mut self, at: usize) -> Probe<B> {
        let at = low(at);
        let text = self.ring.load(at);
        let bucket = self.buckets.exchange(text, at);
        let mut best = 0;
        for way in 0..B::WAYS {
            let differing = self.ring.load(bucket.position(way)) ^ text;
            best = best.max(Self::ranked((differing | 1 << 63).trailing_zeros(), way));
        }
        Probe { bucket, best }
    }

    /// The longest match at the position that was probed, the nearest of several.
    #[inline(always)]
    pub(super) fn resolve(&self, at: usize, probe: Probe<B>) -> Match {
        // Mostly so, and then it does not matter which positions are in reach.
        if ((probe.best / 8) as usize) < LEAST {
            return Match { length: 0, distance: 0 };
        }
        let most = (self.text.len() - at).min(MAX_MATCH);
        let (near, bucket) = (low(at), probe.bucket);
        let stale = bucket.stale(near);
        if probe.best < 7 * 8 && stale.flag(Self::way(probe.best)) == 0 {
            return self.found(at, bucket, probe.best, most);
        }
        let (first, second) = (self.ring.load(near), self.ring.load(near.wrapping_add(8)));
        let mut best = 0;
        for way in 0..B::WAYS {
            let position = bucket.position(way);
            let differing = (self.ring.load(position) ^ first) | stale.flag(way);
            let then = (self.ring.load(position.wrapping_add(8)) ^ second) | 1 << 63;
            let agreeing =
                if differing == 0 { 64 + then.trailing_zeros() } else { differing.trailing_zeros() };
            best = best.max(Self::ranked(agreeing, way));
        }
        if best < 15 * 8 { self.found(at, bucket, best, most) } else { self.longest(at, bucket, most) }
    }

    /// How many bits agree, in whole bytes, and below that the way, such that more is better and the nearest best.
    #[inline(always)]
    fn ranked(agreeing: u32, way: usize) -> u32 {
        (agreeing | 7) - u32::try_from(way).unwrap_or_default()
    }

    /// The way that was ranked so.
    #[inline(always)]
    fn way(ranked: u32) -> usize {
        (7 - ranked % 8) as usize
    }

    #[inline(always)]
    fn found(&self, at: usize, bucket: B, ranked: u32, most: usize) -> Match {
        let position = bucket.position(Self::way(ranked));
        let distance = usize::from(low(at).wrapping_sub(position));
        Match { length: ((ranked / 8) as usize).min(most), distance }
    }

    /// The longest match where at least one has 15 bytes.
    fn longest(&self, at: usize, bucket: B, most: usize) -> Match {
        let text = &self.text[at..at + most];
        let stale = bucket.stale(low(at));
        let mut best = Match { length: 0, distance: 0 };
        for way in 0..B::WAYS {
            let distance = usize::from(low(at).wrapping_sub(bucket.position(way)));
            let Some(before) = at.checked_sub(distance).filter(|_| stale.flag(way) == 0) else { continue };
            let length = agreeing(&self.text[before..before + most], text);
            if length > best.length {
                best = Match { length, distance };
                if length == most {
                    break;
                }
            }
        }
        best
    }
}

/// How many bytes two texts of the same length have in common from their start.
#[inline(always)]
fn agreeing(a: &[u8], b: &[u8]) -> usize {
    let (a_words, a_rest) = a.as_chunks::<8>();
    let (b_words, b_rest) = b.as_chunks::<8>();
    for (index, (a, b)) in a_words.iter().zip(b_words).enumerate() {
        let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differing != 0 {
            return index * 8 + (differing.trailing_zeros() / 8) as usize;
        }
    }
    a_words.len() * 8 + a_rest.iter().zip(b_rest).take_while(|(a, b)| a == b).count()
}

/// A position as the tables keep it.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are meant")]
fn low(at: usize) -> u16 {
    at as u16
}
