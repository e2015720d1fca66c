//! Archives that attack or contradict themselves: each is refused by its own kind, and nothing is left behind.

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::raw_zip::{RawEntry, archive, archive_ending};
use claimwire::ErrorKind;
use claimwire::codec::{ArchiveReader, Limits, compress_bytes, decompress, decompress_bytes};
use proptest::prelude::*;

/// Unpacks into a directory that is not there, expects `kind`, and looks whether anything was left behind.
#[track_caller]
fn assert_refused_within(bytes: &[u8], limits: &Limits, kind: ErrorKind) {
    let around = tempfile::tempdir().unwrap();
    let target = around.path().join("unpacked");
    let error = decompress(bytes, &target, limits, &()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0, "something was left behind");
    assert_eq!(decompress_bytes(bytes, limits).unwrap_err().kind(), kind);
}

#[track_caller]
fn assert_refused(bytes: &[u8], kind: ErrorKind) {
    assert_refused_within(bytes, &Limits::default(), kind);
}

/// Expects that the error says so.
#[track_caller]
fn assert_says(bytes: &[u8], what: &str) {
    let error = decompress_bytes(bytes, &Limits::default()).unwrap_err().to_string();
    assert!(error.contains(what), "{error}");
}

fn report() -> RawEntry {
    RawEntry::stored("report.txt", b"The windscreen is cracked.")
}

#[test]
fn an_honest_archive_of_this_builder_is_taken() {
    let entries = [report(), RawEntry::deflated("bill.csv", &[b';'; 5_000]), RawEntry::stored("empty/", b"")];
    let files = decompress_bytes(&archive(&entries), &Limits::default()).unwrap();
    assert_eq!(files[0], ("report.txt".to_owned(), b"The windscreen is cracked.".to_vec()));
    assert_eq!(files[1], ("bill.csv".to_owned(), vec![b';'; 5_000]));
    assert_eq!(files.len(), 2);
    assert!(decompress_bytes(&archive(&[]), &Limits::default()).unwrap().is_empty());
}

#[test]
fn names_that_leave_the_directory_or_cannot_be_written_are_refused() {
    for name in [
        "",
        "/",
        "//",
        "/etc/passwd",
        "C:/windows/x",
        "C:x",
        "..",
        "../x",
        "a/../../x",
        "a/./b",
        ".",
        "a//b",
        "\\x",
        "a\\..\\x",
        "x:stream",
        "NUL",
        "com1.txt",
        "name.",
        "name ",
        "a/dir./b",
        "fdp\u{202e}exe.txt",
        "line\nbreak",
        "nul\0byte",
    ] {
        assert_refused(&archive(&[report(), RawEntry::stored(name, b"x")]), ErrorKind::HostileName);
    }
    let long = "n".repeat(256);
    assert_refused(&archive(&[RawEntry::stored(long, b"x")]), ErrorKind::HostileName);
    let not_utf8 = RawEntry::stored(b"Gutachten M\x81ller.txt", b"x").with(|entry| entry.flags = 0);
    assert_refused(&archive(&[not_utf8]), ErrorKind::HostileName);
}

#[test]
fn names_that_meet_on_some_file_system_are_refused() {
    for (one, other) in [
        ("a.txt", "a.txt"),
        ("a.txt", "A.TXT"),
        ("é", "e\u{301}"),
        ("a", "a/b"),
        ("A/x", "a/y"),
        ("d/", "D/x"),
    ] {
        let bytes = archive(&[RawEntry::stored(one, b""), RawEntry::stored(other, b"")]);
        assert_refused(&bytes, ErrorKind::InconsistentArchive);
    }
}

#[test]
fn a_unicode_path_field_cannot_smuggle_a_name() {
    let mut field = vec![0x75, 0x70, 15, 0, 1];
    field.extend(crc32fast::hash(b"report.txt").to_le_bytes());
    field.extend(b"../etc/pw!");
    let entry = report().with(|entry| (entry.flags, entry.extra) = (0, field));
    assert_refused(&archive(&[entry]), ErrorKind::HostileName);
}

/// An extra field of so many bytes with its head.
fn extra_field(id: u16, length: u16) -> Vec<u8> {
    let content = vec![0; usize::from(length) - 4];
    [&id.to_le_bytes()[..], &(length - 4).to_le_bytes(), &content].concat()
}

