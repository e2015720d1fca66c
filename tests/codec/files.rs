//! The codec from file to file: whole under its name, or not there, and nothing left beside it.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use claimwire::ErrorKind;
use claimwire::codec::{
    AgeIdentity, DesMd5Key, Framing, Limits, OpeningKey, SealingKey, compress_file, decompress_file,
    decrypt_file, encrypt_file,
};

fn keys() -> [(SealingKey, OpeningKey); 2] {
    let identity = AgeIdentity::generate();
    let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
    [(identity.recipient().into(), identity.into()), (key.clone().into(), key.into())]
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_goes_there_and_back_and_is_private() {
    for (sealing, opening) in keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let content: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
        fs::write(path("scan.jpg"), &content).unwrap();
        let written = encrypt_file(&sealing, &path("scan.jpg"), &path("sealed"), &()).unwrap();
        assert_eq!(fs::metadata(path("sealed")).unwrap().len(), written);
        assert_eq!(decrypt_file(&opening, &path("sealed"), &path("again.jpg"), &()).unwrap(), 3_000_000);
        assert_eq!(fs::read(path("again.jpg")).unwrap(), content);
        assert_eq!(names(folder.path()), ["again.jpg", "scan.jpg", "sealed"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(path("again.jpg")).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn a_damaged_file_releases_nothing_and_leaves_what_was_there() {
    for (sealing, opening) in keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("plain"), vec![7; 300_000]).unwrap();
        encrypt_file(&sealing, &path("plain"), &path("sealed"), &()).unwrap();
        let sealed = fs::read(path("sealed")).unwrap();
        fs::write(path("sealed"), &sealed[..sealed.len() - 3]).unwrap();
        fs::write(path("plain"), "what was there").unwrap();
        let error = decrypt_file(&opening, &path("sealed"), &path("plain"), &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!(fs::read(path("plain")).unwrap(), b"what was there");
        decrypt_file(&opening, &path("sealed"), &path("new"), &()).unwrap_err();
        assert_eq!(names(folder.path()), ["plain", "sealed"]);
    }
}

#[test]
fn who_stops_the_work_leaves_no_file() {
    let stop = |_: u64| ControlFlow::Break(());
    for (sealing, opening) in keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("plain"), "claim").unwrap();
        encrypt_file(&sealing, &path("plain"), &path("sealed"), &()).unwrap();
        for error in [
            encrypt_file(&sealing, &path("plain"), &path("other"), &stop).unwrap_err(),
            decrypt_file(&opening, &path("sealed"), &path("other"), &stop).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Cancelled);
        }
        assert_eq!(names(folder.path()), ["plain", "sealed"]);
    }
}

#[test]
fn paths_that_lead_nowhere_are_named() {
    let (sealing, _) = &keys()[1];
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("plain"), "claim").unwrap();
    for (from, to, named) in
        [("missing", "sealed", "missing"), ("plain", "none/sealed", "none"), ("plain", "..", "..")]
    {
        let error = encrypt_file(sealing, &path(from), &path(to), &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

/// What cannot be read from its end is kept until it is whole.
#[cfg(unix)]
#[test]
fn an_archive_is_unpacked_from_a_named_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let archive = claimwire::codec::compress_bytes([("note.txt", "Please call back.")]).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let pipe = path("pipe");
    let writing = std::thread::spawn(move || fs::write(pipe, archive).unwrap());
    decompress_file(&path("pipe"), &path("unpacked"), &Limits::default(), &()).unwrap();
    writing.join().unwrap();
    assert_eq!(fs::read(path("unpacked/note.txt")).unwrap(), b"Please call back.");
}

#[test]
fn a_directory_goes_through_an_archive_that_must_not_lie_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("claim/documents")).unwrap();
    fs::write(path("claim/documents/note.txt"), "Please call back.").unwrap();
    let error = compress_file(&path("claim"), &path("claim/documents/claim.zip"), &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let written = compress_file(&path("claim"), &path("claim.zip"), &()).unwrap();
    assert_eq!(fs::metadata(path("claim.zip")).unwrap().len(), written);
    let files = decompress_file(&path("claim.zip"), &path("again"), &Limits::default(), &()).unwrap();
    assert_eq!(files[0].0, "documents/note.txt");
    assert_eq!(fs::read(path("again/documents/note.txt")).unwrap(), b"Please call back.");
    let strict = Limits::default().with_inflated_size(5);
    decompress_file(&path("claim.zip"), &path("third"), &strict, &()).unwrap_err();
    assert_eq!(names(folder.path()), ["again", "claim", "claim.zip"]);
}
