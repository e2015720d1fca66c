//! The C interface is frozen: what hosts were compiled for stays as it is until CW_ABI_VERSION changes.
//!
//! `include/claimwire.abi` is the declared interface: every function, type, constant and layout, one a line. A new line is
//! declared by
//!
//! ```sh
//! CLAIMWIRE_ABI=declare cargo test --test c_border abi
//! ```
//!
//! which refuses to take a line away or to change one, unless CW_ABI_VERSION was raised. What no release had yet may be
//! taken back: delete its line by hand. What the last release declared is compared with besides, from its tag.

use crate::c_library;
use crate::peers;
use crate::surface::Surface;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const HEAD: &str = "\
# The C interface that hosts are compiled for, as measured on a 64-bit platform. tests/c_border/abi.rs says how a line is
# added; none is changed or taken away without a new CW_ABI_VERSION. A retired code stays, as `reserved`.
";

/// The declared interface: what a line is about, such as `function cw_version`, and what it says.
type Declared = BTreeMap<String, String>;

fn read(text: &str) -> Declared {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let cut = line.match_indices(' ').nth(1).map_or(line.len(), |(at, _)| at);
            (line[..cut].to_owned(), line[cut..].trim().to_owned())
        })
        .collect()
}

/// What `new` has beyond `old`, and where it breaks what was compiled for `old`.
fn compare(old: &Declared, new: &Declared) -> (Vec<String>, Vec<String>) {
    let added = |(key, value): (&String, &String)| format!("{key} {value}");
    let additions = new.iter().filter(|(key, _)| !old.contains_key(*key)).map(added).collect();
    let mut breaks = Vec::new();
    for (key, was) in old.iter().filter(|(key, _)| !key.starts_with("abi ")) {
        match new.get(key) {
            None => breaks.push(format!("{key} {was} is gone")),
            Some(is) if is != was && !grew(key, was, is, new) => {
                breaks.push(format!("{key} was {was} and is {is}"));
            }
            Some(_) => {}
        }
    }
    for (key, name) in old.iter().chain(new).filter(|(key, _)| key.starts_with("reserved ")) {
        let number = key.trim_start_matches("reserved ");
        let reused = new.iter().find(|(key, value)| key.starts_with("constant CW_ERR_") && *value == number);
        if let Some((key, _)) = reused {
            breaks.push(format!("{key} takes the code {number}, which {name} had"));
        }
    }
    (additions, breaks)
}

/// A struct that begins with its size may grow at its end; a layout that moved shows at its members.
fn grew(key: &str, was: &str, is: &str, new: &Declared) -> bool {
    let size = |text: &str| text.parse::<u64>().unwrap_or(0);
    key.strip_prefix("struct ")
        .is_some_and(|name| new.contains_key(&format!("member {name}.struct_size")) && size(is) > size(was))
}

/// What the header and a compiler say now.
fn measured() -> Option<Declared> {
    let compiler = peers::find(&["gcc", "clang"], "--version")?;
    let surface = Surface::committed();
    let mut program = String::from("#include <claimwire.h>\n#include <stdio.h>\n\nint main(void) {\n");
    let number = "    printf(\"%s %lld\\n\",";
    for (name, value) in &surface.constants {
        if value.starts_with('"') {
            writeln!(program, "    printf(\"constant {name} %s\\n\", {name});").unwrap();
        } else {
            writeln!(program, "{number} \"constant {name}\", (long long)({name}));").unwrap();
        }
    }
    for record in &surface.structs {
        let of = &record.name;
        writeln!(program, "{number} \"struct {of}\", (long long)sizeof({of}));").unwrap();
        for member in &record.members {
            let name = &member.name;
            writeln!(
                program,
                "    printf(\"member {of}.{name} %zu %zu {}\\n\", offsetof({of}, {name}), sizeof((({of} *)0)->{name}));",
                member.of
            )
            .unwrap();
        }
    }
    program.push_str("    return 0;\n}\n");
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("measure_abi.c");
    let measure = Path::new(env!("CARGO_TARGET_TMPDIR")).join("measure_abi");
    std::fs::write(&source, program).unwrap();
    let mut compile = Command::new(compiler);
    compile.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"]).arg(c_library::source("include"));
    peers::run(compile.arg(&source).arg("-o").arg(&measure), b"");
    let mut declared = read(&String::from_utf8(peers::run(&mut Command::new(measure), b"")).unwrap());

    // The library's own version changes with every release.
    declared.retain(|key, _| !key.starts_with("constant CW_VERSION_"));
    let abi = declared.remove("constant CW_ABI_VERSION").unwrap();
    declared.insert(format!("abi {abi}"), String::new());
    for name in &surface.opaque {
        declared.insert(format!("opaque {name}"), String::new());
    }
    for callback in &surface.callbacks {
        declared.insert(format!("callback {}", callback.name), callback.signature());
    }
    for function in &surface.functions {
        declared.insert(format!("function {}", function.name), function.signature());
    }
    Some(declared)
}

fn abi(declared: &Declared) -> Option<&str> {
    declared.keys().find_map(|key| key.strip_prefix("abi "))
}

fn file() -> PathBuf {
    c_library::source("include/claimwire.abi")
}

