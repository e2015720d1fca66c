//! Others' files are opened, and others open ours: the format's test vectors, and the `age` crate both ways.

use std::io::{Read, Write};
use std::iter::once;

use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha256};

use super::Decryptor;
use super::keys::AgeIdentity;
use super::payload::CHUNK;
use super::random_access::tests::read_all;
use crate::codec::{decrypt_bytes, encrypt_bytes};
use crate::{Error, ErrorKind};

/// Whom the test vectors are sealed for.
const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

struct Vector {
    name: &'static str,
    expectation: &'static str,
    digest: &'static str,
    sealed: Vec<u8>,
}

fn vectors() -> impl Iterator<Item = Vector> {
    let lines = include_str!("vectors.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let columns: Vec<_> = line.split(' ').collect();
        let [name, expectation, digest, form, hex] = columns[..] else { panic!("five columns: {line}") };
        let bytes = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Vec<_> = bytes.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let mut sealed = Vec::new();
        match form {
            "zlib" => ZlibDecoder::new(&bytes[..]).read_to_end(&mut sealed).unwrap(),
            _ => bytes.as_slice().read_to_end(&mut sealed).unwrap(),
        };
        Vector { name, expectation, digest, sealed }
    })
}

impl Vector {
    /// Checks what became of it: how it ended, and that all was released, or nothing but good chunks before a bad one.
    fn judge(&self, released: &[u8], outcome: Result<(), Error>, chunks: &[u8]) {
        let kind = outcome.err().map(|error| error.kind());
        let expected: &[_] = match self.expectation {
            "success" => &[None],
            "no-match" => &[Some(ErrorKind::WrongKey)],
            "HMAC-failure" => &[Some(ErrorKind::Altered)],
            "payload-failure" => &[Some(ErrorKind::Altered), Some(ErrorKind::Truncated)],
            "header-failure" => {
                &[Some(ErrorKind::Altered), Some(ErrorKind::Truncated), Some(ErrorKind::UnsupportedSuite)]
            }
            other => panic!("{}: what is {other}?", self.name),
        };
        assert!(expected.contains(&kind), "{}: {kind:?}", self.name);
        if kind.is_none() {
            let digest: String = Sha256::digest(released).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, self.digest, "{}", self.name);
        } else {
            assert!(chunks.starts_with(released), "{}: {} bytes released", self.name, released.len());
        }
    }
}

/// Judges what `read` makes of each vector. The longest one that is good holds the chunks of all that have several.
fn judge_each(read: impl Fn(&AgeIdentity, &[u8], &mut Vec<u8>) -> Result<(), Error>) {
    let identity: AgeIdentity = IDENTITY.parse().unwrap();
    let mut chunks = Vec::new();
    let longest = vectors().find(|vector| vector.name == "stream_three_chunks").unwrap();
    read(&identity, &longest.sealed, &mut chunks).unwrap();
    let mut count = 0;
    for vector in vectors() {
        let mut released = Vec::new();
        let outcome = read(&identity, &vector.sealed, &mut released);
        vector.judge(&released, outcome, &chunks);
        count += 1;
    }
    assert_eq!(count, 37);
}

#[test]
fn each_vector_read_from_its_start_ends_as_it_says() {
    judge_each(|identity, sealed, released| {
        Ok(Decryptor::new(identity, sealed)?.read_to_end(released).map(drop)?)
    });
}

#[test]
fn each_vector_read_from_any_place_ends_as_it_says() {
    judge_each(read_all);
}

/// Plaintexts whose lengths are those of chunks, or differ by one.
fn plaintexts() -> impl Iterator<Item = Vec<u8>> {
    let lengths = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 1];
    lengths.into_iter().map(|length| (0..=250).cycle().take(length).collect())
}

#[test]
fn what_is_sealed_here_the_age_crate_opens() {
    let identity = AgeIdentity::generate();
    for plaintext in plaintexts() {
        let sealed = encrypt_bytes(&identity.recipient().into(), &plaintext).unwrap();
        let decryptor = age::Decryptor::new_buffered(&sealed[..]).unwrap();
        let mut opened = Vec::new();
        let mut reader = decryptor.decrypt(once(&*identity.0 as &dyn age::Identity)).unwrap();
        reader.read_to_end(&mut opened).unwrap();
        assert!(opened == plaintext, "{} bytes", plaintext.len());
    }
}

#[test]
fn what_the_age_crate_seals_is_opened_here() {
    let identity = AgeIdentity::generate();
    for plaintext in plaintexts() {
        let recipient = identity.recipient();
        let encryptor = age::Encryptor::with_recipients(once(&recipient.0 as &dyn age::Recipient)).unwrap();
        let mut writer = encryptor.wrap_output(Vec::new()).unwrap();
        writer.write_all(&plaintext).unwrap();
        let sealed = writer.finish().unwrap();
        assert!(decrypt_bytes(&identity.clone().into(), &sealed).unwrap() == plaintext);
        let mut viewed = Vec::new();
        read_all(&identity, &sealed, &mut viewed).unwrap();
        assert!(viewed == plaintext, "{} bytes", plaintext.len());
    }
}
