//! Any change to a sealed payload of any length is refused, pulled and pushed in any pieces; without one it opens.
#![no_main]

use claimwire::codec::{AgeIdentity, OpeningKey, PushDecryptor, decrypt_bytes, encrypt_bytes};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

#[derive(Arbitrary, Debug)]
struct Case {
    /// Up to four chunks.
    length: u32,
    edits: Vec<Edit>,
    pieces: Vec<u16>,
}

#[derive(Arbitrary, Debug)]
enum Edit {
    Change { at: u32, by: u8 },
    Cut { at: u32 },
    Remove { at: u32, count: u32 },
    Append { bytes: Vec<u8> },
    Swap { from: u8, to: u8 },
}

const SEALED_CHUNK: usize = 64 * 1024 + 16;

impl Edit {
    fn apply(&self, sealed: &mut Vec<u8>) {
        let length = sealed.len();
        let place = |at: &u32| (*at as usize).checked_rem(length).unwrap_or(0);
        match self {
            Self::Change { at, by } => {
                let at = place(at);
                sealed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= by);
            }
            Self::Cut { at } => sealed.truncate(place(at)),
            Self::Remove { at, count } => {
                let at = place(at);
                sealed.drain(at..length.min(at.saturating_add(*count as usize)));
            }
            Self::Append { bytes } => sealed.extend(bytes),
            Self::Swap { from, to } => {
                let start = length % SEALED_CHUNK;
                let mut chunks: Vec<_> =
                    sealed.split_off(start).chunks(SEALED_CHUNK).map(<[u8]>::to_vec).collect();
                if let Some(last) = chunks.len().checked_sub(1) {
                    chunks.swap(usize::from(*from).min(last), usize::from(*to).min(last));
                }
                sealed.extend(chunks.concat());
            }
        }
    }
}

fuzz_target!(|case: Case| {
    static IDENTITY: OnceLock<AgeIdentity> = OnceLock::new();
    let identity = IDENTITY.get_or_init(AgeIdentity::generate);
    let plaintext: Vec<u8> = (0..=250).cycle().take(case.length as usize % (4 * 64 * 1024 + 2)).collect();
    let Ok(original) = encrypt_bytes(&identity.recipient().into(), &plaintext) else { return };
    let mut sealed = original.clone();
    for edit in &case.edits {
        edit.apply(&mut sealed);
    }
    let key = OpeningKey::from(identity.clone());
    let pulled = decrypt_bytes(&key, &sealed);
    assert_eq!(pulled.is_ok(), sealed == original);

    let mut pushed = Vec::new();
    let mut decryptor = PushDecryptor::new(&key);
    let mut rest = sealed.as_slice();
    let mut lengths =
        case.pieces.iter().map(|length| usize::from(*length)).chain(std::iter::repeat(usize::MAX));
    let outcome = loop {
        let (piece, later) = rest.split_at(rest.len().min(lengths.next().unwrap_or(usize::MAX)));
        if let Err(error) = decryptor.update(piece, &mut pushed) {
            break Err(error);
        }
        rest = later;
        if rest.is_empty() {
            break decryptor.finish(&mut pushed);
        }
    };
    assert_eq!(pulled.map_err(|error| error.kind()).map(drop), outcome.map_err(|error| error.kind()));
    assert!(plaintext.starts_with(&pushed));
});
