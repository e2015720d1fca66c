//! What was deflated inflates to the same bytes, at every level, however it was cut.

use std::io::Read;

use flate2::read::DeflateDecoder;
use proptest::prelude::*;

use super::token::WINDOW;
use super::{BLOCK, Deflater, Search};

/// One level of each kind.
const LEVELS: [u8; 5] = [0, 1, 3, 6, 9];

fn deflate(level: u8, text: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    Deflater::new(level).deflate(text, 0, true, &mut output);
    output
}

/// Deflates the parts between these cuts by themselves, each with the window before it, and puts them together.
fn deflate_cut(level: u8, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut deflater = Deflater::new(level);
    let mut from = 0;
    for (index, &to) in cuts.iter().chain([&text.len()]).enumerate() {
        let window = from.min(WINDOW);
        deflater.deflate(&text[from - window..to], window, index == cuts.len(), &mut output);
        from = to;
    }
    output
}

/// Inflates one whole stream, after which nothing stands.
fn inflate(deflated: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut decoder = DeflateDecoder::new(deflated);
    decoder.read_to_end(&mut text).unwrap();
    assert_eq!(decoder.total_in(), deflated.len() as u64, "bytes stand after the final block");
    text
}

#[track_caller]
fn assert_round_trip(text: &[u8]) {
    for level in LEVELS {
        assert!(inflate(&deflate(level, text)) == text, "{} bytes differ at level {level}", text.len());
    }
}

/// Bytes that do not compress, the same every time (Marsaglia's xorshift, 2003).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Lines that compress as a bill does.
fn bill(length: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for (line, byte) in (0u64..).zip(noise(length)) {
        text.extend_from_slice(
            format!("{line};windscreen {byte:02x};{};19;EUR\n", line * line % 9973).as_bytes(),
        );
        if text.len() >= length {
            break;
        }
    }
    text.truncate(length);
    text
}

#[test]
fn every_length_from_nothing_on_comes_back() {
    let noise = noise(300);
    let bill = bill(300);
    for length in 0..=300 {
        assert_round_trip(&vec![b'a'; length]);
        assert_round_trip(&noise[..length]);
        assert_round_trip(&bill[..length]);
        assert_round_trip(&b"abcde".repeat(60)[..length]);
    }
}

#[test]
fn long_runs_come_back_and_take_next_to_nothing() {
    for length in [257, 258, 259, 260, 516, 517, 65_535, 65_536, 1_000_000] {
        let text = vec![0; length];
        assert_round_trip(&text);
        for level in &LEVELS[1..] {
            assert!(deflate(*level, &text).len() <= 16 + length / 150, "{length} zeros at level {level}");
        }
    }
}

#[test]
fn a_repetition_is_found_up_to_the_farthest_distance_and_not_beyond() {
    let once = noise(WINDOW);
    let twice = [&once[..], &once[..]].concat();
    let beyond = [&once[..], b"x", &once[..]].concat();
    for level in &LEVELS[1..] {
        assert!(deflate(*level, &twice).len() < WINDOW + 1024, "level {level}");
        assert!(deflate(*level, &beyond).len() > 2 * WINDOW, "level {level}");
    }
    assert_round_trip(&twice);
    assert_round_trip(&beyond);
}

#[test]
fn texts_around_the_length_of_the_ring_come_back() {
    let text = bill(200_000);
    for length in
        [32_648, 32_672, 32_673, 32_767, 32_768, 32_769, 65_511, 65_536, 65_537, 98_304, 131_073, 200_000]
    {
        assert_round_trip(&text[..length]);
        assert_round_trip(&noise(length));
    }
}

#[test]
fn noise_grows_by_five_bytes_for_every_stored_block() {
    for length in [0usize, 1, 100, 65_535, 65_536, 300_000] {
        for level in LEVELS {
            let most = length + 5 * length.div_ceil(65_535).max(1);
            let deflated = deflate(level, &noise(length));
            assert!(deflated.len() <= most, "{length} bytes at level {level}");
            assert!(inflate(&deflated) == noise(length), "{length} bytes at level {level}");
        }
    }
}

