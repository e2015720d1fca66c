//! The bytes of documents: files named by their SHA-256, written before the database speaks of them.
//!
//! Bytes go to a temporary file first, are synced, get their name by a rename, and the folder is synced; only then is
//! the transaction committed that names them. A crash leaves at most a file that nothing names, which the next
//! opening sweeps away.

use crate::durable_file::{create_private_folder, sync_folder};
use crate::failpoint::failpoint;
use crate::protocol::DigestReader;
use crate::{Error, ErrorKind, Result};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use tempfile::NamedTempFile;

/// How the names of files begin that do not have their own name yet.
const UNNAMED: &str = ".new-";

/// The folder of document files.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

/// Bytes that are on disk, but do not have their name yet. Dropping it removes them.
pub(super) struct Written {
    file: NamedTempFile,
    pub(super) sha256: String,
    pub(super) size: u64,
}

/// Files that got their name within a transaction. Dropping it removes those that were new, unless it is kept.
pub(super) struct Placed<'a> {
    files: &'a Files,
    new: Vec<PathBuf>,
}

impl Files {
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        create_private_folder(&folder)?;
        Ok(Self { folder })
    }

    /// Copies the bytes to disk and takes their size and digest on the way.
    pub(super) fn write(&self, bytes: &mut dyn Read) -> Result<Written> {
        let mut file = tempfile::Builder::new().prefix(UNNAMED).tempfile_in(&self.folder)?;
        let mut bytes = DigestReader::new(bytes);
        let size = std::io::copy(&mut bytes, &mut file)?;
        failpoint!(in &self.folder, "written");
        file.as_file().sync_all()?;
        failpoint!(in &self.folder, "synced");
        Ok(Written { file, sha256: bytes.finish().to_hex(), size })
    }

    /// The bytes with this digest.
    pub(super) fn read(&self, sha256: &str) -> Result<File> {
        File::open(self.folder.join(sha256)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new(
                ErrorKind::StoreDamaged,
                format!("its file {sha256} is lost; restore it from a backup"),
            )
            .caused_by(error),
            _ => error.into(),
        })
    }

    pub(super) fn placing(&self) -> Placed<'_> {
        Placed { files: self, new: Vec::new() }
    }

    /// Removes every file written here that is not among those named. No other handle may be writing.
    pub(super) fn sweep(&self, named: &HashSet<String>) -> Result<()> {
        let is_ours = |name: &str| {
            let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_digest || name.starts_with(UNNAMED)
        };
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| is_ours(name) && !named.contains(name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Placed<'_> {
    /// Gives the bytes their name. Only within a transaction: its lock keeps others from naming them meanwhile.
    pub(super) fn place(&mut self, written: Written) -> Result<()> {
        let path = self.files.folder.join(&written.sha256);
        if fs::metadata(&path).is_ok_and(|known| known.len() == written.size) {
            return Ok(());
        }
        written.file.persist(&path).map_err(|error| error.error)?;
        self.new.push(path);
        failpoint!(in &self.files.folder, "renamed");
        Ok(())
    }

    /// Makes the names durable, so that a commit may rely on them.
    pub(super) fn sync(&self) -> Result<()> {
        if !self.new.is_empty() {
            sync_folder(&self.files.folder)?;
            failpoint!(in &self.files.folder, "placed");
        }
        Ok(())
    }

    /// Leaves the files where they are.
    pub(super) fn keep(mut self) {
        self.new.clear();
    }
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        for path in &self.new {
            // What cannot be removed now is swept away by the next opening.
            let _ = fs::remove_file(path);
        }
    }
}
