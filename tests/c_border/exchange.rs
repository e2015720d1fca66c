//! A host in C exchanges a claim between two sites: there, its notes and itself back, a conflict, both histories.

use crate::c_library;
use crate::peers;
use std::process::Command;

fn there_and_back(suite: &str) {
    for compiler in ["gcc", "clang"] {
        let Some(compiler) = peers::find(&[compiler], "--version") else { continue };
        let source = c_library::source("tests/c_border/exchange/there_and_back.c");
        let name = format!("there_and_back_{suite}_{compiler}");
        let program = c_library::compile(compiler, &["-std=c99"], &[source], &name);
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        assert_eq!(peers::run(command.arg(folder.path()).arg(suite), b""), b"there and back\n");
    }
}

#[test]
fn a_c_host_goes_the_whole_way_under_age() {
    there_and_back("age");
}

#[test]
fn a_c_host_goes_the_whole_way_under_des_md5() {
    there_and_back("des-md5");
}
