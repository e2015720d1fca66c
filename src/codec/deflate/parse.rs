//! A text to literals and matches (Ziv and Lempel 1977; Storer and Szymanski 1982): greedily, or looking ahead.

use super::bucket::Bucket;
use super::matches::{Finder, LEAST, Match};
use super::token::{Token, Tokens};

/// How a text is parsed.
#[derive(Clone, Copy)]
pub(super) enum Strategy {
    /// Takes the first match that comes; so many of the positions within it, which has more, are added to the table.
    Greedy { within: usize },
    /// Looks at the next position too where a match is shorter than this, and takes a literal if that gains more.
    Lazy { below: usize },
}

/// After so many literals in a row one position is passed over unsearched, after twice as many two, and so on: such a text
/// will not compress.
const PATIENCE: usize = 64;

/// Parses from `at` until `end` is reached or the tokens are full; gives where it stands then.
pub(super) fn parse<B: Bucket, const SIZE: usize, const BYTES: u32>(
    strategy: Strategy,
    finder: Finder<'_, B, SIZE, BYTES>,
    at: usize,
    end: usize,
    tokens: &mut Tokens<'_>,
) -> usize {
    match strategy {
        Strategy::Greedy { within } => greedy(within, finder, at, end, tokens),
        Strategy::Lazy { below } => lazy(below, finder, at, end, tokens),
    }
}

fn greedy<B: Bucket, const SIZE: usize, const BYTES: u32>(
    within: usize,
    mut finder: Finder<'_, B, SIZE, BYTES>,
    mut at: usize,
    end: usize,
    tokens: &mut Tokens<'_>,
) -> usize {
    let mut misses = 0;
    while at < end && !tokens.is_full() {
        let probe = finder.probe(at);
        let found = finder.resolve(at, probe);
        if found.length < LEAST {
            misses += 1;
            at = pass(&finder, at, end, misses, tokens);
            continue;
        }
        misses = 0;
        tokens.push(Token::found(found.length, found.distance));
        for inside in at + 1..(at + 1 + within).min(end) {
            finder.insert(inside);
        }
        at += found.length;
    }
    at
}

/// The next position is always probed before the match at this one is judged: mostly it is wanted either way, and the
/// processor has both on the way. For the same reason the positions within a match are added after the probes behind it.
fn lazy<B: Bucket, const SIZE: usize, const BYTES: u32>(
    below: usize,
    mut finder: Finder<'_, B, SIZE, BYTES>,
    mut at: usize,
    end: usize,
    tokens: &mut Tokens<'_>,
) -> usize {
    if at >= end {
        return at;
    }
    let mut misses = 0;
    let mut probe = finder.probe(at);
    let mut ahead = finder.probe(at + 1);
    while at < end && !tokens.is_full() {
        let mut found = finder.resolve(at, probe);
        if found.length < LEAST {
            misses += 1;
            let passed = pass(&finder, at, end, misses, tokens);
            probe = if passed == at + 1 { ahead } else { finder.probe(passed) };
            at = passed;
            ahead = finder.probe(at + 1);
            continue;
        }
        misses = 0;
        while found.length < below && at + 1 < end && !tokens.is_full() {
            let next = finder.resolve(at + 1, ahead);
            if next.length < found.length || gain(next) <= gain(found) + 2 {
                break;
            }
            tokens.push(Token::literal(finder.text[at]));
            at += 1;
            found = next;
            ahead = finder.probe(at + 1);
        }
        tokens.push(Token::found(found.length, found.distance));
        let within = at + 2;
        at += found.length;
        // What is far behind the end is not in the window yet.
        if at < end {
            probe = finder.probe(at);
            ahead = finder.probe(at + 1);
        }
        for inside in within..at.min(end) {
            finder.insert(inside);
        }
    }
    at
}

/// What a match saves, in bits, up to a constant: four for every byte, less the extra bits of its distance.
#[inline(always)]
fn gain(found: Match) -> usize {
    4 * found.length + 16 - found.distance.max(1).ilog2() as usize
}

/// Takes the literal at `at`, and after many misses some more without looking; gives the position after.
#[inline(always)]
fn pass<B: Bucket, const SIZE: usize, const BYTES: u32>(
    finder: &Finder<'_, B, SIZE, BYTES>,
    at: usize,
    end: usize,
    misses: usize,
    tokens: &mut Tokens<'_>,
) -> usize {
    tokens.push(Token::literal(finder.text[at]));
    if misses < PATIENCE {
        return at + 1;
    }
    let next = (at + 1 + (misses / PATIENCE).min(Tokens::SPARE / 2)).min(end);
    for byte in &finder.text[at + 1..next] {
        tokens.push(Token::literal(*byte));
    }
    next
}
