//! Keys of the protocol and of the suites: signing keys, identities, passwords, tokens, and the files they come from.

use super::process::{Lent, Secret, found, playing};
use super::{PROCESS, base64, noise, nothing_is_left};
use age::secrecy::ExposeSecret as _;
use age_core::format::{FileKey, Stanza};
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, decrypt_bytes, encrypt_bytes, encrypt_bytes_batch};
use claimwire::model::Timestamp;
use claimwire::protocol::{
    Credential, DEFAULT_WINDOW, Headers, Request, SigningKey, VerifyingKey, sign_request, verify_request,
};
use claimwire::settings::{LocalSecrets, PartnerSettings, SecretPlace, SecretSource as _};
use claimwire::webhook::{WebhookSecret, verify};
use md5::Md5;
use ring::hkdf::{HKDF_SHA256, Salt};
use sha2::{Digest as _, Sha512};
use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const MESSAGE: &[u8] = b"a claim";
/// More than a buffer holds.
static PACKAGE: [u8; 200_000] = [b'p'; 200_000];

/// What a process plays.
pub(crate) fn play(case: &str, lent: &Lent) -> Vec<u8> {
    match case {
        "a shared secret" => lent.lend("bytes", |bytes| {
            signs(&SigningKey::hmac("ON-INS/1", bytes).unwrap());
            lent.lend_text("text", |text| {
                let again = VerifyingKey::from_text("ON-INS/1", text).unwrap();
                assert_eq!(again.to_text().as_str(), text);
                signs(&SigningKey::from_secret_text("ON-INS/1", text).unwrap());
            });
        }),
        "an Ed25519 seed" => lent.lend("bytes", |bytes| {
            signs(&SigningKey::ed25519("ON-INS/1", bytes.try_into().unwrap()).unwrap());
            lent.lend_text("text", |text| {
                assert!(VerifyingKey::from_text("ON-INS/1", text).is_err());
                signs(&SigningKey::from_secret_text("ON-INS/1", text).unwrap());
            });
        }),
        "an age identity" => lent.lend_text("text", |text| {
            let identity: AgeIdentity = text.parse().unwrap();
            let again = AgeIdentity::from_key_file(text).unwrap().clone();
            assert_eq!(again.recipient(), identity.recipient());
            assert_eq!(identity.to_secret_string().expose(), text);
            let opened = lent.lend("sealed", |sealed| decrypt_bytes(&identity.into(), sealed).unwrap());
            assert_eq!(opened, MESSAGE);
        }),
        "an age recipient" => {
            return lent.lend_text("recipient", |recipient| {
                let recipient: claimwire::codec::AgeRecipient = recipient.parse().unwrap();
                encrypt_bytes(&recipient.into(), MESSAGE).unwrap()
            });
        }
        "a webhook secret" => lent.lend_text("text", |text| {
            let secret = WebhookSecret::from_text(text).unwrap();
            assert_eq!(secret.clone().to_text().as_str(), text);
            let mut headers = Headers::new();
            headers.insert("webhook-id", "msg_1").unwrap();
            headers.insert("webhook-timestamp", "1614265330").unwrap();
            headers.insert("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=").unwrap();
            let now = Timestamp::from_unix_seconds(1_614_265_330).unwrap();
            assert!(verify(&headers, MESSAGE, &[secret], now, Duration::from_secs(300)).is_err());
        }),
        "a partner's token" => lent.lend_text("token", |token| {
            assert!(Credential::bearer_token(token).is_ok());
            assert!(Credential::bearer_token(&token[..20]).is_err());
        }),
        "a secret file" => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("secret");
            lent.lend("secret", |bytes| std::fs::write(&path, bytes)).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            drop(LocalSecrets::new().secret(&SecretPlace::File(path)).unwrap());
        }
        "settings with a secret in them" => lent.lend_text("settings", |settings| {
            let read = if settings.starts_with('{') {
                PartnerSettings::from_json
            } else {
                PartnerSettings::from_toml
            };
            let error = read(settings).unwrap_err();
            lent.lend_text("secret", |secret| assert!(!error.to_string().contains(secret), "{error}"));
        }),
        "sealed" | "sealed beside each other" | "opened" => lent.lend("password", |password| {
            let key = DesMd5Key::new(password, Framing::SaltPrefix).unwrap();
            let key = key.with_fixed_salt([1, 2, 3, 4, 5, 6, 7, 8]);
            match case {
                "sealed" => assert!(encrypt_bytes(&key.into(), &PACKAGE).is_ok()),
                "opened" => lent.lend("sealed", |sealed| {
                    assert!(decrypt_bytes(&key.into(), sealed).unwrap() == PACKAGE);
                }),
                _ => {
                    let messages = [MESSAGE, &PACKAGE, MESSAGE, MESSAGE, MESSAGE];
                    assert!(encrypt_bytes_batch(&key.into(), &messages).is_ok());
                }
            }
        }),
        "what is kept is found" => {
            lent.lend("secret", |bytes| std::mem::forget(bytes.to_vec()));
        }
        other => panic!("no such case: {other}"),
    }
    Vec::new()
}

