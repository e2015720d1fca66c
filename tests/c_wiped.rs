//! What the C library made of secrets is gone from memory once it is freed; the host's own buffers are the host's to wipe.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod c_library;
mod peers;
#[path = "wiped_memory/process.rs"]
#[allow(dead_code, reason = "the process that looks is one in C")]
mod process;

use claimwire::codec::{AgeIdentity, encrypt_bytes};
use claimwire::protocol::SigningKey;
use process::Secret;
use rcgen::{CertificateParams, KeyPair};
use std::process::Command;

#[test]
fn of_what_was_lent_to_the_library_and_freed_nothing_is_left() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let program = c_library::compile(
        compiler,
        &["-std=c99"],
        &[c_library::source("tests/c_wiped/host.c")],
        "wiped_host",
    );
    let identity = AgeIdentity::generate();
    let sealed = encrypt_bytes(&identity.recipient().into(), b"a claim").unwrap();
    let [signs, shared] = [SigningKey::generate("ON-INS/1"), SigningKey::generate_shared("imex-1")]
        .map(|key| key.unwrap().to_secret_text().as_str().as_bytes().to_vec());
    let identity = identity.to_secret_string().expose().as_bytes().to_vec();
    let roots = CertificateParams::new(vec!["roots".into()]).unwrap();
    let roots = roots.self_signed(&KeyPair::generate().unwrap()).unwrap().pem().into_bytes();
    let lent: Vec<Secret> = vec![
        ("password", b"legacy-Secret1/2026".to_vec()),
        ("token", b"dGhlIHRva2VuIG9mIGEgbGVnYWN5IHBhcnRuZXI=".to_vec()),
        ("identity", identity),
        ("signs", signs),
        ("shared", shared),
        ("sealed", sealed),
        ("roots", roots),
    ];
    // Without what every key of its kind begins with, and what is no secret.
    let begins = |name: &str| {
        ["AGE-SECRET-KEY-1", "ed25519-secret:", "hmac-sha256-secret:"][match name {
            "identity" => 0,
            "signs" => 1,
            _ => 2,
        }]
        .len()
    };
    let sought: Vec<Secret> = lent[..5]
        .iter()
        .enumerate()
        .map(|(of, (name, secret))| {
            (*name, if of < 2 { secret.clone() } else { secret[begins(name)..].to_vec() })
        })
        .collect();
    for case in ["a password", "an identity", "an exchange"] {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Command::new(&program);
        host.arg(case).arg(folder.path());
        let found = process::found(host, &lent, |_| sought.clone());
        assert!(found.is_empty(), "{case} left {found:#?}");
    }
}
