//! The kit of hostile inputs in `tests/hostile_kit/`: one file for each fault, refused by the kind that its header names.
//!
//! A file begins with lines of `name: value` and an empty line; the rest is the input, byte for byte. `generate.py` beside
//! them writes them all. `reader` says what reads it, `expect` which kind it must be refused with, or `none` where it is
//! a good input, and `what` says what is wrong with it.

use crate::kit::{Input, kit};
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

/// The most that an input of the kit may inflate to.
const MOST: u64 = 1 << 20;

/// Whom the age files are sealed for: the identity of the test vectors that they come from (<https://c2sp.org/CCTV/age>).
const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

/// When the signature of the kit was made.
const SIGNED_AT: i64 = 1_775_000_000;

impl Input {
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