fn signs(key: &SigningKey) {
    let mut request = Request::new("GET", "/packages").unwrap();
    let now: Timestamp = "2026-03-02T14:30:00Z".parse().unwrap();
    let copy = key.clone();
    sign_request(&mut request, &copy, now).unwrap();
    let checks = key.verifying_key();
    verify_request(&request, |_| Ok(checks.clone()), now, DEFAULT_WINDOW).unwrap();
    let text = key.to_secret_text();
    SigningKey::from_secret_text("ON-INS/1", text.as_str()).unwrap();
}

/// The words that SHA-2 makes of bytes, as they stand in memory.
fn words(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.chunks(length).flat_map(|word| word.iter().rev().copied()).collect()
}

#[test]
fn what_is_kept_is_found() {
    let secret = noise(1, 32);
    let lent = [("secret", secret.clone())];
    let process = playing(PROCESS, "what is kept is found");
    let found = found(process, &lent, |_| vec![("the secret", secret), ("another", noise(2, 32))]);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["the secret"]);
}

#[test]
fn of_a_shared_signing_secret_nothing_is_left() {
    let secret = noise(3, 48);
    let text = format!("hmac-sha256-secret:{}", base64(&secret));
    let padded =
        |pad: u8| (0..64).map(|at| secret.get(at).copied().unwrap_or_default() ^ pad).collect::<Vec<_>>();
    let sought = vec![
        ("the bytes", secret.clone()),
        ("the base64", base64(&secret).into_bytes()),
        ("the inner pad", padded(0x36)[..48].to_vec()),
        ("the outer pad", padded(0x5c)[..48].to_vec()),
        ("the words of the inner pad", words(&padded(0x36)[..48], 4)),
        ("the words of the outer pad", words(&padded(0x5c)[..48], 4)),
    ];
    nothing_is_left("a shared secret", vec![("bytes", secret), ("text", text.into_bytes())], |_| sought);
}

#[test]
fn of_an_ed25519_seed_nothing_is_left() {
    let seed = noise(4, 32);
    let text = format!("ed25519-secret:{}", base64(&seed));
    let sought = forms_of_a_seed(&seed);
    nothing_is_left("an Ed25519 seed", vec![("bytes", seed), ("text", text.into_bytes())], |_| sought);
}

/// Every form that an Ed25519 seed takes (RFC 8032 section 5.1.5).
pub(crate) fn forms_of_a_seed(seed: &[u8]) -> Vec<Secret> {
    let expanded = Sha512::digest(seed).to_vec();
    vec![
        ("the seed", seed.to_vec()),
        ("the base64", base64(seed).into_bytes()),
        ("the words of the seed", words(seed, 8)),
        // Of the others some bits are changed before it is multiplied with.
        ("the scalar", expanded[8..24].to_vec()),
        ("the prefix", expanded[32..].to_vec()),
        ("the words of the scalar", words(&expanded[8..24], 8)),
        ("the words of the prefix", words(&expanded[32..], 8)),
    ]
}

