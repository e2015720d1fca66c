//! The same streams through zlib, the peer: same verdict, same content, however the stream is cut.

use flate2::{Compress, Compression, FlushCompress, Status};
use proptest::prelude::*;

use super::Inflater;
use super::zlib::{agrees, ours, peer};

/// Content as it is met: words, columns of numbers, runs, noise; with matches near and far.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        "[a-z]{1,12} ".prop_map(String::into_bytes),
        "[0-9]{4};[0-9]{1,3}\\.[0-9]{2};".prop_map(String::into_bytes),
        (any::<u8>(), 1..600_usize).prop_map(|(byte, length)| vec![byte; length]),
        (prop::collection::vec(any::<u8>(), 1..40), 1..30_usize).prop_map(|(unit, times)| unit.repeat(times)),
        prop::collection::vec(any::<u8>(), 0..2000),
        (prop::collection::vec(0..4_u8, 0..2000)),
    ];
    (prop::collection::vec(part, 1..12), prop::collection::vec(0..12_usize, 0..200)).prop_map(
        |(parts, order)| {
            let again = order.iter().filter_map(|index| parts.get(*index));
            parts.iter().chain(again).flatten().copied().collect()
        },
    )
}

/// The stream of a zlib at `level` that is told to flush, in different ways, after each so many bytes.
fn deflate(content: &[u8], level: u32, flush_after: usize) -> Vec<u8> {
    let flushes = [FlushCompress::Partial, FlushCompress::Sync, FlushCompress::Full, FlushCompress::None];
    let mut deflater = Compress::new(Compression::new(level), false);
    let mut stream = Vec::new();
    for (piece, flush) in content.chunks(flush_after.max(1)).zip(flushes.into_iter().cycle()) {
        stream.reserve(piece.len() + piece.len() / 8 + 1000);
        deflater.compress_vec(piece, &mut stream, flush).unwrap();
    }
    while {
        stream.reserve(1000);
        deflater.compress_vec(&[], &mut stream, FlushCompress::Finish).unwrap() != Status::StreamEnd
    } {}
    stream
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_zlib_deflates_inflates_however_it_is_cut(
        content in content(),
        level in 0..=9_u32,
        flush_after in prop_oneof![1..5000_usize, Just(usize::MAX)],
        pieces in prop::collection::vec(1..3000_usize, 1..8),
    ) {
        let stream = deflate(&content, level, flush_after);
        let expected = Some((content, stream.len()));
        let mut inflater = Inflater::new();
        prop_assert_eq!(&ours(&mut inflater, &stream, &[usize::MAX]), &expected);
        prop_assert_eq!(&ours(&mut inflater, &stream, &pieces), &expected);
        prop_assert_eq!(&ours(&mut inflater, &stream, &[1]), &expected);
    }

    #[test]
    fn an_altered_stream_gets_the_verdict_of_zlib(
        content in content(),
        level in 0..=9_u32,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u32), 1..4),
        pieces in prop::collection::vec(1..100_usize, 1..8),
    ) {
        let mut stream = deflate(&content, level, usize::MAX);
        for (at, bit) in changes {
            // Faults in the front of the stream are in the header of a block.
            let at = at.index(stream.len().min(if bit < 4 { 100 } else { usize::MAX }));
            stream[at] ^= 1 << bit;
        }
        let expected = peer(&stream);
        let mut inflater = Inflater::new();
        prop_assert_eq!(&ours(&mut inflater, &stream, &[usize::MAX]), &expected);
        prop_assert_eq!(&ours(&mut inflater, &stream, &pieces), &expected);
    }

    #[test]
    fn any_bytes_get_the_verdict_of_zlib(
        stream in prop::collection::vec(any::<u8>(), 0..200),
        pieces in prop::collection::vec(1..10_usize, 1..8),
    ) {
        let expected = peer(&stream);
        let mut inflater = Inflater::new();
        prop_assert_eq!(&ours(&mut inflater, &stream, &[usize::MAX]), &expected);
        prop_assert_eq!(&ours(&mut inflater, &stream, &pieces), &expected);
    }
}

/// A stream that is cut in two at each of its bytes.
#[test]
fn a_stream_may_be_cut_anywhere() {
    let content: Vec<u8> = (0..400_u32)
        .flat_map(|row| format!("{row};{};{}\n", row * 7919 % 1000, row % 7).into_bytes())
        .collect();
    for level in [0, 1, 6, 9] {
        let stream = deflate(&content, level, 1500);
        let expected = Some((content.clone(), stream.len()));
        let mut inflater = Inflater::new();
        for first in 1..stream.len() {
            assert_eq!(ours(&mut inflater, &stream, &[first, usize::MAX]), expected);
        }
    }
}

#[test]
fn content_of_many_windows_comes_in_bounded_pieces() {
    let content: Vec<u8> = (0..200_000_u32).flat_map(|row| (row / 3).to_le_bytes()).collect();
    let stream = deflate(&content, 6, usize::MAX);
    let mut longest = 0;
    let mut inflated = Vec::new();
    let end = Inflater::new().inflate(&stream, &mut |piece| {
        longest = longest.max(piece.len());
        inflated.extend_from_slice(piece);
        Ok(())
    });
    assert!(end.unwrap().ended);
    assert!(inflated == content);
    assert!(longest <= 128 * 1024, "{longest}");
}

#[test]
fn the_fuzz_target_holds_on_its_corpus_and_on_what_is_changed_of_it() {
    crate::replay::replay("inflate", agrees);
}
