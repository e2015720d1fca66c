//! Every fuzz target on its kept corpus and on what is changed of it, with every compiler; and the corpus on its seeds.
//!
//! What is private to the crate has its target run beside it, in the library's own tests.

#![cfg(all(feature = "age", feature = "capi"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bodies;
#[path = "../hostile_kit/kit.rs"]
mod kit;
mod replay;
mod samples;
mod seeds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

macro_rules! run_here {
    ($($target:ident),*) => {
        const RUN_HERE: &[&str] = &[$(stringify!($target)),*];
        $(#[test]
        fn $target() {
            replay::replay(stringify!($target), bodies::$target);
        })*
    };
}

run_here!(
    age_payload,
    answer,
    archive,
    border,
    claim_file,
    deflate,
    drop_folder,
    endpoint,
    evidence,
    history,
    keys,
    merging,
    naming,
    package,
    request,
    sealed,
    settings,
    trial,
    upload,
    values,
    webhook,
    zstd
);

/// Those of what is private to the crate.
const RUN_IN_THE_LIBRARY: &[&str] = &["clamd", "framing", "inflate"];

fn names(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn no_target_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_targets/corpus");
    let run = || RUN_HERE.iter().chain(RUN_IN_THE_LIBRARY);
    assert_eq!(names(&folder), run().map(|target| folder.join(target)).collect());
    // A published package has no libFuzzer targets.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    if folder.exists() {
        assert_eq!(names(&folder), run().map(|target| folder.join(target).with_extension("rs")).collect());
    }
}

/// `CLAIMWIRE_SEEDS=write` writes them. What a fuzzer found has a name of its own that begins with `found_`.
#[test]
fn the_corpus_is_its_seeds_and_what_was_found() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_targets/corpus");
    let writes = std::env::var_os("CLAIMWIRE_SEEDS").is_some_and(|it| it == "write");
    let seeds = seeds::seeds();
    let mut kept: BTreeSet<PathBuf> = names(&corpus).iter().flat_map(|target| names(target)).collect();
    kept.retain(|file| !file.file_name().unwrap().to_str().unwrap().starts_with("found_"));
    if writes {
        kept.iter().for_each(|file| fs::remove_file(file).unwrap());
        for (name, bytes) in &seeds {
            fs::create_dir_all(corpus.join(name).parent().unwrap()).unwrap();
            fs::write(corpus.join(name), bytes).unwrap();
        }
        return;
    }
    assert_eq!(kept, seeds.keys().map(|name| corpus.join(name)).collect());
    for (name, bytes) in seeds {
        assert!(fs::read(corpus.join(&name)).unwrap() == bytes, "{name} is another than its seed");
    }
}
