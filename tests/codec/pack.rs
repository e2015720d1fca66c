//! Packing: the same bytes on any number of threads, entries queued ahead, digests listed last, and failures that leave
//! nothing behind.

use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::noise::noise;
use claimwire::ErrorKind;
use claimwire::codec::{
    ArchiveReader, ArchiveWriter, DesMd5Key, EntryDigest, Framing, Limits, OpeningKey, PackOptions, Packed,
    SealingKey, compress, decompress, decrypt_bytes, pack, pack_file,
};

const MIB: usize = 1 << 20;

fn threads(number: usize) -> PackOptions {
    PackOptions::default().with_threads(NonZeroUsize::new(number).unwrap())
}

/// Lines of a bill, of about this length in all.
fn bill(length: usize, seed: usize) -> Vec<u8> {
    let line = |n: usize| format!("2026-03-{:02};part {};{}.{:02} EUR\n", n % 28, n * 7919, n % 613, n % 100);
    (seed..).flat_map(|n| line(n).into_bytes()).take(length).collect()
}

/// Documents of every form: empty, short, stored, deflated, long in one piece and in blocks, mixed within.
fn documents() -> Vec<(String, Vec<u8>)> {
    let mixed = [bill(2 * MIB, 5), noise(2 * MIB, 6), bill(MIB / 4 + 17, 7)].concat();
    let block = 480 << 10;
    let mut documents = vec![
        ("empty".to_owned(), Vec::new()),
        ("note".to_owned(), b"Please call back.".to_vec()),
        ("scan".to_owned(), noise(MIB / 2, 1)),
        ("bill".to_owned(), bill(MIB / 2 + 1, 2)),
        ("longest in memory".to_owned(), bill(4 * MIB, 3)),
        ("shortest in blocks".to_owned(), bill(4 * MIB + 1, 4)),
        ("whole blocks".to_owned(), bill(512 << 10, 8).into_iter().cycle().take(9 * block).collect()),
        ("mixed".to_owned(), mixed),
    ];
    documents.extend((0..12).map(|n| (format!("small {n}"), bill(n * 7_001, n))));
    documents
}

fn archive(documents: &[(String, Vec<u8>)], options: &PackOptions) -> Vec<u8> {
    let mut archive = ArchiveWriter::with_options(Vec::new(), options);
    for (name, content) in documents {
        archive.queue(name, &content[..]).unwrap();
    }
    archive.finish().unwrap()
}

fn key() -> DesMd5Key {
    DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).unwrap()
}

fn pack_to_vec(directory: &Path, options: &PackOptions) -> (Packed, Vec<u8>) {
    let mut sealed = Vec::new();
    let packed = pack(directory, &SealingKey::from(key()), &mut sealed, options, &()).unwrap();
    assert_eq!(packed.bytes_written(), sealed.len() as u64);
    (packed, decrypt_bytes(&OpeningKey::from(key()), &sealed).unwrap())
}

fn claim_folder(root: &Path) {
    fs::create_dir_all(root.join("documents/1")).unwrap();
    fs::create_dir_all(root.join("notes/none yet")).unwrap();
    fs::write(root.join("claim.json"), b"{\"id\":\"C-1\"}").unwrap();
    fs::write(root.join("documents/1/bill.csv"), bill(300_000, 1)).unwrap();
    fs::write(root.join("documents/1/Gutachten Müller.txt"), bill(40_000, 2)).unwrap();
    fs::write(root.join("documents/1/a scan.jpg"), noise(200_000, 3)).unwrap();
    fs::write(root.join("documents/1/b scan.jpg"), noise(200_000, 4)).unwrap();
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let documents = documents();
    let alone = archive(&documents, &threads(1));
    for number in [2, 5] {
        assert!(archive(&documents, &threads(number)) == alone, "{number} threads");
    }
    let mut reader = ArchiveReader::open(Cursor::new(alone), &Limits::default()).unwrap();
    for (name, content) in &documents {
        let mut read = Vec::new();
        assert_eq!(reader.read(name, &mut read).unwrap(), EntryDigest::of(content));
        assert!(read == *content, "{name}");
    }
}

#[test]
fn added_entries_are_those_that_were_queued() {
    let documents = documents();
    let mut added = ArchiveWriter::with_options(Vec::new(), &threads(3));
    for (name, content) in &documents {
        assert_eq!(added.add(name, &content[..]).unwrap(), EntryDigest::of(content));
    }
    assert_eq!(added.settle().unwrap(), [], "each was told when it was added");
    assert!(added.finish().unwrap() == archive(&documents, &threads(3)));
}

