//! Of the documents that are packed and unpacked nothing is left in memory: not in the buffers, windows and tables that they
//! pass through.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, reason = "of numbers below 16")]

use std::io;
use std::num::NonZeroUsize;

use self::process::{Lent, found, playing};
use super::archive::SharedArchive;
use super::plaintext::Plaintext;
use super::relay::Relay;
use super::{ArchiveWriter, DesMd5Key, Encryptor, Framing, Limits, OpeningKey, PackOptions, encrypt_bytes};

#[path = "../../tests/wiped_memory/process.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
pub(in crate::codec) mod process;

/// As much of a document is sought. Of the end of what is worked on at once, 64 bytes may be left on the stack: in the hash,
/// or where a vector register was spilled to.
const SOUGHT: usize = 64 * 1024;

fn key() -> DesMd5Key {
    DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap()
}

fn options() -> PackOptions {
    PackOptions::default().with_threads(NonZeroUsize::MIN)
}

/// Text that compresses, in letters that stand together nowhere else.
fn report() -> Vec<u8> {
    let letters =
        |line: u32| (0..8).map(move |at| b'G' + (line.wrapping_mul(0x9e37_79b1) >> (4 * at) & 15) as u8);
    (1..6_000).flat_map(|line| letters(line).chain(letters(!line)).chain(*b" WINDSCREEN\n")).collect()
}

/// Bytes that do not compress.
fn scan() -> Vec<u8> {
    let mut scan = vec![0; 150_000];
    getrandom::fill(&mut scan).unwrap();
    scan
}

#[test]
#[ignore = "the other test starts it"]
fn a_process_that_looks_through_its_memory() {
    process::play(play);
}

fn play(case: &str, lent: &Lent) -> Vec<u8> {
    match case {
        "packed" => {
            let sealed = Encryptor::new(&key().into(), io::sink()).unwrap();
            let mut archive = ArchiveWriter::with_options(sealed, &options());
            for name in ["report", "scan"] {
                lent.lend(name, |content| archive.add(name, content)).unwrap();
            }
            archive.finish().unwrap().finish().unwrap();
        }
        "unpacked" => {
            let sealed = lent.lend("sealed", <[u8]>::to_vec);
            let (sealed, key) = (sealed.as_slice(), OpeningKey::from(key()));
            let plaintext = Plaintext::of_bytes(&key, &sealed, &()).unwrap();
            let mut archive =
                SharedArchive::open(&plaintext, &Limits::default(), NonZeroUsize::MIN, &Relay::new(&()))
                    .unwrap();
            for name in ["report", "scan"] {
                archive.read(name, io::sink()).unwrap();
            }
        }
        other => panic!("no such case: {other}"),
    }
    Vec::new()
}

#[test]
fn of_documents_nothing_is_left_where_they_passed() {
    let documents = [("report", report()), ("scan", scan())];
    let mut archive = ArchiveWriter::with_options(Vec::new(), &options());
    for (name, content) in &documents {
        archive.add(name, &content[..]).unwrap();
    }
    let sealed = encrypt_bytes(&key().into(), &archive.finish().unwrap()).unwrap();
    let sought = documents.clone().map(|(name, content)| (name, content[..SOUGHT].to_vec()));
    for (case, lent) in [("packed", &documents[..]), ("unpacked", &[("sealed", sealed)])] {
        let process = playing("codec::wiped_tests::a_process_that_looks_through_its_memory", case);
        let found = found(process, lent, |_| sought.to_vec());
        assert!(found.is_empty(), "{case}: {found:#?}");
    }
}