#[test]
fn of_an_age_identity_and_what_it_opened_nothing_is_left() {
    let identity = AgeIdentity::generate();
    let text = identity.to_secret_string().expose().as_bytes().to_vec();
    let sealed = encrypt_bytes(&identity.recipient().into(), MESSAGE).unwrap();
    let sought = forms_of_an_identity(&text).into_iter().chain(keys_of(&identity, &sealed)).collect();
    nothing_is_left("an age identity", vec![("text", text), ("sealed", sealed)], |_| sought);
}

/// Every form that the text of an age identity takes.
pub(crate) fn forms_of_an_identity(text: &[u8]) -> Vec<Secret> {
    let letters = text["AGE-SECRET-KEY-1".len()..].to_vec();
    let fives: Vec<u8> = letters.iter().map(|letter| five_bits(*letter)).collect();
    vec![
        // The first and the last byte are not those that are multiplied with.
        ("the bytes", eights(&fives)[1..31].to_vec()),
        ("the small letters", letters.to_ascii_lowercase()),
        ("the letters", letters),
        ("the letters' numbers", fives),
    ]
}

#[test]
fn of_the_keys_of_a_sealed_message_nothing_is_left() {
    let identity = AgeIdentity::generate();
    let recipient = identity.recipient().to_string().into_bytes();
    nothing_is_left("an age recipient", vec![("recipient", recipient)], |sealed| keys_of(&identity, sealed));
}

/// The keys in a sealed message, taken out of it by the `age` crate.
fn keys_of(identity: &AgeIdentity, sealed: &[u8]) -> Vec<Secret> {
    struct Keeps(age::x25519::Identity, RefCell<Vec<u8>>);
    impl age::Identity for Keeps {
        fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
            let unwrapped = self.0.unwrap_stanza(stanza);
            if let Some(Ok(key)) = &unwrapped {
                *self.1.borrow_mut() = key.expose_secret().to_vec();
            }
            unwrapped
        }
    }
    let keeps = Keeps(identity.to_secret_string().expose().parse().unwrap(), RefCell::default());
    let decryptor = age::Decryptor::new_buffered(sealed).unwrap();
    decryptor.decrypt(std::iter::once(&keeps as &dyn age::Identity)).unwrap();
    let file_key = keeps.1.take();
    let end = sealed.windows(5).position(|window| window == b"\n--- ").unwrap() + 5;
    let end = end + sealed[end..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let derived = |salt: &[u8], label: &[u8]| {
        let mut key = vec![0; 32];
        let (salt, info) = (Salt::new(HKDF_SHA256, salt), [label]);
        salt.extract(&file_key).expand(&info, HKDF_SHA256).unwrap().fill(&mut key).unwrap();
        key
    };
    vec![
        ("the payload key", derived(&sealed[end..end + 16], b"payload")),
        ("the header key", derived(&[], b"header")),
        ("the file key", file_key),
    ]
}

/// What a letter of bech32 stands for (BIP 173).
fn five_bits(letter: u8) -> u8 {
    let place = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".iter().position(|known| *known == letter).unwrap();
    u8::try_from(place).unwrap()
}

