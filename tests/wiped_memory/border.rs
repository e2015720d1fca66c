//! Secrets that a host in C lends, and frees what came of them: nothing of them is left that the library owns. The host's own
//! buffers are the host's to wipe.

use super::keys::{forms_of_a_seed, forms_of_an_identity};
use super::process::{Secret, found};
use super::{base64, c_library, noise, peers};
use claimwire::codec::{AgeIdentity, encrypt_bytes};
use rcgen::{CertificateParams, KeyPair};
use std::process::Command;

#[test]
fn of_what_was_lent_through_the_c_border_and_freed_nothing_is_left() {
    let Some(compiler) = peers::find(&["gcc", "clang"], "--version") else { return };
    let source = c_library::source("tests/wiped_memory/host.c");
    let program = c_library::compile(compiler, &["-std=c99"], &[source], "wiped_host");
    let identity = AgeIdentity::generate();
    let sealed = encrypt_bytes(&identity.recipient().into(), b"a claim").unwrap();
    let identity = identity.to_secret_string().expose().as_bytes().to_vec();
    let roots = CertificateParams::new(vec!["roots".into()]).unwrap();
    let roots = roots.self_signed(&KeyPair::generate().unwrap()).unwrap().pem().into_bytes();
    let (seed, shared) = (noise(31, 32), noise(32, 48));
    let password = b"legacy-Secret1/2026".to_vec();
    let token = b"dGhlIHRva2VuIG9mIGEgbGVnYWN5IHBhcnRuZXI=".to_vec();
    let mut sought = forms_of_an_identity(&identity);
    sought.extend(forms_of_a_seed(&seed));
    sought.extend([
        ("the password", password.clone()),
        ("the token", token.clone()),
        ("the shared secret", shared.clone()),
        ("the shared secret's base64", base64(&shared).into_bytes()),
    ]);
    let lent: Vec<Secret> = vec![
        ("password", password),
        ("token", token),
        ("identity", identity),
        ("signs", format!("ed25519-secret:{}", base64(&seed)).into_bytes()),
        ("shared", format!("hmac-sha256-secret:{}", base64(&shared)).into_bytes()),
        ("sealed", sealed),
        ("roots", roots),
    ];
    for case in ["a password", "an identity", "an exchange"] {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Command::new(&program);
        host.arg(case).arg(folder.path());
        let found = found(host, &lent, |_| sought.clone());
        assert!(found.is_empty(), "{case} left {found:#?}");
    }
}