#[test]
fn what_is_queued_is_told_once_and_in_order() {
    let mut archive = ArchiveWriter::new(Vec::new());
    archive.queue("b", &b"1"[..]).unwrap();
    archive.queue("a", &b"2"[..]).unwrap();
    assert_eq!(archive.add("c", &b"3"[..]).unwrap(), EntryDigest::of(b"3"));
    archive.queue("d", &b"4"[..]).unwrap();
    let told: Vec<_> = ["b", "a", "d"].into_iter().zip([b"1", b"2", b"4"]).collect();
    let expected: Vec<_> =
        told.into_iter().map(|(name, content)| (name.to_owned(), EntryDigest::of(content))).collect();
    assert_eq!(archive.settle().unwrap(), expected);
    assert_eq!(archive.settle().unwrap(), []);
    archive.finish().unwrap();
}

#[test]
fn the_level_is_that_of_the_options_and_zero_stores() {
    let documents = [("bill".to_owned(), bill(MIB, 1)), ("long".to_owned(), bill(4 * MIB + 1, 2))];
    let size = |level| archive(&documents, &PackOptions::default().with_level(level)).len();
    let [stored, first, third, sixth, ninth] = [0, 1, 3, 6, 9].map(size);
    assert!(stored > 5 * MIB);
    // Which level is the smallest is a matter of the content: here the strings of level 1 suit it.
    assert!(ninth < sixth && first < stored && third != first);
    assert_eq!(size(200), ninth);
    assert_eq!(archive(&documents, &PackOptions::default()).len(), third);
}

#[test]
fn a_part_of_a_long_document_that_has_no_room_for_deflate_is_stored() {
    let content = [bill(2 * MIB, 1), noise(3 * MIB, 2)].concat();
    let length = archive(&[("mixed".to_owned(), content)], &threads(2)).len();
    assert!((3 * MIB..4 * MIB).contains(&length), "{length}");
}

/// Yields bytes until it breaks.
struct Unplugged(usize);

impl Read for Unplugged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.0);
        self.0 -= length;
        if length == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(length) }
    }
}

#[test]
fn content_that_could_not_be_read_is_named_and_may_be_tried_again() {
    for number in [1, 2] {
        let mut archive = ArchiveWriter::with_options(Vec::new(), &threads(number));
        archive.queue("before", &b"1"[..]).unwrap();
        for length in [0, 100, 3 * MIB, 4 * MIB] {
            let error = archive.queue("report.txt", Unplugged(length)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().starts_with("entry `report.txt`: "), "{error}");
        }
        archive.queue("report.txt", &b"2"[..]).unwrap();
        assert_eq!(archive.settle().unwrap().len(), 2);
        let reader = ArchiveReader::open(Cursor::new(archive.finish().unwrap()), &Limits::default()).unwrap();
        assert_eq!(reader.entries().count(), 2);
    }
}

