//! Decryption of sealed bytes that are pushed in: whatever the pieces, it finds what the reading form finds.

use std::io::{self, Read, Write};
use std::num::NonZeroU32;

use claimwire::codec::{
    AgeIdentity, Decryptor, DesMd5Key, Framing, OpeningKey, PushDecryptor, SealingKey, encrypt_bytes,
};
use claimwire::{Error, ErrorKind};
use proptest::prelude::*;

fn keys(suite: usize) -> (SealingKey, OpeningKey) {
    let framing = match suite {
        0 => {
            let identity = AgeIdentity::generate();
            return (identity.recipient().into(), identity.into());
        }
        1 => Framing::SaltPrefix,
        2 => Framing::OpenSsl,
        _ => Framing::Bare { salt: [3; 8] },
    };
    // One iteration: hundreds of packages are opened with it.
    let key = DesMd5Key::new("legacy-Secret1", framing).unwrap().with_iterations(NonZeroU32::MIN).unwrap();
    (key.clone().into(), key.into())
}

/// What came out, and how it ended.
type Found = (Vec<u8>, Result<(), (ErrorKind, String)>);

fn found(output: Vec<u8>, outcome: claimwire::Result<()>) -> Found {
    (output, outcome.map_err(|error| (error.kind(), error.to_string())))
}

fn pulled(key: &OpeningKey, sealed: &[u8]) -> Found {
    let mut output = Vec::new();
    let outcome = Decryptor::new(key, sealed)
        .and_then(|mut decryptor| decryptor.read_to_end(&mut output).map_err(Error::from));
    found(output, outcome.map(drop))
}

fn pushed<'s>(key: &OpeningKey, pieces: impl IntoIterator<Item = &'s [u8]>) -> Found {
    let mut output = Vec::new();
    let mut decryptor = PushDecryptor::new(key);
    for piece in pieces {
        if let Err(error) = decryptor.update(piece, &mut output) {
            return found(output, Err(error));
        }
    }
    let outcome = decryptor.finish(&mut output);
    found(output, outcome)
}

/// Cuts `sealed` into pieces of these lengths, again and again.
fn cut<'s>(sealed: &'s [u8], lengths: &[usize]) -> Vec<&'s [u8]> {
    let mut rest = sealed;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(rest.len().min(*length));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn pieces_of_any_length_give_what_reading_gives(
        suite in 0_usize..4,
        length in prop_oneof![0_usize..300, 65_300_usize..65_800, 131_000_usize..131_200, Just(65_536), Just(131_072)],
        lengths in prop::collection::vec(prop_oneof![1_usize..40, 1_usize..70_000, Just(65_536), Just(0)], 1..8),
        damage in prop_oneof![
            Just(None),
            (any::<prop::sample::Index>(), 1_u8..=255).prop_map(Some),
        ],
        truncated in prop_oneof![Just(None), any::<prop::sample::Index>().prop_map(Some)],
        trailing in prop_oneof![3 => Just(0_usize), 1 => 1_usize..20],
    ) {
        prop_assume!(lengths.iter().any(|length| *length > 0));
        let (sealing, opening) = keys(suite);
        let plaintext: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let mut sealed = encrypt_bytes(&sealing, &plaintext).unwrap();
        if let Some((place, change)) = &damage {
            let place = place.index(sealed.len());
            sealed[place] ^= change;
        }
        if let Some(end) = &truncated {
            sealed.truncate(end.index(sealed.len() + 1));
        }
        sealed.extend(vec![b'x'; trailing]);
        let expected = pulled(&opening, &sealed);
        if damage.is_none() && truncated.is_none() && trailing == 0 {
            prop_assert_eq!(&expected.1, &Ok(()));
        }
        prop_assert_eq!(pushed(&opening, cut(&sealed, &lengths)), expected);
    }
}

#[test]
fn every_split_in_two_and_every_end_of_a_small_file_is_found_the_same() {
    for suite in 0..4 {
        let (sealing, opening) = keys(suite);
        let sealed = encrypt_bytes(&sealing, b"Please call back.").unwrap();
        for end in 0..=sealed.len() {
            let sealed = &sealed[..end];
            assert_eq!(
                pushed(&opening, cut(sealed, &[1])),
                pulled(&opening, sealed),
                "{suite}: ends at {end}"
            );
        }
        for middle in 0..=sealed.len() {
            let (start, rest) = sealed.split_at(middle);
            let (output, outcome) = pushed(&opening, [start, rest]);
            assert_eq!(
                (output.as_slice(), outcome),
                (&b"Please call back."[..], Ok(())),
                "{suite}: {middle}"
            );
        }
    }
}

#[test]
fn what_is_no_sealed_file_is_refused_in_pieces_as_in_one() {
    let long_line = [&b"age-encryption.org/v1\n-> "[..], &[b'a'; 70_000]].concat();
    let many_lines = [&b"age-encryption.org/v1\n"[..], &b"-> grease\n".repeat(7_000)].concat();
    let short_mac = [&b"age-encryption.org/v1\n--- abc\n"[..], &[b'a'; 70_000]].concat();
    for suite in 0..4 {
        let (_, opening) = keys(suite);
        for hostile in [
            &b""[..],
            b"PK\x03\x04",
            b"-----BEGIN AGE ENCRYPTED FILE-----\n",
            b"age-encryption.org/v2\n",
            b"Salted__",
            &[b'\n'; 100],
            &[0; 40_000],
            &long_line,
            &many_lines,
            &short_mac,
        ] {
            let expected = pulled(&opening, hostile);
            for length in [1, 7, 32_768, 65_536] {
                assert_eq!(pushed(&opening, cut(hostile, &[length])), expected);
            }
        }
    }
}

#[test]
fn after_a_failure_nothing_goes_on() {
    for suite in 0..4 {
        let (sealing, opening) = keys(suite);
        let sealed = encrypt_bytes(&sealing, &vec![1; 200_000]).unwrap();
        let mut decryptor = PushDecryptor::new(&opening);
        let refused = decryptor.update(&sealed, &mut Full).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Io);
        let mut output = Vec::new();
        assert_eq!(decryptor.update(&sealed, &mut output).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(decryptor.finish(&mut output).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert!(output.is_empty());
    }
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An input that says "not yet" before every piece it gives.
struct Hesitant<'s> {
    rest: &'s [u8],
    ready: bool,
}

impl Read for Hesitant<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready = !self.ready;
        if self.ready {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = buffer.len().min(5_000);
        self.rest.read(&mut buffer[..length])
    }
}

#[test]
fn the_reading_form_goes_on_after_an_input_that_had_nothing_yet() {
    for suite in 0..4 {
        let (sealing, opening) = keys(suite);
        let plaintext = vec![9; 200_000];
        let sealed = encrypt_bytes(&sealing, &plaintext).unwrap();
        // What stands before the ciphertext is read at once, so it comes without hesitation.
        let (start, rest) = sealed.split_at(1_000);
        let mut decryptor = Decryptor::new(&opening, start.chain(Hesitant { rest, ready: false })).unwrap();
        let (mut output, mut waited) = (Vec::new(), 0);
        loop {
            match decryptor.read_to_end(&mut output) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => waited += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(output == plaintext && waited > 30, "waited {waited} times");
    }
}
