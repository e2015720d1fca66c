//! The codec from C and C++: the examples, compiled by every compiler that is here, against the Rust example.

use crate::c_library;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, attempt, run};
use claimwire::codec::AgeIdentity;

/// The Rust filter, which the C filter must agree with.
fn rust_codec() -> Command {
    let profile = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let example = profile.join("examples").join(format!("codec{}", std::env::consts::EXE_SUFFIX));
    if !example.exists() {
        run(Command::new(env!("CARGO")).args(["build", "--example", "codec"]), b"");
    }
    Command::new(example)
}

/// The C filter as each compiler makes it.
fn c_codecs() -> Vec<PathBuf> {
    let compilers =
        ["gcc", "clang"].into_iter().filter(|compiler| peers::find(&[compiler], "--version").is_some());
    let compile = |compiler: &str| {
        let sources = [c_library::source("examples/c/codec.c")];
        c_library::compile(compiler, &["-std=c99"], &sources, &format!("codec-{compiler}"))
    };
    compilers.map(compile).collect()
}

fn with_key(mut command: Command, verb: &str, suite: &str, key: &Path, more: &[&str]) -> Command {
    command.args([verb, "--suite", suite, "--key-file"]).arg(key).args(more);
    command
}

fn scan() -> Vec<u8> {
    (0..200_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

#[test]
fn what_c_seals_rust_opens_and_the_other_way_round() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "legacy-Secret1\n").unwrap();
    let (identity, key_file) = (AgeIdentity::generate(), folder.path().join("identity"));
    std::fs::write(&key_file, format!("# ours\n{}\n", identity.to_secret_string().expose())).unwrap();
    let recipient = identity.recipient().to_string();
    for program in c_codecs() {
        for framing in [
            &["--framing", "salt-prefix"][..],
            &["--framing", "openssl", "--iterations", "20"],
            &["--framing", "bare", "--salt", "0102030405060708"],
        ] {
            let c = |verb| with_key(Command::new(&program), verb, "des-md5", &password, framing);
            let rust = |verb| with_key(rust_codec(), verb, "des-md5", &password, framing);
            assert!(run(&mut rust("decrypt"), &run(&mut c("encrypt"), &scan())) == scan());
            assert!(run(&mut c("decrypt"), &run(&mut rust("encrypt"), &scan())) == scan());
        }
        let seal = |mut command: Command| {
            run(command.args(["encrypt", "--suite", "age", "--recipient", &recipient]), &scan())
        };
        let c = || with_key(Command::new(&program), "decrypt", "age", &key_file, &[]);
        let rust = || with_key(rust_codec(), "decrypt", "age", &key_file, &[]);
        assert!(run(&mut rust(), &seal(Command::new(&program))) == scan());
        assert!(run(&mut c(), &seal(rust_codec())) == scan());
    }
}

#[test]
fn what_is_damaged_reaches_no_standard_output_of_c() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("password");
    std::fs::write(&key, "legacy-Secret1").unwrap();
    for program in c_codecs() {
        let c = |verb| with_key(Command::new(&program), verb, "des-md5", &key, &[]);
        let sealed = run(&mut c("encrypt"), &scan());
        let (succeeded, output, complaint) = attempt(&mut c("decrypt"), &sealed[..sealed.len() - 1]);
        assert!(!succeeded && output.is_empty() && complaint.contains("(truncated)"), "{complaint}");
        for bad in [&["seal"][..], &["encrypt"], &["encrypt", "--suite", "rot13"], &["decompress"]] {
            let output = Command::new(&program).args(bad).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{bad:?}");
            assert!(output.stdout.is_empty() && output.stderr.starts_with(b"codec: "), "{bad:?}");
        }
    }
}

#[test]
fn c_and_rust_pack_the_same_archive() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("claim");
    std::fs::create_dir_all(source.join("documents/empty")).unwrap();
    std::fs::write(source.join("note.txt"), "Please call back.").unwrap();
    std::fs::write(source.join("documents/scan.jpg"), scan()).unwrap();
    let archive = run(rust_codec().arg("compress").arg(&source), b"");
    for program in c_codecs() {
        assert!(run(Command::new(&program).arg("compress").arg(&source), b"") == archive);
        let target = program.with_extension("unpacked");
        let _ = std::fs::remove_dir_all(&target);
        let unpack = || {
            let mut command = Command::new(&program);
            command.arg("decompress").arg(&target);
            command
        };
        assert!(!attempt(&mut unpack(), &archive[..archive.len() - 1]).0 && !target.exists());
        run(&mut unpack(), &archive);
        assert_eq!(std::fs::read(target.join("documents/scan.jpg")).unwrap(), scan());
        std::fs::remove_dir_all(&target).unwrap();
    }
}

#[test]
fn notes_go_through_the_codec_in_cpp_with_exceptions_on_its_own_side() {
    for compiler in ["g++", "clang++"] {
        let Some(compiler) = peers::find(&[compiler], "--version") else { continue };
        let sources = [c_library::source("examples/cpp/sealed_notes.cpp")];
        let program =
            c_library::compile(compiler, &["-std=c++11"], &sources, &format!("sealed_notes-{compiler}"));
        let said = String::from_utf8(run(&mut Command::new(program), b"")).unwrap();
        for suite in ["des-md5", "age"] {
            assert!(said.contains(&format!("{suite}: 2 notes there and back; cut short: ")), "{said}");
        }
    }
}
