//! Any bytes into an archive and out again: the same bytes, with the digest that was told.
#![no_main]

use std::io::Cursor;

use claimwire::codec::{ArchiveReader, ArchiveWriter, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|contents: Vec<Vec<u8>>| {
    let mut archive = ArchiveWriter::new(Vec::new());
    let written: Vec<_> = contents
        .iter()
        .enumerate()
        .map(|(index, content)| archive.add(&format!("{index}.txt"), &content[..]).expect("bytes in memory"))
        .collect();
    let archive = archive.finish().expect("a vector takes all");
    let mut archive = ArchiveReader::open(Cursor::new(archive), &Limits::default()).expect("our own archive");
    for (index, (content, written)) in contents.iter().zip(written).enumerate() {
        let mut read = Vec::new();
        assert_eq!(archive.read(&format!("{index}.txt"), &mut read).expect("our own entry"), written);
        assert_eq!(read, *content);
    }
});
