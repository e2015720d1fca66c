//! Any change to a sealed payload of any length is refused, pulled and pushed in any pieces; without one it opens.

use super::script::Script;
use claimwire::codec::{AgeIdentity, OpeningKey, PushDecryptor, decrypt_bytes, encrypt_bytes};
use std::sync::OnceLock;

const SEALED_CHUNK: usize = 64 * 1024 + 16;

/// A length of up to four chunks, the lengths of the pieces that it is pushed in, and the changes, which go on to the end.
pub(crate) fn age_payload(bytes: &[u8]) {
    static IDENTITY: OnceLock<AgeIdentity> = OnceLock::new();
    let identity = IDENTITY.get_or_init(AgeIdentity::generate);
    let mut script = Script::new(bytes);
    let (Some(length), Some(pieces)) = (script.number(), script.bytes()) else { return };
    let plaintext: Vec<u8> = (0..=250).cycle().take(length % (4 * 64 * 1024 + 2)).collect();
    let original = encrypt_bytes(&identity.recipient().into(), &plaintext).expect("bytes in memory");
    let mut sealed = original.clone();
    while edit(&mut script, &mut sealed).is_some() {}

    let key = OpeningKey::from(identity.clone());
    let pulled = decrypt_bytes(&key, &sealed);
    assert_eq!(pulled.is_ok(), sealed == original);

    let mut pushed = Vec::new();
    let mut decryptor = PushDecryptor::new(&key);
    let mut rest = sealed.as_slice();
    let lengths = pieces.iter().map(|length| usize::from(*length) * 300 + 1);
    let mut lengths = lengths.chain(std::iter::repeat(usize::MAX));
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
}

/// Makes the next change: a byte, a cut, a piece taken out, bytes behind, two chunks swapped.
fn edit(script: &mut Script<'_>, sealed: &mut Vec<u8>) -> Option<()> {
    let length = sealed.len();
    let place = |at: usize| at.checked_rem(length).unwrap_or(0);
    match script.byte()? % 5 {
        0 => {
            let (at, by) = (place(script.number()?), script.byte()?);
            sealed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= by);
        }
        1 => sealed.truncate(place(script.number()?)),
        2 => {
            let (at, count) = (place(script.number()?), script.number()?);
            sealed.drain(at..length.min(at.saturating_add(count)));
        }
        3 => sealed.extend(script.bytes()?),
        _ => {
            let (from, to) = (script.byte()?, script.byte()?);
            let start = length % SEALED_CHUNK;
            let mut chunks: Vec<_> =
                sealed.split_off(start).chunks(SEALED_CHUNK).map(<[u8]>::to_vec).collect();
            if let Some(last) = chunks.len().checked_sub(1) {
                chunks.swap(usize::from(from).min(last), usize::from(to).min(last));
            }
            sealed.extend(chunks.concat());
        }
    }
    Some(())
}