#[test]
fn long_text_without_a_repetition_comes_back() {
    let letters: Vec<u8> = noise(300_000).into_iter().map(|byte| byte & 63).collect();
    assert_round_trip(&letters);
}

#[test]
fn an_output_with_room_does_not_grow() {
    let text = bill(300_000);
    for length in [1, 100, 65_535, 65_536, 131_071, 300_000] {
        for (level, content) in
            LEVELS.iter().flat_map(|level| [(*level, noise(length)), (*level, text[..length].to_vec())])
        {
            let mut output = Vec::with_capacity(Deflater::room(length));
            let (place, room) = (output.as_ptr(), output.capacity());
            Deflater::new(level).deflate(&content, 0, false, &mut output);
            assert_eq!(
                (output.as_ptr(), output.capacity()),
                (place, room),
                "{length} bytes at level {level}"
            );
        }
    }
}

#[test]
fn codes_as_long_as_deflate_allows_come_back() {
    // Each byte occurs as often as the two before it together: Huffman's tree is as deep as can be.
    let (mut once, mut twice) = (1usize, 1usize);
    let mut text = Vec::new();
    for byte in 0..=20u8 {
        text.extend(std::iter::repeat_n(byte, once));
        (once, twice) = (twice, once + twice);
    }
    // A fixed order without matches to speak of.
    let mut keyed: Vec<(u8, u8)> = noise(text.len()).into_iter().zip(text).collect();
    keyed.sort_by_key(|(key, byte)| (key.wrapping_mul(167), byte.wrapping_mul(91) ^ key));
    assert_round_trip(&keyed.into_iter().map(|(_, byte)| byte).collect::<Vec<u8>>());
}

#[test]
fn a_text_that_changes_gets_new_codes() {
    let text = [bill(200_000), noise(100_000), vec![b' '; 100_000], bill(100_000)].concat();
    assert_round_trip(&text);
    for level in &LEVELS[1..] {
        let apart: usize =
            [bill(200_000), bill(100_000)].iter().map(|part| deflate(*level, part).len()).sum();
        assert!(deflate(*level, &text).len() < apart + 100_000 + 2_000, "level {level}");
    }
}

#[test]
fn many_blocks_come_back() {
    assert_round_trip(&bill(20 * BLOCK));
}

#[test]
fn parts_deflated_by_themselves_are_one_stream() {
    let text = bill(3_000);
    for cut in (0..=text.len()).step_by(37) {
        for level in LEVELS {
            assert!(inflate(&deflate_cut(level, &text, &[cut])) == text, "cut at {cut}, level {level}");
        }
    }
    let text = bill(300_000);
    for level in LEVELS {
        assert!(inflate(&deflate_cut(level, &text, &[0, 100, 100, 65_536, 131_072, 300_000])) == text);
    }
}

#[test]
fn a_part_refers_to_the_window_before_it() {
    let text = [noise(WINDOW), noise(WINDOW)].concat();
    for level in &LEVELS[1..] {
        let mut output = Vec::new();
        Deflater::new(*level).deflate(&text, WINDOW, true, &mut output);
        assert!(output.len() < 1024, "{} bytes at level {level}", output.len());
    }
}

#[test]
fn what_was_deflated_before_changes_nothing() {
    let texts = [bill(70_000), noise(500), bill(2_000), vec![7; 100_000], bill(70_000)];
    for level in LEVELS {
        let mut deflater = Deflater::new(level);
        for text in &texts {
            let mut output = Vec::new();
            deflater.deflate(text, 0, true, &mut output);
            assert!(output == deflate(level, text), "level {level}");
        }
    }
}

