//! The program `examples/codec.rs`, as a shell runs it: exit codes, messages, and what does not reach standard output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{attempt, run};
use claimwire::codec::{AgeIdentity, encrypt_bytes};

/// The built example; `cargo test` builds it, a run of this test alone does not.
fn codec() -> Command {
    let profile = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let example = profile.join("examples").join(format!("codec{}", std::env::consts::EXE_SUFFIX));
    if !example.exists() {
        run(Command::new(env!("CARGO")).args(["build", "--example", "codec"]), b"");
    }
    Command::new(example)
}

fn key_file(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("key");
    fs::write(&path, content).unwrap();
    path
}

fn des_md5(verb: &str, key: &Path, more: &[&str]) -> Command {
    let mut command = codec();
    command.args([verb, "--suite", "des-md5", "--key-file"]).arg(key).args(more);
    command
}

#[test]
fn every_framing_gives_its_vector_and_one_newline_of_the_key_file_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["", "\n", "\r\n"] {
        let key = key_file(folder.path(), format!("legacy-Secret1{ending}").as_bytes());
        for (framing, sealed) in [
            (&["--framing", "salt-prefix"][..], "\x01\x02\x03\x04\x05\x06\x07\x08".to_owned()),
            (&["--framing", "openssl"], "Salted__\x01\x02\x03\x04\x05\x06\x07\x08".to_owned()),
            (&["--framing", "bare", "--iterations", "20"], String::new()),
        ] {
            let options = [framing, &["--salt", "0102030405060708"]].concat();
            let output = run(&mut des_md5("encrypt", &key, &options), b"claim");
            assert!(output.starts_with(sealed.as_bytes()) && output.len() == sealed.len() + 8);
            assert_eq!(run(&mut des_md5("decrypt", &key, &options), &output), b"claim");
        }
    }
    let key = key_file(folder.path(), b"legacy-Secret1\n\n");
    assert!(!attempt(&mut des_md5("encrypt", &key, &[]), b"claim").0, "only one newline is dropped");
}

#[test]
fn age_goes_through_recipient_and_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let identity = AgeIdentity::generate();
    let key = key_file(
        folder.path(),
        format!("# a comment\n{}\n", identity.to_secret_string().expose()).as_bytes(),
    );
    let recipient = identity.recipient().to_string();
    let sealed = run(codec().args(["encrypt", "--suite", "age", "--recipient", &recipient]), b"claim");
    let decrypt = || {
        let mut command = codec();
        command.args(["decrypt", "--suite", "age", "--key-file"]).arg(&key);
        command
    };
    assert_eq!(run(&mut decrypt(), &sealed), b"claim");
    let (succeeded, output, complaint) = attempt(&mut decrypt(), &sealed[..sealed.len() - 1]);
    assert!(!succeeded && output.is_empty() && complaint.starts_with("codec: "), "{complaint}");
}

#[cfg(unix)]
#[test]
fn what_is_decrypted_waits_in_memory_up_to_a_mebibyte_and_in_a_file_beyond() {
    let folder = tempfile::tempdir().unwrap();
    let identity = AgeIdentity::generate();
    let key = key_file(folder.path(), identity.to_secret_string().expose().as_bytes());
    let decrypted = |length: usize| {
        let sealed = encrypt_bytes(&identity.recipient().into(), &vec![7; length]).unwrap();
        let mut decrypt = codec();
        decrypt.args(["decrypt", "--suite", "age", "--key-file"]).arg(&key);
        attempt(decrypt.env("TMPDIR", folder.path().join("nowhere")), &sealed)
    };
    let (succeeded, output, _) = decrypted(1_048_576);
    assert!(succeeded && output.len() == 1_048_576);
    let (succeeded, output, complaint) = decrypted(1_048_577);
    assert!(!succeeded && output.is_empty(), "{complaint}");
}

#[test]
fn a_folder_goes_through_a_pipe_and_a_broken_archive_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir(&source).unwrap();
    fs::write(source.join("note.txt"), "Please call back.").unwrap();
    let archive = run(codec().arg("compress").arg(&source), b"");
    let (succeeded, ..) = attempt(codec().arg("decompress").arg(&target), &archive[..archive.len() - 1]);
    assert!(!succeeded && !target.exists());
    run(codec().arg("decompress").arg(&target), &archive);
    assert_eq!(fs::read_to_string(target.join("note.txt")).unwrap(), "Please call back.");
}

#[test]
fn a_folder_becomes_one_sealed_file_and_the_same_folder_again_with_either_suite() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("note.txt"), "Please call back.\n".repeat(1_000)).unwrap();
    let identity = AgeIdentity::generate();
    let recipient = identity.recipient().to_string();
    for (suite, key, sealing) in [
        ("des-md5", &b"legacy-Secret1"[..], None),
        ("age", identity.to_secret_string().expose().as_bytes(), Some(["--recipient", recipient.as_str()])),
    ] {
        let key = key_file(folder.path(), key);
        let key = ["--key-file", key.to_str().unwrap()];
        let (sealed, target) = (folder.path().join(suite), folder.path().join(format!("{suite}-target")));
        let mut pack = codec();
        pack.arg("pack").args([&source, &sealed]).args(["--suite", suite]).args(sealing.unwrap_or(key));
        let said = attempt(pack.args(["--threads", "2", "--level", "9"]), b"");
        assert_eq!(said, (true, Vec::new(), String::new()), "no progress where there is no terminal");
        assert!(fs::metadata(&sealed).unwrap().len() < 2_000);
        let unpack = |file: &Path| {
            let mut unpack = codec();
            unpack.arg("unpack").args([file, &target]).args(["--suite", suite, "--threads", "1"]).args(key);
            attempt(&mut unpack, b"")
        };
        let bytes = fs::read(&sealed).unwrap();
        let cut = folder.path().join("cut");
        fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
        let (succeeded, _, complaint) = unpack(&cut);
        assert!(!succeeded && complaint.starts_with("codec: ") && !target.exists(), "{complaint}");
        assert_eq!(unpack(&sealed), (true, Vec::new(), String::new()));
        let note = |directory: &Path| fs::read(directory.join("note.txt")).unwrap();
        assert_eq!(note(&target), note(&source));
    }
}

#[test]
fn what_cannot_be_understood_ends_with_exit_code_one() {
    for arguments in [
        &[][..],
        &["seal"],
        &["compress"],
        &["encrypt"],
        &["encrypt", "--suite"],
        &["encrypt", "--suite", "rot13"],
        &["encrypt", "--suite", "des-md5"],
        &["encrypt", "--suite", "age"],
        &["encrypt", "--suite", "age", "--recipient", "age1nobody"],
        &["decrypt", "--suite", "des-md5", "--framing", "bare", "--key-file", "x"],
        &["decrypt", "--suite", "des-md5", "--salt", "+102030405060708", "--key-file", "x"],
        &["decrypt", "--suite", "des-md5", "--iterations", "0", "--key-file", "x"],
        &["decrypt", "--suite", "age", "--key-file", "there is no such file"],
        &["encrypt", "--suite", "des-md5", "--key-file", "x", "--level", "6"],
        &["pack", "there is no such directory"],
        &["pack", "a", "b", "--suite", "des-md5", "--key-file", "x", "--level", "10"],
        &["unpack", "a", "b", "--suite", "des-md5", "--key-file", "x", "--threads", "0"],
        &["unpack", "a", "b", "--suite", "des-md5", "--key-file", "x", "--level", "6"],
    ] {
        let output = codec().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"codec: "), "{arguments:?}");
    }
    assert!(String::from_utf8(run(codec().arg("--help"), b"")).unwrap().contains("--framing"));
}
