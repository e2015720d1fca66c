//! The suites: every vector byte for byte, round trips of any shape, and every kind of bad input.

use std::io::{self, Read, Write};
use std::num::NonZeroU32;

use claimwire::ErrorKind;
use claimwire::codec::{
    AgeIdentity, AgeRecipients, Decryptor, DesMd5Key, Encryptor, Framing, OpeningKey, SealingKey, Watched,
    decrypt, decrypt_bytes, encrypt, encrypt_bytes,
};
use proptest::prelude::*;

const SALT: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn bare(password: &str, salt: [u8; 8], iterations: u32) -> DesMd5Key {
    let key = DesMd5Key::new(password, Framing::Bare { salt }).unwrap();
    key.with_iterations(NonZeroU32::new(iterations).unwrap()).unwrap()
}

fn keys(framing: Framing) -> (SealingKey, OpeningKey) {
    let key = DesMd5Key::new("legacy-Secret1", framing).unwrap();
    (key.clone().into(), key.into())
}

fn assert_vector(key: DesMd5Key, plaintext: &[u8], sealed: &str) {
    assert_eq!(encrypt_bytes(&key.clone().into(), plaintext).unwrap(), hex(sealed));
    assert_eq!(decrypt_bytes(&key.into(), &hex(sealed)).unwrap(), plaintext);
}

#[test]
fn des_md5_gives_the_known_answers() {
    assert_vector(bare("secret", [0; 8], 1000), b"abc", "1e95fc7f10cd4897");
    for (iterations, sealed) in [
        (1, "a4c4ca386937a0d9"),
        (20, "4568859fa0f35037"),
        (1000, "97b83dced80209ce"),
        (2048, "2fbfcc7fd1d5ce78"),
    ] {
        assert_vector(bare("legacy-Secret1", SALT, iterations), b"claim", sealed);
    }
    assert_vector(bare("legacy-Secret1", SALT, 1000), b"", "fc3a0f914c299db4");
    assert_vector(bare("legacy-Secret1", SALT, 1000), b"12345678", "013cad5e85748d6ab01dbefc49573f4d");
}

#[test]
fn each_framing_puts_the_salt_where_its_peers_do() {
    let salt_prefix = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap().with_fixed_salt(SALT);
    // The `jasypt` package of npm writes this as AQIDBAUGBwiXuD3O2AIJzg==.
    assert_vector(salt_prefix, b"claim", "010203040506070897b83dced80209ce");
    let openssl = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).unwrap().with_fixed_salt(SALT);
    assert_vector(openssl, b"claim", "53616c7465645f5f0102030405060708a4c4ca386937a0d9");
}

#[test]
fn schemes_that_only_look_like_des_md5_do_not_open() {
    for (other_scheme, sealed) in [
        ("PBEWithMD5AndTripleDES", "c918a0db4d666f17"),
        ("DES with MD5 of the password and no salt", "9ba10f7247fae035"),
        ("PBKDF2, which `openssl enc -iter` switches to", "1ebbde1d76c579a5"),
    ] {
        for iterations in [1, 1000, 1024] {
            let opened = decrypt_bytes(&bare("legacy-Secret1", SALT, iterations).into(), &hex(sealed));
            assert_ne!(opened.ok().as_deref(), Some(&b"claim"[..]), "{other_scheme}");
        }
    }
    let known = bare("legacy-Secret1", SALT, 1000);
    assert_eq!(
        decrypt_bytes(&known.into(), &hex("c918a0db4d666f17")).unwrap_err().kind(),
        ErrorKind::WrongKey
    );
}

#[test]
fn a_wrong_password_is_told_and_nothing_is_written() {
    let (sealing, _) = keys(Framing::SaltPrefix);
    let sealed = encrypt_bytes(&sealing, &[7; 100_000]).unwrap();
    let mut told = 0;
    for attempt in 0..64 {
        let other = DesMd5Key::new(format!("other-{attempt}"), Framing::SaltPrefix).unwrap();
        let mut output = Vec::new();
        if let Err(error) = decrypt(&other.into(), &sealed[..], &mut output) {
            assert_eq!(error.kind(), ErrorKind::WrongKey);
            assert!(output.is_empty());
            told += 1;
        }
    }
    assert!(told >= 60, "1 in 256 wrong keys may pass unseen, not {} in 64", 64 - told);
}

