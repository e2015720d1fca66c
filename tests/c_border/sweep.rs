//! Every function of the C header is called with all that a host may get wrong: a code each time, never a crash.
//!
//! The program that does it is generated from the header, so that no function can be left out. It runs as it is, under
//! AddressSanitizer and UndefinedBehaviorSanitizer, and under valgrind.

mod generate;
mod makers;

use crate::c_library;
use crate::peers;
use crate::surface::Surface;
use std::path::{Path, PathBuf};
use std::process::Command;

fn written(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("c");
    std::fs::write(&source, generate::program(&Surface::committed())).unwrap();
    source
}

fn built(compiler: &str, arguments: &[&str], name: &str) -> PathBuf {
    let beside = format!("-I{}", c_library::source("tests/c_border/sweep").display());
    // The sweep has helpers for whatever the header may hold, and asks for impossible lengths on purpose.
    let quiet = ["-std=c99", "-g", "-Wno-unused-function", "-Wno-unused-variable", &beside];
    c_library::compile(compiler, &[&quiet, arguments].concat(), &[written(name)], name)
}

#[test]
fn every_handle_type_has_a_maker() {
    let surface = Surface::committed();
    let missing = makers::missing(&surface);
    assert!(missing.is_empty(), "tell tests/c_border/sweep/makers.rs how to make {missing:?}");
}

#[test]
fn no_mistake_of_a_host_crashes_the_library() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let sweep = built(compiler, &[], "sweep");
    let folder = tempfile::tempdir().unwrap();
    peers::run(Command::new(&sweep).arg(folder.path()).current_dir(folder.path()), b"");
}

#[test]
fn no_mistake_of_a_host_touches_memory_it_should_not() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let sweep = built(compiler, &flags, "sweep-sanitized");
    let folder = tempfile::tempdir().unwrap();
    peers::run(Command::new(&sweep).arg(folder.path()).current_dir(folder.path()), b"");
}

#[test]
fn no_mistake_of_a_host_is_seen_by_valgrind() {
    let Some(valgrind) = peers::find(&["valgrind"], "--version") else { return };
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let sweep = built(compiler, &[], "sweep-valgrind");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(valgrind);
    command.args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite"]);
    command.args(["--errors-for-leak-kinds=definite", "--error-exitcode=1"]);
    peers::run(command.arg(&sweep).arg(folder.path()).current_dir(folder.path()), b"");
}
