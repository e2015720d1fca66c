//! The C header: the committed one is the one the sources say, and every compiler takes it.

use crate::c_library;
use crate::peers;
use std::process::Command;

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/claimwire.h"));
    let committed = std::fs::read_to_string(c_library::source("include/claimwire.h")).unwrap();
    let differs = generated.lines().zip(committed.lines()).position(|(new, old)| new != old);
    assert!(
        generated == committed,
        "include/claimwire.h differs from src/capi/ from line {} on; copy {} over it",
        differs.map_or(0, |line| line + 1),
        concat!(env!("OUT_DIR"), "/claimwire.h"),
    );
}

/// Takes the header alone, as the first thing in a file, without a warning.
fn compiles(compiler: &str, language: &str, standard: &str) {
    let mut command = Command::new(compiler);
    command.args([
        "-x",
        language,
        standard,
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-fsyntax-only",
        "-I",
    ]);
    command.arg(c_library::source("include")).arg("-");
    peers::run(&mut command, b"#include <claimwire.h>\nint main(void) { return CW_OK; }\n");
}

#[test]
fn gcc_and_clang_take_the_header_as_c99_and_as_cpp11() {
    for (c, cpp) in [("gcc", "g++"), ("clang", "clang++")] {
        let Some(c) = peers::find(&[c], "--version") else { continue };
        compiles(c, "c", "-std=c99");
        let Some(cpp) = peers::find(&[cpp], "--version") else { continue };
        compiles(cpp, "c++", "-std=c++11");
    }
}

#[test]
fn the_example_of_the_headers_guide_compiles_and_runs() {
    let Some(gcc) = peers::find(&["gcc", "clang"], "--version") else { return };
    let header = std::fs::read_to_string(c_library::source("include/claimwire.h")).unwrap();
    let begin = header.find(" *     #include").unwrap();
    let end = header[begin..].find(" *     }\n *\n").unwrap() + " *     }\n".len();
    let example: String = header[begin..begin + end]
        .lines()
        .map(|line| {
            line.strip_prefix(" *").unwrap().strip_prefix("     ").unwrap_or_default().to_owned() + "\n"
        })
        .collect();
    let source = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide_example.c");
    std::fs::write(&source, example).unwrap();
    let program = c_library::compile(gcc, &["-std=c99"], &[source], "guide_example");
    assert!(peers::run(&mut Command::new(program), b"").starts_with(b"age-encryption.org/v1\n"));
}

fn readme_example() -> String {
    let readme = std::fs::read_to_string(c_library::source("README.md")).unwrap();
    readme.split_once("```c\n").unwrap().1.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_of_the_readme_compiles_and_runs() {
    let source = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme_example.c");
    std::fs::write(&source, readme_example()).unwrap();
    for compiler in ["gcc", "clang"] {
        let Some(compiler) = peers::find(&[compiler], "--version") else { continue };
        let name = format!("readme_example-{compiler}");
        let program = c_library::compile(compiler, &["-std=c99"], std::slice::from_ref(&source), &name);
        assert_eq!(peers::run(&mut Command::new(program), b""), b"left knee\n");
    }
}

#[test]
fn the_commands_of_the_readme_link_and_run_its_example() {
    let Some(_) = peers::find(&["pkg-config"], "--version") else { return };
    let Some(_) = peers::find(&["cc"], "--version") else { return };
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("host.c"), readme_example()).unwrap();
    std::os::unix::fs::symlink(c_library::installed(), home.path().join("claimwire")).unwrap();
    let mut shell = Command::new("sh");
    shell.arg("-ec").arg(c_library::commands_of("README.md")).current_dir(&home).env("HOME", home.path());
    assert_eq!(peers::run(&mut shell, b""), b"left knee\n");
}

#[test]
fn a_program_can_be_started_while_another_test_compiles_it_anew() {
    let Some(gcc) = peers::find(&["gcc", "clang"], "--version") else { return };
    let source = c_library::source("tests/c_border/build/host.c");
    let compile = || c_library::compile(gcc, &["-std=c99"], std::slice::from_ref(&source), "compiled_anew");
    let program = compile();
    std::thread::scope(|scope| {
        let compiling = scope.spawn(|| (0..4).for_each(|_| drop(compile())));
        while !compiling.is_finished() {
            let said = Command::new(&program).output().map(|output| output.stdout);
            assert_eq!(said.unwrap(), format!("{}\n", env!("CARGO_PKG_VERSION")).as_bytes());
        }
    });
}