/// What is sent grows or shrinks only where that is meant.
#[test]
fn each_level_makes_what_it_is_known_to_make() {
    let far = [&noise(30_000)[..], &bill(3_000), &noise(30_000), &bill(3_000)].concat();
    let rare =
        noise(60_000).chunks(150).flat_map(|piece| [piece, b"the windscreen is cracked"].concat()).collect();
    let mixed = [bill(9_000), noise(9_000)].concat().repeat(4);
    let texts = [bill(300_000), mixed, far, rare, b"abcdefgh abcd ".repeat(900)];
    let made = [1, 3, 6, 9].map(|level| texts.each_ref().map(|text| deflate(level, text).len()));
    let expected = [
        [70_852, 12_811, 62_134, 61_294, 99],
        [69_037, 12_591, 62_091, 61_272, 85],
        [68_849, 12_554, 62_097, 61_262, 85],
        [68_088, 12_399, 62_060, 61_250, 85],
    ];
    assert_eq!(made, expected);
}

#[test]
fn of_nothing_with_more_to_come_there_is_one_empty_block() {
    for level in LEVELS {
        let mut output = Vec::new();
        Deflater::new(level).deflate(b"", 0, false, &mut output);
        assert_eq!(output, [0, 0, 0, 0xff, 0xff], "level {level}");
    }
}

#[test]
fn output_is_appended() {
    let mut output = b"before".to_vec();
    Deflater::new(6).deflate(b"text", 0, true, &mut output);
    assert_eq!(&output[..6], b"before");
    assert_eq!(inflate(&output[6..]), b"text");
}

#[test]
fn a_start_beyond_the_buffer_is_its_end() {
    let mut output = Vec::new();
    Deflater::new(6).deflate(b"text", 9, true, &mut output);
    assert_eq!(inflate(&output), b"");
}

/// Texts of literals, runs and repetitions from near and far.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..100).prop_map(Piece::Bytes),
        proptest::collection::vec(0..4u8, 1..2_000).prop_map(Piece::Bytes),
        (any::<u8>(), 1..40_000usize).prop_map(|(byte, length)| Piece::Run(byte, length)),
        (1..40_000usize, 1..600usize).prop_map(|(distance, length)| Piece::Again(distance, length)),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| {
        let mut text = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => text.extend(bytes),
                Piece::Run(byte, length) => text.extend(std::iter::repeat_n(byte, length)),
                Piece::Again(distance, length) => {
                    let from = text.len().saturating_sub(distance);
                    (from..text.len().min(from + length)).for_each(|at| text.push(text[at]));
                }
            }
        }
        text
    })
}

#[derive(Clone, Debug)]
enum Piece {
    Bytes(Vec<u8>),
    Run(u8, usize),
    Again(usize, usize),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_comes_back_however_it_is_cut(
        text in texts(), level in 0..=10u8, cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        let deflated = deflate_cut(level, &text, &cuts);
        let stored_blocks = text.len().div_ceil(65_535) + 2 * cuts.len() + 1;
        prop_assert!(deflated.len() <= text.len() + 5 * stored_blocks + cuts.len());
        prop_assert!(inflate(&deflated) == text);
    }
}

#[test]
fn a_compressor_never_holds_more_tokens_than_a_block_and_a_piece_have() {
    for level in &LEVELS[1..] {
        let mut deflater = Deflater::new(*level);
        deflater.deflate(&noise(300_000), 0, true, &mut Vec::new());
        assert_eq!(deflater.tokens.len(), 8 * 4096 + 4096 + 32);
    }
}

#[test]
fn a_wiped_compressor_holds_no_tokens_and_no_positions() {
    for level in 0..=9 {
        let mut deflater = Deflater::new(level);
        for length in [50, 50_000, 1_000] {
            deflater.deflate(&b"windscreen "[..].repeat(length), 0, true, &mut Vec::new());
        }
        deflater.wipe();
        let positions = match &mut deflater.search {
            Search::Stored => 0,
            Search::Fast(table) => table.positions(),
            Search::Light(table) => table.positions(),
            Search::Normal(table) => table.positions(),
            Search::Best(table) => table.positions(),
        };
        assert_eq!(positions, 0);
        assert!(deflater.tokens.iter().all(|token| token.kind() == 0 && token.distance_symbol() == 0));
    }
}
