//! From sealed bytes to a directory in one step: opened, inflated and measured by every core, and released when all of
//! it is what its own list of digests says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

use super::archive::{EntryDigest, Limits, SharedArchive, Target, available_threads, spool};
use super::file::open;
use super::pack::DIGESTS;
use super::plaintext::Plaintext;
use super::relay::Relay;
use super::suite::OpeningKey;
use super::watch::{Watch, Watched};
use crate::{Error, ErrorKind, Result};

/// What unpacking may cost, and on how many threads it runs.
///
/// ```
/// use std::num::NonZeroUsize;
/// use claimwire::codec::{Limits, UnpackOptions};
///
/// let options = UnpackOptions::default()
///     .with_limits(Limits::default().with_entries(100))
///     .with_threads(NonZeroUsize::MIN);
/// assert_eq!((options.limits().entries(), options.threads().get()), (100, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnpackOptions {
    limits: Limits,
    threads: Option<NonZeroUsize>,
}

impl UnpackOptions {
    /// How much the archive may cost. Default: [`Limits::default`].
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Works on at most this many threads, the caller's among them; by default on as many as the machine runs at once.
    /// Content of less than 1 MiB is unpacked by the caller's alone.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// How much the archive may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The most threads at work, the caller's among them.
    #[must_use]
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or_else(available_threads)
    }
}

/// Unpacks what `pack` made, all of the file `sealed`, into `directory`, which must be empty or not there yet. Returns
/// each file's name, measured size and SHA-256, in the order of the archive.
///
/// The archive must end with the entry `SHA256SUMS`, which lists every other file: one SHA-256 in lower-case
/// hexadecimal, two spaces, the path and a newline each, as `sha256sum` writes it. The list itself is not unpacked.
/// Everything is unpacked into a private directory first, and moves to its place only when every file was found to be
/// what the list says; on any error, nothing is left. Nothing is synced to the disk.
///
/// With the suite `des-md5` nobody but a sender who signs the sealed bytes vouches for the list: it finds what was
/// damaged, not what was forged.
///
/// `watch` is told of the sealed bytes read, on this thread only. Memory stays at about 300 KiB for each thread, beside
/// the archive's directory; what is compressed with Zstandard adds 500 KiB and the window it asks for, 8 MiB at most and 4
/// in what `pack` makes. A pipe is read as by [`unpack_stream`].
///
/// # Errors
///
/// - [`InvalidArgument`](ErrorKind::InvalidArgument): `directory` is not empty, or not a directory.
/// - Those of [`Decryptor`](super::Decryptor), of [`ArchiveReader::open`](super::ArchiveReader::open) and of
///   [`ArchiveReader::read`](super::ArchiveReader::read). Of several, that of the first file in the archive, whatever
///   the number of threads.
/// - [`NotAPackage`](ErrorKind::NotAPackage): the last entry is not `SHA256SUMS`.
/// - [`InconsistentArchive`](ErrorKind::InconsistentArchive): the list has other files than the archive, or other lines.
/// - [`Altered`](ErrorKind::Altered): a file is not what the list says.
/// - [`Cancelled`](ErrorKind::Cancelled): `watch` said stop.
/// - [`Io`](ErrorKind::Io): `sealed` cannot be read, or the disk refuses.
pub fn unpack(
    sealed: &File,
    key: &OpeningKey,
    directory: &Path,
    options: &UnpackOptions,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    if !sealed.metadata()?.is_file() {
        return unpack_stream(sealed, key, directory, options, watch);
    }
    let target = Target::new(directory)?;
    let files = unpack_to(&target, sealed, key, options, watch)?;
    target.release()?;
    Ok(files)
}

/// Unpacks the sealed file `from`, as [`unpack`] does.
///
/// # Errors
///
/// Those of [`unpack`]; [`InvalidArgument`](ErrorKind::InvalidArgument) also when `from` is not there.
pub fn unpack_file(
    from: &Path,
    key: &OpeningKey,
    directory: &Path,
    options: &UnpackOptions,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    unpack(&open(from)?, key, directory, options, watch)
}

