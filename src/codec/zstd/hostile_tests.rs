//! Frames made by hand that lie, and what libzstd makes, cut and changed anyhow.

use proptest::prelude::*;

use super::frame::MAGIC;
use super::{Compressor, Decompressor, EMPTY};
use crate::{ErrorKind, Result};

/// The content of `frames`, given in pieces of this length.
fn decompress(frames: &[u8], piece: usize) -> Result<Vec<u8>> {
    let (mut decompressor, mut content) = (Decompressor::new()?, Vec::new());
    for piece in frames.chunks(piece.max(1)) {
        decompressor.decompress(piece, &mut |came| {
            content.extend_from_slice(came);
            Ok(())
        })?;
    }
    decompressor.finish().map(|()| content)
}

fn compress(content: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(Compressor::longest(content.len()));
    Compressor::new(3).unwrap().compress(content, &mut output).unwrap();
    output
}

/// A frame with this descriptor, these bytes of a header after it, and blocks: type, size, and what stands there.
fn frame(descriptor: u8, header: &[u8], blocks: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &[descriptor], header].concat();
    for (index, (kind, size, data)) in blocks.iter().enumerate() {
        let last = u32::from(index + 1 == blocks.len());
        bytes.extend(&(last | kind << 1 | size << 3).to_le_bytes()[..3]);
        bytes.extend_from_slice(data);
    }
    bytes
}

const RAW: u32 = 0;
const RLE: u32 = 1;
const SINGLE_SEGMENT: u8 = 0x20;

/// Refused with this kind, however it comes, and a decoder that refused goes on with another entry.
#[track_caller]
fn assert_refused(frames: &[u8], kind: ErrorKind) {
    for piece in [1, 3, frames.len()] {
        assert_eq!(decompress(frames, piece).unwrap_err().kind(), kind);
    }
    let mut decompressor = Decompressor::new().unwrap();
    let refused = decompressor.decompress(frames, &mut |_| Ok(())).and_then(|()| decompressor.finish());
    assert_eq!(refused.unwrap_err().kind(), kind);
    decompressor.reset().unwrap();
    let mut content = Vec::new();
    let mut take = |came: &[u8]| {
        content.extend_from_slice(came);
        Ok(())
    };
    decompressor.decompress(&compress(b"the left knee"), &mut take).unwrap();
    decompressor.finish().unwrap();
    assert_eq!(content, b"the left knee");
}

#[test]
fn what_is_made_by_hand_is_read() {
    let made = frame(SINGLE_SEGMENT, &[5], &[(RAW, 2, b"kn"), (RLE, 3, b"e")]);
    assert_eq!(decompress(&made, 1).unwrap(), b"kneee");
    let windowed = frame(0, &[0], &[(RLE, 1024, b";")]);
    assert_eq!(decompress(&[&made[..], &windowed, &EMPTY].concat(), 5).unwrap().len(), 5 + 1024);
}

#[test]
fn content_that_waits_for_room_when_the_frames_are_read_is_given_too() {
    let pages = frame(0, &[7 << 3], &[(RLE, 100_000, b";"), (RLE, 100_000, b"!"), (RLE, 100_000, b"?")]);
    let expected = [b';', b'!', b'?'].map(|byte| vec![byte; 100_000]).concat();
    for piece in [1, 5, pages.len()] {
        assert!(decompress(&pages, piece).unwrap() == expected, "in pieces of {piece}");
    }
}

#[test]
fn a_frame_that_is_cut_is_refused_wherever_that_is() {
    let whole = compress(&b"2026-03-02;windscreen;412.50\n".repeat(500));
    for length in 0..whole.len() {
        assert_refused(&whole[..length], ErrorKind::Altered);
    }
    let two = [&whole[..], &whole].concat();
    assert_refused(&two[..two.len() - 1], ErrorKind::Altered);
    assert_refused(&two[..whole.len() + 2], ErrorKind::Altered);
}

#[test]
fn a_window_above_8_mib_is_refused_before_there_is_memory_for_it() {
    let windowed = |exponent: u8, mantissa: u8| frame(0, &[exponent << 3 | mantissa], &[(RAW, 1, b"x")]);
    assert_eq!(decompress(&windowed(13, 0), 1).unwrap(), b"x");
    for (exponent, mantissa) in [(13, 1), (14, 0), (21, 0), (31, 7)] {
        assert_refused(&windowed(exponent, mantissa), ErrorKind::UnsupportedArchive);
    }
    // A single segment has a window as large as its content.
    let single = |size: u64| frame(SINGLE_SEGMENT | 3 << 6, &size.to_le_bytes(), &[(RAW, 1, b"x")]);
    for size in [(8 << 20) + 1, 1 << 40, u64::MAX - 2] {
        assert_refused(&single(size), ErrorKind::UnsupportedArchive);
    }
}

