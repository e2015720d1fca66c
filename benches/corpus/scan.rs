//! Documents that do not compress: the beginnings that the formats have, then noise where they hold compressed data.

use super::Random;

/// How much of a scan is made at a time.
const PART: usize = 64 << 10;

/// The JPEG interchange format: the header segments, then what an entropy coder would have written.
pub fn photo(number: u64, random: &mut Random, output: &mut Vec<u8>) {
    if number == 0 {
        output.extend(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x00\x00");
        for table in 0..2 {
            output.extend([0xff, 0xdb, 0, 67, table]);
            output.extend((0..64_u8).map(|position| 2 + position * (1 + table) / 2));
        }
        output.extend(b"\xff\xc0\x00\x11\x08\x0c\x00\x10\x00\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01");
        output.extend(b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00");
    }
    let start = output.len();
    noise(PART, random, output);
    // Inside the data, 0xff begins a marker unless 0 follows.
    for pair in output.get_mut(start..).unwrap_or_default().chunks_exact_mut(2) {
        if pair.first() == Some(&0xff) {
            pair.copy_from_slice(&[0xff, 0]);
        }
    }
}

/// A PDF: plain objects for each page, and a compressed stream with its picture.
pub fn pdf(number: u64, random: &mut Random, output: &mut Vec<u8>) {
    if number == 0 {
        output.extend(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
    }
    let object = 3 * number + 3;
    let length = PART + usize::try_from(random.below(PART as u64)).unwrap_or_default();
    let page = format!(
        "{object} 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {} 0 R/Resources<</Font<</F1 {} 0 R>>>>>>\n\
         endobj\n{} 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>\nendobj\n\
         {} 0 obj\n<</Filter/FlateDecode/Length {length}>>\nstream\n\x78\x01",
        object + 2,
        object + 1,
        object + 1,
        object + 2,
    );
    output.extend(page.bytes());
    noise(length, random, output);
    output.extend(b"\nendstream\nendobj\n");
}

/// An office document, which is a zip archive of deflated parts.
pub fn office(number: u64, random: &mut Random, output: &mut Vec<u8>) {
    let name = match number {
        0 => "[Content_Types].xml".to_owned(),
        1 => "word/document.xml".to_owned(),
        _ => format!("word/media/image{}.png", number - 1),
    };
    let length = if number == 0 { 1 << 10 } else { PART };
    output.extend(b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00");
    output.extend(random.next().to_le_bytes().iter().take(4));
    for size in [length, 6 * length] {
        output.extend(u32::try_from(size).unwrap_or_default().to_le_bytes());
    }
    output.extend(u16::try_from(name.len()).unwrap_or_default().to_le_bytes());
    output.extend([0, 0]);
    output.extend(name.bytes());
    noise(length, random, output);
}

fn noise(length: usize, random: &mut Random, output: &mut Vec<u8>) {
    let end = output.len() + length;
    while output.len() < end {
        output.extend(random.next().to_le_bytes());
    }
    output.truncate(end);
}
