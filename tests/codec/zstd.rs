//! Archives with Zstandard entries: they come back by every path, are the same on any number of threads, are read by other
//! people's programs, and hostile frames are refused as hostile deflate is.

use crate::noise::noise;
use crate::peers::{self, assert_same_contents, attempt, contents, find, run};
use crate::raw_zip::{RawEntry, archive};
use claimwire::ErrorKind;
use claimwire::codec::{
    AgeIdentity, ArchiveReader, ArchiveWriter, Compression, EntryDigest, Limits, PackOptions, UnpackOptions,
    decompress, decompress_bytes, decrypt_bytes, pack, pack_file, unpack_file, unpack_stream,
};
use proptest::prelude::*;
use std::fs;
use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const DEFLATED: u16 = 8;
const ZSTD: u16 = 93;

fn zstd() -> PackOptions {
    PackOptions::default().with_compression(Compression::Zstd)
}

fn threads(number: usize) -> PackOptions {
    zstd().with_threads(NonZeroUsize::new(number).unwrap())
}

/// A bill that compresses as bills do.
fn bill(length: usize) -> Vec<u8> {
    let mut bill = Vec::with_capacity(length + 64);
    for row in 0_u64.. {
        if bill.len() >= length {
            break;
        }
        bill.extend(format!("{row};{};windscreen;{}.50;EUR\n", row * 7919 % 1000, row * row % 997).bytes());
    }
    bill.truncate(length);
    bill
}

fn archive_of(files: &[(String, Vec<u8>)], options: &PackOptions) -> Vec<u8> {
    let mut archive = ArchiveWriter::with_options(Vec::new(), options);
    for (name, content) in files {
        archive.queue(name, &content[..]).unwrap();
    }
    archive.finish().unwrap()
}

/// The method of each entry, and the version that it needs, as the directory says.
fn methods(archive: &[u8]) -> Vec<(u16, u16)> {
    let number = |at: usize| u16::from_le_bytes([archive[at], archive[at + 1]]);
    let end = archive.len() - 22;
    let mut at = u32::from_le_bytes(archive[end + 16..end + 20].try_into().unwrap()) as usize;
    let mut methods = Vec::new();
    while archive[at..].starts_with(b"PK\x01\x02") {
        methods.push((number(at + 10), number(at + 6)));
        at += 46 + usize::from(number(at + 28)) + usize::from(number(at + 30)) + usize::from(number(at + 32));
    }
    methods
}

#[track_caller]
fn comes_back(files: &[(String, Vec<u8>)], options: &PackOptions) -> Vec<u8> {
    let archive = archive_of(files, options);
    assert!(decompress_bytes(&archive, &Limits::default()).unwrap() == files);
    archive
}

#[test]
fn each_document_is_kept_in_the_way_that_suits_it() {
    let files = [
        ("bill.csv".to_owned(), bill(50_000)),
        ("scan.jpg".to_owned(), noise(50_000, 1)),
        ("empty.txt".to_owned(), Vec::new()),
        ("blank.bmp".to_owned(), vec![0xff; 3 * MIB]),
        ("long.csv".to_owned(), bill(5 * MIB)),
        ("long.mp4".to_owned(), noise(5 * MIB, 2)),
    ];
    let archive = comes_back(&files, &zstd());
    let expected = [(ZSTD, 63), (0, 20), (0, 20), (DEFLATED, 20), (ZSTD, 63), (ZSTD, 63)];
    assert_eq!(methods(&archive), expected);
    let deflated = comes_back(&files, &PackOptions::default());
    assert!(archive.len() < deflated.len());
    assert_eq!(methods(&comes_back(&files[..2], &zstd().with_level(0))), [(0, 20), (0, 20)]);
}

#[test]
fn lengths_around_every_border_come_back() {
    let mut lengths: Vec<usize> = vec![1, 2, 100];
    for border in [4 * KIB, 128 * KIB, 136 * KIB, 256 * KIB, MIB, 4 * MIB, 5 * MIB, 6 * MIB] {
        lengths.extend([border - 1, border, border + 1]);
    }
    let (text, scan) = (bill(6 * MIB + 1), noise(6 * MIB + 1, 3));
    for length in lengths {
        let files =
            [("a.csv".to_owned(), text[..length].to_vec()), ("b.jpg".to_owned(), scan[..length].to_vec())];
        comes_back(&files, &zstd());
    }
}

