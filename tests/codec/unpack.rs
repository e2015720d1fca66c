//! Sealed archives unpacked in one step: the same on every number of threads and for both suites, verified against
//! their list, and gone without a trace when anything does not hold.

use crate::raw_zip::{RawEntry, archive};
use claimwire::codec::{
    AgeIdentity, DesMd5Key, EntryDigest, Framing, Limits, OpeningKey, SealingKey, UnpackOptions,
    compress_bytes, decompress_bytes, decrypt_bytes, encrypt_bytes, unpack, unpack_file, unpack_stream,
};
use claimwire::{Error, ErrorKind};
use std::fs::{self, File};
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const THREADS: [usize; 3] = [1, 2, 8];

type Unpacked = claimwire::Result<Vec<(String, EntryDigest)>>;

fn on(threads: usize) -> UnpackOptions {
    UnpackOptions::default().with_threads(NonZeroUsize::new(threads).unwrap())
}

fn keys() -> [(SealingKey, OpeningKey); 2] {
    // One iteration: hundreds of packages are opened with it.
    let password = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)
        .unwrap()
        .with_iterations(NonZeroU32::MIN)
        .unwrap();
    let identity = AgeIdentity::generate();
    [(password.clone().into(), password.into()), (identity.recipient().into(), identity.into())]
}

/// Reports that deflate and scans that do not, more than one thread is started for.
fn documents(count: usize) -> Vec<(String, Vec<u8>)> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let document = |n: usize| {
        let length = n * 7919 % 100_000;
        match n.is_multiple_of(2) {
            true => (format!("documents/{n:03}/report.txt"), b"knee; 412.50 EUR\n".repeat(length / 17)),
            false => (format!("documents/{n:03}/scan.jpg"), (0..length / 8).flat_map(|_| noise()).collect()),
        }
    };
    (0..count).map(document).collect()
}

fn list_of(files: &[(String, Vec<u8>)]) -> String {
    files.iter().map(|(name, content)| format!("{}  {name}\n", EntryDigest::of(content).to_hex())).collect()
}

/// An archive of these files that ends with their list.
fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let list = ("SHA256SUMS".to_owned(), list_of(files).into_bytes());
    compress_bytes(files.iter().chain([&list]).map(|(name, content)| (name, content))).unwrap()
}

fn unpack_bytes(sealed: &[u8], key: &OpeningKey, target: &Path, options: &UnpackOptions) -> Unpacked {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("sealed");
    fs::write(&from, sealed).unwrap();
    unpack_file(&from, key, target, options, &())
}

/// Unpacks by every path, expects one error of all, and looks whether anything was left behind.
#[track_caller]
fn refused(sealed: &[u8], key: &OpeningKey, limits: &Limits) -> Error {
    let around = tempfile::tempdir().unwrap();
    let target = around.path().join("unpacked");
    let mut errors = Vec::new();
    for threads in THREADS {
        let options = on(threads).with_limits(limits.clone());
        errors.push(unpack_bytes(sealed, key, &target, &options).unwrap_err());
        errors.push(unpack_stream(sealed, key, &target, &options, &()).unwrap_err());
    }
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0, "something was left behind");
    let error = errors.pop().unwrap();
    for other in errors {
        assert_eq!((other.kind(), other.to_string()), (error.kind(), error.to_string()));
    }
    error
}

#[test]
fn every_number_of_threads_and_every_way_in_gives_the_same_files() {
    let files = documents(40);
    for (sealing, opening) in keys() {
        let sealed = encrypt_bytes(&sealing, &packed(&files)).unwrap();
        let around = tempfile::tempdir().unwrap();
        let from = around.path().join("sealed");
        fs::write(&from, &sealed).unwrap();
        for threads in THREADS {
            let told = AtomicU64::new(0);
            let here = thread::current().id();
            let watch = |bytes: u64| {
                assert_eq!(thread::current().id(), here, "the watch is told on the caller's thread");
                told.fetch_add(bytes, Ordering::Relaxed);
                ControlFlow::Continue(())
            };
            let by = |way: &str| around.path().join(format!("{way}-{threads}"));
            let file = File::open(&from).unwrap();
            let unpacked = [
                (by("file"), unpack(&file, &opening, &by("file"), &on(threads), &watch).unwrap()),
                (by("path"), unpack_file(&from, &opening, &by("path"), &on(threads), &()).unwrap()),
                (by("pipe"), unpack_stream(&sealed[..], &opening, &by("pipe"), &on(threads), &()).unwrap()),
            ];
            assert!(told.into_inner() > sealed.len() as u64 / 10 * 9);
            for (folder, digests) in unpacked {
                assert_eq!(digests.len(), files.len());
                for ((name, content), (unpacked, digest)) in files.iter().zip(digests) {
                    assert_eq!((name, EntryDigest::of(content)), (&unpacked, digest));
                    assert!(fs::read(folder.join(name)).unwrap() == *content);
                }
                assert!(!folder.join("SHA256SUMS").exists());
            }
        }
    }
}

