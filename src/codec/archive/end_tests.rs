//! The end of an archive in both its forms, which must say the same.

use std::io::Cursor;

use super::catalogue;
use super::limits::Limits;
use super::local;
use super::record::{self, Header, Method};
use crate::ErrorKind;

/// An archive of one empty file whose end record stands in both forms, and where the zip64 one begins.
fn ended_twice() -> (Vec<u8>, usize) {
    let header = Header {
        name: "report.txt",
        method: Method::Stored,
        is_directory: false,
        has_descriptor: false,
        crc32: 0,
        compressed: 0,
        inflated: 0,
        offset: 0,
    };
    let (local, central) = (header.local(), header.central());
    let end64_at = local.len() + central.len();
    let (start, size) = (local.len() as u64, central.len() as u64);
    let numbers = [1, 1, size, start].map(u64::to_le_bytes).concat();
    let end64 = [&record::END64_SIGNATURE[..], &44_u64.to_le_bytes(), &[45, 3, 45, 0], &[0; 8], &numbers];
    let place = (start + size).to_le_bytes();
    let locator = [&record::LOCATOR_SIGNATURE[..], &[0; 4], &place, &[1, 0, 0, 0]];
    let bytes = [local, central, end64.concat(), locator.concat(), record::end(1, start, size)];
    (bytes.concat(), end64_at)
}

#[test]
fn a_zip64_end_that_differs_in_one_number_alone_is_refused() {
    let (honest, end64) = ended_twice();
    let locator = end64 + record::END64_LENGTH;
    let plain = locator + record::LOCATOR_LENGTH;
    let read = |bytes: &[u8]| catalogue::read(&mut Cursor::new(bytes), &Limits::default(), local::hold);
    assert_eq!(read(&honest).unwrap().len(), 1);
    for marked in [plain + 8..plain + 12, plain + 12..plain + 16, plain + 16..plain + 20] {
        let mut bytes = honest.clone();
        bytes[marked.clone()].fill(0xff);
        assert!(read(&bytes).is_ok(), "the plain record leaves {marked:?} to the other");
    }
    let (here, entries) = (end64 + 24, end64 + 32);
    for lie in [
        &[end64 + 16][..],
        &[end64 + 20],
        &[here],
        &[entries],
        &[here, entries],
        &[end64 + 40],
        &[end64 + 48],
        &[locator + 4],
        &[locator + 8],
        &[locator + 16],
        &[plain + 8, plain + 10],
        &[plain + 12],
        &[plain + 16],
    ] {
        let mut bytes = honest.clone();
        lie.iter().for_each(|at| bytes[*at] += 1);
        let kind = read(&bytes).map_err(|error| error.kind()).unwrap_err();
        assert_eq!(kind, ErrorKind::InconsistentArchive, "{lie:?}");
    }
}