#[test]
fn text_and_scans_in_one_long_document_come_back() {
    let mixed =
        [bill(2 * MIB), noise(3 * MIB, 1), bill(MIB + 7), noise(2 * MIB, 2), vec![0; 3 * MIB]].concat();
    for number in [1, 3] {
        comes_back(&[("mixed.pdf".to_owned(), mixed.clone())], &threads(number));
    }
}

/// More would be refused as a bomb by the limits that everybody has.
#[test]
fn blank_pages_without_end_are_packed_so_that_they_can_be_unpacked() {
    let archive = comes_back(&[("blank.bmp".to_owned(), vec![0xff; 70 * MIB])], &zstd());
    assert!(archive.len() * 501 > 70 * MIB && archive.len() * 400 < 70 * MIB, "{}", archive.len());
}

struct Claim {
    around: TempDir,
}

impl Claim {
    fn new() -> Self {
        let claim = Self { around: tempfile::tempdir().unwrap() };
        claim.write("claim.json", br#"{"id": "C-1"}"#);
        claim.write("documents/1/bill.csv", &bill(300_000));
        claim.write("documents/1/page.txt", &bill(512 * KIB));
        claim.write("documents/2/scan.jpg", &noise(300_000, 1));
        claim.write("documents/2/video.mp4", &noise(5 * MIB, 2));
        claim.write("documents/3/empty.txt", b"");
        claim.write("documents/3/Gutachten Müller.txt", &b"The windscreen is cracked. ".repeat(400));
        claim
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn source(&self) -> PathBuf {
        self.path("source")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    /// Packs the claim, without sealing it.
    fn archive(&self) -> PathBuf {
        let identity = AgeIdentity::generate();
        let mut sealed = Vec::new();
        pack(&self.source(), &identity.recipient().into(), &mut sealed, &zstd(), &()).unwrap();
        let archive = self.path("claim.zip");
        fs::write(&archive, decrypt_bytes(&identity.into(), &sealed).unwrap()).unwrap();
        archive
    }

    /// Compares a tree with the claim, the list of digests aside.
    #[track_caller]
    fn assert_same(&self, target: &Path) {
        let (source, mut target) = (contents(&self.source()), contents(target));
        target.retain(|(name, _)| name != Path::new("SHA256SUMS"));
        assert_same_contents(&source, &target);
    }
}

#[test]
fn a_claim_is_unpacked_from_its_file_and_from_a_pipe_on_any_number_of_threads() {
    let (claim, identity) = (Claim::new(), AgeIdentity::generate());
    claim.write("documents/4/long.csv", &bill(6 * MIB));
    let sealed = claim.path("sealed");
    pack_file(&claim.source(), &identity.recipient().into(), &sealed, &zstd(), &()).unwrap();
    let key = identity.into();
    for number in [1, 2, 8] {
        let options = UnpackOptions::default().with_threads(NonZeroUsize::new(number).unwrap());
        let (from_file, from_pipe) =
            (claim.path(&format!("file {number}")), claim.path(&format!("pipe {number}")));
        unpack_file(&sealed, &key, &from_file, &options, &()).unwrap();
        unpack_stream(fs::File::open(&sealed).unwrap(), &key, &from_pipe, &options, &()).unwrap();
        claim.assert_same(&from_file);
        claim.assert_same(&from_pipe);
    }
}

#[test]
fn a_claim_gives_the_same_archive_on_any_number_of_threads_and_from_memory() {
    let mut files: Vec<(String, Vec<u8>)> = (1..60)
        .map(|n| match n % 3 {
            0 => (format!("{n:02}.jpg"), noise(n * 7919, n as u64)),
            1 => (format!("{n:02}.csv"), bill(n * 9973)),
            _ => (format!("{n:02}.txt"), b"The left knee. ".repeat(n * 50)),
        })
        .collect();
    files.push(("long.csv".to_owned(), bill(5 * MIB)));
    files.sort();
    let alone = archive_of(&files, &threads(1));
    for number in [2, 3, 8] {
        assert!(archive_of(&files, &threads(number)) == alone, "{number}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in &files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let key = AgeIdentity::generate();
    let packed = |number| {
        let mut sealed = Vec::new();
        pack(folder.path(), &key.recipient().into(), &mut sealed, &threads(number), &()).unwrap();
        decrypt_bytes(&key.clone().into(), &sealed).unwrap()
    };
    let alone = packed(1);
    assert!(packed(2) == alone && packed(8) == alone);
    assert_eq!(decompress_bytes(&alone, &Limits::default()).unwrap().len(), files.len() + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_documents_come_back_whatever_stands_before_them(
        documents in prop::collection::vec((0..3_u8, 0..300_000_usize, any::<u64>()), 1..8), number in 1..4_usize,
    ) {
        let files: Vec<(String, Vec<u8>)> = documents
            .iter()
            .enumerate()
            .map(|(index, (kind, length, seed))| match kind {
                0 => (format!("{index}.jpg"), noise(*length, *seed)),
                1 => (format!("{index}.csv"), bill(*length)),
                _ => (format!("{index}.txt"), b"The left knee. ".repeat(length / 15)),
            })
            .collect();
        let archive = archive_of(&files, &threads(number));
        prop_assert!(archive == archive_of(&files, &threads(1)));
        prop_assert!(decompress_bytes(&archive, &Limits::default()).unwrap() == files);
    }

    #[test]
    fn a_changed_or_cut_archive_never_gives_other_content(
        position in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<bool>(),
    ) {
        let files = [("a.csv".to_owned(), bill(3_000)), ("b.csv".to_owned(), bill(256 * KIB))];
        let mut bytes = archive_of(&files, &zstd());
        let position = position.index(bytes.len());
        if cut { bytes.truncate(position) } else { bytes[position] ^= 1_u8 << bit }
        if let Ok(read) = decompress_bytes(&bytes, &Limits::default()) {
            prop_assert!(read == files);
        }
    }
}

/// A frame of one segment that declares this size, with blocks of zeros of 128 KiB.
fn zeros(declared: u64, blocks: usize) -> Vec<u8> {
    let mut frame = b"\x28\xb5\x2f\xfd\x80\x50".to_vec();
    frame.extend((declared as u32).to_le_bytes());
    for block in 1..=blocks {
        let header = u32::from(block == blocks) | 1 << 1 | (128 * 1024) << 3;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn entry(content: &[u8], data: Vec<u8>) -> RawEntry {
    RawEntry::stored("scan.bmp", content).with(|entry| (entry.method, entry.data) = (ZSTD, data))
}

#[track_caller]
fn assert_refused(entry: RawEntry, kind: ErrorKind) {
    let (around, bytes) = (tempfile::tempdir().unwrap(), archive(&[entry]));
    let error = decompress(&bytes[..], &around.path().join("x"), &Limits::default(), &()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains("entry `scan.bmp`"), "{error}");
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0, "something was left behind");
}

#[test]
fn hostile_frames_are_refused_with_the_name_of_their_document_and_leave_nothing() {
    let content = vec![0; 2 * 128 * KIB];
    let honest = zeros(content.len() as u64, 2);
    assert_eq!(
        decompress_bytes(&archive(&[entry(&content, honest.clone())]), &Limits::default()).unwrap().len(),
        1
    );

    let truncated = honest[..honest.len() - 1].to_vec();
    assert_refused(entry(&content, truncated), ErrorKind::Altered);
    assert_refused(entry(&content, Vec::new()), ErrorKind::Altered);
    assert_refused(entry(&content, zeros(content.len() as u64 + 1, 2)), ErrorKind::Altered);
    assert_refused(entry(&content, [&honest[..], b"garbage"].concat()), ErrorKind::InconsistentArchive);
    let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0hide".to_vec();
    assert_refused(entry(&content, [skippable, honest.clone()].concat()), ErrorKind::InconsistentArchive);
    let mut windowed = honest.clone();
    windowed[5] = 0x70;
    assert_refused(entry(&content, windowed), ErrorKind::UnsupportedArchive);
    let with_dictionary = b"\x28\xb5\x2f\xfd\x21\x07\x01\x09\0\0x".to_vec();
    assert_refused(entry(b"x", with_dictionary), ErrorKind::UnsupportedArchive);

    // Longer and shorter than the archive says, in the frames or in the headers.
    let longer = zeros(3 * 128 * KIB as u64, 3);
    assert_refused(entry(&content, longer), ErrorKind::InconsistentArchive);
    assert_refused(entry(&content, zeros(128 * KIB as u64, 1)), ErrorKind::InconsistentArchive);
    let changed = entry(&content, honest).with(|entry| entry.crc32 ^= 1);
    assert_refused(changed, ErrorKind::Altered);
}

#[test]
fn a_bomb_is_known_by_its_ratio_or_by_what_it_declares() {
    let (size, blocks) = (70 * MIB as u32, 70 * 8);
    let bomb = entry(b"", zeros(size.into(), blocks)).with(|entry| entry.inflated = size);
    assert_refused(bomb, ErrorKind::InflatedTooLarge);
    // What declares little is stopped at that, whatever the frames go on to.
    let sly = entry(&vec![0; 128 * KIB], zeros(size.into(), blocks));
    assert_refused(sly, ErrorKind::InconsistentArchive);
}

#[test]
fn seven_zip_unpacks_ours() {
    let Some(seven_zip) = find(&["7zz", "7z", "7za"], "i") else { return };
    // Version 24.01 is the first that reads it in a zip archive.
    if !String::from_utf8_lossy(&run(Command::new(seven_zip).arg("i"), b"")).contains("ZSTD") {
        return;
    }
    let claim = Claim::new();
    claim.write("documents/4/long.csv", &bill(6 * MIB));
    let mut target = std::ffi::OsString::from("-o");
    target.push(claim.path("out"));
    let report = run(Command::new(seven_zip).args(["x", "-y"]).arg(target).arg(claim.archive()), b"");
    assert!(!String::from_utf8_lossy(&report).to_lowercase().contains("warning"));
    claim.assert_same(&claim.path("out"));
}

#[test]
fn bsdtar_unpacks_ours_from_a_file_and_short_documents_from_a_pipe() {
    let Some(bsdtar) = find(&["bsdtar"], "--version") else { return };
    let claim = Claim::new();
    // What its buffer holds, and multiples: a last frame that fills it is not seen to end.
    for length in [128 * KIB, 256 * KIB, 264 * KIB, MIB, 4 * MIB] {
        claim.write(&format!("documents/5/{length}.csv"), &bill(length));
    }
    let unpack = |source: &str, input: &[u8], name: &str| {
        let target = claim.path(name);
        fs::create_dir(&target).unwrap();
        let mut bsdtar = Command::new(bsdtar);
        let bsdtar = bsdtar.env("LC_ALL", "C.UTF-8").args(["-x", "-f", source, "-C"]).arg(&target);
        attempt(bsdtar, input).2
    };
    fs::remove_file(claim.source().join("documents/2/video.mp4")).unwrap();
    let archive = fs::read(claim.archive()).unwrap();
    assert_eq!(unpack("-", &archive, "pipe"), "");
    claim.assert_same(&claim.path("pipe"));

    claim.write("documents/2/video.mp4", &noise(5 * MIB, 2));
    claim.write("documents/4/long.csv", &bill(6 * MIB));
    claim.write("documents/4/longer.csv", &bill(40 * MIB));
    let archive = claim.archive();
    assert_eq!(unpack(archive.to_str().unwrap(), b"", "file"), "");
    claim.assert_same(&claim.path("file"));
}

#[test]
fn python_unpacks_ours() {
    let Some(python) = peers::find_python_with("backports.zstd") else { return };
    let (claim, script) = (
        Claim::new(),
        "import sys; from backports.zstd import zipfile; z = zipfile.ZipFile(sys.argv[1]); \
         assert z.testzip() is None; z.extractall(sys.argv[2])",
    );
    claim.write("documents/5/page.csv", &bill(MIB));
    let out = claim.path("out");
    run(Command::new(python).args(["-X", "utf8", "-c", script]).arg(claim.archive()).arg(&out), b"");
    claim.assert_same(&out);
}

#[test]
fn entries_are_read_in_any_order() {
    let files: Vec<_> = (0..5).map(|n| (format!("{n}.csv"), bill(n * 100_000 + 1))).collect();
    let mut archive =
        ArchiveReader::open(Cursor::new(archive_of(&files, &zstd())), &Limits::default()).unwrap();
    for index in [3, 0, 4, 0, 1] {
        let (name, content) = &files[index];
        let mut read = Vec::new();
        assert_eq!(archive.read(name, &mut read).unwrap(), EntryDigest::of(content));
        assert!(read == *content);
    }
}
