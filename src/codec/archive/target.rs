//! Where an archive is unpacked to: a directory that is complete, or as it was before.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::super::file::{at, refused};
use super::super::relay::Relay;
use super::super::watch::Watch;
use super::digest::EntryDigest;
use super::extract::{SharedArchive, Wanted};
use crate::{Error, Result};

/// The place to unpack to, and the private directory in which everything waits until it was checked. Dropped, it
/// leaves nothing.
pub(in crate::codec) struct Target {
    directory: PathBuf,
    exists: bool,
    staging: tempfile::TempDir,
    content: PathBuf,
}

impl Target {
    pub(in crate::codec) fn new(directory: &Path) -> Result<Self> {
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
        let staging = private().prefix(".unpacking-").tempdir_in(around).map_err(at(around))?;
        let content = staging.path().join("content");
        Ok(Self { directory: directory.to_owned(), exists, staging, content })
    }

    /// The private directory, for what else is needed on the way.
    pub(in crate::codec) fn staging(&self) -> &Path {
        self.staging.path()
    }

    /// Unpacks these files of `archive`, and its empty directories, to where they wait. Returns each file's name, measured
    /// size and SHA-256. `threads`, `relay`, `written` and `judge` are those of [`SharedArchive::extract`].
    pub(in crate::codec) fn unpack(
        &self,
        archive: &mut SharedArchive<'_>,
        names: Vec<String>,
        threads: NonZeroUsize,
        relay: &Relay<'_>,
        written: &dyn Watch,
        judge: &(dyn Fn(&Wanted, &EntryDigest) -> Result<()> + Sync),
    ) -> Result<Vec<(String, EntryDigest)>> {
        fs::create_dir(&self.content).map_err(at(&self.content))?;
        for name in archive.directories() {
            let path = self.content.join(name);
            fs::create_dir_all(&path).map_err(at(&path))?;
        }
        let mut wanted: Vec<Wanted> = Vec::with_capacity(names.len());
        for name in names {
            let path = self.content.join(&name);
            let made = wanted.last().and_then(|last| last.path.parent());
            if let Some(parent) = path.parent().filter(|parent| made != Some(parent)) {
                fs::create_dir_all(parent).map_err(at(parent))?;
            }
            wanted.push(Wanted { name, path });
        }
        let digests = archive.extract(&wanted, threads, relay, written, judge)?;
        Ok(wanted.into_iter().map(|file| file.name).zip(digests).collect())
    }

    /// Moves what was unpacked to its place, where nothing may have come meanwhile: by one rename when the directory is
    /// new, else entry by entry.
    pub(in crate::codec) fn release(self) -> Result<()> {
        if !self.exists {
            return fs::rename(&self.content, &self.directory).map_err(at(&self.directory));
        }
        self.refuse_company()?;
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

    /// Refuses a directory that holds more than what this one put there.
    fn refuse_company(&self) -> Result<()> {
        for entry in fs::read_dir(&self.directory).map_err(at(&self.directory))? {
            let entry = entry.map_err(at(&self.directory))?;
            if Some(entry.file_name().as_os_str()) != self.staging.path().file_name() {
                return Err(filled(&entry.path()));
            }
        }
        Ok(())
    }

    fn move_entries(&self, moved: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
        for entry in fs::read_dir(&self.content).map_err(at(&self.content))? {
            let entry = entry.map_err(at(&self.content))?;
            let to = self.directory.join(entry.file_name());
            // A rename would replace a file.
            if fs::symlink_metadata(&to).is_ok() {
                return Err(filled(&to));
            }
            fs::rename(entry.path(), &to).map_err(at(&to))?;
            moved.push((entry.path(), to));
        }
        Ok(())
    }
}

fn filled(path: &Path) -> Error {
    refused(path, "came while the archive was unpacked; unpack into a new directory")
}

/// What makes a directory that is this user's alone.
fn private<'a, 'b>() -> tempfile::Builder<'a, 'b> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_place_that_is_taken_at_the_last_moment_is_left_as_it_is_and_so_is_all_else() {
        let directory = tempfile::tempdir().unwrap();
        let target = Target::new(directory.path()).unwrap();
        fs::create_dir(&target.content).unwrap();
        for name in ["bill.csv", "photo.jpg", "report.txt"] {
            fs::write(target.content.join(name), "unpacked").unwrap();
        }
        let taken = directory.path().join("photo.jpg");
        fs::write(&taken, "theirs").unwrap();
        let mut moved = Vec::new();
        let error = target.move_entries(&mut moved).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("photo.jpg` came while"), "{error}");
        assert!(moved.iter().all(|(_, to)| *to != taken));
        assert_eq!(fs::read(&taken).unwrap(), b"theirs");
    }
}