/// The name `name` in UTF-8, beside one that is not (4.6.9).
fn unicode_path(name: &str, raw_name: &[u8]) -> Vec<u8> {
    let length = (5 + name.len() as u16).to_le_bytes();
    [b"up", &length[..], &[1], &crc32fast::hash(raw_name).to_le_bytes(), name.as_bytes()].concat()
}

#[test]
fn what_stands_beside_a_name_in_the_directory_is_bounded() {
    let with_extra = |extra: Vec<u8>| report().with(|entry| entry.extra = extra);
    let with_comment = |length| report().with(|entry| entry.comment = vec![b'!'; length]);
    let with_raw_name = |length| {
        let raw = vec![0xe9; length];
        let extra = unicode_path("report.txt", &raw);
        report().with(|entry| (entry.name, entry.flags, entry.extra) = (raw, 0, extra))
    };
    for (taken, beyond) in [
        (with_extra(extra_field(0xcafe, 4).repeat(16)), with_extra(extra_field(0xcafe, 4).repeat(17))),
        (with_extra(extra_field(0xcafe, 1536)), with_extra(extra_field(0xcafe, 1537))),
        (with_comment(512), with_comment(513)),
        (with_raw_name(3073), with_raw_name(3074)),
    ] {
        assert_eq!(decompress_bytes(&archive(&[taken]), &Limits::default()).unwrap()[0].0, "report.txt");
        let refused = archive(&[beyond]);
        assert_refused(&refused, ErrorKind::UnsupportedArchive);
        assert_says(&refused, "entry `report.txt` has");
    }
}

#[test]
fn all_that_common_tools_write_beside_a_name_is_taken_together() {
    let raw = "#U5199#U771f".repeat(100);
    let name = "写真".repeat(100);
    let limits = Limits::default().with_name_length(600);
    let fields = [
        extra_field(0x5455, 17), // times, Info-ZIP
        extra_field(0x7875, 15), // the owner, Info-ZIP
        extra_field(0x000a, 36), // times, NTFS
        extra_field(0xcafe, 4),  // Java
        unicode_path(&name, raw.as_bytes()),
    ];
    let entry = RawEntry::stored(&raw, b"x").with(|entry| {
        (entry.flags, entry.extra) = (0, fields.concat());
        entry.comment = b"Taken at the site.".to_vec();
    });
    assert_eq!(decompress_bytes(&archive(&[entry]), &limits).unwrap()[0].0, name);
}

/// Gives so many pieces, then fails as a network drive does.
struct Failing<R>(R, usize);

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1.checked_sub(1).ok_or(io::ErrorKind::TimedOut)?;
        self.0.read(buffer)
    }
}

impl<R: Seek> Seek for Failing<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_input_that_fails_anywhere_is_no_fault_of_the_archive() {
    let long = |number: usize| RawEntry::stored(format!("{number}/{}", "n".repeat(200)), b"x");
    let bytes = archive(&(0..50).map(long).collect::<Vec<_>>());
    let open = |reads| ArchiveReader::open(Failing(Cursor::new(&bytes), reads), &Limits::default());
    let failed = (0..).map_while(|reads| open(reads).err());
    let failed =
        failed.inspect(|error| assert!(error.kind() == ErrorKind::Io && error.is_retryable(), "{error}"));
    assert!(failed.count() > 100, "each local header is read by itself");
}

#[test]
fn links_and_devices_are_refused() {
    for mode in [0o120_777_u32, 0o020_666, 0o010_644, 0o140_755] {
        let entry = report().with(|entry| entry.attributes = mode << 16);
        assert_refused(&archive(&[entry]), ErrorKind::UnsupportedArchive);
    }
    let link = report().with(|entry| entry.attributes = 0o120_777 << 16);
    assert_says(&archive(&[link]), "is a symbolic link");
    let directory_by_mode = report().with(|entry| entry.attributes = 0o040_755 << 16);
    assert_refused(&archive(&[directory_by_mode]), ErrorKind::InconsistentArchive);
    let file_by_mode = RawEntry::stored("dir/", b"").with(|entry| entry.attributes = 0o100_644 << 16);
    assert_refused(&archive(&[file_by_mode]), ErrorKind::InconsistentArchive);
}

#[test]
fn a_directory_with_content_is_refused() {
    assert_refused(&archive(&[RawEntry::stored("dir/", b"hidden")]), ErrorKind::InconsistentArchive);
    let deflated = |data: &[u8]| {
        let empty = RawEntry::stored("dir/", b"");
        empty.with(|entry| (entry.method, entry.data) = (8, data.to_vec()))
    };
    assert!(decompress_bytes(&archive(&[deflated(&[3, 0])]), &Limits::default()).unwrap().is_empty());
    for lie in [
        deflated(&[3, 0]).with(|entry| entry.inflated = 1),
        deflated(&[3, 0]).with(|entry| entry.crc32 = 1),
        deflated(&[3, 0, 0]),
    ] {
        assert_refused(&archive(&[lie]), ErrorKind::InconsistentArchive);
    }
}

