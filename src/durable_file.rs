//! A file that stands whole and synced under its name, or not at all.

#[cfg(feature = "exchange")]
use crate::Error;
use crate::Result;
use crate::failpoint::failpoint;
#[cfg(feature = "exchange")]
use std::fs::DirBuilder;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
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
    #[cfg(any(feature = "exchange", test))]
    pub(crate) fn place(self, name: impl AsRef<Path>) -> Result<PathBuf> {
        let names = Names::open(&self.folder)?;
        self.place_among(names, name)
    }

    /// As [`place`](Self::place), also where the name cannot be synced: in a folder that may be written to and not be read,
    /// or whose file system syncs none. A power loss may take the name then, and bring back what stood there before.
    pub(crate) fn place_anyway(self, name: impl AsRef<Path>) -> Result<PathBuf> {
        let names = Names::open(&self.folder).or_else(Names::out_of_reach)?;
        self.place_among(names.where_possible(), name)
    }

    /// `names` were opened before, so that what stands there is not replaced where they cannot be.
    fn place_among(self, names: Names, name: impl AsRef<Path>) -> Result<PathBuf> {
        failpoint!(in &self.folder, "written");
        self.file.as_file().sync_all()?;
        failpoint!(in &self.folder, "synced");
        let path = self.folder.join(name);
        self.file.persist(&path).map_err(|refused| refused.error)?;
        failpoint!(in &self.folder, "renamed");
        names.sync()?;
        failpoint!(in &self.folder, "placed");
        Ok(path)
    }
}

impl Write for DurableFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        failpoint!(in &self.folder, "writing");
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for DurableFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// The names in a folder, to be synced.
struct Names {
    folder: Option<File>,
    is_needed: bool,
}

impl Names {
    fn open(folder: &Path) -> io::Result<Self> {
        // Windows has no handle on a folder to sync; its rename is journalled.
        let folder = if cfg!(unix) { Some(File::open(folder)?) } else { None };
        Ok(Self { folder, is_needed: true })
    }

    /// Those of a folder that may not be read.
    fn out_of_reach(error: io::Error) -> io::Result<Self> {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Ok(Self { folder: None, is_needed: false }),
            _ => Err(error),
        }
    }

    /// Not to be synced where the file system does not do that.
    fn where_possible(self) -> Self {
        Self { is_needed: false, ..self }
    }

    fn sync(self) -> io::Result<()> {
        let synced = self.folder.map_or(Ok(()), |folder| folder.sync_all());
        match synced {
            Err(error) if !self.is_needed && is_unknown(&error) => Ok(()),
            synced => synced,
        }
    }
}

/// What file systems answer that sync no folder: `EINVAL`, `ENOTSUP`.
fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// Makes the names in `folder` survive power loss.
#[cfg(feature = "exchange")]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    Names::open(folder)?.sync()
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

    /// Names whose folder is a file that cannot be synced: the system answers `EINVAL`, as for a folder on some mounts.
    #[cfg(unix)]
    fn not_to_be_synced() -> Names {
        Names { folder: Some(File::open("/dev/null").unwrap()), is_needed: true }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_cannot_be_synced_is_an_error_only_where_it_was_promised() {
        assert!(not_to_be_synced().sync().is_err());
        not_to_be_synced().where_possible().sync().unwrap();
        let enotsup = if cfg!(target_os = "linux") { 95 } else { 45 };
        assert!(is_unknown(&io::Error::from_raw_os_error(enotsup)));
        assert!(!is_unknown(&io::Error::from_raw_os_error(5)), "EIO");
    }

    #[test]
    fn only_a_folder_that_may_not_be_read_is_gone_on_without() {
        let went_on = Names::out_of_reach(io::ErrorKind::PermissionDenied.into()).unwrap();
        assert!(went_on.folder.is_none() && !went_on.is_needed);
        assert!(Names::out_of_reach(io::ErrorKind::NotFound.into()).is_err());
    }

    /// Before the superuser, who may read all folders, both ways place the file.
    #[cfg(unix)]
    #[test]
    fn in_a_folder_that_may_not_be_read_a_file_is_replaced_or_stays_as_it_was() {
        use std::fs::{Permissions, read, set_permissions, write};
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claim.sealed");
        let rights = |mode| set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let new = || {
            let mut file = DurableFile::create_in(folder.path()).unwrap();
            file.write_all(b"new").unwrap();
            file
        };
        write(&path, "old").unwrap();
        rights(0o333);
        let placed = new().place("claim.sealed").is_ok();
        assert_eq!(read(&path).unwrap(), if placed { b"new" } else { b"old" });
        assert_eq!(placed, File::open(folder.path()).is_ok());
        new().place_anyway("claim.sealed").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        rights(0o700);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