fn eights(fives: &[u8]) -> Vec<u8> {
    let bits: Vec<u8> = fives.iter().flat_map(|five| (0..5).rev().map(move |bit| five >> bit & 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

#[test]
fn of_a_webhook_secret_nothing_is_left() {
    let secret = noise(5, 32);
    let text = format!("whsec_{}", base64(&secret)).into_bytes();
    let padded: Vec<u8> = secret.iter().map(|byte| byte ^ 0x36).collect();
    let sought = vec![
        ("the bytes", secret.clone()),
        ("the base64", base64(&secret).into_bytes()),
        ("the inner pad", padded.clone()),
        ("the words of the inner pad", words(&padded, 4)),
    ];
    nothing_is_left("a webhook secret", vec![("text", text)], |_| sought);
}

#[test]
fn of_a_partners_token_nothing_is_left() {
    let token = base64(&noise(6, 48)).into_bytes();
    nothing_is_left("a partner's token", vec![("token", token.clone())], |_| vec![("the token", token)]);
}

#[test]
fn of_a_secret_out_of_a_file_nothing_is_left() {
    for length in [12, 24, 240] {
        let secret = base64(&noise(7, length)).into_bytes();
        nothing_is_left("a secret file", vec![("secret", secret.clone())], |_| vec![("the secret", secret)]);
    }
}

#[test]
fn of_a_secret_that_was_written_into_settings_nothing_is_left_but_by_the_parsers() {
    let secret = base64(&noise(8, 30));
    let settings = [
        ("TOML", format!("site = \"IMEX\"\n[keys.outgoing]\nversion = 1\nsecret = \"{secret}\"\n")),
        (
            "TOML, escaped",
            format!("site = \"IMEX\"\n[keys.outgoing]\nversion = 1\nsecret = \"{secret}\\u0041\"\n"),
        ),
        (
            "TOML, in a table",
            format!("site = \"IMEX\"\n[keys.outgoing]\nversion = 1\nsecret = {{ value = \"{secret}\" }}\n"),
        ),
        ("TOML, in a list", format!("site = \"IMEX\"\nsecret = [\"a\", [\"{secret}\"]]\n")),
        ("TOML, broken", format!("site = \"IMEX\"\nsecret = \"{secret}\n")),
        ("JSON", format!("{{\"site\": \"IMEX\", \"secret\": \"{secret}\"}}")),
        ("JSON, escaped", format!("{{\"site\": \"IMEX\", \"secret\": [{{\"value\": \"{secret}\\n\"}}]}}")),
        ("JSON, broken", format!("{{\"site\": \"IMEX\", \"secret\": \"{secret}\"")),
    ];
    let left = settings.into_iter().filter_map(|(name, settings)| {
        let lent = [("settings", settings.into_bytes()), ("secret", secret.clone().into_bytes())];
        let process = playing(PROCESS, "settings with a secret in them");
        let found = found(process, &lent, |_| vec![("the secret", secret.clone().into_bytes())]);
        (!found.is_empty()).then_some(name)
    });
    assert_eq!(left.collect::<Vec<_>>(), ["TOML, escaped", "JSON, escaped", "JSON, broken"]);
}

#[test]
fn of_a_password_of_des_md5_and_its_key_nothing_is_left() {
    let (password, salt) = ("legacy-Secret1/2026", [1, 2, 3, 4, 5, 6, 7, 8]);
    let key = DesMd5Key::new(password, Framing::SaltPrefix).unwrap().with_fixed_salt(salt);
    let sealed = encrypt_bytes(&key.into(), &PACKAGE).unwrap();
    let first = Md5::digest([password.as_bytes(), &salt].concat()).to_vec();
    let last = (1..1000).fold(first.clone(), |hash, _| Md5::digest(hash).to_vec());
    // What stands side by side where messages are sealed beside each other, all with one salt.
    let lanes = |hash: &[u8]| [&hash[..4], &hash[..4]].concat();
    let sought = [
        ("the password", password.into()),
        ("the lanes of the first hash", lanes(&first)),
        ("the first hash", first),
        ("the key", last[..8].to_vec()),
        ("the vector", last[8..].to_vec()),
    ];
    let lent = [("password", password.into()), ("sealed", sealed)];
    let mut left = Vec::new();
    for level in ["reference", "portable", "sse2", "avx2", "avx512", "neon"] {
        for case in ["sealed", "sealed beside each other", "opened"] {
            let mut process = playing(PROCESS, case);
            process.env("CLAIMWIRE_SIMD", level);
            let found = found(process, &lent, |_| sought.to_vec());
            left.extend(
                found.into_iter().map(|(name, places)| format!("{level}, {case}: {name} in {places:?}")),
            );
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}