#[test]
fn encrypted_patched_and_otherwise_compressed_entries_are_refused() {
    for flag in [1, 1 << 5, 1 << 6, 1 << 13] {
        let entry = report().with(|entry| entry.flags |= flag);
        assert_refused(&archive(&[entry]), ErrorKind::UnsupportedArchive);
    }
    for method in [1, 9, 12, 14, 98, 99] {
        let entry = report().with(|entry| entry.method = method);
        assert_refused(&archive(&[entry]), ErrorKind::UnsupportedArchive);
    }
}

#[test]
fn content_longer_or_shorter_than_declared_is_refused() {
    for declared in [0, 4_999, 5_001, 1_000_000] {
        let entry = RawEntry::deflated("bill.csv", &[b';'; 5_000]).with(|entry| entry.inflated = declared);
        assert_refused(&archive(&[report(), entry]), ErrorKind::InconsistentArchive);
    }
    let stored = report().with(|entry| entry.inflated -= 1);
    assert_refused(&archive(&[stored]), ErrorKind::InconsistentArchive);
}

#[test]
fn changed_content_is_refused() {
    let stored = report().with(|entry| entry.data[3] ^= 1);
    assert_refused(&archive(&[stored]), ErrorKind::Altered);
    let not_deflate = RawEntry::deflated("bill.csv", &[b';'; 5_000]).with(|entry| entry.data[0] = 0xff);
    assert_refused(&archive(&[not_deflate]), ErrorKind::Altered);
    let cut = RawEntry::deflated("bill.csv", &[b';'; 5_000]).with(|entry| entry.data.truncate(10));
    assert_refused(&archive(&[cut]), ErrorKind::Altered);
}

#[test]
fn bytes_after_the_compressed_content_are_refused() {
    let entry = RawEntry::deflated("bill.csv", &[b';'; 5_000]).with(|entry| entry.data.push(0));
    assert_refused(&archive(&[entry]), ErrorKind::InconsistentArchive);
}

#[test]
fn local_headers_that_differ_from_the_directory_are_refused() {
    let lies: [fn(&mut RawEntry); 3] = [
        |entry| entry.local_name = Some(b"other.txt".to_vec()),
        |entry| entry.local_method = Some(8),
        |entry| entry.local_inflated = Some(3),
    ];
    for lie in lies {
        assert_refused(&archive(&[report().with(lie)]), ErrorKind::InconsistentArchive);
    }
    let not_measured = report().with(|entry| entry.local_inflated = Some(0));
    assert_refused(&archive(&[not_measured]), ErrorKind::InconsistentArchive);
    // Encrypted, with a descriptor, strongly encrypted, in UTF-8.
    for flag in [1_u16, 1 << 3, 1 << 6, 1 << 11] {
        let mut bytes = archive(&[report()]);
        let local = u16::from_le_bytes([bytes[6], bytes[7]]) ^ flag;
        bytes[6..8].copy_from_slice(&local.to_le_bytes());
        assert_refused(&bytes, ErrorKind::InconsistentArchive);
    }
}

#[test]
fn a_local_header_leaves_to_its_descriptor_all_it_does_not_know_and_nothing_else() {
    let streamed = |local_inflated| {
        report().with(|entry| {
            entry.flags |= 1 << 3;
            entry.local_inflated = Some(local_inflated);
            let descriptor = [entry.crc32, entry.data.len() as u32, entry.inflated];
            entry.after_data = descriptor.map(u32::to_le_bytes).concat();
        })
    };
    assert_eq!(decompress_bytes(&archive(&[streamed(0)]), &Limits::default()).unwrap().len(), 1);
    assert_refused(&archive(&[streamed(3)]), ErrorKind::InconsistentArchive);
}

#[test]
fn entries_that_lie_outside_the_archive_are_refused() {
    let far = RawEntry::stored("far.txt", b"2").with(|entry| entry.offset = Some(100_000));
    let mut bytes = archive(&[report(), far]);
    // The first says, in both its headers, that it reaches to where the second says that it begins.
    let central = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    for sizes in [18, central + 20] {
        bytes[sizes..sizes + 8].copy_from_slice(&[50_000_u32.to_le_bytes(); 2].concat());
    }
    assert_refused(&bytes, ErrorKind::InconsistentArchive);
}