#[test]
fn des_md5_that_was_cut_is_told_and_nothing_is_written() {
    for framing in [Framing::SaltPrefix, Framing::OpenSsl, Framing::Bare { salt: SALT }] {
        let (sealing, opening) = keys(framing);
        let sealed = encrypt_bytes(&sealing, b"a claim of several blocks").unwrap();
        for length in (0..sealed.len()).filter(|length| length % 8 != 0 || *length < sealed.len() - 32) {
            let mut output = Vec::new();
            let error = decrypt(&opening, &sealed[..length], &mut output).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated, "{framing:?} cut at {length}");
            assert!(output.is_empty());
        }
    }
}

#[test]
fn another_framing_than_the_agreed_one_is_named() {
    let openssl = encrypt_bytes(&keys(Framing::OpenSsl).0, b"claim").unwrap();
    let salted = encrypt_bytes(&keys(Framing::SaltPrefix).0, b"claim").unwrap();
    let taken_for = |framing, sealed: &[u8]| decrypt_bytes(&keys(framing).1, sealed).unwrap_err().kind();
    assert_eq!(taken_for(Framing::SaltPrefix, &openssl), ErrorKind::UnsupportedSuite);
    assert_eq!(taken_for(Framing::OpenSsl, &salted), ErrorKind::UnsupportedSuite);
}

#[test]
fn age_tells_a_wrong_key_a_change_and_a_cut_apart() {
    let identity = AgeIdentity::generate();
    let opening = OpeningKey::from(identity.clone());
    let sealed = encrypt_bytes(&identity.recipient().into(), &vec![9; 300_000]).unwrap();
    let kind = |key: &OpeningKey, bytes: &[u8]| {
        let mut output = Vec::new();
        let error = decrypt(key, bytes, &mut output).unwrap_err();
        assert!(output.is_empty());
        error.kind()
    };
    assert_eq!(kind(&AgeIdentity::generate().into(), &sealed), ErrorKind::WrongKey);
    for position in [1_000, 70_000, 150_000] {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert_eq!(kind(&opening, &changed), ErrorKind::Altered, "changed at {position}");
    }
    let start = sealed.len() - 300_000 - 5 * 16;
    for length in [0, 10, start - 20, start, start + 65_552, 150_000, sealed.len() - 1] {
        assert_eq!(kind(&opening, &sealed[..length]), ErrorKind::Truncated, "cut at {length}");
    }
    assert_eq!(kind(&opening, &[&sealed[..], b"x"].concat()), ErrorKind::Truncated, "a byte after the end");
    assert_eq!(kind(&opening, b"not an age file\n"), ErrorKind::UnsupportedSuite);
}

#[test]
fn a_passphrase_is_not_a_recipient() {
    let file = b"age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\nZVcVTwuS1RFJyZL8VV5RUZzeLSTkhYEtYMKZmzPpgPM\n\
        --- dnMXs9Hc0pYsfMGV/lnFTYRAuSGtUoDxmgEFhLNJ0ow\n0123456789abcdef0123456789abcdef";
    let error = decrypt_bytes(&AgeIdentity::generate().into(), file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedSuite);
    assert!(error.to_string().contains("passphrase"), "{error}");
}

#[test]
fn each_of_several_recipients_opens_the_same_file() {
    let (one, other) = (AgeIdentity::generate(), AgeIdentity::generate());
    let recipients = AgeRecipients::new([one.recipient(), other.recipient()]).unwrap();
    let sealed = encrypt_bytes(&recipients.into(), b"claim").unwrap();
    for identity in [one, other] {
        assert_eq!(decrypt_bytes(&identity.into(), &sealed).unwrap(), b"claim");
    }
    assert_eq!(AgeRecipients::new([]).unwrap_err().kind(), ErrorKind::InvalidKey);
}

#[test]
fn the_one_call_forms_say_how_much_they_wrote() {
    let (sealing, opening) = keys(Framing::SaltPrefix);
    let plaintext = vec![3; 2_000_001];
    let (mut sealed, mut opened) = (Vec::new(), Vec::new());
    assert_eq!(encrypt(&sealing, &plaintext[..], &mut sealed).unwrap(), sealed.len() as u64);
    assert_eq!(decrypt(&opening, &sealed[..], &mut opened).unwrap(), 2_000_001);
    assert!(opened == plaintext);
}

