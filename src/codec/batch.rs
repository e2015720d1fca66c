//! Many messages for one partner in one call.

use std::io::{Read, Write};

use super::des_md5;
#[cfg(feature = "age")]
use super::encrypt::encrypt;
use super::encrypt::room_for;
use super::suite::SealingKey;
use crate::Result;

/// Encrypts many messages for one partner: each `Read` to its end into its `Write`, which is flushed. Each becomes what
/// [`encrypt`](super::encrypt) makes of it, with a salt or header of its own. Returns the bytes written of each, in their
/// order.
///
/// With `des-md5`, a message keeps a fraction of a processor busy, since each step of its encryption waits for the one
/// before. Here sixteen keys are derived at once and three messages encrypted at once, on the caller's thread: two and a
/// half times as fast for notes of 20 KB, and more where they are smaller. With `age` it is no faster than one call for each.
///
/// Messages may have any size. Of `des-md5`, 16 are taken from the iterator ahead of their turn, and three at a time are
/// read and written, in pieces of 64 KiB; of `age`, one after the other. So a message may end before one that came earlier.
///
/// ```
/// use std::fs::File;
/// use claimwire::codec::{DesMd5Key, Framing, SealingKey, encrypt_batch};
///
/// # fn main() -> claimwire::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let names = ["one", "two"].map(|name| folder.path().join(name));
/// let key = SealingKey::from(DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?);
/// let notes = ["The windscreen is cracked.", "Call after four."];
/// let files = names.iter().map(File::create).collect::<Result<Vec<_>, _>>()?;
/// let written = encrypt_batch(&key, notes.iter().map(|note| note.as_bytes()).zip(files))?;
/// assert_eq!(written, [40, 32]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Io`](crate::ErrorKind::Io) when a side refuses, or the system has no randomness to give. The error names the message,
/// counted from 0; use nothing of what was written then.
pub fn encrypt_batch<R: Read, W: Write>(
    key: &SealingKey,
    messages: impl IntoIterator<Item = (R, W)>,
) -> Result<Vec<u64>> {
    let messages = messages.into_iter();
    match key {
        SealingKey::DesMd5(key) => des_md5::encrypt_batch(key, messages),
        #[cfg(feature = "age")]
        SealingKey::Age(_) => {
            let one = |(index, (input, output))| {
                encrypt(key, input, output).map_err(|error| error.within(format_args!("message {index}")))
            };
            messages.enumerate().map(one).collect()
        }
    }
}

/// Encrypts many messages in memory, as [`encrypt_batch`] does.
///
/// ```
/// use claimwire::codec::{DesMd5Key, Framing, OpeningKey, SealingKey, decrypt_bytes, encrypt_bytes_batch};
///
/// # fn main() -> claimwire::Result<()> {
/// let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?;
/// let sealed = encrypt_bytes_batch(&SealingKey::from(key.clone()), &["a note", "another"])?;
/// assert_eq!(decrypt_bytes(&OpeningKey::from(key), &sealed[1])?, b"another");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Io`](crate::ErrorKind::Io) when the system has no randomness to give.
pub fn encrypt_bytes_batch(key: &SealingKey, plaintexts: &[impl AsRef<[u8]>]) -> Result<Vec<Vec<u8>>> {
    let mut sealed: Vec<Vec<u8>> = plaintexts.iter().map(|plaintext| room_for(plaintext.as_ref())).collect();
    encrypt_batch(key, plaintexts.iter().map(AsRef::as_ref).zip(&mut sealed))?;
    Ok(sealed)
}
