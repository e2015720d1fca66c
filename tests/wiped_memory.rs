//! Keys are gone from memory once what held them is dropped: a process of its own uses a key, drops it, and looks for it
//! in all of its writable memory.
//!
//! The process knows the secrets masked alone, so that it does not find its own copy of what it looks for.

#![cfg(all(target_os = "linux", feature = "age", feature = "https", feature = "toml", feature = "webhook"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, decrypt_bytes, encrypt_bytes};
use claimwire::protocol::{Credential, SigningKey, VerifyingKey};
use claimwire::settings::{LocalSecrets, SecretPlace, SecretSource};
use claimwire::transport::{HttpsSettings, HttpsTransport};
use claimwire::webhook::WebhookSecret;
use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::{FileExt as _, PermissionsExt};
use std::process::Command;

const MASK: u8 = 0xa7;

/// A secret as this program holds it.
struct Masked(Vec<u8>);

impl Masked {
    /// What follows from this number: 40 letters.
    fn letters(seed: u8) -> Self {
        let mut state = u32::from(seed).wrapping_mul(2_654_435_761).wrapping_add(12_345);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + u8::try_from((state >> 24) % 26).unwrap()
        };
        Self((0..40).map(|_| next() ^ MASK).collect())
    }

    /// Lends the secret, and wipes that copy.
    fn lend<T>(&self, to: impl FnOnce(&[u8]) -> T) -> T {
        let mut plain = vec![0; self.0.len()];
        plain.iter_mut().zip(&self.0).for_each(|(plain, masked)| *plain = *masked ^ MASK);
        let given = to(&plain);
        plain.fill(0);
        black_box(&plain);
        given
    }

    fn lend_text<T>(&self, to: impl FnOnce(&str) -> T) -> T {
        self.lend(|bytes| to(std::str::from_utf8(bytes).unwrap()))
    }

    fn of(secret: &[u8]) -> Self {
        Self(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// Where it stands in this process's writable memory: the names of the mappings.
    fn found(&self) -> Vec<String> {
        let memory = File::open("/proc/self/mem").unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut found = Vec::new();
        let mut page = vec![0; 1 << 16];
        for map in maps.lines().filter(|map| map.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")))
        {
            let (start, end) = map.split(' ').next().unwrap().split_once('-').unwrap();
            let (start, end) =
                (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
            let mut at = start;
            while at < end {
                let Ok(length) = memory.read_at(&mut page, at) else { break };
                let is_here = page[..length]
                    .windows(self.0.len())
                    .any(|window| window.iter().zip(&self.0).all(|(byte, masked)| byte ^ MASK == *masked));
                page.fill(0);
                if is_here {
                    found.push(format!("{map} at +{:#x}", at - start));
                }
                if length <= self.0.len() {
                    break;
                }
                at += (length - self.0.len()) as u64;
            }
        }
        found
    }
}

/// The one thing that a process of this program does.
fn played(case: &str) -> Vec<Masked> {
    let secret = Masked::letters(u8::try_from(case.len()).unwrap());
    match case {
        "a password of des-md5" => {
            let key = secret.lend(|password| DesMd5Key::new(password, Framing::SaltPrefix)).unwrap();
            let sealed = encrypt_bytes(&key.clone().into(), b"a claim").unwrap();
            assert_eq!(decrypt_bytes(&key.into(), &sealed).unwrap(), b"a claim");
            vec![secret]
        }
        "a shared signing secret" => {
            let key = secret.lend(|bytes| SigningKey::hmac("ON-INS/1", bytes)).unwrap();
            let checks = key.verifying_key();
            let text = key.to_secret_text();
            let (as_text, again) = (
                Masked::of(text.as_str().strip_prefix("hmac-sha256-secret:").unwrap().as_bytes()),
                VerifyingKey::from_text("ON-INS/1", text.as_str()).unwrap(),
            );
            drop((key, checks, text, again));
            vec![secret, as_text]
        }
        "an age identity" => {
            let identity = AgeIdentity::generate();
            let text = identity.to_secret_string();
            let as_text = Masked::of(text.expose().as_bytes());
            let again: AgeIdentity = text.expose().parse().unwrap();
            let sealed = encrypt_bytes(&again.recipient().into(), b"a claim").unwrap();
            assert_eq!(decrypt_bytes(&identity.into(), &sealed).unwrap(), b"a claim");
            drop((again, text));
            vec![as_text]
        }
        "a bearer token" => {
            assert!(secret.lend_text(Credential::bearer_token).is_ok());
            let settings = HttpsSettings::new("http://127.0.0.1:1/").unwrap();
            let settings = secret.lend_text(|token| settings.bearer_token(token));
            drop((settings.clone(), HttpsTransport::new(settings).unwrap()));
            vec![secret]
        }
        "a webhook secret" => {
            let hook = WebhookSecret::generate().unwrap();
            let text = hook.to_text();
            let as_text = Masked::of(text.as_str().as_bytes());
            drop((WebhookSecret::from_text(text.as_str()).unwrap(), hook, text));
            vec![as_text]
        }
        "a secret from a file" => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("secret");
            secret.lend(|bytes| std::fs::write(&path, bytes)).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            drop(LocalSecrets::new().secret(&SecretPlace::File(path)).unwrap());
            vec![secret]
        }
        "what is kept is found" => {
            let kept = secret.lend(|bytes| bytes.to_vec());
            assert!(!secret.found().is_empty());
            drop(kept);
            Vec::new()
        }
        other => panic!("no such case: {other}"),
    }
}

/// Every test below is a process that runs this.
#[test]
#[ignore = "the other test starts it"]
fn a_process_that_looks_through_its_memory() {
    let case = std::env::var("CLAIMWIRE_TEST_CASE").unwrap();
    for secret in played(&case) {
        let found = secret.found();
        assert!(found.is_empty(), "{case} still stands in {found:#?}");
    }
}

#[test]
fn keys_are_gone_from_memory_when_they_are_dropped() {
    let mut failed = Vec::new();
    for case in [
        "what is kept is found",
        "a password of des-md5",
        "a shared signing secret",
        "an age identity",
        "a bearer token",
        "a webhook secret",
        "a secret from a file",
    ] {
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["a_process_that_looks_through_its_memory", "--include-ignored", "--nocapture", "--exact"])
            .env("CLAIMWIRE_TEST_CASE", case)
            .output()
            .unwrap();
        if !process.status.success() {
            failed.push(format!("{case}: {}", String::from_utf8_lossy(&process.stderr)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
