//! What to store and what to compress, decided by looking at the content.

/// Content shorter than this is simply compressed and the shorter form kept.
const SHORT: usize = 4 * 1024;

/// How many samples are taken, spread evenly, and how long each is.
const SAMPLES: usize = 8;
const SAMPLE: usize = 4 * 1024;

/// Bytes with more entropy than this (8 is the most) gain nothing from compression. Text has 4 to 5, a page of a scan
/// that is already compressed 7.9.
const DENSE: f64 = 7.5;

/// How files begin that are compressed already: position and bytes.
const COMPRESSED: &[(usize, &[u8])] = &[
    (0, b"\xff\xd8\xff"),         // JPEG
    (0, b"\x89PNG\r\n\x1a\n"),    // PNG
    (0, b"PK\x03\x04"),           // zip, docx, xlsx, odt
    (0, b"\x1f\x8b"),             // gzip
    (0, b"7z\xbc\xaf\x27\x1c"),   // 7-Zip
    (0, b"\xfd7zXZ\0"),           // xz
    (0, b"\x28\xb5\x2f\xfd"),     // Zstandard
    (0, b"Rar!\x1a\x07"),         // RAR
    (0, b"\x00\x00\x00\x0cjP  "), // JPEG 2000
    (4, b"ftyp"),                 // MP4, HEIC
    (8, b"WEBP"),                 // WebP
];

/// Whether compressing a whole document is worth the time.
///
/// A PDF is judged by its bytes and not by its name: some hold scans, some plain text.
pub(super) fn is_worth_compressing(document: &[u8]) -> bool {
    if document.len() < SHORT {
        return true;
    }
    let compressed =
        |(position, magic): &(usize, &[u8])| document.get(*position..).is_some_and(|s| s.starts_with(magic));
    !COMPRESSED.iter().any(compressed) && !is_dense(document)
}

/// Whether bytes from anywhere in a document have no room for compression.
pub(super) fn is_dense(content: &[u8]) -> bool {
    content.len() >= SHORT && sampled_entropy(content) >= DENSE
}

/// The entropy of single bytes (Shannon 1948), in bits, over samples.
fn sampled_entropy(content: &[u8]) -> f64 {
    // Bytes that follow each other are counted apart: the same one twice would wait for its own count.
    let mut apart = [[0_u32; 256]; 4];
    let mut count = |bytes: &[u8]| {
        for (byte, counts) in bytes.iter().zip(&mut apart) {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
    };
    let stride = (content.len() / SAMPLES).max(SAMPLE);
    for sample in content.chunks(stride).take(SAMPLES) {
        let (fours, rest) = sample.get(..SAMPLE).unwrap_or(sample).as_chunks::<4>();
        fours.iter().for_each(|four| count(four));
        count(rest);
    }
    let counts: [u32; 256] = std::array::from_fn(|byte| apart.iter().map(|counts| counts[byte]).sum());
    let total = f64::from(counts.iter().sum::<u32>());
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .take(length)
        .collect()
    }

    #[test]
    fn text_is_compressed_and_noise_is_stored() {
        let text = b"2026-03-01;windscreen;412.50;EUR\n".repeat(40_000);
        for length in [0, 100, SHORT, 70_000, text.len()] {
            assert!(is_worth_compressing(&text[..length]), "{length}");
        }
        for length in [SHORT, SHORT + 1, 33_000, 4 << 20] {
            assert!(!is_worth_compressing(&noise(length)), "{length}");
        }
    }

    #[test]
    fn samples_are_spread_over_all_of_a_document() {
        let text = b"2026-03-01;windscreen;412.50;EUR\n".repeat(40_000);
        let scan_first = [noise(SAMPLES * SAMPLE), text].concat();
        assert!(is_worth_compressing(&scan_first));
    }

    #[test]
    fn a_sample_reaches_beyond_the_dense_bytes_that_it_begins_with() {
        let text = b"2026-03-01;windscreen;412.50;EUR\n".repeat(91);
        let thumbnail_and_text = [&noise(1093)[..], &text].concat();
        assert_eq!(thumbnail_and_text.len(), 4096);
        assert!(!is_dense(&thumbnail_and_text.repeat(8)));
    }

    #[test]
    fn bytes_of_most_values_are_as_dense_as_those_of_all() {
        let of_two_hundred: Vec<u8> = (0..=199).cycle().take(40_000).collect();
        assert!(is_dense(&of_two_hundred), "7.64 bits");
        let of_a_hundred: Vec<u8> = (0..=99).cycle().take(40_000).collect();
        assert!(!is_dense(&of_a_hundred), "6.64 bits");
    }

    #[test]
    fn a_compressed_file_is_known_by_its_beginning() {
        let mut photo = b"\xff\xd8\xff\xe0".to_vec();
        photo.resize(20_000, 7);
        assert!(!is_worth_compressing(&photo));
        assert!(!is_worth_compressing(&photo[..4096]));
        assert!(is_worth_compressing(&photo[..4095]), "what is short is compressed to see what it gains");
        photo[0] = 0;
        assert!(is_worth_compressing(&photo));
    }
}
