//! A file that stands whole and synced under its name, or not at all.

#[cfg(feature = "exchange")]
use crate::Error;
use crate::Result;
use crate::failpoint::failpoint;
#[cfg(feature = "exchange")]
use std::fs::DirBuilder;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file in the making: private, unnamed to others, and gone when dropped before [`place`](Self::place).
pub(crate) struct DurableFile {
    file: NamedTempFile,
    folder: PathBuf,
}

impl DurableFile {
    /// Starts a file that will stand in `folder`.
    pub(crate) fn create_in(folder: &Path) -> Result<Self> {
        let file = tempfile::Builder::new().prefix(".incomplete-").tempfile_in(folder)?;
        Ok(Self { file, folder: folder.to_owned() })
    }

    /// Syncs the file and gives it its name; what stood there before is replaced. Survives power loss once this
    /// has returned.
    pub(crate) fn place(self, name: impl AsRef<Path>) -> Result<PathBuf> {
        failpoint!(in &self.folder, "written");
        self.file.as_file().sync_all()?;
        failpoint!(in &self.folder, "synced");
        let path = self.folder.join(name);
        self.file.persist(&path).map_err(|refused| refused.error)?;
        failpoint!(in &self.folder, "renamed");
        sync_folder(&self.folder)?;
        failpoint!(in &self.folder, "placed");
        Ok(path)
    }
}

impl Write for DurableFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        failpoint!(in &self.folder, "writing");
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for DurableFile {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(position)
    }
}

/// Makes the names in `folder` survive power loss.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Windows has no handle on a folder to sync; its rename is journalled.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Makes `folder`, and those above it, for this user alone, and its name durable; one that is there already is left as
/// it is.
#[cfg(feature = "exchange")]
pub(crate) fn create_private_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .and_then(|()| sync_folder(folder_of(folder)))
        .map_err(|error| Error::from(error).within(format_args!("folder {}", folder.display())))
}

/// The folder that a path's last name stands in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placed_file_is_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = DurableFile::create_in(folder.path()).unwrap();
        file.write_all(b"sealed").unwrap();
        let path = file.place("a.sealed").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"sealed");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_was_not_placed_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = DurableFile::create_in(folder.path()).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
