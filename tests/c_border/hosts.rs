//! Hosts written in C do the whole way with the installed library: with a store, a transport and a web server of their own.

use crate::c_library;
use crate::peers;
use std::process::Command;

/// Compiles the example with each compiler that is there, without a warning, and lets it tell its story.
#[track_caller]
fn tells(example: &str, end: &str) {
    for compiler in ["gcc", "clang"] {
        let Some(compiler) = peers::find(&[compiler], "--version") else { continue };
        let source = c_library::source(&format!("examples/c/{example}.c"));
        let program =
            c_library::compile(compiler, &["-std=c99"], &[source], &format!("{example}-{compiler}"));
        let folder = tempfile::tempdir().unwrap();
        let story = peers::run(Command::new(program).arg(folder.path()), b"");
        let story = String::from_utf8(story).unwrap();
        assert!(story.trim_end().ends_with(end), "{story}");
    }
}

#[test]
fn a_case_desk_with_its_own_store_and_transport_goes_the_whole_way() {
    tells("case_desk", "Everything arrived as it was sent, and nothing private left its site.");
}

#[test]
fn a_web_server_of_the_hosts_own_feeds_the_exchange() {
    tells("receiving_server", "The claim came in through the host's own server, and nothing else did.");
}
