//! The suites against other people's programs, both ways: OpenSSL, Java's JCE, Jasypt (Java and npm), pycryptodome, the
//! `age` tool.

use std::fs;
use std::num::NonZeroU32;
use std::process::Command;

use crate::peers::{attempt, find, find_file, find_node_with, find_python_with, java, program, run};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use claimwire::ErrorKind;
use claimwire::codec::{
    AgeIdentity, AgeRecipient, DesMd5Key, Framing, OpeningKey, decrypt, decrypt_bytes, encrypt_bytes,
};

const PASSWORD: &str = "legacy-Secret1 ~!\"";
const SALT: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const SALT_HEX: &str = "0102030405060708";

/// Lengths around the edges of blocks and of the codec's buffers.
const LENGTHS: [usize; 6] = [0, 1, 8, 65_535, 65_536, 200_001];

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 253) as u8).collect()
}

fn key(framing: Framing) -> DesMd5Key {
    DesMd5Key::new(PASSWORD, framing).unwrap().with_fixed_salt(SALT)
}

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    let fixed = ["enc", "-des-cbc", "-md", "md5", "-provider", "legacy", "-provider", "default", "-pass"];
    command.args(fixed).arg(format!("pass:{PASSWORD}")).args(arguments);
    command
}

#[test]
fn openssl_opens_ours_and_we_open_its() {
    let Some(_) = find(&["openssl"], "version") else { return };
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let ours = encrypt_bytes(&key(Framing::OpenSsl).into(), &plaintext).unwrap();
        assert!(run(&mut openssl(&["-d"]), &ours) == plaintext, "{length} bytes of ours");
        let theirs = run(&mut openssl(&["-e"]), &plaintext);
        assert!(
            decrypt_bytes(&key(Framing::OpenSsl).into(), &theirs).unwrap() == plaintext,
            "{length} bytes of theirs"
        );
    }
}

#[test]
fn openssl_with_a_fixed_salt_writes_the_same_bytes() {
    let Some(_) = find(&["openssl"], "version") else { return };
    for length in LENGTHS {
        let plaintext = plaintext(length);
        // With -S no header is written: the framing `bare` with one iteration.
        let theirs = run(&mut openssl(&["-e", "-S", SALT_HEX]), &plaintext);
        let bare = key(Framing::Bare { salt: SALT }).with_iterations(NonZeroU32::MIN).unwrap();
        assert!(encrypt_bytes(&bare.clone().into(), &plaintext).unwrap() == theirs);
        assert!(decrypt_bytes(&bare.into(), &theirs).unwrap() == plaintext);
        let framed = encrypt_bytes(&key(Framing::OpenSsl).into(), &plaintext).unwrap();
        assert!(framed == [b"Salted__", &SALT[..], &theirs].concat());
    }
}

#[test]
fn openssl_with_iterations_is_another_scheme() {
    let Some(_) = find(&["openssl"], "version") else { return };
    let theirs = run(&mut openssl(&["-e", "-S", SALT_HEX, "-iter", "1000"]), b"claim");
    let bare = OpeningKey::from(key(Framing::Bare { salt: SALT }));
    assert_ne!(decrypt_bytes(&bare, &theirs).ok().as_deref(), Some(&b"claim"[..]));
}

fn pbe_cipher(verb: &str, framing: Framing, iterations: u32) -> Command {
    let mut command = java();
    command.arg(program("PbeCipher.java")).args([
        verb,
        framing.name(),
        &iterations.to_string(),
        SALT_HEX,
        PASSWORD,
    ]);
    command
}

#[test]
fn java_writes_the_same_bytes_in_every_framing_and_opens_ours() {
    let Some(_) = find(&["java"], "-version") else { return };
    for framing in [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: SALT }] {
        // 1024 is what the JCE takes when nobody says otherwise.
        for (iterations, length) in [(framing.default_iterations().get(), 65_537), (1024, 24)] {
            let plaintext = plaintext(length);
            let key = key(framing).with_iterations(NonZeroU32::new(iterations).unwrap()).unwrap();
            let ours = encrypt_bytes(&key.clone().into(), &plaintext).unwrap();
            assert!(run(&mut pbe_cipher("encrypt", framing, iterations), &plaintext) == ours, "{framing:?}");
            assert!(run(&mut pbe_cipher("decrypt", framing, iterations), &ours) == plaintext, "{framing:?}");
        }
    }
}

#[test]
fn bouncy_castle_writes_the_same_bytes_and_opens_ours() {
    let (Some(_), Some(jar)) = (find(&["java"], "-version"), find_file("/usr/share/java/bcprov.jar")) else {
        return;
    };
    let plaintext = plaintext(1_001);
    let ours = encrypt_bytes(&key(Framing::SaltPrefix).into(), &plaintext).unwrap();
    let bouncy_castle = |verb| {
        let mut command = java();
        command.arg("-cp").arg(jar).arg(program("PbeCipher.java")).args([
            verb,
            "salt-prefix",
            "1000",
            SALT_HEX,
        ]);
        command.args([PASSWORD, "org.bouncycastle.jce.provider.BouncyCastleProvider"]);
        command
    };
    assert!(run(&mut bouncy_castle("encrypt"), &plaintext) == ours);
    assert!(run(&mut bouncy_castle("decrypt"), &ours) == plaintext);
}

