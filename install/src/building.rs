//! Has cargo build both libraries, and takes from what cargo tells programs where they are and what they need.

use crate::{Arguments, Outcome, files};
use serde_json::Value;
use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What came of the build.
#[derive(Default)]
pub(crate) struct Built {
    files: Vec<PathBuf>,
    static_libraries: Option<String>,
}

impl Built {
    /// The built library of this name, wherever the profile and cargo's configuration put it.
    pub(crate) fn file(&self, name: &str) -> Outcome<&Path> {
        let found = self.files.iter().find(|file| file.file_name() == Some(OsStr::new(name)));
        let missing = || format!("cargo built no {name}; look whether the target it builds for can have one");
        Ok(found.ok_or_else(missing)?)
    }

    /// What a program must link beside the static library.
    pub(crate) fn static_libraries(&self) -> Outcome<&str> {
        let missing = "rustc did not say what the static library needs, so nothing was installed; \
                       report it with what `rustc --version` says";
        Ok(self.static_libraries.as_deref().ok_or(missing)?)
    }

    /// Takes what is wanted from one of cargo's messages; gives what the user is to see of it.
    fn take(&mut self, line: &str) -> Option<String> {
        let message: Value = serde_json::from_str(line).ok()?;
        match message["reason"].as_str()? {
            "compiler-artifact" if message["target"]["name"] == "claimwire" => {
                let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
                self.files = files.map(PathBuf::from).collect();
                None
            }
            // Cargo repeats the note of an earlier build, so that it is there also when nothing was built now.
            "compiler-message" => {
                let said = &message["message"];
                if let Some(libraries) = said["message"].as_str()?.strip_prefix("native-static-libs: ") {
                    self.static_libraries = Some(libraries.trim().to_owned());
                }
                (said["level"] != "note").then(|| said["rendered"].as_str().map(str::to_owned))?
            }
            _ => None,
        }
    }
}

/// Builds both libraries. Cargo shows on standard error what it does, since it takes minutes.
pub(crate) fn build(crate_folder: &Path, arguments: &Arguments, interface: &str) -> Outcome<Built> {
    let mut cargo = cargo(crate_folder, arguments, interface);
    let cannot = |error: io::Error| format!("cannot run cargo: {error}");
    let mut running = cargo.stdout(Stdio::piped()).spawn().map_err(cannot)?;
    let mut built = Built::default();
    for line in running.stdout.take().into_iter().flat_map(|said| BufReader::new(said).lines()) {
        if let Some(shown) = built.take(&line.map_err(cannot)?) {
            io::stderr().write_all(shown.as_bytes())?;
        }
    }
    if !running.wait().map_err(cannot)?.success() {
        return Err("cargo could not build the library; what it said stands above".into());
    }
    Ok(built)
}

fn cargo(crate_folder: &Path, arguments: &Arguments, interface: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["rustc", "--message-format", "json", "--manifest-path"])
        .arg(crate_folder.join("Cargo.toml"))
        .args(["--lib", "--no-default-features", "--features", "capi", "--crate-type", "cdylib,staticlib"])
        .args(["--profile", &arguments.profile])
        .arg("--target-dir")
        .arg(&arguments.target)
        .args(["--", "--print", "native-static-libs"])
        .args(files::shared_name_arguments(interface));
    // Build scripts that look at what cargo said to this program would run again, here and in the build after this.
    let said_to_this_program = ["CARGO_PKG_", "CARGO_MANIFEST_", "OUT_DIR"];
    let is_said = |name: &OsStr| {
        said_to_this_program.iter().any(|said| name.as_encoded_bytes().starts_with(said.as_bytes()))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| is_said(name)) {
        cargo.env_remove(name);
    }
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = r#"{"reason":"compiler-message","target":{"name":"claimwire"},"message":{"level":"note",
        "rendered":"\u001b[1mnote\u001b[0m: native-static-libs: -lm -lc\u001b[0m\n",
        "message":"native-static-libs: -lm -lc"}}"#;

    #[test]
    fn what_the_static_library_needs_is_taken_without_the_colours_that_cargo_shows() {
        let mut built = Built::default();
        assert_eq!(built.take(NOTE), None, "nobody but this program wants it");
        assert_eq!(built.static_libraries().unwrap(), "-lm -lc");
    }

    #[test]
    fn a_build_that_does_not_say_what_the_static_library_needs_is_refused() {
        let mut built = Built::default();
        built.take(r#"{"reason":"compiler-message","message":{"level":"note","message":"link against"}}"#);
        assert!(built.static_libraries().unwrap_err().to_string().contains("rustc did not say"));
    }

    #[test]
    fn the_libraries_are_where_cargo_says_they_are() {
        let mut built = Built::default();
        for line in [
            r#"{"reason":"compiler-artifact","target":{"name":"ring"},"filenames":["/t/debug/deps/libring.rlib"]}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"claimwire"},
                "filenames":["/t/x86_64-unknown-linux-gnu/debug/libclaimwire.a"]}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "no message",
        ] {
            assert_eq!(built.take(line), None);
        }
        let archive = Path::new("/t/x86_64-unknown-linux-gnu/debug/libclaimwire.a");
        assert_eq!(built.file("libclaimwire.a").unwrap(), archive);
        assert!(built.file("libclaimwire.so").unwrap_err().to_string().contains("no libclaimwire.so"));
    }

    #[test]
    fn what_went_wrong_is_shown() {
        let mut built = Built::default();
        let line = r#"{"reason":"compiler-message","message":{"level":"error","message":"m","rendered":"error: m\n"}}"#;
        assert_eq!(built.take(line).as_deref(), Some("error: m\n"));
    }
}
