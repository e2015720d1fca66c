//! Streams made by hand, bit by bit: each has one fault, or is just not faulty. zlib has to judge each alike.

use flate2::{Decompress, FlushDecompress, Status};

use super::codes::{Codes, Header};
use super::{Inflater, window};
use crate::{ErrorKind, Result};

/// A stream under construction.
#[derive(Clone, Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn new() -> Self {
        Self::default()
    }

    /// A number: its lowest bit first.
    fn number(mut self, value: u32, count: u32) -> Self {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(value >> bit & 1 == 1) << (self.used % 8);
            self.used += 1;
        }
        self
    }

    /// A code: its highest bit first.
    fn code(self, code: u32, count: u32) -> Self {
        (0..count).rev().fold(self, |bits, bit| bits.number(code >> bit & 1, 1))
    }

    fn block(self, is_last: bool, kind: u32) -> Self {
        self.number(is_last.into(), 1).number(kind, 2)
    }

    /// The header of a block with codes of these lengths, which 16 codes of 4 bits tell one by one.
    fn own_codes(self, literals: &[u8], distances: &[u8]) -> Self {
        let counts = self.counts(literals.len(), distances.len(), 19);
        let ordered = [0, 0, 0].into_iter().chain([4; 16]);
        let bits = ordered.fold(counts, |bits, length| bits.number(length, 3));
        literals.iter().chain(distances).fold(bits, |bits, length| bits.code((*length).into(), 4))
    }

    fn counts(self, literals: usize, distances: usize, lengths: usize) -> Self {
        let field = |count: usize, least: usize| u32::try_from(count - least).unwrap();
        self.number(field(literals, 257), 5).number(field(distances, 1), 5).number(field(lengths, 4), 4)
    }
}

/// Lengths with these at these symbols and 0 elsewhere.
fn lengths<const N: usize>(symbols: &[(usize, u8)]) -> [u8; N] {
    let mut lengths = [0; N];
    for (symbol, length) in symbols {
        lengths[*symbol] = *length;
    }
    lengths
}