/// What is measured, with the codes that were retired before or are now.
fn with_reserved(old: &Declared, measured: &Declared) -> Declared {
    let mut all = measured.clone();
    for (key, value) in old {
        if key.starts_with("reserved ") {
            all.insert(key.clone(), value.clone());
        } else if let Some(name) = key.strip_prefix("constant CW_ERR_").filter(|_| !all.contains_key(key)) {
            all.insert(format!("reserved {value}"), format!("CW_ERR_{name}"));
        }
    }
    all
}

fn declare(old: &Declared, measured: &Declared) {
    let mut text = HEAD.to_owned();
    for (key, value) in &with_reserved(old, measured) {
        writeln!(text, "{}", format!("{key} {value}").trim_end()).unwrap();
    }
    std::fs::write(file(), text).unwrap();
}

fn refusal(against: &str, breaks: &[String]) -> String {
    format!(
        "{against} is broken:\n  {}\nHosts that were compiled for it would fail. Keep it as it was and add beside it, or \
         raise CW_ABI_VERSION in src/capi/version.rs, say so in CHANGELOG.md, and declare the new interface.",
        breaks.join("\n  ")
    )
}

#[test]
#[cfg(target_pointer_width = "64")]
fn what_hosts_were_compiled_for_stays() {
    let Some(measured) = measured() else { return };
    let old = read(&std::fs::read_to_string(file()).unwrap_or_default());
    let (additions, breaks) = compare(&old, &with_reserved(&old, &measured));
    if abi(&old).is_none_or(|abi| Some(abi) == self::abi(&measured)) {
        assert!(breaks.is_empty(), "{}", refusal("the interface in include/claimwire.abi", &breaks));
    }
    if std::env::var_os("CLAIMWIRE_ABI").is_some_and(|wish| wish == "declare") {
        return declare(&old, &measured);
    }
    assert!(
        additions.is_empty() && breaks.is_empty() && old == with_reserved(&old, &measured),
        "include/claimwire.abi does not declare:\n  {}\nIf this is meant, run\n  CLAIMWIRE_ABI=declare cargo test --test \
         c_border abi\nand commit the file.",
        additions.iter().chain(&breaks).cloned().collect::<Vec<_>>().join("\n  ")
    );
}

/// Holds against hands that edit the declaration: a release's own is in its tag.
#[test]
fn what_the_last_release_declared_stays() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(c_library::source("")).args(arguments).output();
        output.ok().filter(|output| output.status.success()).map(|output| output.stdout)
    };
    let Some(tag) = git(&["describe", "--tags", "--abbrev=0", "--match", "v*"]) else { return };
    let tag = String::from_utf8(tag).unwrap();
    let Some(old) = git(&["show", &format!("{}:include/claimwire.abi", tag.trim())]) else { return };
    let old = read(&String::from_utf8(old).unwrap());
    let new = read(&std::fs::read_to_string(file()).unwrap());
    let (_, breaks) = compare(&old, &new);
    assert!(
        breaks.is_empty() || abi(&old) != abi(&new),
        "{}",
        refusal(&format!("the interface of {}", tag.trim()), &breaks)
    );
}

#[test]
fn a_removed_function_a_changed_code_and_a_moved_member_break_hosts() {
    let old = read(
        "abi 0\nconstant CW_ERR_IO 3\nfunction cw_a void (void)\nmember cw_b.c 8 8 size_t\nstruct cw_b 16\n",
    );
    let new = read("abi 0\nconstant CW_ERR_IO 4\nmember cw_b.c 16 8 size_t\nstruct cw_b 24\n");
    let (additions, breaks) = compare(&old, &new);
    assert!(additions.is_empty());
    assert_eq!(
        breaks,
        [
            "constant CW_ERR_IO was 3 and is 4",
            "function cw_a void (void) is gone",
            "member cw_b.c was 8 8 size_t and is 16 8 size_t",
            "struct cw_b was 16 and is 24",
        ]
    );
}

#[test]
fn new_functions_and_members_at_the_end_of_a_sized_struct_are_additions() {
    let old = read("abi 0\nmember cw_b.struct_size 0 8 size_t\nstruct cw_b 8\n");
    let new = read(
        "abi 0\nfunction cw_a void (void)\nmember cw_b.struct_size 0 8 size_t\nmember cw_b.c 8 8 size_t\nstruct cw_b 16\n",
    );
    let (additions, breaks) = compare(&old, &new);
    assert_eq!(additions, ["function cw_a void (void)", "member cw_b.c 8 8 size_t"]);
    assert!(breaks.is_empty());
}

#[test]
fn a_retired_code_is_reserved_and_never_reused() {
    let old = read("abi 0\nconstant CW_ERR_OLD 9\n");
    let new = read("abi 1\n");
    let declared = with_reserved(&old, &new);
    assert_eq!(declared, read("abi 1\nreserved 9 CW_ERR_OLD\n"));
    let reuse = read("abi 1\nconstant CW_ERR_NEW 9\nreserved 9 CW_ERR_OLD\n");
    let (_, breaks) = compare(&declared, &reuse);
    assert!(breaks.contains(&"constant CW_ERR_NEW takes the code 9, which CW_ERR_OLD had".to_owned()));
}
