//! The C examples and threads that share handles run clean under the compilers' sanitizers and valgrind.
//!
//! The sanitizers see the host's side, every allocation, and what the library reads of the host's memory.
#![cfg(target_os = "linux")]

mod c_library;
mod peers;

use std::path::PathBuf;
use std::process::Command;

const ADDRESSES: &[&str] = &["-std=c99", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// Every example in C, with its name.
fn examples() -> Vec<(String, PathBuf)> {
    let files =
        std::fs::read_dir(c_library::source("examples/c")).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
    sources.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

/// Runs a program, which checks itself, in a new folder.
#[track_caller]
fn runs(command: &mut Command) {
    let folder = tempfile::tempdir().unwrap();
    peers::run(command.arg(folder.path()).current_dir(folder.path()), b"");
}

#[test]
fn every_example_runs_clean_under_the_sanitizers() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    for (name, source) in examples() {
        runs(&mut Command::new(c_library::compile(
            compiler,
            ADDRESSES,
            &[source],
            &format!("{name}-sanitized"),
        )));
    }
}

#[test]
fn every_example_runs_clean_under_valgrind() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let Some(valgrind) = peers::find(&["valgrind"], "--version") else { return };
    for (name, source) in examples() {
        let program =
            c_library::compile(compiler, &["-std=c99", "-g"], &[source], &format!("{name}-valgrind"));
        let mut command = Command::new(valgrind);
        command.args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite"]);
        command.args(["--errors-for-leak-kinds=definite", "--error-exitcode=1"]);
        runs(command.arg(program));
    }
}

#[test]
fn threads_may_share_const_handles() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let source = c_library::source("tests/c_threads/hammer.c");
    let threads = ["-std=c99", "-g", "-fsanitize=thread"];
    for (flags, name) in [(ADDRESSES, "hammer-addresses"), (&threads, "hammer-threads")] {
        let mut hammer =
            Command::new(c_library::compile(compiler, flags, std::slice::from_ref(&source), name));
        // It does not see the locks of a library that it was not compiled into, so it looks at the host's side.
        runs(hammer.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1"));
    }
}
