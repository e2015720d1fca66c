//! The kit's inputs, read from beside this file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) header: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Input {
    fn read(path: PathBuf) -> Self {
        let bytes = fs::read(&path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an empty line after the header");
        let header = std::str::from_utf8(&bytes[..end]).unwrap();
        let field = |line: &str| {
            let (name, value) = line.split_once(": ").expect("name: value");
            (name.to_owned(), value.to_owned())
        };
        Self { path, header: header.lines().map(field).collect(), body: bytes[end + 2..].to_vec() }
    }
}

pub(crate) fn kit() -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile_kit");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "input")).collect();
    files.sort();
    files.into_iter().map(Input::read).collect()
}
