//! A whole directory into an archive, and an archive into a directory that is complete or not there at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::super::file::{at, refused};
use super::super::pump::pump;
use super::super::watch::{Watch, Watched};
use super::digest::EntryDigest;
use super::limits::Limits;
use super::name::to_nfc;
use super::reader::ArchiveReader;
use super::writer::ArchiveWriter;
use crate::{Error, ErrorKind, Result};

/// Writes all that lies in `directory` to `output` as a zip archive, and flushes it. Returns the bytes written.
///
/// The same files give the same bytes: entries are sorted by name, all with the time 1980-01-01, names in Unicode form
/// C. Empty directories are kept. `watch` is told of the bytes read from the files.
///
/// # Errors
///
/// - [`InvalidArgument`](ErrorKind::InvalidArgument): `directory` is none, or holds a symbolic link, a device, a name
///   that is not Unicode, or names that would meet on another system.
/// - [`HostileName`](ErrorKind::HostileName): a name cannot be written everywhere, see [`check_path`](super::check_path).
/// - [`Cancelled`](ErrorKind::Cancelled): `watch` said stop.
/// - [`Io`](ErrorKind::Io): a file cannot be read, or `output` refuses.
pub fn compress(directory: &Path, output: impl Write, watch: &dyn Watch) -> Result<u64> {
    let mut archive = ArchiveWriter::new(output);
    for found in list(directory)? {
        if found.is_directory {
            archive.add_directory(&found.name)?;
        } else {
            let file = File::open(&found.path).map_err(at(&found.path))?;
            // No further than it reaches now: were the archive itself in this directory, it would never end.
            let length = file.metadata().map_err(at(&found.path))?.len();
            archive.add(&found.name, Watched::new(file.take(length), watch))?;
        }
    }
    archive.finish_flushed()
}

/// A file, or an empty directory, to be packed.
struct Item {
    name: String,
    path: PathBuf,
    is_directory: bool,
}

/// All files and empty directories below `directory`, sorted by their names in the archive.
fn list(directory: &Path) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut open = vec![(String::new(), directory.to_owned())];
    while let Some((prefix, path)) = open.pop() {
        let mut is_empty = true;
        for entry in fs::read_dir(&path).map_err(at(&path))? {
            let path = entry.map_err(at(&path))?.path();
            let kind = fs::symlink_metadata(&path).map_err(at(&path))?.file_type();
            let name = match path.file_name().and_then(|name| name.to_str()) {
                Some(name) => format!("{prefix}{}", to_nfc(name)),
                None => return Err(refused(&path, "has a name that is not Unicode")),
            };
            is_empty = false;
            if kind.is_dir() {
                open.push((format!("{name}/"), path));
            } else if kind.is_file() {
                items.push(Item { name, path, is_directory: false });
            } else {
                return Err(refused(&path, "is a symbolic link or a special file; only files can be packed"));
            }
        }
        if is_empty && !prefix.is_empty() {
            let name = prefix.trim_end_matches('/').to_owned();
            items.push(Item { name, path, is_directory: true });
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
/// - Those of [`ArchiveReader::open`] and [`ArchiveReader::read`].
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
    let mut archive = ArchiveReader::open(spool(input, target.staging.path(), limits)?, limits)?;
    fs::create_dir(&target.content).map_err(at(&target.content))?;
    for name in archive.directories() {
        let path = target.content.join(name);
        fs::create_dir_all(&path).map_err(at(&path))?;
    }
    let names: Vec<String> = archive.entries().map(|entry| entry.name().to_owned()).collect();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let path = target.content.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(at(&path))?;
        let digest = archive.read(&name, Watched::new(file, watch))?;
        files.push((name, digest));
    }
    target.release()?;
    Ok(files)
}

/// Copies `input` to an unnamed file, no further than the longest archive within `limits`.
fn spool(input: impl Read, directory: &Path, limits: &Limits) -> Result<File> {
    let longest = limits.archive_size();
    let mut file = tempfile::tempfile_in(directory).map_err(at(directory))?;
    if pump(input.take(longest.saturating_add(1)), &mut file)? > longest {
        let message = format!("the archive is longer than {longest} bytes, the most that the limits allow");
        return Err(Error::new(ErrorKind::InflatedTooLarge, message));
    }
    file.rewind()?;
    Ok(file)
}

/// The place to unpack to, and the private directory in which everything waits until it was checked. Dropped, it
/// leaves nothing.
struct Target {
    directory: PathBuf,
    exists: bool,
    staging: tempfile::TempDir,
    content: PathBuf,
}

impl Target {
    fn new(directory: &Path) -> Result<Self> {
        let exists = match fs::read_dir(directory) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(refused(directory, "is not empty; unpack into a new directory"));
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(at(directory)(error)),
        };
        let parent =
            directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Inside a directory that exists, so that it may be a mount point or the current one.
        let around = if exists { directory } else { parent };
        let staging =
            tempfile::Builder::new().prefix(".unpacking-").tempdir_in(around).map_err(at(around))?;
        let content = staging.path().join("content");
        Ok(Self { directory: directory.to_owned(), exists, staging, content })
    }

    /// Moves what was unpacked to its place: by one rename when the directory is new, else entry by entry.
    fn release(self) -> Result<()> {
        if !self.exists {
            return fs::rename(&self.content, &self.directory).map_err(at(&self.directory));
        }
        let mut moved = Vec::new();
        let outcome = self.move_entries(&mut moved);
        if outcome.is_err() {
            for (from, to) in moved {
                // Back into the private directory, which is removed as a whole; the first error is the one to report.
                let _ = fs::rename(to, from);
            }
        }
        outcome
    }

    fn move_entries(&self, moved: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
        for entry in fs::read_dir(&self.content).map_err(at(&self.content))? {
            let entry = entry.map_err(at(&self.content))?;
            let to = self.directory.join(entry.file_name());
            fs::rename(entry.path(), &to).map_err(at(&to))?;
            moved.push((entry.path(), to));
        }
        Ok(())
    }
}
