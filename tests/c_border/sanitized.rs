//! Every host program of the project, in C and C++, runs clean under the compilers' sanitizers and valgrind.
//!
//! The sanitizers see the host's side, every allocation, and what the library reads of the host's memory through the C
//! library; valgrind sees every instruction of both.

use crate::c_library;
use crate::peers;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

const ADDRESSES: &[&str] = &["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const VALGRIND: &[&str] = &[
    "--quiet",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--error-exitcode=99",
];

/// Every host program, found where they are kept, so that a new one is not forgotten.
fn hosts() -> Vec<PathBuf> {
    let folders = [
        "examples/c",
        "examples/cpp",
        "tests/c_border/exchange",
        "tests/c_border/settings",
        "tests/c_border/threads",
    ];
    let files = |folder: &str| std::fs::read_dir(c_library::source(folder)).into_iter().flatten();
    let paths = folders.into_iter().flat_map(files).map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "c" || kind == "cpp")).collect()
}

/// Does `work` with every host program, with as many at once as there are cores.
fn for_each_host(work: impl Fn(&Path) + Sync) {
    let hosts = Mutex::new(hosts().into_iter());
    let next = || hosts.lock().unwrap().next();
    let work_off = || {
        while let Some(host) = next() {
            work(&host);
        }
    };
    thread::scope(|scope| {
        (0..thread::available_parallelism().unwrap().get()).for_each(|_| drop(scope.spawn(work_off)));
    });
}

fn name(host: &Path) -> &str {
    host.file_stem().unwrap().to_str().unwrap()
}

/// Compiles a host, as C99 or C++11; gives nothing where its compiler is not there.
fn compiled(host: &Path, flags: &[&str], kind: &str) -> Option<PathBuf> {
    let (compilers, standard) = match host.extension().unwrap().to_str() {
        Some("cpp") => (["g++", "clang++"], "-std=c++11"),
        _ => (["gcc", "clang"], "-std=c99"),
    };
    let compiler = peers::find(&compilers, "--version")?;
    let name = format!("{}-{kind}", name(host));
    Some(c_library::compile(compiler, &[&[standard], flags].concat(), &[host.to_owned()], &name))
}

/// Runs a host, which checks itself, by its own command line in an empty folder.
#[track_caller]
fn runs(host: &Path, command: &dyn Fn() -> Command) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let run = |arguments: &[&str], input: &[u8]| peers::run(command().args(arguments).current_dir(at), input);
    match name(host) {
        "codec" => {
            std::fs::create_dir(at.join("claim")).unwrap();
            std::fs::write(at.join("claim/note.txt"), "Please call back.").unwrap();
            std::fs::write(at.join("key"), "legacy-Secret1\n").unwrap();
            let archive = run(&["compress", "claim"], b"");
            let key = ["--suite", "des-md5", "--key-file", "key"];
            let sealed = run(&[&["encrypt"][..], &key].concat(), &archive);
            assert_eq!(run(&[&["decrypt"][..], &key].concat(), &sealed), archive);
            run(&["decompress", "unpacked"], &archive);
            assert_eq!(std::fs::read(at.join("unpacked/note.txt")).unwrap(), b"Please call back.");
        }
        "there_and_back" => {
            run(&[at.to_str().unwrap(), "age"], b"");
        }
        _ => {
            run(&[at.to_str().unwrap()], b"");
        }
    }
}

#[test]
fn every_host_runs_clean_under_the_sanitizers() {
    for_each_host(|host| {
        let Some(program) = compiled(host, ADDRESSES, "sanitized") else { return };
        runs(host, &|| Command::new(&program));
    });
}

#[test]
fn every_host_runs_clean_under_valgrind() {
    let Some(valgrind) = peers::find(&["valgrind"], "--version") else { return };
    for_each_host(|host| {
        let Some(program) = compiled(host, &["-g"], "valgrind") else { return };
        runs(host, &|| {
            let mut command = Command::new(valgrind);
            command.args(VALGRIND).arg(&program);
            command
        });
    });
}

#[test]
fn threads_that_share_const_handles_do_not_race() {
    let host = c_library::source("tests/c_border/threads/hammer.c");
    let Some(program) = compiled(&host, &["-g", "-fsanitize=thread"], "threads") else { return };
    runs(&host, &|| {
        let mut command = Command::new(&program);
        // It does not see the locks of a library that it was not compiled into, so it looks at the host's side.
        command.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1");
        command
    });
}