#[test]
fn the_first_fault_in_the_archive_is_told_and_leaves_nothing() {
    let files = documents(40);
    let (sealing, opening) = &keys()[0];
    for first in [0, 1, 20, 39] {
        let mut changed = files.clone();
        // Every later document is at fault too, and some are met sooner.
        for (name, content) in &mut changed[first..] {
            content.extend(name.bytes());
        }
        let list = ("SHA256SUMS".to_owned(), list_of(&files).into_bytes());
        let archive =
            compress_bytes(changed.iter().chain([&list]).map(|(name, content)| (name, content))).unwrap();
        let error = refused(&encrypt_bytes(sealing, &archive).unwrap(), opening, &Limits::default());
        assert_eq!(error.kind(), ErrorKind::Altered);
        assert!(error.to_string().contains(&files[first].0), "{error}");
    }
}

#[test]
fn a_watch_stops_all_threads_wherever_they_are() {
    let files = documents(40);
    for (sealing, opening) in keys() {
        let sealed = encrypt_bytes(&sealing, &packed(&files)).unwrap();
        for share in [0, 2, 10] {
            for threads in THREADS {
                let around = tempfile::tempdir().unwrap();
                let told = AtomicU64::new(0);
                let limit = sealed.len() as u64 * share / 11;
                let watch = |bytes: u64| match told.fetch_add(bytes, Ordering::Relaxed) + bytes > limit {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                };
                let target = around.path().join("unpacked");
                let error = unpack_stream(&sealed[..], &opening, &target, &on(threads), &watch).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled);
                let from = tempfile::NamedTempFile::new().unwrap();
                fs::write(from.path(), &sealed).unwrap();
                told.store(0, Ordering::Relaxed);
                let error = unpack(from.as_file(), &opening, &target, &on(threads), &watch).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled);
                assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
            }
        }
    }
}

