//! A whole directory into an archive, and an archive into a directory that is complete or not there at all.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::super::file::{at, refused};
use super::super::plaintext::Plaintext;
use super::super::pump::pump;
use super::super::relay::Relay;
use super::super::watch::Watch;
use super::digest::EntryDigest;
use super::extract::{SharedArchive, available_threads};
use super::identity::Identity;
use super::limits::Limits;
use super::name::to_nfc;
use super::target::Target;
use super::writer::ArchiveWriter;
use crate::{Error, ErrorKind, Result};

/// Writes all that lies in `directory` to `output` as a zip archive, and flushes it. Returns the bytes written.
///
/// The same files give the same bytes: entries are sorted by name, all with the time 1980-01-01, names in Unicode form
/// C. Empty directories are kept. A file that grows meanwhile is packed as far as it reached. `watch` is told of the bytes
/// read from the files.
///
/// # Errors
///
/// - [`InvalidArgument`](ErrorKind::InvalidArgument): `directory` is none, or holds a symbolic link, a device, a name
///   that is not Unicode, or names that would meet on another system.
/// - [`HostileName`](ErrorKind::HostileName): a name cannot be written everywhere, see [`check_path`](super::check_path).
/// - [`Cancelled`](ErrorKind::Cancelled): `watch` said stop.
/// - [`Io`](ErrorKind::Io): a file cannot be read or was replaced meanwhile, or `output` refuses.
pub fn compress(directory: &Path, output: impl Write, watch: &dyn Watch) -> Result<u64> {
    let mut archive = ArchiveWriter::new(output);
    for item in list(directory)? {
        add(&mut archive, &item, watch)?;
    }
    archive.write_files(watch)?;
    archive.finish_flushed()
}

/// Queues a file or an empty directory to be written to `archive`.
pub(in crate::codec) fn add(
    archive: &mut ArchiveWriter<impl Write>,
    item: &Item,
    watch: &dyn Watch,
) -> Result<()> {
    if item.is_directory {
        return archive.add_directory(&item.name);
    }
    archive.queue_file(item, watch)
}

/// A file, or an empty directory, to be packed.
pub(in crate::codec) struct Item {
    pub(in crate::codec) name: String,
    pub(in crate::codec) path: PathBuf,
    pub(super) is_directory: bool,
    pub(super) size: u64,
    pub(super) identity: Option<Identity>,
}

/// All files and empty directories below `directory`, sorted by their names in the archive.
pub(in crate::codec) fn list(directory: &Path) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut open = vec![(String::new(), directory.to_owned())];
    while let Some((prefix, path)) = open.pop() {
        let mut is_empty = true;
        for entry in fs::read_dir(&path).map_err(at(&path))? {
            let entry = entry.map_err(at(&path))?;
            let path = entry.path();
            let metadata = entry.metadata().map_err(at(&path))?;
            let kind = metadata.file_type();
            let name = match path.file_name().and_then(|name| name.to_str()) {
                Some(name) => format!("{prefix}{}", to_nfc(name)),
                None => return Err(refused(&path, "has a name that is not Unicode")),
            };
            is_empty = false;
            if kind.is_dir() {
                open.push((format!("{name}/"), path));
            } else if kind.is_file() {
                let (size, identity) = (metadata.len(), Some(Identity::of(&metadata)));
                items.push(Item { name, path, is_directory: false, size, identity });
            } else {
                return Err(refused(&path, "is a symbolic link or a special file; only files can be packed"));
            }
        }
        if is_empty && !prefix.is_empty() {
            let name = prefix.trim_end_matches('/').to_owned();
            items.push(Item { name, path, is_directory: true, size: 0, identity: None });
        }
    }
    items.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(items)
}

/// Unpacks the archive that `input` yields into `directory`, which must be empty or not there yet. Returns each file's
/// name, measured size and SHA-256.
///
/// Everything is unpacked and checked in a private directory first. Only when all of it was found good does it move to
/// its place; on any error, nothing is left. Permissions and times in the archive are passed over. `watch` is told of
/// the bytes written to the files. Nothing is synced to the disk: a caller who promises durability does that.
///
/// # Errors
///
/// - [`InvalidArgument`](ErrorKind::InvalidArgument): `directory` is not empty, or not a directory.
/// - Those of [`ArchiveReader::open`](super::ArchiveReader::open) and [`ArchiveReader::read`](super::ArchiveReader::read).
/// - [`InflatedTooLarge`](ErrorKind::InflatedTooLarge): also when `input` is longer than any archive within `limits`.
/// - [`Cancelled`](ErrorKind::Cancelled): `watch` said stop.
/// - [`Io`](ErrorKind::Io): `input` cannot be read, or the disk refuses.
pub fn decompress(
    input: impl Read,
    directory: &Path,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    let target = Target::new(directory)?;
    let archive = spool(input, target.staging(), limits.archive_size())?;
    let files = decompress_from(&archive, &target, limits, watch)?;
    // Windows removes no directory in which a file is open.
    drop(archive);
    target.release()?;
    Ok(files)
}

/// Unpacks the archive that is all of the file `archive` to where `target` keeps it.
pub(in crate::codec) fn decompress_from(
    archive: &File,
    target: &Target,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    let plaintext = Plaintext::plain(archive)?;
    if plaintext.length() > limits.archive_size() {
        return Err(too_long(limits.archive_size()));
    }
    let relay = Relay::new(watch);
    let mut archive = SharedArchive::open(&plaintext, limits, available_threads(), &relay)?;
    let names = archive.files().map(|entry| entry.name().to_owned()).collect();
    target.unpack(&mut archive, names, available_threads(), &relay, &relay, &|_, _| Ok(()))
}

/// Copies `input` to an unnamed file, no further than `longest` bytes.
pub(in crate::codec) fn spool(input: impl Read, directory: &Path, longest: u64) -> Result<File> {
    let mut file = tempfile::tempfile_in(directory).map_err(at(directory))?;
    if pump(input.take(longest.saturating_add(1)), &mut file)? > longest {
        return Err(too_long(longest));
    }
    Ok(file)
}

fn too_long(longest: u64) -> Error {
    let message = format!("the archive is longer than {longest} bytes, the most that the limits allow");
    Error::new(ErrorKind::InflatedTooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::repeat;

    #[test]
    fn an_archive_is_taken_up_to_the_longest_within_the_limits() {
        let around = tempfile::tempdir().unwrap();
        let limits = Limits::default().with_inflated_size(100).with_entries(1);
        let longest = limits.archive_size();
        for (length, kind) in [(longest, ErrorKind::NotAnArchive), (longest + 1, ErrorKind::InflatedTooLarge)]
        {
            let content = || repeat(b'?').take(length);
            assert_eq!(spool(content(), around.path(), longest).is_ok(), length == longest);
            let file = spool(content(), around.path(), u64::MAX).unwrap();
            let target = Target::new(&around.path().join("unpacked")).unwrap();
            let error = decompress_from(&file, &target, &limits, &()).unwrap_err();
            assert_eq!(error.kind(), kind, "{length}");
        }
    }
}
