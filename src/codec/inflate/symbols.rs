//! Decodes the symbols of a compressed block (RFC 1951, 3.2.3): fast while there is plenty of input, with care at the
//! end of a piece.

use super::bits::Bits;
use super::codes::Codes;
use super::entry::Entry;
use super::table::{DistanceTable, LiteralTable, Table};
use super::window::{self, Memory};

/// The bits of the longest distance: 15 of its code and 13 more.
const LONGEST_DISTANCE: u32 = 28;

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The window has no room for another symbol.
    Full,
    /// There are too few bits for another symbol.
    NeedsInput,
    /// The block ended.
    EndOfBlock,
    /// A code or symbol that does not exist, or a match that reaches before the start.
    Damaged,
}

/// Decodes until it has to stop. Takes `input` as it needs it; writes from `at`, and returns where it stopped.
pub(super) fn decode(
    codes: &Codes,
    bits: &mut Bits,
    input: &mut &[u8],
    memory: &mut Memory,
    at: usize,
) -> (usize, Stop) {
    match decode_plenty(codes, bits, input, memory, at) {
        (at, Some(stop)) => (at, stop),
        (at, None) => decode_scarce(codes, bits, input, memory, at),
    }
}

/// Decodes while there are 16 bytes of input; stops without a reason where there are not.
///
/// A load leaves at least 56 bits. A first answer of literals takes up 11 of them at most and one with a length 20, so
/// that another load before the distance is almost never due.
fn decode_plenty(
    codes: &Codes,
    bits: &mut Bits,
    input: &mut &[u8],
    memory: &mut Memory,
    mut at: usize,
) -> (usize, Option<Stop>) {
    let Codes { literals, distances } = codes;
    let mut stream = Stream { buffer: bits.buffer, count: bits.count };
    let mut rest = *input;
    // Looked up before the next load, which it need not wait for.
    let mut entry = literals.first(stream.buffer);
    let stop = loop {
        let Some(ahead) = rest.first_chunk().filter(|_| !window::is_full(at)) else {
            break if window::is_full(at) { Some(Stop::Full) } else { None };
        };
        let is_entry_whole = stream.has(LiteralTable::FIRST_BITS);
        let loaded = stream.load(ahead, 0);
        rest = rest.get(loaded..).unwrap_or_default();
        if !is_entry_whole {
            entry = literals.first(stream.buffer);
        }
        if entry.is_literals_only() {
            at = put(memory, at, entry);
            stream.consume(entry);
            entry = literals.first(stream.buffer);
            if entry.is_literals_only() {
                at = put(memory, at, entry);
                stream.consume(entry);
                entry = literals.first(stream.buffer);
                continue;
            }
        }
        if entry.is_exception() {
            if entry.is_second_level() {
                stream.skip(LiteralTable::FIRST_BITS);
                entry = literals.second(entry, stream.buffer);
            }
            if entry.is_exception() {
                stream.consume(entry);
                break Some(if entry.is_end_of_block() { Stop::EndOfBlock } else { Stop::Damaged });
            }
            if entry.is_literals_only() {
                at = put(memory, at, entry);
                stream.consume(entry);
                entry = literals.first(stream.buffer);
                continue;
            }
        }
        at = put(memory, at, entry);
        let length = entry.length_in(stream.buffer);
        stream.consume(entry);
        if !stream.has(LONGEST_DISTANCE) {
            let loaded = stream.load(ahead, loaded);
            rest = rest.get(loaded..).unwrap_or_default();
        }
        let Some(distance) = take_distance(distances, &mut stream) else { break Some(Stop::Damaged) };
        entry = literals.first(stream.buffer);
        if distance > at {
            break Some(Stop::Damaged);
        }
        at = window::copy_match(memory, at, distance, length);
    };
    *input = rest;
    let count = stream.count & 63;
    *bits = Bits { buffer: stream.buffer & !(u64::MAX << count), count };
    (at, stop)
}

/// Takes a distance, if it is one, from a stream that has all of its bits.
#[inline(always)]
fn take_distance(table: &DistanceTable, stream: &mut Stream) -> Option<usize> {
    let mut entry = table.first(stream.buffer);
    if entry.is_exception() {
        if entry.is_second_level() {
            stream.skip(DistanceTable::FIRST_BITS);
            entry = table.second(entry, stream.buffer);
        }
        if entry.is_exception() {
            return None;
        }
    }
    let distance = entry.distance_in(stream.buffer);
    stream.consume(entry);
    Some(distance)
}

/// The bits of the stream in registers. Above `count` bits there may be more of the stream already, never others; of
/// `count`, only the lowest 6 bits mean anything.
struct Stream {
    buffer: u64,
    count: u32,
}

impl Stream {
    /// Loads bytes at `offset` of `ahead` until there are 56 bits at least; returns how many bytes, at most 7.
    #[inline(always)]
    fn load(&mut self, ahead: &[u8; 16], offset: usize) -> usize {
        let offset = offset & 7;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&ahead[offset..offset + 8]);
        self.buffer |= u64::from_le_bytes(bytes).wrapping_shl(self.count);
        let loaded = (!self.count >> 3) & 7;
        self.count |= 56;
        loaded as usize
    }

    /// Whether there are `count` bits.
    #[inline(always)]
    fn has(&self, count: u32) -> bool {
        self.count & 63 >= count
    }

    #[inline(always)]
    fn consume(&mut self, entry: Entry) {
        self.skip(entry.bits_unmasked());
    }

    /// Consumes as many bits as the lowest 6 bits of `bits` say.
    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.buffer = self.buffer.wrapping_shr(bits);
        self.count = self.count.wrapping_sub(bits);
    }
}

#[inline(always)]
fn put(memory: &mut Memory, at: usize, entry: Entry) -> usize {
    window::put_literals(memory, at, entry.literals()) + entry.literal_count()
}

/// Decodes with a look at the bits before each symbol: one whose bits are not all there leaves no trace.
fn decode_scarce(
    codes: &Codes,
    bits: &mut Bits,
    input: &mut &[u8],
    memory: &mut Memory,
    mut at: usize,
) -> (usize, Stop) {
    let stop = loop {
        if window::is_full(at) {
            break Stop::Full;
        }
        bits.fill(input);
        let mut ahead = *bits;
        let Some((entry, stream)) = next(&codes.literals, &mut ahead) else { break Stop::NeedsInput };
        if entry.is_exception() {
            *bits = ahead;
            break if entry.is_end_of_block() { Stop::EndOfBlock } else { Stop::Damaged };
        }
        let mut end = put(memory, at, entry);
        if entry.is_length() {
            let length = entry.length_in(stream);
            let Some((entry, stream)) = next(&codes.distances, &mut ahead) else { break Stop::NeedsInput };
            let distance = entry.distance_in(stream);
            if entry.is_exception() || distance > end {
                break Stop::Damaged;
            }
            end = window::copy_match(memory, end, distance, length);
        }
        at = end;
        *bits = ahead;
    };
    (at, stop)
}

/// Takes what `bits` begin with if all of its bits are there; returns it and the bits it was found in.
fn next<const FIRST: u8, const SIZE: usize, const PAIRED: bool>(
    table: &Table<FIRST, SIZE, PAIRED>,
    bits: &mut Bits,
) -> Option<(Entry, u64)> {
    let mut entry = table.first(bits.buffer);
    if entry.is_second_level() {
        bits.take(FIRST.into())?;
        entry = table.second(entry, bits.buffer);
    }
    let stream = bits.buffer;
    bits.take(entry.bits())?;
    Some((entry, stream))
}