#[test]
fn a_list_that_is_missing_or_has_other_files_or_lines_is_refused() {
    let files = documents(3);
    let (sealing, opening) = &keys()[1];
    let hex = EntryDigest::of(b"").to_hex();
    let list = list_of(&files);
    let line = list.lines().next().unwrap();
    let cases = [
        (String::new(), "other files"),
        (format!("{list}{hex}  unheard-of\n"), "other files"),
        (list.replace("report", "rumour"), "does not have"),
        (list.replace("  ", " *"), "a line that is none"),
        (list.replacen(&hex[..4], "XXXX", 1).replacen(&line[..4], "XXXX", 1), "begin with a SHA-256"),
        (list.replacen("documents/001/scan.jpg", "documents/\u{e4}1/scan.jpg", 1), "does not have"),
    ];
    for (list, words) in cases {
        let list = ("SHA256SUMS".to_owned(), list.into_bytes());
        let archive =
            compress_bytes(files.iter().chain([&list]).map(|(name, content)| (name, content))).unwrap();
        let error = refused(&encrypt_bytes(sealing, &archive).unwrap(), opening, &Limits::default());
        assert_eq!(error.kind(), ErrorKind::InconsistentArchive, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let list = [("SHA256SUMS".to_owned(), list_of(&files).into_bytes())];
    let first = compress_bytes(list.iter().chain(&files).map(|(name, content)| (name, content))).unwrap();
    for archive in [first, compress_bytes([("note.txt", "x")]).unwrap(), archive(&[])] {
        let error = refused(&encrypt_bytes(sealing, &archive).unwrap(), opening, &Limits::default());
        assert_eq!(error.kind(), ErrorKind::NotAPackage, "{error}");
    }
}

/// Sealed or not, read by one thread or by several: what is wrong with an archive is found the same.
#[test]
fn hostile_archives_are_refused_as_when_they_are_not_sealed() {
    let report = || RawEntry::stored("report.txt", b"The windscreen is cracked.");
    let bill = || RawEntry::deflated("bill.csv", &b"line;".repeat(4000));
    let hostile = [
        vec![report().with(|e| e.name = b"../x".to_vec())],
        vec![report(), report()],
        vec![report().with(|e| e.crc32 ^= 1), bill()],
        vec![bill().with(|e| e.inflated -= 1)],
        vec![bill().with(|e| e.inflated += 1), report()],
        vec![bill().with(|e| e.data.push(0))],
        vec![bill().with(|e| e.data[20] ^= 0x55)],
        vec![report().with(|e| e.method = 99)],
        vec![report().with(|e| e.local_name = Some(b"rumour.txt".to_vec()))],
        vec![report().with(|e| e.attributes = 0o120_777 << 16)],
        vec![report().with(|e| e.flags |= 1)],
        vec![report().with(|e| e.after_data = b"hidden".to_vec())],
        vec![report().with(|e| e.in_directory = false), bill()],
        vec![report().with(|e| e.offset = Some(3))],
    ];
    let tight = Limits::default().with_inflated_size(100);
    for (number, mut entries) in hostile.into_iter().enumerate() {
        // With the list, so that nothing but the lie is wrong.
        let names: Vec<_> = entries.iter().map(|e| String::from_utf8_lossy(&e.name).into_owned()).collect();
        let digest = |name: &String| match name.as_str() {
            "bill.csv" => EntryDigest::of(&b"line;".repeat(4000)),
            _ => EntryDigest::of(b"The windscreen is cracked."),
        };
        let list: String = names.iter().map(|name| format!("{}  {name}\n", digest(name).to_hex())).collect();
        entries.push(RawEntry::stored("SHA256SUMS", list.as_bytes()));
        let bytes = archive(&entries);
        let expected = decompress_bytes(&bytes, &Limits::default()).unwrap_err();
        for (sealing, opening) in keys() {
            let sealed = encrypt_bytes(&sealing, &bytes).unwrap();
            let error = refused(&sealed, &opening, &Limits::default());
            assert_eq!(
                (error.kind(), error.to_string()),
                (expected.kind(), expected.to_string()),
                "{number}"
            );
        }
    }
    for (sealing, opening) in keys() {
        let bytes = archive(&[report(), bill()]);
        let sealed = encrypt_bytes(&sealing, &bytes).unwrap();
        assert_eq!(refused(&sealed, &opening, &tight).kind(), ErrorKind::InflatedTooLarge);
    }
}

#[test]
fn sealed_bytes_that_were_changed_or_cut_at_any_block_fail_as_they_do_by_stream() {
    let files: Vec<_> = documents(3)
        .into_iter()
        .map(|(name, content)| (name, content[..content.len().min(150)].to_vec()))
        .collect();
    let bytes = packed(&files);
    for (sealing, opening) in keys() {
        let sealed = encrypt_bytes(&sealing, &bytes).unwrap();
        for block in 0..sealed.len() / 8 {
            let mut changed = sealed.clone();
            changed[block * 8 + block % 8] ^= 0x40;
            for sealed in [&changed[..], &sealed[..block * 8], &sealed[..block * 8 + 3]] {
                let by_stream = decrypt_bytes(&opening, sealed)
                    .and_then(|archive| decompress_bytes(&archive, &Limits::default()));
                let around = tempfile::tempdir().unwrap();
                let unpacked = unpack_bytes(sealed, &opening, &around.path().join("unpacked"), &on(2));
                match (by_stream, unpacked) {
                    (Err(stream), Err(random)) => assert_eq!(random.kind(), stream.kind(), "block {block}"),
                    // Times and versions in the archive's headers mean nothing to the content, its list does.
                    (Ok(read), Ok(unpacked)) => assert_eq!(read.len(), unpacked.len() + 1),
                    (Ok(_), Err(random)) => assert!(
                        matches!(random.kind(), ErrorKind::Altered | ErrorKind::InconsistentArchive),
                        "block {block}: {random}"
                    ),
                    (Err(stream), Ok(_)) => unreachable!("block {block} was released: {stream}"),
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_to_its_end_first() {
    let files = documents(5);
    let (sealing, opening) = &keys()[0];
    let sealed = encrypt_bytes(sealing, &packed(&files)).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let around = tempfile::tempdir().unwrap();
    let writing = thread::spawn(move || std::io::Write::write_all(&mut writer, &sealed).unwrap());
    let pipe = File::from(std::os::fd::OwnedFd::from(reader));
    let unpacked = unpack(&pipe, opening, &around.path().join("unpacked"), &on(2), &()).unwrap();
    writing.join().unwrap();
    assert_eq!(unpacked.len(), files.len());
}