#[test]
fn a_content_size_that_is_wrong_is_refused() {
    for declared in [0, 4, 6, 255] {
        let lying = frame(SINGLE_SEGMENT, &[declared], &[(RAW, 5, b"knees")]);
        assert_refused(&lying, ErrorKind::Altered);
    }
}

#[test]
fn a_dictionary_is_refused_by_its_name() {
    let with_dictionary = frame(SINGLE_SEGMENT | 1, &[7, 1], &[(RAW, 1, b"x")]);
    assert_refused(&with_dictionary, ErrorKind::UnsupportedArchive);
    let error = decompress(&with_dictionary, 99).unwrap_err();
    assert!(error.to_string().contains("dictionary"), "{error}");
}

#[test]
fn skippable_frames_hide_nothing() {
    for kind in [0x50, 0x5f] {
        let skippable = [&[kind, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"hide"].concat();
        assert_refused(&skippable, ErrorKind::InconsistentArchive);
        assert_refused(&[&compress(b"knee")[..], &skippable].concat(), ErrorKind::InconsistentArchive);
    }
}

#[test]
fn what_follows_the_frames_is_refused() {
    for garbage in [&b"garbage"[..], b"PK\x03\x04", &[0; 4]] {
        assert_refused(&[&compress(b"knee")[..], garbage].concat(), ErrorKind::InconsistentArchive);
        assert_refused(garbage, ErrorKind::Altered);
    }
    // Too short to be known for what it is.
    assert_refused(&[&compress(b"knee")[..], &[0]].concat(), ErrorKind::Altered);
    // The format before version 1.
    assert_refused(&[0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0], ErrorKind::Altered);
}

#[test]
fn blocks_that_cannot_be_are_refused() {
    assert_refused(&frame(SINGLE_SEGMENT, &[1], &[(3, 1, b"x")]), ErrorKind::Altered);
    assert_refused(&frame(0, &[0], &[(RLE, 2000, b"x")]), ErrorKind::Altered);
    assert_refused(&frame(8, &[0], &[(RAW, 1, b"x")]), ErrorKind::Altered);
    // With a checksum that is wrong.
    let summed = [&frame(4, &[0], &[(RAW, 1, b"x")])[..], &[1, 2, 3, 4]].concat();
    assert_refused(&summed, ErrorKind::Altered);
}

#[test]
fn a_sink_that_refuses_stops_what_inflates_without_end() {
    let blocks = vec![(RLE, 128 * 1024, &b"\0"[..]); 20_000];
    let bomb = frame(0, &[13 << 3], &blocks);
    assert!(bomb.len() < 100_000);
    let (mut given, mut decompressor) = (0, Decompressor::new().unwrap());
    let refused = decompressor.decompress(&bomb, &mut |came| {
        given += came.len();
        if given > 1 << 20 { Err(crate::Error::new(ErrorKind::InflatedTooLarge, "enough")) } else { Ok(()) }
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InflatedTooLarge);
    assert!(given <= (1 << 20) + 128 * 1024);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn content_comes_back_however_its_frames_are_cut(
        pieces in prop::collection::vec((any::<u8>(), 0..200_000_usize), 0..5), cut in 1..100_000_usize,
    ) {
        let mut frames = EMPTY.to_vec();
        let mut content = Vec::new();
        for (step, length) in pieces {
            let piece: Vec<u8> = (0..length).map(|n| ((n * usize::from(step)) >> 3).to_le_bytes()[0]).collect();
            frames.extend(compress(&piece));
            content.extend(piece);
        }
        prop_assert!(decompress(&frames, cut).unwrap() == content);
    }

    #[test]
    fn a_frame_gives_the_same_whatever_was_compressed_before(
        before in prop::collection::vec(any::<u8>(), 0..20_000), content in prop::collection::vec(0..4_u8, 0..20_000),
    ) {
        let mut compressor = Compressor::new(3).unwrap();
        let mut output = Vec::with_capacity(Compressor::longest(20_000));
        for _ in 0..3 {
            compressor.compress(&before.repeat(3)[..before.len()], &mut output).unwrap();
        }
        compressor.compress(&content, &mut output).unwrap();
        prop_assert_eq!(output, compress(&content));
    }

    #[test]
    fn changed_frames_end_with_content_or_an_error(
        length in 0..5_000_usize, place in any::<prop::sample::Index>(), bit in 0..8_u8, cut in 1..5_000_usize,
    ) {
        let content: Vec<u8> = (0..length).map(|n| ((n * n) >> 5).to_le_bytes()[0]).collect();
        let mut frames = compress(&content);
        let place = place.index(frames.len());
        frames[place] ^= 1 << bit;
        if let Err(error) = decompress(&frames, cut) {
            let kinds = [ErrorKind::Altered, ErrorKind::UnsupportedArchive, ErrorKind::InconsistentArchive];
            prop_assert!(kinds.contains(&error.kind()), "{}", error);
        }
    }
}
