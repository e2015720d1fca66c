//! The exchange's folder: sealed packages going out and come in, and a private place to work in.

use crate::durable_file::{DurableFile, create_private_folder, sync_folder};
use crate::model::PackageId;
use crate::{Error, ErrorKind, Result};
use std::fs::{DirEntry, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// `outbox/` and `inbox/` hold sealed packages by id; `uploads/` holds what came of those that are not whole yet; `work/`
/// holds what is being unpacked, and nothing between.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// Counts the names that were given.
    named: AtomicU64,
    /// Held while this exchange lives: two processes in one folder would take each other's work for leftovers.
    _lock: File,
}

/// Which way a sealed package goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Out,
    In,
}

impl Store {
    /// Opens the folder for this process alone.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| {
            Error::new(
                ErrorKind::WrongState,
                format!(
                    "folder {} is in use by another exchange ({error}); share one, or close the other",
                    folder.display()
                ),
            )
        })?;
        let store = Self { folder: folder.to_owned(), named: AtomicU64::new(0), _lock: lock };
        for folder in [store.path(Side::Out), store.path(Side::In), store.work()] {
            create_private_folder(&folder)?;
        }
        Ok(store)
    }

    /// Removes what a process that died left: files in the making, work in progress, and sealed packages that the
    /// ledger never came to know, as `knows` tells of a file's name and the package it would belong to.
    pub(super) fn sweep(&self, knows: impl Fn(Side, PackageId, &str) -> Result<bool>) -> Result<()> {
        for side in [Side::Out, Side::In] {
            for entry in std::fs::read_dir(self.path(side))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let package = name.split('.').next().and_then(|id| id.parse::<PackageId>().ok());
                let known = match package {
                    Some(package) => knows(side, package, &name)?,
                    None => false,
                };
                if !known {
                    remove_any(&entry)?;
                }
            }
        }
        for entry in std::fs::read_dir(self.work())? {
            remove_any(&entry?)?;
        }
        Ok(())
    }

    /// Proves that sealed packages can be written, on either side; leaves nothing.
    pub(super) fn check_writable(&self) -> Result<()> {
        for folder in [self.path(Side::Out), self.path(Side::In)] {
            let mut file = tempfile::Builder::new().prefix(".incomplete-").tempfile_in(folder)?;
            file.write_all(b"written to see whether it can be")?;
            file.as_file().sync_all()?;
            file.close()?;
        }
        Ok(())
    }

    pub(super) fn create(&self, side: Side) -> Result<DurableFile> {
        DurableFile::create_in(&self.path(side))
    }

    /// A name for a package's sealed bytes that no other file has: where the same package comes in twice at once, each of
    /// the two can be removed without the other. The digest is in it for who looks for a file by what is in it.
    pub(super) fn new_name(&self, package: PackageId, sha256: &str) -> String {
        // What an earlier process named and the ledger does not know was swept.
        let number = self.named.fetch_add(1, Ordering::Relaxed);
        format!("{package}.{sha256:.16}.{number}.sealed")
    }

    /// A new folder to work in, private and gone when dropped.
    pub(super) fn workplace(&self) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("unpack-").tempdir_in(self.work())?)
    }

    pub(super) fn open_sealed(&self, side: Side, file: &str) -> Result<File> {
        File::open(self.path(side).join(file)).map_err(|error| {
            Error::new(
                ErrorKind::StoreDamaged,
                format!("the sealed bytes {file} cannot be read: {error}; restore them from backup"),
            )
            .caused_by(error)
        })
    }

    /// Removes a file that no entry of the ledger speaks of. What cannot be removed now is swept by the next opening.
    pub(super) fn discard(&self, side: Side, file: &str) {
        let folder = self.path(side);
        let _ = std::fs::remove_file(folder.join(file)).and_then(|()| sync_folder(&folder));
    }

    fn path(&self, side: Side) -> PathBuf {
        self.folder.join(match side {
            Side::Out => "outbox",
            Side::In => "inbox",
        })
    }

    /// Where what is not whole yet lies: on the same disk as the inbox.
    pub(super) fn uploads(&self) -> PathBuf {
        self.folder.join("uploads")
    }

    /// Where a sealed package stands, or will.
    pub(super) fn path_of(&self, side: Side, file: &str) -> PathBuf {
        self.path(side).join(file)
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }
}

/// Removes a file, a link (not what it leads to), or a folder with all that is in it.
pub(super) fn remove_any(entry: &DirEntry) -> std::io::Result<()> {
    match entry.file_type()?.is_dir() {
        true => std::fs::remove_dir_all(entry.path()),
        false => std::fs::remove_file(entry.path()),
    }
}