#[test]
fn jasypt_opens_ours_and_we_open_its() {
    let (Some(_), Some(jar)) = (find(&["java"], "-version"), find_file("/usr/share/java/jasypt.jar")) else {
        return;
    };
    let plaintext = plaintext(1_001);
    let jasypt = |verb| {
        let mut command = java();
        command.arg("-cp").arg(jar).arg(program("JasyptCipher.java")).args([verb, PASSWORD]);
        command
    };
    let key = DesMd5Key::new(PASSWORD, Framing::SaltPrefix).unwrap();
    let ours = encrypt_bytes(&key.clone().into(), &plaintext).unwrap();
    assert!(run(&mut jasypt("decrypt"), &ours) == plaintext);
    let theirs = run(&mut jasypt("encrypt"), &plaintext);
    assert!(decrypt_bytes(&key.into(), &theirs).unwrap() == plaintext);
}

#[test]
fn the_npm_package_jasypt_opens_ours_and_we_open_its() {
    let Some(node) = find_node_with("jasypt") else { return };
    let jasypt = |verb| {
        let mut command = Command::new(node);
        // DES has been among Node's legacy algorithms since OpenSSL 3.
        command.arg("--openssl-legacy-provider").arg(program("npm/jasypt.js")).args([verb, PASSWORD]);
        command
    };
    let key = DesMd5Key::new(PASSWORD, Framing::SaltPrefix).unwrap();
    // It takes and gives text alone, in base64, and none that is empty or blank.
    for text in ["claim", "Gutachten M\u{fc}ller: 412,50 \u{20ac}", &"left knee; sprain\n".repeat(10_000)] {
        let ours = BASE64.encode(encrypt_bytes(&key.clone().into(), text.as_bytes()).unwrap());
        assert!(run(&mut jasypt("decrypt"), ours.as_bytes()) == text.as_bytes());
        let theirs = BASE64.decode(run(&mut jasypt("encrypt"), text.as_bytes())).unwrap();
        assert!(decrypt_bytes(&key.clone().into(), &theirs).unwrap() == text.as_bytes());
    }
}

#[test]
fn pycryptodome_writes_the_same_bytes_and_opens_ours() {
    let Some(python) = find_python_with("Crypto") else { return };
    let plaintext = plaintext(65_537);
    let ours = encrypt_bytes(&key(Framing::Bare { salt: SALT }).into(), &plaintext).unwrap();
    let pycryptodome = |verb| {
        let mut command = Command::new(python);
        command.arg(program("pbkdf1_des.py")).args([verb, "1000", SALT_HEX, PASSWORD]);
        command
    };
    assert!(run(&mut pycryptodome("encrypt"), &plaintext) == ours);
    assert!(run(&mut pycryptodome("decrypt"), &ours) == plaintext);
}

#[test]
fn java_refuses_the_passwords_that_we_refuse() {
    let Some(_) = find(&["java"], "-version") else { return };
    let mut command = java();
    command.arg("-Dsun.jnu.encoding=UTF-8").env("LC_ALL", "C.UTF-8").arg(program("PbeCipher.java"));
    command.args(["encrypt", "bare", "1000", SALT_HEX, "Schlüssel"]);
    let (succeeded, _, complaint) = attempt(&mut command, b"claim");
    assert!(!succeeded && complaint.contains("ASCII"), "{complaint}");
    let refused = DesMd5Key::new("Schlüssel", Framing::SaltPrefix).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidKey);
}

#[test]
fn the_age_tool_opens_ours_and_we_open_its() {
    let (Some(age), Some(keygen)) =
        (find(&["age", "rage"], "--version"), find(&["age-keygen", "rage-keygen"], "--version"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.txt");
    fs::write(&key_file, run(&mut Command::new(keygen), b"")).unwrap();
    let identity = AgeIdentity::from_key_file(&fs::read_to_string(&key_file).unwrap()).unwrap();
    let recipient: AgeRecipient = identity.recipient();
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let ours = encrypt_bytes(&recipient.clone().into(), &plaintext).unwrap();
        assert!(run(Command::new(age).arg("-d").arg("-i").arg(&key_file), &ours) == plaintext);
        let theirs = run(Command::new(age).arg("-r").arg(recipient.to_string()), &plaintext);
        assert!(decrypt_bytes(&identity.clone().into(), &theirs).unwrap() == plaintext);
    }
    let armoured = run(Command::new(age).args(["-a", "-r"]).arg(recipient.to_string()), b"claim");
    assert_eq!(decrypt_bytes(&identity.into(), &armoured).unwrap_err().kind(), ErrorKind::UnsupportedSuite);
}

#[test]
fn the_age_tool_takes_our_identities() {
    let Some(age) = find(&["age", "rage"], "--version") else { return };
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.txt");
    let identity = AgeIdentity::generate();
    fs::write(&key_file, identity.to_secret_string().expose()).unwrap();
    let sealed = encrypt_bytes(&identity.recipient().into(), b"claim").unwrap();
    assert_eq!(run(Command::new(age).arg("-d").arg("-i").arg(&key_file), &sealed), b"claim");
}

#[test]
fn unlike_the_age_tool_we_release_nothing_of_a_file_that_was_cut() {
    let Some(age) = find(&["age", "rage"], "--version") else { return };
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.txt");
    let identity = AgeIdentity::generate();
    fs::write(&key_file, identity.to_secret_string().expose()).unwrap();
    let sealed = encrypt_bytes(&identity.recipient().into(), &plaintext(500_000)).unwrap();
    let cut = &sealed[..400_000];
    let (succeeded, released, _) = attempt(Command::new(age).arg("-d").arg("-i").arg(&key_file), cut);
    assert!(!succeeded && !released.is_empty());
    let mut output = Vec::new();
    assert_eq!(decrypt(&identity.into(), cut, &mut output).unwrap_err().kind(), ErrorKind::Truncated);
    assert!(output.is_empty());
}
