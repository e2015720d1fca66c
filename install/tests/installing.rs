//! Installs a small crate in claimwire's place, by a cargo that is configured as its user likes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A crate with what the installer looks for, in a new folder.
fn crate_with(name: &str, code: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    for part in ["src", "include", "install"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let package = "[package]\nname = \"claimwire\"\nversion = \"1.2.3\"\nedition = \"2024\"\n";
    let manifest = format!("{package}[features]\ncapi = []\n[workspace]\n");
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("include/claimwire.h"), "#define CW_ABI_VERSION 7\n").unwrap();
    fs::write(folder.join("src/lib.rs"), code).unwrap();
    folder
}

fn install(folder: &Path, configured: &[(&str, &str)]) -> Output {
    let mut installer = Command::new(env!("CARGO_BIN_EXE_claimwire-install"));
    installer.env("CARGO_MANIFEST_DIR", folder.join("install")).envs(configured.iter().copied());
    installer.args(["--profile", "dev", "--prefix"]).arg(folder.join("prefix"));
    installer.arg("--target-dir").arg(folder.join("target")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The platform that this machine's compiler compiles for.
fn host() -> String {
    let said = text(&Command::new("rustc").arg("-vV").output().unwrap().stdout);
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn colours_and_a_target_of_the_users_change_nothing_of_what_is_installed() {
    let folder = crate_with("configured", "");
    let installed = || {
        let library = folder.join("prefix/lib");
        assert!(fs::metadata(library.join("libclaimwire.a")).unwrap().len() > 0);
        let build_tools = ["pkgconfig/claimwire.pc", "cmake/claimwire/claimwire-config.cmake"];
        build_tools.map(|file| fs::read_to_string(library.join(file)).unwrap())
    };
    assert!(install(&folder, &[]).status.success());
    let plainly = installed();
    fs::remove_dir_all(folder.join("prefix")).unwrap();
    fs::remove_dir_all(folder.join("target")).unwrap();
    let output = install(&folder, &[("CARGO_TERM_COLOR", "always"), ("CARGO_BUILD_TARGET", &host())]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(installed(), plainly);
    assert!(plainly[0].contains("Libs.private: -l"), "{}", plainly[0]);
}

#[test]
fn what_cargo_does_is_shown_and_so_is_why_it_could_not() {
    let folder = crate_with("shown", "pub fn half() { let unused = 1; }");
    let said = text(&install(&folder, &[("CARGO_TERM_COLOR", "never")]).stderr);
    assert!(said.contains("Compiling claimwire") && said.contains("unused variable"), "{said}");
    assert!(!said.contains("native-static-libs"), "{said}");

    fs::write(folder.join("src/lib.rs"), "compile_error!(\"no half is built\");").unwrap();
    let output = install(&folder, &[]);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("no half is built"), "{said}");
    assert!(said.contains("could not build the library"), "{said}");
}

#[test]
fn an_upgrade_leaves_the_new_files_and_nothing_else() {
    let folder = crate_with("upgraded", "");
    let names = || {
        let entries = fs::read_dir(folder.join("prefix/lib")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert!(install(&folder, &[]).status.success());
    let first = names();
    assert!(install(&folder, &[]).status.success());
    assert_eq!(names(), first);
    assert!(!first.iter().any(|name| name.starts_with('.')), "{first:?}");
}
