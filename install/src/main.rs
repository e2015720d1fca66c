//! Builds the shared and the static C library and installs them with header, pkg-config and CMake files.
//!
//! ```sh
//! cargo run --manifest-path install/Cargo.toml -- --prefix "$HOME/claimwire"
//! ```

mod building;
mod files;
mod place;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Builds claimwire's C library and installs it.

    claimwire-install --prefix DIR [--profile PROFILE] [--target-dir DIR]

    --prefix DIR       where lib/, include/, lib/pkgconfig/ and lib/cmake/ go
    --profile PROFILE  a cargo profile; release by default
    --target-dir DIR   where to build; the crate's own target folder by default
";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done when standard error is closed too.
            let _ = writeln!(io::stderr(), "claimwire-install: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    prefix: PathBuf,
    profile: String,
    target: PathBuf,
}

fn run() -> Outcome<()> {
    // As cargo says it now: the program may have been built where the sources stood before.
    let own_folder = env::var_os("CARGO_MANIFEST_DIR").ok_or("run it by `cargo run`, see --help")?;
    let crate_folder = whole(&Path::new(&own_folder).join(".."))?;
    let Some(arguments) = parse(&crate_folder)? else {
        return Ok(io::stdout().write_all(USAGE.as_bytes())?);
    };
    let version = version_of(&crate_folder)?;
    let header = read(&crate_folder.join("include/claimwire.h"))?;
    let interface = interface_of(&header)?;

    // The build takes minutes: what is wrong with the prefix is said before.
    let prefix = &arguments.prefix;
    for folder in ["lib", "lib/pkgconfig", "lib/cmake/claimwire", "include"] {
        place::prepare(&prefix.join(folder))?;
    }
    let prefix = whole(prefix)?;
    let built = building::build(&crate_folder, &arguments, interface)?;
    let static_libraries = built.static_libraries()?;

    let library = prefix.join("lib");
    files::install_libraries(&built, &library, &version, interface)?;
    place::write(&header, &prefix.join("include/claimwire.h"))?;
    let pkg_config = files::pkg_config(&prefix, &version, static_libraries);
    place::write(&pkg_config, &library.join("pkgconfig/claimwire.pc"))?;
    for (name, text) in files::cmake(&version, static_libraries) {
        place::write(&text, &library.join("cmake/claimwire").join(name))?;
    }
    Ok(writeln!(io::stdout(), "installed claimwire {version} into {}", prefix.display())?)
}

/// The path without links and dots in it.
fn whole(path: &Path) -> Outcome<PathBuf> {
    Ok(path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?)
}

fn read(path: &Path) -> Outcome<String> {
    Ok(fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?)
}

fn parse(crate_folder: &Path) -> Outcome<Option<Arguments>> {
    let (mut prefix, mut profile, mut target) = (None, "release".to_owned(), crate_folder.join("target"));
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--help" || word == "-h" {
            return Ok(None);
        }
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value\n{USAGE}"))?;
        match word.as_str() {
            "--prefix" => prefix = Some(PathBuf::from(value)),
            "--profile" => profile = value,
            "--target-dir" => target = PathBuf::from(value),
            _ => return Err(format!("there is no option `{word}`\n{USAGE}").into()),
        }
    }
    let prefix = prefix.ok_or_else(|| format!("--prefix is missing\n{USAGE}"))?;
    Ok(Some(Arguments { prefix, profile, target }))
}

/// The crate's version, from the one line of its manifest that says it.
fn version_of(crate_folder: &Path) -> Outcome<String> {
    let manifest = read(&crate_folder.join("Cargo.toml"))?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    Ok(line.ok_or("Cargo.toml names no version")?.to_owned())
}

/// The C interface's version, which is the number in the shared library's name.
fn interface_of(header: &str) -> Outcome<&str> {
    let version = header.lines().find_map(|line| line.strip_prefix("#define CW_ABI_VERSION "));
    Ok(version.ok_or("the header names no CW_ABI_VERSION")?.trim())
}