/// Unpacks the sealed bytes that `sealed` yields, as [`unpack`] does. An archive is read from its end, so they go to an
/// unnamed file in the private directory first, as they are; `watch` is told of the bytes read until then.
///
/// # Errors
///
/// Those of [`unpack`]; [`InflatedTooLarge`](ErrorKind::InflatedTooLarge) also when there are more bytes than any
/// archive within the limits has sealed.
pub fn unpack_stream(
    sealed: impl Read,
    key: &OpeningKey,
    directory: &Path,
    options: &UnpackOptions,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    let target = Target::new(directory)?;
    let longest = longest_sealed(options.limits.archive_size());
    let sealed = spool(Watched::new(sealed, watch), target.staging(), longest)?;
    let may_go_on = |_: u64| watch.moved(0);
    let files = unpack_to(&target, &sealed, key, options, &may_go_on)?;
    // Windows removes no directory in which a file is open.
    drop(sealed);
    target.release()?;
    Ok(files)
}

/// The most that an archive of so many bytes is when it is sealed: a suite adds a header of up to 32 KiB, and 16 bytes to
/// each 64 KiB.
fn longest_sealed(archive: u64) -> u64 {
    archive.saturating_add(archive / 4096).saturating_add(64 * 1024)
}

fn unpack_to(
    target: &Target,
    sealed: &File,
    key: &OpeningKey,
    options: &UnpackOptions,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    let relay = Relay::new(watch);
    let plaintext = Plaintext::of_file(key, sealed, &relay)?;
    let mut archive = SharedArchive::open(&plaintext, &options.limits, options.threads(), &relay)?;
    let mut names: Vec<String> = archive.files().map(|entry| entry.name().to_owned()).collect();
    if names.pop().is_none_or(|last| last != DIGESTS) {
        return Err(Error::new(
            ErrorKind::NotAPackage,
            format!("the archive does not end with {DIGESTS}: it is no directory that was packed as one"),
        ));
    }
    let list = read_list(&mut archive, &names)?;
    let listed = listed_digests(&list, &names)?;
    target.unpack(&mut archive, names, options.threads(), &relay, &(), &|file, digest| match listed
        .get(file.name.as_str())
    {
        Some(sha256) if **sha256 == digest.to_hex() => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Altered,
            format!("entry `{}` is not what {DIGESTS} says: its SHA-256 differs", file.name),
        )),
    })
}

/// The text of the list, which has one line for each of these names, so that its length is known.
fn read_list(archive: &mut SharedArchive<'_>, names: &[String]) -> Result<String> {
    let expected: usize = names.iter().map(|name| 64 + 2 + name.len() + 1).sum();
    let declared = archive.files().last().map_or(0, super::ArchiveEntry::size);
    if declared != expected as u64 {
        return Err(contradiction("has other files than the archive"));
    }
    let mut list = Vec::with_capacity(expected);
    archive.read(DIGESTS, &mut list)?;
    String::from_utf8(list).map_err(|_| contradiction("is not UTF-8"))
}

/// From path to SHA-256: these names, each once. There is no room for others in a list as long as these need.
fn listed_digests<'l>(list: &'l str, names: &[String]) -> Result<BTreeMap<&'l str, &'l str>> {
    let mut listed = BTreeMap::new();
    for line in list.lines() {
        let (sha256, path) = line.split_once("  ").ok_or_else(|| contradiction("has a line that is none"))?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if sha256.len() != 64 || !sha256.bytes().all(is_hex) {
            return Err(contradiction("has a line that does not begin with a SHA-256"));
        }
        if listed.insert(path, sha256).is_some() {
            return Err(contradiction(&format!("has `{}` twice", path.escape_debug())));
        }
    }
    match names.iter().find(|name| !listed.contains_key(name.as_str())) {
        Some(name) => Err(contradiction(&format!("does not have `{name}`"))),
        None => Ok(listed),
    }
}

fn contradiction(what: &str) -> Error {
    Error::new(
        ErrorKind::InconsistentArchive,
        format!("the archive contradicts itself: its {DIGESTS} {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_they_were_given() {
        let (limits, threads) = (Limits::default().with_entries(7), NonZeroUsize::new(7).unwrap());
        let options = UnpackOptions::default().with_limits(limits.clone()).with_threads(threads);
        assert_eq!((options.limits(), options.threads()), (&limits, threads));
    }

    #[test]
    fn the_longest_archive_may_be_sealed_in_any_suite() {
        let (archive, chunks) = (1_u64 << 40, 1 << 24);
        let age = archive + 16 * chunks + 32 * 1024 + 16;
        assert!((age..age + 64 * 1024).contains(&longest_sealed(archive)));
        assert_eq!((longest_sealed(0), longest_sealed(u64::MAX)), (64 * 1024, u64::MAX));
    }
}
