//! Of a key of the suite des-md5 nothing is left in memory, in no form that it takes on the way: the password, its hashes, the
//! key, and the key schedules of every level.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use super::encrypt::Chained;
use super::level::Level;
use super::round_keys::{ROUNDS, round_key};
use super::schedule::Schedule;
use super::{BLOCK, HASH};
use crate::codec::wiped_tests::process::{self, Lent, Secret, found, playing};
use crate::codec::{DesMd5Key, Framing, decrypt_bytes, encrypt_bytes, encrypt_bytes_batch};
use md5::{Digest, Md5};

const SALT: [u8; BLOCK] = [1, 2, 3, 4, 5, 6, 7, 8];
const PASSWORD: &str = "legacy-Secret1/2026";
const ITERATIONS: usize = 1000;

#[test]
#[ignore = "the other test starts it"]
fn a_process_that_looks_through_its_memory() {
    process::play(play);
}

fn play(case: &str, lent: &Lent) -> Vec<u8> {
    let key = lent.lend("password", |password| DesMd5Key::new(password, Framing::SaltPrefix)).unwrap();
    let key = key.with_fixed_salt(SALT);
    let (note, package) = (vec![b'n'; 300], vec![b'p'; 200_000]);
    match case {
        "sealed" => {
            for message in [&note, &package] {
                encrypt_bytes(&key.clone().into(), message).unwrap();
            }
        }
        "sealed beside each other" => {
            encrypt_bytes_batch(&key.into(), &[&note[..], &package, &note, &note, &note]).unwrap();
        }
        "opened" => {
            for message in [note, package] {
                let sealed = lent.lend(if message.len() == 300 { "note" } else { "package" }, <[u8]>::to_vec);
                assert!(decrypt_bytes(&key.clone().into(), &sealed).unwrap() == message);
            }
        }
        other => panic!("no such case: {other}"),
    }
    Vec::new()
}

#[test]
fn of_a_password_its_key_and_every_schedule_nothing_is_left() {
    let key = DesMd5Key::new(PASSWORD, Framing::SaltPrefix).unwrap().with_fixed_salt(SALT);
    let sealed = |letter: u8, length| encrypt_bytes(&key.clone().into(), &vec![letter; length]).unwrap();
    let (note, package) = (sealed(b'n', 300), sealed(b'p', 200_000));
    let last_blocks = [&note, &package].map(|sealed| *sealed.last_chunk().unwrap());
    let lent = [("password", PASSWORD.into()), ("note", note), ("package", package)];
    let mut left = Vec::new();
    for level in Level::available() {
        for case in ["sealed", "sealed beside each other", "opened"] {
            let mut process =
                playing("codec::des::wiped_tests::a_process_that_looks_through_its_memory", case);
            process.env("CLAIMWIRE_SIMD", level.name());
            let found = found(process, &lent, |_| forms(last_blocks));
            left.extend(
                found
                    .into_iter()
                    .map(|(name, places)| format!("{}, {case}: {name} in {places:#?}", level.name())),
            );
        }
    }
    assert!(left.is_empty(), "{}", left.join("\n"));
}

/// Every form that the password takes, in a chain that ends with one of these blocks as well.
fn forms(last_blocks: [[u8; BLOCK]; 2]) -> Vec<Secret> {
    let mut hash: [u8; HASH] = Md5::digest([PASSWORD.as_bytes(), &SALT].concat()).into();
    let first = hash.to_vec();
    for _ in 1..ITERATIONS {
        hash = Md5::digest(hash).into();
    }
    let (key, iv) = (hash[..BLOCK].try_into().unwrap(), hash[BLOCK..].try_into().unwrap());
    // The lanes of one number: the same one in each, since the salt is.
    let lanes = |hash: &[u8]| [&hash[..4], &hash[..4]].concat();
    let expanded = Chained::words_of(&key, &iv).into_iter().flat_map(u64::to_le_bytes).collect();
    let [after_note, after_package] =
        last_blocks.map(|block| Chained::end_of_chain(&key, &block).to_le_bytes().to_vec());
    let bits = |round| round_key(&key, round).map(u8::from).to_vec();
    vec![
        ("the password", PASSWORD.into()),
        ("the first hash", first.clone()),
        ("the lanes of the first hash", lanes(&first)),
        ("the lanes of the last hash", lanes(&hash)),
        ("the key", key.to_vec()),
        ("the vector", iv.to_vec()),
        ("the expanded schedule", expanded),
        ("the last round key in the end of the note's chain", after_note),
        ("the last round key in the end of the package's chain", after_package),
        ("the bits of the first round", bits(0)),
        ("the bits of the last round", bits(ROUNDS - 1)),
        ("the bitsliced schedule", Schedule::for_decryption(&key).bytes_of_a_round()),
        ("the schedule of the des crate", super::reference::schedule_of(&key)),
    ]
}
