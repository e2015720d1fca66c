//! A claim's documents, made from a fixed seed: the same bytes on every machine.
//!
//! Of the bytes, 60 percent are scans, PDFs and office files, which do not compress, and 40 percent are text reports and
//! bills, which `zip -6` makes about three times smaller. Sizes run from 2 KB to 3 MB, roughly log-normal, about 250 KB
//! in the mean, so that 252.7 MB are about 1,000 documents. Names begin with the number under which a document came in:
//! sorted by name, what compresses and what does not follow each other as they do in a claim.

// Each program uses its part of this module.
#![allow(dead_code, unreachable_pub)]

mod scan;
mod text;
mod words;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The corpus that the figures of docs/performance.md are about.
pub const CLAIM: u64 = 252_700_000;

const SEED: u64 = 0x636c_6169_6d77_6972;
const SMALLEST: u64 = 2_000;
const LARGEST: u64 = 3_000_000;

/// One document: a recipe that is small, for bytes that are not.
#[derive(Clone, Debug)]
pub struct Document {
    pub name: String,
    pub length: u64,
    kind: Kind,
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Photo,
    Pdf,
    Office,
    Report,
    Bill,
}

/// The documents of a claim of `total` bytes, in the order of their names.
pub fn claim(total: u64) -> Vec<Document> {
    let mut random = Random::new(SEED);
    let mut documents = Vec::new();
    let (mut made, mut incompressible) = (0, 0);
    while made < total {
        let is_behind = incompressible * 10 <= made * 6;
        let is_scan = random.below(100) < if is_behind { 70 } else { 30 };
        let kind = match (is_scan, random.below(100)) {
            (true, 0..50) => Kind::Photo,
            (true, 50..85) => Kind::Pdf,
            (true, _) => Kind::Office,
            (false, 0..50) => Kind::Report,
            (false, _) => Kind::Bill,
        };
        let size = random.size(if is_scan { 280_000 } else { 104_000 });
        // A small claim is one of small documents, so that it has of both kinds.
        let length = size.min(total / 4).max(SMALLEST).min(total - made);
        documents.push(Document {
            name: name(documents.len() + 1, kind, &mut random),
            length,
            kind,
            seed: random.next(),
        });
        made += length;
        incompressible += if is_scan { length } else { 0 };
    }
    documents
}

/// One document of `length` bytes that compresses.
pub fn report(length: u64) -> Document {
    Document {
        name: "00001 2026-02-03 claims history.txt".to_owned(),
        length,
        kind: Kind::Report,
        seed: SEED,
    }
}

/// One document of `length` bytes that does not compress.
pub fn photo(length: u64) -> Document {
    Document { name: "00001 2026-02-03 front left.jpg".to_owned(), length, kind: Kind::Photo, seed: SEED }
}

/// Writes `documents` into `directory`, which is made when it is not there.
pub fn write(documents: &[Document], directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for document in documents {
        let mut file = BufWriter::new(File::create(directory.join(&document.name))?);
        document.write(&mut file)?;
        file.flush()?;
    }
    Ok(())
}

impl Document {
    /// Writes the bytes of the document to `output`.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let mut random = Random::new(self.seed);
        let mut rest = self.length;
        let mut part = Vec::new();
        for number in 0.. {
            part.clear();
            match self.kind {
                Kind::Photo => scan::photo(number, &mut random, &mut part),
                Kind::Pdf => scan::pdf(number, &mut random, &mut part),
                Kind::Office => scan::office(number, &mut random, &mut part),
                Kind::Report => text::report(number, &mut random, &mut part),
                Kind::Bill => text::bill(number, &mut random, &mut part),
            }
            let taken = usize::try_from(rest).unwrap_or(usize::MAX).min(part.len());
            output.write_all(part.get(..taken).unwrap_or_default())?;
            rest -= taken as u64;
            if rest == 0 {
                break;
            }
        }
        Ok(())
    }

    /// The bytes of the document.
    pub fn content(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(usize::try_from(self.length).unwrap_or_default());
        self.write(&mut content)?;
        Ok(content)
    }
}

fn name(number: usize, kind: Kind, random: &mut Random) -> String {
    let (subjects, extension): (&[&str], &str) = match kind {
        Kind::Photo => (&["front left", "Heckschaden", "odometer", "Fahrgestellnummer", "scene"], "jpg"),
        Kind::Pdf => (&["Gutachten", "signed mandate", "X-ray", "Kostenvoranschlag", "letter"], "pdf"),
        Kind::Office => {
            (&["Stellungnahme", "calculation", "statement of the witness", "Aktenvermerk"], "docx")
        }
        Kind::Report => (&["assessment", "Befundbericht", "call notes", "Unfallhergang", "history"], "txt"),
        Kind::Bill => {
            (&["repair bill", "Rechnung", "physiotherapy", "Mietwagen", "Reparaturpositionen"], "csv")
        }
    };
    let (month, day) = (1 + random.below(12), 1 + random.below(28));
    format!("{number:05} 2026-{month:02}-{day:02} {}.{extension}", random.of(subjects))
}

/// SplitMix64 (Steele, Lea and Flood 2014): whole numbers only, so that no machine rounds differently.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of `choices`; the empty word when there is none.
    pub fn of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        let index = usize::try_from(self.next() % (choices.len().max(1) as u64)).unwrap_or_default();
        choices.get(index).copied().unwrap_or_default()
    }

    /// A size around `median`: the logarithm is the sum of four throws, which is close enough to a bell.
    fn size(&mut self, median: u64) -> u64 {
        let throws: u64 = (0..4).map(|_| self.below(1 << 16)).sum();
        // 2 to the power of -5 to 5, with the fraction taken as linear between whole exponents.
        let exponent = throws * 10 / 4;
        let (whole, fraction) = (exponent >> 16, exponent & 0xffff);
        let scaled = (median << whole) / 32;
        (scaled + ((scaled * fraction) >> 16)).clamp(SMALLEST, LARGEST)
    }
}