#[test]
fn bytes_that_belong_to_nothing_are_refused() {
    let second = RawEntry::stored("second.txt", b"2");
    let before = report().with(|entry| entry.before_header = b"#!/bin/sh\n".to_vec());
    assert_refused(&archive(&[before]), ErrorKind::InconsistentArchive);
    let between = report().with(|entry| entry.after_data = b"between".to_vec());
    assert_refused(&archive(&[between, second.clone()]), ErrorKind::InconsistentArchive);
    let before_directory = second.with(|entry| entry.after_data = b"x".to_vec());
    assert_refused(&archive(&[report(), before_directory]), ErrorKind::InconsistentArchive);
    assert_refused(&[&archive(&[report()])[..], b"after"].concat(), ErrorKind::InconsistentArchive);
    assert_refused(&[b"before", &archive(&[report()])[..]].concat(), ErrorKind::InconsistentArchive);
}

#[test]
fn a_descriptor_that_says_something_else_is_refused() {
    let entry = report().with(|entry| {
        entry.flags |= 1 << 3;
        entry.after_data = b"PK\x07\x08".to_vec();
        entry.after_data.extend([0; 12]);
    });
    assert_refused(&archive(&[entry]), ErrorKind::InconsistentArchive);
}

#[test]
fn entries_hidden_from_the_directory_are_refused() {
    let hidden = RawEntry::stored("hidden.txt", b"?").with(|entry| entry.in_directory = false);
    assert_refused(&archive(&[report(), hidden]), ErrorKind::InconsistentArchive);
    let two = [report(), RawEntry::stored("second.txt", b"2")];
    assert_refused(&archive_ending(&two, |end| end.entries = 1), ErrorKind::InconsistentArchive);
    assert_refused(&archive_ending(&two, |end| end.entries = 3), ErrorKind::InconsistentArchive);
    assert_refused(&archive_ending(&two, |end| end.size -= 5), ErrorKind::InconsistentArchive);
    assert_refused(&archive_ending(&two, |end| end.offset += 1), ErrorKind::InconsistentArchive);
    let honest = archive(&two);
    let end = honest.len() - 22;
    let longer = archive_ending(&two, |end| end.size += 1);
    assert_refused(&[&honest[..end], b"?", &longer[end..]].concat(), ErrorKind::InconsistentArchive);
}

#[test]
fn overlapping_entries_are_refused() {
    let same = [report(), RawEntry::stored("second.txt", b"2").with(|entry| entry.offset = Some(0))];
    assert_refused(&archive(&same), ErrorKind::InconsistentArchive);
    // The first entry's data swallows the second entry whole, header and all.
    let inner = RawEntry::stored("inner.txt", b"2");
    let swallowed = archive(std::slice::from_ref(&inner))[..30 + 9 + 1].to_vec();
    let outer = RawEntry::stored("outer.bin", &swallowed);
    let offset = (30 + 9) as u32;
    let bytes = archive(&[outer, inner.with(|entry| entry.offset = Some(offset))]);
    assert_refused(&bytes, ErrorKind::InconsistentArchive);
}

#[test]
fn comments_and_split_archives_are_refused() {
    let commented = archive_ending(&[report()], |end| end.comment = b"hello".to_vec());
    assert_refused(&commented, ErrorKind::UnsupportedArchive);
    assert_refused(&commented[..commented.len() - 2], ErrorKind::Truncated);
    assert_refused(&[commented.as_slice(), b"!"].concat(), ErrorKind::InconsistentArchive);
    let mut split = archive(&[report()]);
    let disk = split.len() - 18;
    split[disk] = 1;
    assert_refused(&split, ErrorKind::UnsupportedArchive);
    assert_says(&split, "one part of several");
}