/// The content, where the whole stream came at once and all of it was taken.
fn inflate(stream: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let inflated = Inflater::new().inflate(stream, &mut |piece| {
        content.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(inflated.ended.then_some(content))
}

/// What zlib makes of it: the content, `None` where it wants more, an error.
fn peer(stream: &[u8]) -> std::result::Result<Option<Vec<u8>>, flate2::DecompressError> {
    let mut content = Vec::with_capacity(1 << 20);
    let status = Decompress::new(false).decompress_vec(stream, &mut content, FlushDecompress::None)?;
    Ok((status == Status::StreamEnd).then_some(content))
}

fn assert_inflates(bits: &Bits, content: &[u8]) {
    assert_eq!(peer(&bits.bytes).unwrap().as_deref(), Some(content));
    assert_eq!(inflate(&bits.bytes).unwrap().as_deref(), Some(content));
}

#[track_caller]
fn assert_refused(bits: &Bits) {
    // What follows the fault decides nothing.
    let mut stream = bits.bytes.clone();
    stream.extend([0; 32]);
    assert!(peer(&stream).is_err());
    assert_eq!(inflate(&stream).unwrap_err().kind(), ErrorKind::Altered);
    // Nor does how the stream is cut.
    let mut inflater = Inflater::new();
    let mut cut = stream.chunks(1).map(|byte| inflater.inflate(byte, &mut |_| Ok(())));
    assert!(cut.any(|result| result.is_err()));
}

/// A block of this content as it is, with another one after it.
fn stored(content: &[u8]) -> Bits {
    let length = u32::try_from(content.len()).unwrap();
    let bits = Bits::new().block(false, 0).number(0, 5).number(length, 16).number(!length & 0xffff, 16);
    content.iter().fold(bits, |bits, byte| bits.number((*byte).into(), 8))
}

/// Bytes in no order.
fn scattered(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Codes of a block: the literal `a` and the end in one bit each, no distances.
fn a_or_end() -> Bits {
    Bits::new().block(true, 2).own_codes(&lengths::<257>(&[(97, 1), (256, 1)]), &[0])
}

#[test]
fn a_block_of_literals_alone_needs_no_distances() {
    assert_inflates(&a_or_end().code(0, 1).code(0, 1).code(1, 1), b"aa");
}

#[test]
fn a_block_may_have_a_single_distance_of_one_bit() {
    let literals = lengths::<258>(&[(97, 2), (256, 2), (257, 1)]);
    let bits = Bits::new().block(true, 2).own_codes(&literals, &[1]);
    assert_inflates(&bits.clone().code(0b10, 2).code(0, 1).code(0, 1).code(0b11, 2), b"aaaa");
    assert_refused(&bits.code(0b10, 2).code(0, 1).code(1, 1));
}

#[test]
fn a_block_may_have_nothing_but_its_end() {
    let bits = Bits::new().block(true, 2).own_codes(&lengths::<257>(&[(256, 1)]), &[0]);
    assert_inflates(&bits.clone().code(0, 1), b"");
    assert_refused(&bits.code(1, 1));
}

#[test]
fn a_distance_where_the_block_has_none_is_refused() {
    let literals = lengths::<258>(&[(97, 2), (256, 2), (257, 1)]);
    let bits = Bits::new().block(true, 2).own_codes(&literals, &[0]);
    assert_refused(&bits.code(0b10, 2).code(0, 1));
}

#[test]
fn the_longest_codes_there_are_are_read() {
    let mut literals = [0; 257];
    for (symbol, length) in (1..=15).enumerate() {
        literals[symbol] = length;
    }
    literals[256] = 15;
    let bits = Bits::new().block(true, 2).own_codes(&literals, &[0]);
    let bits = bits.code(0b0, 1).code(0b111_1111_1111_1110, 15).code(0b1111_1111_1110, 12).code(0x7fff, 15);
    assert_inflates(&bits, &[0, 14, 11]);
}

#[test]
fn the_longest_symbols_in_a_row_are_read_wherever_in_a_byte_they_begin() {
    // Two literals of 11 bits together, a length of 20 bits and a distance of 28: more than one load is sure to give.
    let mut literals = [0; 285];
    for length in 1..=14 {
        literals[usize::from(length)] = length;
    }
    (literals[256], literals[284]) = (15, 15);
    let mut distances = [0; 29];
    for length in 1..=15 {
        distances[usize::from(length) - 1] = length;
    }
    distances[28] = 15;
    let mut content = scattered(30_000);
    let mut bits = stored(&content).block(true, 2).own_codes(&literals, &distances);
    for _ in 0..16 {
        bits = bits.code(0b11110, 5).code(0b11_1110, 6).code(0x7fff, 15).number(30, 5);
        bits = bits.code(0x7fff, 15).number(8191, 13);
        content.extend([5, 6]);
        let from = content.len() - 24_576;
        content.extend_from_within(from..from + 257);
    }
    assert_inflates(&bits.code(0x7ffe, 15), &content);
}

#[test]
fn the_farthest_match_finds_its_content_whenever_the_window_moves() {
    let mut content = scattered(32_768);
    let mut bits = stored(&content).block(true, 1);
    for _ in 0..1_000 {
        bits = bits.code(0b1100_0101, 8).code(29, 5).number(8191, 13);
        let from = content.len() - 32_768;
        content.extend_from_within(from..from + 258);
    }
    assert_inflates(&bits.code(0, 7), &content);
}

#[test]
fn a_code_with_more_symbols_than_fit_is_refused() {
    let too_many = lengths::<257>(&[(0, 1), (1, 1), (256, 1)]);
    assert_refused(&Bits::new().block(true, 2).own_codes(&too_many, &[1]));
    let good = lengths::<257>(&[(0, 1), (256, 1)]);
    assert_refused(&Bits::new().block(true, 2).own_codes(&good, &[1, 1, 1]));
}

#[test]
fn a_code_that_leaves_bits_without_meaning_is_refused() {
    let too_few = lengths::<257>(&[(0, 1), (256, 2)]);
    assert_refused(&Bits::new().block(true, 2).own_codes(&too_few, &[1]));
    let good = lengths::<257>(&[(0, 1), (256, 1)]);
    assert_refused(&Bits::new().block(true, 2).own_codes(&good, &[1, 2]));
    assert_refused(&Bits::new().block(true, 2).own_codes(&good, &[2]));
}

#[test]
fn a_code_of_the_code_lengths_that_is_not_complete_is_refused() {
    let start = || Bits::new().block(true, 2).counts(257, 1, 4);
    assert_refused(&start().number(1, 3).number(0, 9));
    // Every bit that follows would tell of one more symbol without a code.
    assert_refused(&start().number(0, 9).number(1, 3));
    assert_refused(&start().number(0, 12));
    assert_refused(&start().number(1, 3).number(1, 3).number(1, 3).number(0, 3));
}

#[test]
fn more_symbols_than_exist_are_refused() {
    assert_refused(&Bits::new().block(true, 2).counts(287, 1, 4));
    assert_refused(&Bits::new().block(true, 2).counts(257, 31, 4));
    // Nor where nothing else is wrong with the codes.
    let (literals, too_many_literals) = (lengths::<257>(&[(256, 1)]), lengths::<287>(&[(256, 1)]));
    assert_refused(&Bits::new().block(true, 2).own_codes(&too_many_literals, &[0]));
    assert_refused(&Bits::new().block(true, 2).own_codes(&literals, &lengths::<31>(&[(0, 1)])));
}

#[test]
fn a_block_that_cannot_end_is_refused() {
    assert_refused(&Bits::new().block(true, 2).own_codes(&lengths::<257>(&[(0, 1), (1, 1)]), &[1]));
}

/// The header of a block whose code lengths are told by 0 (`00`), 16 (`01`), 17 (`10`) and 18 (`11`).
fn repetitions() -> Bits {
    Bits::new().block(true, 2).counts(257, 1, 4).number(2, 3).number(2, 3).number(2, 3).number(2, 3)
}

#[test]
fn a_repetition_of_nothing_is_refused() {
    assert_refused(&repetitions().code(0b01, 2).number(0, 2));
}

#[test]
fn a_repetition_beyond_the_last_length_is_refused() {
    let all_but_two = repetitions().code(0b11, 2).number(127, 7).code(0b11, 2).number(107, 7);
    assert_refused(&all_but_two.clone().code(0b10, 2).number(0, 3));
    assert_refused(&all_but_two.clone().code(0b01, 2).number(0, 2));
    assert_refused(&all_but_two.code(0b11, 2).number(0, 7));
}

#[test]
fn a_match_from_before_the_start_is_refused() {
    let literal_a = |bits: Bits| bits.code(0x30 + 97, 8);
    let fixed = || literal_a(Bits::new().block(true, 1));
    assert_inflates(&fixed().code(1, 7).code(0, 5).code(0, 7), b"aaaa");
    assert_refused(&fixed().code(1, 7).code(1, 5));
    assert_refused(&Bits::new().block(true, 1).code(1, 7).code(0, 5));
    assert_refused(&fixed().code(1, 7).code(29, 5).number(8191, 13));
}

#[test]
fn symbols_that_never_occur_are_refused() {
    // There is content for the distances that would come next.
    let stored = stored(&[7; 60_000]);
    let fixed = || stored.clone().block(true, 1).code(0x30, 8);
    assert_refused(&fixed().code(0b1100_0110, 8));
    assert_refused(&fixed().code(0b1100_0111, 8));
    assert_refused(&fixed().code(1, 7).code(30, 5));
    assert_refused(&fixed().code(1, 7).code(31, 5));
}

#[test]
fn a_block_type_that_does_not_exist_is_refused() {
    assert_refused(&Bits::new().block(false, 3));
}

#[test]
fn a_stored_length_that_its_complement_denies_is_refused() {
    let stored = || Bits::new().block(true, 0).number(0, 5);
    assert_inflates(&stored().number(1, 16).number(0xfffe, 16).number(97, 8), b"a");
    assert_refused(&stored().number(1, 16).number(0xffff, 16).number(97, 8));
}

#[test]
fn an_endless_series_of_empty_blocks_is_consumed_to_its_last_byte() {
    let fixed = (0..8).fold(Bits::new(), |bits, _| bits.block(false, 1).code(0, 7));
    let stored = Bits::new().block(false, 0).number(0, 5).number(0, 16).number(0xffff, 16);
    for series in [fixed, stored] {
        let series = series.bytes.repeat(50_000);
        let inflated = Inflater::new().inflate(&series, &mut |_| panic!("there is no content")).unwrap();
        assert!(!inflated.ended);
        assert_eq!(inflated.consumed, series.len());
    }
}

#[test]
fn a_stream_cut_short_anywhere_never_ends() {
    let bits = a_or_end().code(0, 1).code(0, 1).code(1, 1);
    for length in 0..bits.bytes.len() {
        assert_eq!(inflate(&bits.bytes[..length]).unwrap(), None);
    }
}

#[test]
fn what_follows_the_stream_is_left_alone() {
    let mut stream = a_or_end().code(0, 1).code(1, 1).bytes;
    let length = stream.len();
    stream.extend([0xff; 100]);
    for first in 0..length {
        let mut inflater = Inflater::new();
        let (start, rest) = stream.split_at(first);
        assert_eq!(inflater.inflate(start, &mut |_| Ok(())).unwrap().consumed, first);
        let inflated = inflater.inflate(rest, &mut |_| Ok(())).unwrap();
        assert!(inflated.ended);
        assert_eq!(inflated.consumed, length - first);
        assert_eq!(inflater.inflate(rest, &mut |_| Ok(())).unwrap().consumed, 0);
    }
}

#[test]
fn after_an_error_only_a_reset_helps() {
    let good = a_or_end().code(0, 1).code(1, 1).bytes;
    let mut inflater = Inflater::new();
    let refusal = || crate::Error::new(ErrorKind::Io, "full");
    let error = inflater.inflate(&good, &mut |_| Err(refusal())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(inflater.inflate(&good, &mut |_| Ok(())).unwrap_err().kind(), ErrorKind::Altered);
    inflater.reset();
    assert!(inflater.inflate(&good, &mut |_| Ok(())).unwrap().ended);
}

#[test]
fn whatever_the_stream_a_decoder_takes_about_160_kib() {
    let taken = size_of::<window::Memory>() + size_of::<Codes>() + size_of::<Header>();
    assert!((150..170).contains(&(taken / 1024)), "{taken} bytes");
}