#[test]
fn a_failed_decryption_stays_failed() {
    let (_, opening) = keys(Framing::SaltPrefix);
    let mut decryptor = Decryptor::new(&opening, &b"saltsaltnot a number of blocks"[..]).unwrap();
    let mut plaintext = Vec::new();
    assert!(decryptor.read_to_end(&mut plaintext).is_err());
    assert!(decryptor.read(&mut [0; 8]).is_err(), "an end of file would pass for success");
}

#[test]
fn a_write_that_failed_cannot_be_finished_away() {
    #[derive(Debug)]
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (sealing, _) = keys(Framing::Bare { salt: SALT });
    let mut encryptor = Encryptor::new(&sealing, Full).unwrap();
    assert!(io::copy(&mut io::repeat(1).take(200_000), &mut encryptor).is_err());
    assert_eq!(encryptor.finish().unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn flushing_what_encrypts_flushes_its_output() {
    #[derive(Debug)]
    struct Unwilling;
    impl Write for Unwilling {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }
    let age = SealingKey::from(AgeIdentity::generate().recipient());
    for sealing in [keys(Framing::SaltPrefix).0, age] {
        let mut encryptor = Encryptor::new(&sealing, Unwilling).unwrap();
        encryptor.write_all(b"claim").unwrap();
        assert_eq!(encryptor.flush().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(encrypt(&sealing, &b"claim"[..], Unwilling).unwrap_err().kind(), ErrorKind::Io);
    }
}

#[test]
fn the_caller_can_stop_either_way() {
    let stop = |_: u64| std::ops::ControlFlow::Break(());
    let (sealing, opening) = keys(Framing::SaltPrefix);
    let sealed = encrypt_bytes(&sealing, b"claim").unwrap();
    let mut output = Vec::new();
    let error = decrypt(&opening, Watched::new(&sealed[..], &stop), &mut output).unwrap_err();
    assert_eq!((error.kind(), output.len()), (ErrorKind::Cancelled, 0));
    let error = encrypt(&sealing, Watched::new(&b"claim"[..], &stop), &mut output).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

/// A key pair for each suite and framing.
fn any_keys() -> impl Strategy<Value = (SealingKey, OpeningKey)> {
    (0..4, any::<[u8; 8]>()).prop_map(|(suite, salt)| match suite {
        0 => keys(Framing::SaltPrefix),
        1 => keys(Framing::OpenSsl),
        2 => keys(Framing::Bare { salt }),
        _ => {
            let identity = AgeIdentity::generate();
            (identity.recipient().into(), identity.into())
        }
    })
}

/// Lengths around the edges of blocks and buffers, and any others.
fn any_length() -> impl Strategy<Value = usize> {
    prop_oneof![0..64_usize, 65_500..65_600_usize, 131_050..131_120_usize, 0..300_000_usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_sealed_in_any_pieces_opens_in_any_pieces(
        (sealing, opening) in any_keys(), length in any_length(), piece in 1..90_000_usize, other in 1..90_000_usize,
    ) {
        let plaintext: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let mut encryptor = Encryptor::new(&sealing, Vec::new()).unwrap();
        for (number, piece) in plaintext.chunks(piece).enumerate() {
            encryptor.write_all(piece).unwrap();
            if number % 3 == 1 {
                encryptor.flush().unwrap();
            }
        }
        let sealed = encryptor.finish().unwrap();
        let mut decryptor = Decryptor::new(&opening, &sealed[..]).unwrap();
        let mut opened = Vec::new();
        let mut buffer = vec![0; other];
        loop {
            let came = decryptor.read(&mut buffer).unwrap();
            if came == 0 {
                break;
            }
            opened.extend_from_slice(&buffer[..came]);
        }
        prop_assert!(opened == plaintext);
    }

    #[test]
    fn a_changed_or_cut_age_file_never_opens(
        length in 0..70_000_usize, position in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<bool>(),
    ) {
        let identity = AgeIdentity::generate();
        let mut sealed = encrypt_bytes(&identity.recipient().into(), &vec![5; length]).unwrap();
        let position = position.index(sealed.len());
        if cut {
            sealed.truncate(position);
        } else {
            sealed[position] ^= 1_u8 << bit;
        }
        let mut output = Vec::new();
        prop_assert!(decrypt(&identity.into(), &sealed[..], &mut output).is_err());
        prop_assert!(output.is_empty());
    }

    #[test]
    fn no_bytes_from_outside_make_it_panic((_, opening) in any_keys(), bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = decrypt_bytes(&opening, &bytes);
    }
}