#[test]
fn a_zip64_record_that_disagrees_is_refused() {
    let honest = archive(&[report()]);
    let end = honest.len() - 22;
    let mut bytes = honest[..end].to_vec();
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for field in [9_u64, 9, 0, 0] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((end as u64).to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(&honest[end..]);
    assert_refused(&bytes, ErrorKind::InconsistentArchive);
}

#[test]
fn what_is_no_archive_or_ends_early_is_told_apart() {
    for bytes in [&b""[..], b"not a zip archive, but the text of a letter", &[0x37; 4096]] {
        let kind = if bytes.is_empty() { ErrorKind::Truncated } else { ErrorKind::NotAnArchive };
        assert_refused(bytes, kind);
    }
    let whole = archive(&[report(), RawEntry::deflated("bill.csv", &[b';'; 5_000])]);
    for length in [4, 30, 60, whole.len() - 22, whole.len() - 1] {
        assert_refused(&whole[..length], ErrorKind::Truncated);
    }
}

#[test]
fn the_end_is_looked_for_as_far_from_it_as_the_longest_comment_reaches() {
    let whole = archive(&[report()]);
    assert_refused(&[&whole[..], &[0; 65_535]].concat(), ErrorKind::InconsistentArchive);
    assert_refused(&[&whole[..], &[0; 65_536]].concat(), ErrorKind::Truncated);
}

#[test]
fn too_many_entries_are_refused_before_any_is_read() {
    let three = archive(&[report(), RawEntry::stored("2", b""), RawEntry::stored("3", b"")]);
    assert_refused_within(&three, &Limits::default().with_entries(2), ErrorKind::TooManyEntries);
    assert!(decompress_bytes(&three, &Limits::default().with_entries(3)).is_ok());
    // The number alone is enough: no directory of that size has to be there.
    let announced = archive_ending(&[report()], |end| end.entries = 20_001);
    assert_refused(&announced, ErrorKind::TooManyEntries);
}

#[test]
fn too_many_directories_are_refused_before_any_is_made() {
    let deep = ["d/".repeat(60), "e/".repeat(60)].map(|path| RawEntry::stored(path + "file", b""));
    assert_refused_within(&archive(&deep), &Limits::default().with_entries(119), ErrorKind::TooManyEntries);
    assert!(decompress_bytes(&archive(&deep), &Limits::default().with_entries(120)).is_ok());
}

#[test]
fn archives_that_inflate_too_far_are_refused() {
    let two = archive(&[report(), RawEntry::deflated("zeros", &[0; 100_000])]);
    let limits = Limits::default().with_inflated_size(100_000);
    assert_refused_within(&two, &limits, ErrorKind::InflatedTooLarge);
    assert!(decompress_bytes(&two, &limits.with_inflated_size(100_026)).is_ok());
    let declared_far = report().with(|entry| {
        entry.method = 8;
        entry.inflated = u32::MAX - 1;
    });
    assert_refused(&archive(&[declared_far]), ErrorKind::InflatedTooLarge);
}

#[test]
fn an_archive_longer_than_any_within_the_limits_is_not_even_kept() {
    let around = tempfile::tempdir().unwrap();
    let limits = Limits::default().with_inflated_size(100).with_entries(1);
    let endless = io::repeat(b'P');
    let error = decompress(endless, &around.path().join("x"), &limits, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InflatedTooLarge, "{error}");
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
}

#[test]
fn a_bomb_is_known_by_its_ratio() {
    let bomb = archive(&[RawEntry::deflated("bomb", &vec![0; 65 * 1024 * 1024])]);
    assert!(bomb.len() < 80_000);
    let around = tempfile::tempdir().unwrap();
    let error = decompress(&bomb[..], &around.path().join("x"), &Limits::default(), &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InflatedTooLarge, "{error}");
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_or_cut_archive_never_panics_and_never_gives_other_content(
        position in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<bool>(),
    ) {
        let files = [("a.txt", b"short".to_vec()), ("ä/b.csv", b"line;".repeat(400)), ("c.jpg", b"\xff\xd8\xff".repeat(2000))];
        let mut bytes = compress_bytes(files.iter().map(|(name, content)| (name, content))).unwrap();
        let position = position.index(bytes.len());
        if cut {
            bytes.truncate(position);
        } else {
            bytes[position] ^= 1_u8 << bit;
        }
        if let Ok(read) = decompress_bytes(&bytes, &Limits::default()) {
            // Only fields without meaning for the content can change unseen: times, versions, modes.
            for ((name, content), (read_name, read_content)) in files.iter().zip(&read) {
                prop_assert_eq!(name, read_name);
                prop_assert!(content == read_content);
            }
            prop_assert_eq!(read.len(), files.len());
        }
    }

    #[test]
    fn no_bytes_from_outside_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), ends in any::<bool>()) {
        if ends {
            bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
            let size = u32::try_from(bytes.len()).unwrap() - 12;
            bytes.extend(size.to_le_bytes());
            bytes.extend([0; 6]);
        }
        let _ = decompress_bytes(&bytes, &Limits::default());
    }
}
