//! A short fuzz with every compiler: the kept corpus of a target, and changes of it that are always the same.

#![allow(clippy::print_stdout, reason = "a test tells which input it failed on")]

use std::path::{Path, PathBuf};
use std::{env, fs, thread};

/// Runs a target on each file of `corpus/<target>`, and on `CLAIMWIRE_FUZZ_CHANGES` changes of it. Without that number, on
/// 40 of each seed; what a fuzzer found, it changed itself.
pub(crate) fn replay(target: &str, body: impl Fn(&[u8])) {
    let asked = env::var("CLAIMWIRE_FUZZ_CHANGES").ok().map(|count| count.parse().expect("a number"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("tests/fuzz_targets/corpus").join(target);
    let artifacts = root.join("fuzz/artifacts").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus for {target}");
    let mut state = 0x2545_f491_4f6c_dd1d;
    for file in files {
        let seed = fs::read(&file).unwrap();
        let mut input = Running { bytes: seed.clone(), folder: artifacts.clone() };
        body(&input.bytes);
        let was_found = file.file_name().unwrap().to_str().unwrap().starts_with("found_");
        for _ in 0..asked.unwrap_or(if was_found { 0 } else { 40 }) {
            input.bytes = change(&seed, &mut state);
            body(&input.bytes);
        }
    }
}

/// The input that a target is given, kept where libFuzzer keeps it when the target fails on it.
struct Running {
    bytes: Vec<u8>,
    folder: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        if thread::panicking() {
            let kept = self.folder.join("replayed");
            let written = fs::create_dir_all(&self.folder).and_then(|()| fs::write(&kept, &self.bytes));
            println!("the input is {} ({written:?})", kept.display());
        }
    }
}

/// The next number of a generator that always gives the same ones (xorshift64).
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap()
}

/// One to four changes: a bit, a byte at the edge, a cut, a piece taken out or doubled.
fn change(bytes: &[u8], state: &mut u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=next(state) % 4 {
        let (length, at, until) = (bytes.len().max(1), next(state), next(state));
        let (at, until) = (at % length, until % length);
        let (from, to) = (at.min(until).min(bytes.len()), at.max(until).min(bytes.len()));
        match next(state) % 5 {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (until % 8)),
            1 => {
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = [0, 1, 0x7f, 0x80, 0xff][until % 5])
            }
            2 => bytes.truncate(to),
            3 => drop(bytes.drain(from..to)),
            _ => {
                let piece = bytes[from..to].to_vec();
                bytes.splice(from..from, piece);
            }
        }
    }
    bytes
}
