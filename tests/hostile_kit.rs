//! The kit of hostile inputs in `tests/hostile_kit/`: one file for each fault, refused by the kind that its header names.
//!
//! A file begins with lines of `name: value` and an empty line; the rest is the input, byte for byte. `generate.py` beside
//! them writes them all. `reader` says what reads it, `expect` which kind it must be refused with, or `none` where it is
//! a good input, and `what` says what is wrong with it.

#![cfg(feature = "age")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../fuzz/bodies.rs"]
mod bodies;

use claimwire::codec::{
    AgeIdentity, DesMd5Key, Framing, Limits, OpeningKey, PushDecryptor, decompress, decompress_bytes,
    decrypt_bytes, encrypt_bytes,
};
use claimwire::model::{ClaimFile, Timestamp};
use claimwire::package::{PackageLimits, read_bytes};
use claimwire::protocol::{DEFAULT_WINDOW, Envelope, Receipt, Request, SigningKey, verify_request};
use claimwire::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The most that an input of the kit may inflate to.
const MOST: u64 = 1 << 20;

/// Whom the age files are sealed for: the identity of the test vectors that they come from (<https://c2sp.org/CCTV/age>).
const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

/// When the signature of the kit was made.
const SIGNED_AT: i64 = 1_775_000_000;

struct Input {
    path: PathBuf,
    header: BTreeMap<String, String>,
    body: Vec<u8>,
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

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body's lines `name: value` as the header fields of a posted package.
    fn request(&self) -> Result<Request> {
        let mut request = Request::new("POST", "/packages")?;
        for line in self.text().lines() {
            let (name, value) = line.split_once(": ").unwrap();
            request.headers_mut().append(name, value)?;
        }
        Ok(request)
    }
}

fn kit() -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile_kit");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "input")).collect();
    files.sort();
    files.into_iter().map(Input::read).collect()
}

fn limits() -> Limits {
    Limits::default().with_inflated_size(MOST).with_entries(64)
}

/// Into memory and into a directory that is not there: with the same outcome, and nothing left where it is refused.
fn archive(bytes: &[u8]) -> Result<()> {
    let around = tempfile::tempdir().unwrap();
    let outcome = decompress_bytes(bytes, &limits()).map(drop);
    let written = decompress(bytes, &around.path().join("unpacked"), &limits(), &());
    assert_eq!(written.is_ok(), outcome.is_ok());
    if let Err(error) = &written {
        assert_eq!(Some(error.kind()), outcome.as_ref().err().map(Error::kind));
        assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0, "something was left behind");
    }
    outcome
}

/// The archive in the body, sealed as a partner would seal it.
fn package(bytes: &[u8]) -> Result<()> {
    let key = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl)?;
    let sealed = encrypt_bytes(&key.clone().into(), bytes)?;
    let folder = tempfile::tempdir().unwrap();
    let limits = PackageLimits::default().with_archive(limits());
    let outcome = read_bytes(&sealed, &key.into(), folder.path(), &limits).map(drop);
    let written: u64 =
        fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
    assert!(written <= MOST);
    outcome
}

/// Pulled and pushed byte by byte: with the same outcome.
fn sealed(key: OpeningKey, bytes: &[u8]) -> Result<()> {
    let outcome = decrypt_bytes(&key, bytes).map(drop);
    let mut released = Vec::new();
    let mut decryptor = PushDecryptor::new(&key);
    let pushed = bytes.iter().try_for_each(|byte| decryptor.update(&[*byte], &mut released));
    let pushed = pushed.and_then(|()| decryptor.finish(&mut released));
    assert_eq!(pushed.err().map(|error| error.kind()), outcome.as_ref().err().map(Error::kind));
    outcome
}

fn read(input: &Input) -> Result<()> {
    let legacy = |framing| DesMd5Key::new("legacy-Secret1", framing).map(OpeningKey::from);
    match input.header["reader"].as_str() {
        "archive" => archive(&input.body),
        "package" => package(&input.body),
        "claim-file" => ClaimFile::from_json(&input.body).map(drop),
        "receipt" => Receipt::from_json(&input.body).map(drop),
        "envelope" => Envelope::from_headers(input.request()?.headers()).map(drop),
        "signature" => {
            let key = SigningKey::hmac("kit", &[7; 32])?;
            let now = Timestamp::from_unix_seconds(SIGNED_AT)?;
            verify_request(&input.request()?, |_| Ok(key.verifying_key()), now, DEFAULT_WINDOW).map(drop)
        }
        "age" => sealed(AgeIdentity::from_key_file(IDENTITY)?.into(), &input.body),
        "salt-prefix" => sealed(legacy(Framing::SaltPrefix)?, &input.body),
        "openssl" => sealed(legacy(Framing::OpenSsl)?, &input.body),
        "bare" => sealed(legacy(Framing::Bare { salt: [1, 2, 3, 4, 5, 6, 7, 8] })?, &input.body),
        other => panic!("no reader is called {other}"),
    }
}

#[test]
fn every_input_of_the_kit_is_refused_by_its_kind_and_every_good_one_is_taken() {
    let kit = kit();
    let (mut wrong, mut readers) = (Vec::new(), BTreeMap::new());
    for input in &kit {
        assert!(input.body.len() < 64 << 10 && !input.header["what"].is_empty());
        let became = read(input).map_or_else(|error| error.kind().name().to_owned(), |()| "none".to_owned());
        let expected = &input.header["expect"];
        if became != *expected {
            wrong.push(format!("{}: {became}, not {expected}", input.path.display()));
        }
        let (good, bad) = readers.entry(&input.header["reader"]).or_insert((0, 0));
        *if expected == "none" { good } else { bad } += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A reader that refuses everything would pass the bad ones alone.
    assert!(readers.len() == 10 && readers.values().all(|(good, bad)| *good > 0 && *bad > 0), "{readers:?}");
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

#[test]
fn the_fuzz_targets_hold_on_the_kit_and_on_what_is_changed_of_it() {
    let mut state = 0x2545_f491_4f6c_dd1d;
    for input in kit() {
        let target = match input.header["reader"].as_str() {
            "archive" | "package" => bodies::archive,
            "claim-file" => bodies::claim_file,
            "receipt" => bodies::trial,
            "envelope" | "signature" => continue,
            _ => bodies::sealed,
        };
        target(&input.body);
        for _ in 0..200 {
            target(&change(&input.body, &mut state));
        }
    }
}
