//! Archives: round trips of directories and entries, exact headers, one form for the same input, and failures that
//! leave nothing behind.

use std::fs;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::noise::noise;
use claimwire::ErrorKind;
use claimwire::codec::{
    ArchiveReader, ArchiveWriter, EntryDigest, Limits, compress, compress_bytes, decompress, decompress_bytes,
};
use proptest::prelude::*;

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn claim_folder(root: &Path) {
    write(&root.join("claim.json"), b"{\"id\":\"C-1\"}");
    write(&root.join("documents/2/Foto (1).jpg"), &noise(200_000, 1));
    write(&root.join("documents/10/Gutachten Müller.txt"), &b"The windscreen is cracked. ".repeat(2_000));
    write(&root.join("documents/10/empty.txt"), b"");
    fs::create_dir_all(root.join("notes/none yet")).unwrap();
}

/// Every path below `root` with its content; directories have none.
fn tree(root: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.push((name, None));
                open.push(path);
            } else {
                found.push((name, Some(fs::read(path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_folder_comes_back_as_it_was() {
    let around = tempfile::tempdir().unwrap();
    let (source, target) = (around.path().join("source"), around.path().join("target"));
    claim_folder(&source);
    let mut archive = Vec::new();
    assert_eq!(compress(&source, &mut archive, &()).unwrap(), archive.len() as u64);
    let files = decompress(&archive[..], &target, &Limits::default(), &()).unwrap();
    assert_eq!(tree(&source), tree(&target));
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let sorted = [
        "claim.json",
        "documents/10/Gutachten Müller.txt",
        "documents/10/empty.txt",
        "documents/2/Foto (1).jpg",
    ];
    assert_eq!(names, sorted);
    assert_eq!(files[0].1, EntryDigest::of(b"{\"id\":\"C-1\"}"));
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 2, "the private directory is gone");
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let around = tempfile::tempdir().unwrap();
    let archives: Vec<Vec<u8>> = ["one", "other"]
        .map(|name| {
            let folder = around.path().join(name);
            claim_folder(&folder);
            let mut archive = Vec::new();
            compress(&folder, &mut archive, &()).unwrap();
            archive
        })
        .into();
    assert!(archives[0] == archives[1]);
}

#[test]
fn an_empty_directory_is_filled_and_a_full_one_refused() {
    let target = tempfile::tempdir().unwrap();
    let archive = compress_bytes([("a/b.txt", "b"), ("c.txt", "c")]).unwrap();
    decompress(&archive[..], target.path(), &Limits::default(), &()).unwrap();
    let unpacked = tree(target.path());
    assert_eq!(unpacked.len(), 3);
    let error = decompress(&archive[..], target.path(), &Limits::default(), &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(tree(target.path()), unpacked);
    let file = target.path().join("c.txt");
    assert_eq!(
        decompress(&archive[..], &file, &Limits::default(), &()).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

/// Runs `once` when it is told for the first time.
fn at_first(once: impl Fn() + Send + Sync) -> impl Fn(u64) -> ControlFlow<()> + Send + Sync {
    let told = AtomicU64::new(0);
    move |_| {
        if told.fetch_add(1, Ordering::Relaxed) == 0 {
            once();
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn what_came_into_the_directory_while_it_was_filled_is_not_replaced() {
    let archive = compress_bytes([("bill.csv", "unpacked"), ("report.txt", "unpacked")]).unwrap();
    for name in ["report.txt", "other.txt"] {
        let target = tempfile::tempdir().unwrap();
        let path = target.path().join(name);
        let watch = at_first(|| write(&path, b"the user's own"));
        let error = decompress(&archive[..], target.path(), &Limits::default(), &watch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(&format!("{name}` came while")), "{error}");
        assert_eq!(tree(target.path()), [(name.to_owned(), Some(b"the user's own".to_vec()))]);
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_yet_checked_is_for_this_user_alone_and_what_is_released_as_any_file() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let archive = compress_bytes([("documents/report.txt", "unpacked")]).unwrap();
    let around = tempfile::tempdir().unwrap();
    let usual = around.path().join("usual");
    fs::create_dir(&usual).unwrap();
    write(&usual.join("file"), b"");
    for (parent, target) in [("new", "new/claim"), ("there", "there")] {
        let (parent, target) = (around.path().join(parent), around.path().join(target));
        fs::create_dir(&parent).unwrap();
        let watch = at_first(|| {
            let staging: Vec<_> = fs::read_dir(&parent).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!((staging.len(), mode(&staging[0])), (1, 0o700));
        });
        decompress(&archive[..], &target, &Limits::default(), &watch).unwrap();
        for (released, as_usual) in [("", ""), ("documents", ""), ("documents/report.txt", "file")] {
            assert_eq!(mode(&target.join(released)), mode(&usual.join(as_usual)), "{released}");
        }
    }
}

#[test]
fn stopping_leaves_nothing_behind() {
    let around = tempfile::tempdir().unwrap();
    claim_folder(&around.path().join("source"));
    let moved = AtomicU64::new(0);
    let stop_half_way = |bytes: u64| match moved.fetch_add(bytes, Ordering::Relaxed) + bytes {
        0..100_000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let error = compress(&around.path().join("source"), io::sink(), &stop_half_way).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let mut archive = Vec::new();
    compress(&around.path().join("source"), &mut archive, &()).unwrap();
    moved.store(0, Ordering::Relaxed);
    for target in ["absent", "empty"] {
        let target = around.path().join(target);
        if target.ends_with("empty") {
            fs::create_dir(&target).unwrap();
        }
        let error = decompress(&archive[..], &target, &Limits::default(), &stop_half_way).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(!target.exists() || fs::read_dir(&target).unwrap().count() == 0);
    }
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 2);
}

#[test]
fn an_archive_written_into_its_own_folder_ends() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a scan.jpg"), noise(5_000_000, 9)).unwrap();
    let path = folder.path().join("b.zip");
    let archive = fs::File::create(&path).unwrap();
    let written = compress(folder.path(), archive, &()).unwrap();
    assert!((5_000_000..11_000_000).contains(&written), "{written}");
}

#[cfg(unix)]
#[test]
fn links_are_not_packed() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("report.txt")).unwrap();
    let error = compress(folder.path(), io::sink(), &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("report.txt"), "{error}");
    assert_eq!(
        compress(&folder.path().join("none"), io::sink(), &()).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

/// The general purpose flags, method, compressed and inflated size of the first local header.
fn first_header(archive: &[u8]) -> (u16, u16, u32, u32) {
    let u16_at = |at: usize| u16::from_le_bytes(archive[at..at + 2].try_into().unwrap());
    let u32_at = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().unwrap());
    (u16_at(6), u16_at(8), u32_at(18), u32_at(22))
}

#[test]
fn content_is_stored_or_deflated_by_what_it_is_and_small_headers_are_exact() {
    let text = b"a line of a bill; 12.50 EUR\n".repeat(1_000);
    let (flags, method, compressed, inflated) = first_header(&compress_bytes([("bill.csv", &text)]).unwrap());
    assert_eq!((flags, method, inflated), (0, 8, 28_000));
    assert!(compressed > 0 && compressed < 1_000);
    for length in [0, 10, 4_096, 500_000] {
        let scan = noise(length, 3);
        let header = first_header(&compress_bytes([("scan.jpg", &scan)]).unwrap());
        assert_eq!(header, (0, 0, length as u32, length as u32));
    }
}

#[test]
fn long_content_streams_and_is_read_back() {
    let limit = 4 * 1024 * 1024;
    for (content, longest) in [(noise(limit + 1, 5), limit + 2_000), (vec![b'x'; 3 * limit], 60_000)] {
        let mut archive = ArchiveWriter::new(Vec::new());
        let written = archive.add("long", &content[..]).unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(first_header(&bytes), (1 << 3, 8, 0, 0));
        assert!(bytes.len() < longest, "{} bytes", bytes.len());
        let mut archive = ArchiveReader::open(Cursor::new(&bytes), &Limits::default()).unwrap();
        let mut read = Vec::new();
        assert_eq!(archive.read("long", &mut read).unwrap(), written);
        assert!(read == content);
    }
    let exactly = noise(limit, 7);
    assert_eq!(
        first_header(&compress_bytes([("scan", exactly)]).unwrap()).0,
        0,
        "4 MiB still have exact headers"
    );
}

#[test]
fn names_that_could_not_be_unpacked_are_not_packed() {
    let mut archive = ArchiveWriter::new(Vec::new());
    archive.add("a/b.txt", &b""[..]).unwrap();
    let mut kind = |name| archive.add(name, &b""[..]).unwrap_err().kind();
    assert_eq!(kind("../x"), ErrorKind::HostileName);
    assert_eq!(kind("a/b.txt"), ErrorKind::InvalidArgument);
    assert_eq!(kind("A/c.txt"), ErrorKind::InvalidArgument);
    assert_eq!(kind("a"), ErrorKind::InvalidArgument);
    assert_eq!(kind("u\u{308}.txt"), ErrorKind::InvalidArgument);
    let bytes = archive.finish().unwrap();
    assert_eq!(
        decompress_bytes(&bytes, &Limits::default()).unwrap().len(),
        1,
        "the refused ones left no trace"
    );
}

#[test]
fn an_entry_that_broke_off_cannot_be_finished_away() {
    struct Unplugged(u64);
    impl Read for Unplugged {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(buffer.len() as u64).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(buffer.len())
        }
    }
    let mut archive = ArchiveWriter::new(Vec::new());
    assert!(archive.add("long.bin", Unplugged(9_000_000)).is_err());
    assert_eq!(archive.add("next.txt", &b""[..]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(archive.finish().unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn asking_for_a_file_that_is_not_there_says_so() {
    let bytes = compress_bytes([("a/b", "x")]).unwrap();
    let mut archive = ArchiveReader::open(Cursor::new(bytes), &Limits::default()).unwrap();
    for name in ["a", "a/", "b", ""] {
        assert_eq!(archive.read(name, io::sink()).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    let entries: Vec<_> = archive.entries().map(|entry| (entry.name().to_owned(), entry.size())).collect();
    assert_eq!(entries, [("a/b".to_owned(), 1)]);
}

#[test]
fn more_entries_than_sixteen_bits_count_go_into_zip64() {
    let mut archive = ArchiveWriter::new(Vec::new());
    for number in 0..65_536 {
        archive.add(&format!("{number}"), &b""[..]).unwrap();
    }
    let bytes = archive.finish().unwrap();
    let limits = Limits::default().with_entries(65_536);
    assert_eq!(ArchiveReader::open(Cursor::new(&bytes), &limits).unwrap().entries().count(), 65_536);
    let error = ArchiveReader::open(Cursor::new(&bytes), &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyEntries);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_files_come_back(
        files in prop::collection::btree_map("[a-z]{1,8}(/[a-z0-9äöü ]{0,6}x){0,3}", prop::collection::vec(any::<u8>(), 0..9_000), 0..12),
    ) {
        // A file cannot also be a directory; such sets are refused, which other tests show.
        if let Ok(bytes) = compress_bytes(&files) {
            let read = decompress_bytes(&bytes, &Limits::default()).unwrap();
            prop_assert_eq!(read, files.into_iter().collect::<Vec<_>>());
        }
    }
}
