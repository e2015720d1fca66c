//! Runs the programs of others, and compares what they made of files. Where one is not installed its test is skipped and
//! says so; in CI that is a failure.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]
#![allow(dead_code, reason = "each test that runs other programs uses some of these")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first of these programs that starts with `probe` as its argument, or `None` and a line that says so.
pub(crate) fn find(programs: &[&'static str], probe: &str) -> Option<&'static str> {
    let starts = |program: &&&str| {
        let mut command = Command::new(program);
        command.arg(probe).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    or_skip(programs.iter().find(starts).copied(), &format!("{programs:?}"))
}

/// The library at `path`, or `None` and a line that says so.
pub(crate) fn find_file(path: &'static str) -> Option<&'static str> {
    or_skip(Path::new(path).exists().then_some(path), path)
}

/// A Python that has `module`, or `None` and a line that says so.
pub(crate) fn find_python_with(module: &str) -> Option<&'static str> {
    let script = format!("import {module}");
    let imports = |python: &&str| attempt(Command::new(python).args(["-c", &script]), b"").0;
    find(&["python3"], "--version").and_then(|python| or_skip(Some(python).filter(imports), module))
}

/// A Node.js that finds the npm package `name` where `npm ci --prefix tests/peers/npm` puts it, or `None` and a line
/// that says so.
pub(crate) fn find_node_with(name: &str) -> Option<&'static str> {
    let script = format!("require('{name}')");
    let requires = |node: &str| {
        let mut command = Command::new(node);
        command.current_dir(program("npm")).args(["-e", &script]);
        attempt(&mut command, b"").0
    };
    find(&["node"], "--version").and_then(|node| or_skip(Some(node).filter(|node| requires(node)), name))
}

/// Java for a program that ends at once, and is gone before the second compiler would pay.
pub(crate) fn java() -> Command {
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
    command
}

fn or_skip(found: Option<&'static str>, what: &str) -> Option<&'static str> {
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{what} is not installed, and CI tests against every peer");
        eprintln!("skipped: {what} is not installed");
    }
    found
}

/// A file of this folder.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Runs a command that must succeed, with `input` on its standard input; gives its standard output.
#[track_caller]
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let (succeeded, output, complaint) = attempt(command, input);
    assert!(succeeded, "{command:?} failed: {complaint}");
    output
}

/// Runs a command; gives whether it succeeded, its standard output, and its standard error.
pub(crate) fn attempt(command: &mut Command, input: &[u8]) -> (bool, Vec<u8>, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let output = std::thread::scope(|scope| {
        // A program that refuses its input closes it early: that shows in its exit code.
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).unwrap();
        output
    });
    let finished = child.wait_with_output().unwrap();
    (finished.status.success(), output, String::from_utf8_lossy(&finished.stderr).into_owned())
}

/// All files below a folder, by their paths in it.
pub(crate) fn contents(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push((path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Compares the files that one folder has with those that a program made of it.
#[track_caller]
pub(crate) fn assert_same_contents(source: &[(PathBuf, Vec<u8>)], target: &[(PathBuf, Vec<u8>)]) {
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(source), names(target));
    assert!(source == target, "contents differ");
}
