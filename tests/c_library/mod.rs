//! Installs the C library as a host's administrator would, and compiles and runs C programs against it.
//!
//! A test that uses this also has `mod peers;`.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]
#![allow(dead_code, reason = "each test that compiles C programs uses some of these")]

use crate::peers;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The prefix with the installed library, which is built once.
pub(crate) fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let prefix = target.join("c-library");
        // Test programs may run side by side; one installs, the others wait and find it done.
        let lock = std::fs::File::create(target.join("c-library.lock")).unwrap();
        lock.lock().unwrap();
        let mut install = installer();
        install.args(["--profile", "dev", "--target-dir"]).arg(target).arg("--prefix").arg(&prefix);
        // Cargo's colours must not get into what is installed.
        peers::run(install.env("CARGO_TERM_COLOR", "always"), b"");
        prefix
    })
}

/// The program that installs the library; its arguments are to be added.
pub(crate) fn installer() -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("c-library-install");
    let mut installer = Command::new(env!("CARGO"));
    installer.args(["run", "--quiet", "--manifest-path"]).arg(source("install/Cargo.toml"));
    installer.args(["--profile", "dev", "--target-dir"]).arg(target).arg("--");
    installer
}

/// What a page has a host's developer type after the installation, for a shell: the rest of its first such block.
pub(crate) fn commands_of(page: &str) -> String {
    let page = std::fs::read_to_string(source(page)).unwrap();
    let block = page.split_once("```sh\ncargo run --manifest-path install/Cargo.toml ").unwrap().1;
    let commands = block.split_once("```").unwrap().0.split_once('\n').unwrap().1;
    commands.replace("PREFIX", installed().to_str().unwrap())
}

/// A source file of this package.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compiles a program against the installed library with warnings denied; gives its path.
///
/// Tests that run side by side compile the same program, so it gets its name when it is whole.
#[track_caller]
pub(crate) fn compile(compiler: &str, arguments: &[&str], sources: &[PathBuf], name: &str) -> PathBuf {
    let prefix = installed();
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(programs).unwrap();
    let (compiled, program) = (folder.path().join(name), programs.join(name));
    let mut command = Command::new(compiler);
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"]).args(arguments).args(sources);
    command.arg("-I").arg(prefix.join("include")).arg("-L").arg(prefix.join("lib"));
    command.arg(format!("-Wl,-rpath,{}", prefix.join("lib").display())).args([
        "-lclaimwire",
        "-lpthread",
        "-o",
    ]);
    peers::run(command.arg(&compiled), b"");
    std::fs::rename(compiled, &program).unwrap();
    program
}
