//! The installed C library is what a host's build expects: our symbols alone, the right name, found by CMake and pkg-config.

use crate::c_library;
use crate::peers;
use crate::surface::Surface;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn output(command: &mut Command) -> String {
    String::from_utf8(peers::run(command, b"")).unwrap()
}

fn build_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a built host, which checks itself, and tells whether it loads the shared library.
fn runs(host: &Path) -> bool {
    assert_eq!(output(&mut Command::new(host)).trim(), env!("CARGO_PKG_VERSION"));
    output(Command::new("readelf").arg("-d").arg(host)).contains("libclaimwire")
}

#[test]
fn the_shared_library_exports_the_headers_functions_and_nothing_else() {
    let Some(nm) = peers::find(&["nm"], "--version") else { return };
    let library = c_library::installed().join("lib/libclaimwire.so");
    let listed = output(Command::new(nm).args(["-D", "--defined-only"]).arg(library));
    let exported: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let surface = Surface::committed();
    let declared: BTreeSet<&str> = surface.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(exported, declared, "exported by the library, and declared by the header");
}

#[test]
fn the_static_library_has_the_headers_functions() {
    let Some(nm) = peers::find(&["nm"], "--version") else { return };
    let library = c_library::installed().join("lib/libclaimwire.a");
    // The archive holds members that are no objects, of which nm complains.
    let (_, listed, _) = peers::attempt(Command::new(nm).args(["-g", "--defined-only"]).arg(library), b"");
    let listed = String::from_utf8(listed).unwrap();
    let defined: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    for function in Surface::committed().functions {
        assert!(defined.contains(function.name.as_str()), "{} is not in the static library", function.name);
    }
}

#[test]
fn the_shared_library_is_named_by_its_interface() {
    let Some(readelf) = peers::find(&["readelf"], "--version") else { return };
    let surface = Surface::committed();
    let (_, interface) = surface.constants.iter().find(|(name, _)| name == "CW_ABI_VERSION").unwrap();
    let library = c_library::installed().join("lib");
    let listed = output(Command::new(readelf).arg("-d").arg(library.join("libclaimwire.so")));
    assert!(listed.contains(&format!("Library soname: [libclaimwire.so.{interface}]")), "{listed}");
    assert!(library.join(format!("libclaimwire.so.{interface}")).exists());
}

#[test]
fn a_prefix_that_cannot_be_written_is_named_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let (file, target) = (folder.path().join("file"), folder.path().join("target"));
    std::fs::write(&file, "").unwrap();
    let mut install = c_library::installer();
    install.arg("--prefix").arg(file.join("prefix")).arg("--target-dir").arg(&target);
    let (installed, _, complaint) = peers::attempt(&mut install, b"");
    assert!(!installed && complaint.contains(file.to_str().unwrap()), "{complaint}");
    assert!(!target.exists(), "nothing was built");
}

#[test]
fn cmake_finds_both_libraries() {
    let Some(cmake) = peers::find(&["cmake"], "--version") else { return };
    let build = build_folder("cmake-host");
    let configure = |wanted: &str| {
        let mut command = Command::new(cmake);
        command.arg("-S").arg(c_library::source("tests/c_border/build")).arg("-B").arg(&build);
        command.arg(format!("-DCMAKE_PREFIX_PATH={}", c_library::installed().display()));
        command.arg(format!("-DWANTED_VERSION={wanted}"));
        command
    };
    peers::run(&mut configure(env!("CARGO_PKG_VERSION")), b"");
    peers::run(Command::new(cmake).arg("--build").arg(&build), b"");
    assert!(runs(&build.join("host-shared")));
    assert!(!runs(&build.join("host-static")));

    let (found, _, complaint) = peers::attempt(&mut configure("99.0"), b"");
    assert!(!found, "a later version than the installed one is not found");
    assert!(complaint.contains("claimwire"), "{complaint}");
}

#[test]
fn pkg_config_tells_how_to_link_both_libraries() {
    let Some(pkg_config) = peers::find(&["pkg-config"], "--version") else { return };
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let build = build_folder("pkg-config-host");
    let flags = |arguments: &[&str]| {
        let mut command = Command::new(pkg_config);
        command.env("PKG_CONFIG_PATH", c_library::installed().join("lib/pkgconfig"));
        output(command.args(arguments).arg("claimwire"))
    };
    assert_eq!(flags(&["--modversion"]).trim(), env!("CARGO_PKG_VERSION"));
    let host = |name: &str, flags: &str| {
        let program = build.join(name);
        let mut command = Command::new(compiler);
        command
            .args(["-std=c99", "-Wall", "-Wextra", "-Werror"])
            .arg(c_library::source("tests/c_border/build/host.c"));
        command.arg("-o").arg(&program).args(flags.split_whitespace());
        peers::run(&mut command, b"");
        program
    };
    let shared = flags(&["--cflags", "--libs"]);
    let library = c_library::installed().join("lib");
    assert!(runs(&host("host-shared", &format!("{shared} -Wl,-rpath,{}", library.display()))));
    // The prefix has both libraries, and a linker prefers the shared one: what a static build gets where it alone is.
    let alone = flags(&["--static", "--cflags", "--libs"]).replace("-lclaimwire", "-l:libclaimwire.a");
    assert!(!runs(&host("host-static", &alone)));
}
