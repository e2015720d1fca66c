//! Hosts in Java, Python, C# and COBOL load the installed library and do the whole way, as their pages in docs/hosts/ say.

use crate::c_library;
use crate::peers;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lets the program tell its story in a new folder, with the installed library where the loader looks.
#[track_caller]
fn tells(program: &mut Command, end: &str) {
    let folder = tempfile::tempdir().unwrap();
    program.arg(folder.path()).env("LD_LIBRARY_PATH", c_library::installed().join("lib"));
    let story = String::from_utf8(peers::run(program, b"")).unwrap();
    assert!(story.trim_end().ends_with(end), "{story}");
}

fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn a_java_host_exchanges_a_claim_through_jna() {
    let Some(javac) = peers::find(&["javac"], "-version") else { return };
    let Some(jna) = peers::find_file("/usr/share/java/jna.jar") else { return };
    let classes = built("java_host");
    let mut compile = Command::new(javac);
    compile.args(["-encoding", "UTF-8", "-Xlint:all", "-Werror", "-cp", jna, "-d"]).arg(&classes);
    compile.args(
        ["Claimwire", "TwoSites"].map(|class| c_library::source(&format!("examples/java/{class}.java"))),
    );
    peers::run(&mut compile, b"");
    let mut java = peers::java();
    java.arg("-cp").arg(format!("{}:{jna}", classes.display())).arg("TwoSites");
    tells(&mut java, "The claim arrived as it was sent.");
}

#[test]
fn a_python_host_exchanges_a_claim_with_cases_in_a_dict() {
    let Some(python) = peers::find(&["python3"], "--version") else { return };
    let mut host = Command::new(python);
    host.arg("-B").arg(c_library::source("examples/python/two_sites.py"));
    tells(&mut host, "The claim arrived as it was sent.");
}

#[test]
fn a_python_function_gives_a_code_whatever_it_raises() {
    let Some(python) = peers::find(&["python3"], "--version") else { return };
    let mut functions = Command::new(python);
    functions.arg("-B").arg(c_library::source("tests/c_border/python_functions.py"));
    functions.env("PYTHONPATH", c_library::source("examples/python"));
    tells(&mut functions, "Every function gave a code.");
}

#[test]
fn a_dotnet_host_exchanges_a_claim_through_p_invoke() {
    let Some(compiler) = peers::find(&["mcs"], "--version") else { return };
    let Some(mono) = peers::find(&["mono"], "--version") else { return };
    let program = built("two_sites.exe");
    let mut compile = Command::new(compiler);
    compile.arg("-warnaserror+").arg(format!("-out:{}", program.display()));
    compile
        .args(["Claimwire", "TwoSites"].map(|file| c_library::source(&format!("examples/dotnet/{file}.cs"))));
    peers::run(&mut compile, b"");
    tells(Command::new(mono).arg(program), "The claim arrived as it was sent.");
}

#[test]
fn a_cobol_host_seals_opens_and_exchanges_a_claim() {
    let Some(compiler) = peers::find(&["cobc"], "--version") else { return };
    for (name, end) in
        [("codec", "What was sealed was opened."), ("two_sites", "The claim arrived as it was sent.")]
    {
        let program = built(&format!("{name}_cobol"));
        let mut compile = Command::new(compiler);
        compile.args(["-x", "-free", "-fstatic-call", "-Wall", "-Werror", "-I"]);
        compile.arg(c_library::source("examples/cobol"));
        compile.arg(c_library::source(&format!("examples/cobol/{name}.cob")));
        compile.arg("-L").arg(c_library::installed().join("lib")).arg("-lclaimwire");
        peers::run(compile.arg("-o").arg(&program), b"");
        tells(&mut Command::new(program), end);
    }
}

#[test]
fn the_commands_of_the_cobol_page_build_and_run_its_host() {
    let Some(_) = peers::find(&["cobc"], "--version") else { return };
    let folder = tempfile::tempdir().unwrap();
    let examples = folder.path().join("examples/cobol");
    std::fs::create_dir_all(&examples).unwrap();
    for (name, text) in peers::contents(&c_library::source("examples/cobol")) {
        std::fs::write(examples.join(name), text).unwrap();
    }
    let mut shell = Command::new("sh");
    shell.arg("-ec").arg(c_library::commands_of("docs/hosts/cobol.md")).current_dir(&folder);
    let story = String::from_utf8(peers::run(&mut shell, b"")).unwrap();
    assert!(story.ends_with("The claim arrived as it was sent.\n"), "{story}");
}