#[test]
fn long_content_that_breaks_off_breaks_the_archive() {
    for number in [1, 3] {
        let mut archive = ArchiveWriter::with_options(io::sink(), &threads(number));
        archive.queue("before", &bill(MIB, 1)[..]).unwrap();
        let error = archive.queue("long.bin", Unplugged(5 * MIB)).unwrap_err();
        assert!(error.to_string().starts_with("entry `long.bin`: "), "{error}");
        assert_eq!(archive.settle().unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(archive.queue("next", &b""[..]).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(archive.finish().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

/// A disk with this much room.
#[derive(Debug)]
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_refuses_is_told_of_at_the_latest_when_settling() {
    let scan = noise(MIB, 1);
    for number in [1, 2] {
        let mut archive = ArchiveWriter::with_options(Disk(MIB), &threads(number));
        let outcome = (0..30_u64).try_for_each(|n| archive.queue(&format!("scan {n}"), &scan[..]));
        let error = outcome.and_then(|()| archive.settle().map(drop)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(archive.finish().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_long_entry_that_cannot_be_written_is_named() {
    let mut archive = ArchiveWriter::with_options(Disk(MIB), &threads(2));
    let error = archive.add("long.bin", &noise(5 * MIB, 1)[..]).unwrap_err();
    assert!(error.to_string().starts_with("entry `long.bin`: "), "{error}");
}

#[test]
fn output_and_content_need_not_move_between_threads() {
    let written = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut archive = ArchiveWriter::with_options(Shared(written.clone()), &threads(2));
    for (name, content) in documents() {
        archive.queue(&name, &content[..]).unwrap();
    }
    archive.finish().unwrap();
    assert!(*written.borrow() == self::archive(&documents(), &threads(2)));
}

#[test]
fn a_packed_folder_comes_back_with_the_digests_of_all_its_files() {
    let around = tempfile::tempdir().unwrap();
    let (source, target) = (around.path().join("source"), around.path().join("target"));
    fs::create_dir(&source).unwrap();
    claim_folder(&source);
    let (packed, archive) = pack_to_vec(&source, &PackOptions::default());
    assert_eq!((packed.files(), packed.bytes_read()), (5, 740_012));
    let files = decompress(&archive[..], &target, &Limits::default(), &()).unwrap();
    let (last, listed) = files.split_last().unwrap();
    assert_eq!(last.0, "SHA256SUMS");
    let expected: String =
        listed.iter().map(|(name, digest)| format!("{}  {name}\n", digest.to_hex())).collect();
    assert_eq!(fs::read_to_string(target.join("SHA256SUMS")).unwrap(), expected);
    assert!(target.join("notes/none yet").is_dir());
    for (name, digest) in listed {
        let original = fs::read(source.join(name)).unwrap();
        assert_eq!(*digest, EntryDigest::of(&original));
        assert!(fs::read(target.join(name)).unwrap() == original);
    }
}

#[test]
fn a_folder_gives_the_same_archive_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    claim_folder(folder.path());
    fs::write(folder.path().join("long.csv"), bill(5 * MIB, 4)).unwrap();
    let (packed, alone) = pack_to_vec(folder.path(), &threads(1));
    for number in [2, 5] {
        assert!(pack_to_vec(folder.path(), &threads(number)) == (packed, alone.clone()), "{number}");
    }
}

#[test]
fn files_give_the_bytes_that_their_content_gives() {
    let documents = documents();
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in &documents {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let mut packed = Vec::new();
    compress(folder.path(), &mut packed, &()).unwrap();
    let mut sorted = documents;
    sorted.sort();
    assert!(packed == archive(&sorted, &PackOptions::default()));
}

/// Changes the file `path` when it is told for the first time.
fn change_at_first(path: &Path, length: u64) -> impl Fn(u64) -> ControlFlow<()> + Send + Sync {
    let (path, told) = (path.to_owned(), AtomicU64::new(0));
    move |_| {
        if told.fetch_add(1, Ordering::Relaxed) == 0 {
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_file_that_grows_on_the_way_is_packed_as_far_as_it_reached() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), b"told").unwrap();
    let growing = folder.path().join("b.log");
    fs::write(&growing, b"soon more").unwrap();
    let (key, options) = (SealingKey::from(key()), threads(1));
    let watch = change_at_first(&growing, 100_000);
    let packed = pack(folder.path(), &key, io::sink(), &options, &watch).unwrap();
    assert_eq!((packed.files(), packed.bytes_read()), (2, 13));
}

/// So many programs save: what is whole under another name takes the name of the old one.
#[cfg(unix)]
#[test]
fn a_document_that_is_replaced_on_the_way_is_never_cut_to_the_length_of_the_old_one() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("claim");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a"), b"told").unwrap();
    let (report, sealed) = (folder.join("report.txt"), around.path().join("sealed"));
    fs::write(&report, b"the first draft").unwrap();
    let told = AtomicU64::new(0);
    let (saved, place) = (around.path().join("saved"), report.clone());
    let watch = move |_: u64| {
        if told.fetch_add(1, Ordering::Relaxed) == 0 {
            fs::write(&saved, b"the second draft, with the conclusion at its end").unwrap();
            fs::rename(&saved, &place).unwrap();
        }
        ControlFlow::Continue(())
    };
    let error = pack_file(&folder, &key().into(), &sealed, &threads(1), &watch).unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(
        error.to_string().contains("report.txt` was replaced while it was packed; pack again"),
        "{error}"
    );
    assert!(!sealed.exists());
    let again = pack_file(&folder, &key().into(), &sealed, &threads(1), &()).unwrap();
    assert_eq!(again.bytes_read(), 4 + 48);
}

#[test]
fn a_long_file_that_shrinks_on_the_way_is_packed_as_far_as_it_reaches() {
    // The first file is being read when it shrinks, the second is opened after that.
    let content = bill(5 * MIB, 1);
    for (shrinking, length) in [("1.csv", 3 * MIB), ("2.csv", 3 * MIB), ("2.csv", 100), ("2.csv", 0)] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["1.csv", "2.csv"] {
            fs::write(folder.path().join(name), &content).unwrap();
        }
        let path = folder.path().join(shrinking);
        let watch = change_at_first(&path, length as u64);
        let mut packed = Vec::new();
        pack(folder.path(), &SealingKey::from(key()), &mut packed, &threads(1), &watch).unwrap();
        let archive = decrypt_bytes(&OpeningKey::from(key()), &packed).unwrap();
        let mut reader = ArchiveReader::open(Cursor::new(archive), &Limits::default()).unwrap();
        let mut read = Vec::new();
        reader.read(shrinking, &mut read).unwrap();
        assert!(read == content[..length], "{shrinking} with {} of {length} bytes", read.len());
    }
}

#[cfg(unix)]
#[test]
fn sha256sum_verifies_what_was_packed() {
    use std::process::Command;
    if Command::new("sha256sum").arg("--version").output().is_err() {
        return;
    }
    let around = tempfile::tempdir().unwrap();
    let (source, target) = (around.path().join("source"), around.path().join("target"));
    fs::create_dir(&source).unwrap();
    claim_folder(&source);
    let (_, archive) = pack_to_vec(&source, &PackOptions::default());
    decompress(&archive[..], &target, &Limits::default(), &()).unwrap();
    let check = || {
        Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&target).output()
    };
    assert!(check().unwrap().status.success());
    fs::write(target.join("claim.json"), "another").unwrap();
    assert!(!check().unwrap().status.success());
}

#[test]
fn an_empty_folder_packs_to_an_empty_list() {
    let folder = tempfile::tempdir().unwrap();
    let (packed, archive) = pack_to_vec(folder.path(), &PackOptions::default());
    assert_eq!((packed.files(), packed.bytes_read()), (0, 0));
    let mut reader = ArchiveReader::open(Cursor::new(archive), &Limits::default()).unwrap();
    assert_eq!(reader.read("SHA256SUMS", io::sink()).unwrap(), EntryDigest::of(b""));
}

#[test]
fn what_stands_where_the_digests_are_listed_is_refused() {
    for taken in ["SHA256SUMS", "sha256sums", "Sha256Sums/inside.txt"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(taken);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        let key = SealingKey::from(key());
        let error = pack(folder.path(), &key, io::sink(), &PackOptions::default(), &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("rename or remove it"), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deeper")).unwrap();
    fs::write(folder.path().join("deeper/SHA256SUMS"), "").unwrap();
    assert_eq!(pack_to_vec(folder.path(), &PackOptions::default()).0.files(), 1);
}

#[test]
fn a_sealed_file_stands_whole_or_not_at_all() {
    let around = tempfile::tempdir().unwrap();
    let (source, sealed) = (around.path().join("source"), around.path().join("sealed"));
    fs::create_dir(&source).unwrap();
    claim_folder(&source);
    let key = SealingKey::from(key());
    let options = PackOptions::default();
    let packed = pack_file(&source, &key, &sealed, &options, &()).unwrap();
    assert_eq!(fs::metadata(&sealed).unwrap().len(), packed.bytes_written());

    let before = fs::read(&sealed).unwrap();
    let moved = AtomicU64::new(0);
    let stop_half_way = |bytes: u64| match moved.fetch_add(bytes, Ordering::Relaxed) + bytes {
        0..300_000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let error = pack_file(&source, &key, &sealed, &options, &stop_half_way).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(fs::read(&sealed).unwrap() == before);
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 2);

    let inside = source.join("sealed");
    let error = pack_file(&source, &key, &inside, &options, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn progress_counts_the_bytes_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    claim_folder(folder.path());
    fs::write(folder.path().join("long.bin"), noise(4 * MIB + 1, 9)).unwrap();
    let (moved, here) = (AtomicU64::new(0), thread::current().id());
    let watch = |bytes: u64| {
        assert_eq!(thread::current().id(), here);
        assert!(bytes <= 64 << 10, "{bytes} at once");
        moved.fetch_add(bytes, Ordering::Relaxed);
        ControlFlow::Continue(())
    };
    let key = SealingKey::from(key());
    let packed = pack(folder.path(), &key, io::sink(), &PackOptions::default(), &watch).unwrap();
    assert_eq!(moved.load(Ordering::Relaxed), packed.bytes_read());
}
