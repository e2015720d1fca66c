//! A directory into one sealed archive in a single pass, with the digests of all its files as the last entry.

use std::io::Write;
use std::path::Path;

use super::archive::{ArchiveWriter, EntryDigest, PackOptions, add, list, spread};
use super::behind::write_behind;
use super::encrypt::Encryptor;
use super::file::{refuse_inside, refused, write_whole};
use super::pump::Counted;
use super::suite::SealingKey;
use super::watch::Watch;
use crate::Result;

/// The last entry of a packed directory: what `sha256sum` (GNU coreutils) writes and `sha256sum -c` checks, for each
/// file its SHA-256 in lower-case hexadecimal, two spaces, its path and a newline.
pub(super) const DIGESTS: &str = "SHA256SUMS";

/// What [`pack`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packed {
    files: u64,
    bytes_read: u64,
    bytes_written: u64,
}

impl Packed {
    /// How many files were packed, `SHA256SUMS` not counted.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files
    }

    /// The bytes of all these files.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The sealed bytes.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written
    }
}

/// Packs all that lies in `directory` into a zip archive, seals that for `key` into `output`, and flushes it: one pass, in
/// constant memory, with entries compressed on several threads.
///
/// The last entry is `SHA256SUMS`, as `sha256sum` of the GNU coreutils writes it: for each file its SHA-256 in lower-case
/// hexadecimal, two spaces, its path and a newline, in the order of the entries. Where the archive was unpacked,
/// `sha256sum --check SHA256SUMS` verifies it.
///
/// Entries stand in the order that suits the threads: those that look as if they compress well are spread among those
/// that do not, each sort by name. The same files give the same archive on any number of threads, all with the time
/// 1980-01-01, names in Unicode form C. Empty directories are kept. A file that grows meanwhile is packed as far as it
/// reached. `watch` is told of the bytes read from the files.
///
/// ```
/// use claimwire::codec::{DesMd5Key, Framing, PackOptions, SealingKey, pack};
///
/// # fn main() -> claimwire::Result<()> {
/// # let claim = tempfile::tempdir()?;
/// std::fs::write(claim.path().join("report.txt"), "The windscreen is cracked.")?;
/// let key = SealingKey::from(DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix)?);
/// let mut sealed = Vec::new();
/// let packed = pack(claim.path(), &key, &mut sealed, &PackOptions::default(), &())?;
/// assert_eq!((packed.files(), packed.bytes_read()), (1, 26));
/// assert_eq!(packed.bytes_written(), sealed.len() as u64);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// - [`InvalidArgument`](crate::ErrorKind::InvalidArgument): `directory` is none, or holds a symbolic link, a device, a name
///   that is not Unicode, names that would meet on another system, or `SHA256SUMS` at its top.
/// - [`HostileName`](crate::ErrorKind::HostileName): a name cannot be written everywhere, see
///   [`check_path`](super::check_path).
/// - [`Cancelled`](crate::ErrorKind::Cancelled): `watch` said stop.
/// - [`Io`](crate::ErrorKind::Io): a file cannot be read or was replaced meanwhile, `output` refuses, or the system has no
///   randomness to give.
pub fn pack(
    directory: &Path,
    key: &SealingKey,
    output: impl Write,
    options: &PackOptions,
    watch: &dyn Watch,
) -> Result<Packed> {
    let items = spread(list(directory)?);
    if let Some(item) = items.iter().find(|item| stands_for_digests(&item.name)) {
        let why = "stands where the archive lists its digests, in `SHA256SUMS`; rename or remove it";
        return Err(refused(&item.path, why));
    }
    let mut archive = ArchiveWriter::with_options(Encryptor::new(key, Counted::new(output))?, options);
    for item in &items {
        add(&mut archive, item, watch)?;
    }
    archive.write_files(watch)?;
    let digests = archive.settle()?;
    archive.add(DIGESTS, list_digests(&digests).as_bytes())?;
    let mut output = archive.finish()?.finish()?;
    output.flush()?;
    Ok(Packed {
        files: digests.len() as u64,
        bytes_read: digests.iter().map(|(_, digest)| digest.size()).sum(),
        bytes_written: output.bytes,
    })
}

/// Packs all that lies in `directory` into the sealed file `to`, as [`pack`] does. It is synced to the disk before it
/// gets its name, and on Unix only this user's to read. What stood there is replaced; on an error it stays as it was.
///
/// # Errors
///
/// Those of [`pack`]; [`InvalidArgument`](crate::ErrorKind::InvalidArgument) also when the folder of `to` is not there or
/// lies in `directory`, since the file would pack itself.
pub fn pack_file(
    directory: &Path,
    key: &SealingKey,
    to: &Path,
    options: &PackOptions,
    watch: &dyn Watch,
) -> Result<Packed> {
    refuse_inside(directory, to)?;
    write_whole(to, |file| {
        write_behind(options.threads(), file, |file| pack(directory, key, file, options, watch))
    })
}

/// Whether a path leads to, or through, the place of the digests, on some file system.
fn stands_for_digests(path: &str) -> bool {
    path.split('/').next().is_some_and(|top| top.eq_ignore_ascii_case(DIGESTS))
}

/// The digests as `sha256sum` writes them. Paths hold no backslash and no newline, which it would have to escape.
fn list_digests(files: &[(String, EntryDigest)]) -> String {
    files.iter().map(|(path, digest)| format!("{}  {path}\n", digest.to_hex())).collect()
}
