//! A host in C makes what an exchange is made of: keys, partners from TOML, transports, a case system.

use crate::c_library;
use crate::peers;
use std::process::Command;

#[test]
fn a_c_host_builds_two_partners_from_toml() {
    for compiler in ["gcc", "clang"] {
        let Some(compiler) = peers::find(&[compiler], "--version") else { continue };
        let source = c_library::source("tests/c_border/settings/two_partners.c");
        let name = format!("two_partners_{compiler}");
        let program = c_library::compile(compiler, &["-std=c99"], &[source], &name);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(peers::run(Command::new(program).arg(folder.path()), b""), b"two partners\n");
    }
}
