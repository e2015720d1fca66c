//! The four verbs from file to file: what they make stands whole under its name, or is not there.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use super::archive::{EntryDigest, Limits, Target, compress, decompress, decompress_from};
use super::decrypt::Decryptor;
use super::encrypt::encrypt;
use super::pump::pump;
use super::suite::{OpeningKey, SealingKey};
use super::watch::{Watch, Watched};
use crate::durable_file::{DurableFile, folder_of};
use crate::{Error, ErrorKind, Result};

/// Encrypts the file `from` into the file `to`, which is synced to the disk before it gets its name, and on Unix only
/// this user's to read. What stood there is replaced; on an error it stays as it was. Returns the bytes written.
///
/// The name is synced too, but for a folder that may be written to and not be read, and a file system that syncs none.
///
/// `watch` is told of the bytes read.
///
/// # Errors
///
/// [`InvalidArgument`](ErrorKind::InvalidArgument) when `from` or the folder of `to` is not there,
/// [`Cancelled`](ErrorKind::Cancelled) when `watch` said stop, [`Io`](ErrorKind::Io) when the system refuses.
pub fn encrypt_file(key: &SealingKey, from: &Path, to: &Path, watch: &dyn Watch) -> Result<u64> {
    let source = open(from)?;
    write_whole(to, |file| encrypt(key, Watched::new(source, watch), file))
}

/// Decrypts the file `from` into the file `to`. Nothing stands under that name before all was decrypted and found good;
/// else as [`encrypt_file`]. Returns the bytes written.
///
/// With the suite `des-md5` "found good" means only that the padding was right; verify a digest or a signature as
/// well.
///
/// # Errors
///
/// Those of [`Decryptor`] and [`encrypt_file`].
pub fn decrypt_file(key: &OpeningKey, from: &Path, to: &Path, watch: &dyn Watch) -> Result<u64> {
    let source = open(from)?;
    write_whole(to, |file| pump(Decryptor::new(key, Watched::new(source, watch))?, file))
}

/// Packs all that lies in `directory` into the zip archive `to`, as [`compress`] does; the file is made as by
/// [`encrypt_file`]. Returns the bytes written.
///
/// # Errors
///
/// Those of [`compress`] and [`encrypt_file`]; [`InvalidArgument`](ErrorKind::InvalidArgument) also when `to` lies in
/// `directory`, since the archive would pack itself.
pub fn compress_file(directory: &Path, to: &Path, watch: &dyn Watch) -> Result<u64> {
    refuse_inside(directory, to)?;
    write_whole(to, |file| compress(directory, file, watch))
}

/// Unpacks the zip archive `from` into `directory`, as [`decompress`] does.
///
/// # Errors
///
/// Those of [`decompress`]; [`InvalidArgument`](ErrorKind::InvalidArgument) when `from` is not there.
pub fn decompress_file(
    from: &Path,
    directory: &Path,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Vec<(String, EntryDigest)>> {
    let archive = open(from)?;
    if !archive.metadata().map_err(at(from))?.is_file() {
        return decompress(archive, directory, limits, watch);
    }
    let target = Target::new(directory)?;
    let files = decompress_from(&archive, &target, limits, watch)?;
    target.release()?;
    Ok(files)
}

pub(super) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(at(path))
}

/// Refuses to make the file `to` in the directory that is packed into it.
pub(super) fn refuse_inside(directory: &Path, to: &Path) -> Result<()> {
    let (folder, _) = folder_and_name(to)?;
    let packed = directory.canonicalize().map_err(at(directory))?;
    if folder.canonicalize().map_err(at(folder))?.starts_with(packed) {
        return Err(refused(to, "lies in the directory that is packed; write the archive somewhere else"));
    }
    Ok(())
}

/// Makes the file `to` out of what `write` writes.
pub(super) fn write_whole<T>(to: &Path, write: impl FnOnce(&mut DurableFile) -> Result<T>) -> Result<T> {
    let (folder, name) = folder_and_name(to)?;
    let mut file = DurableFile::create_in(folder).map_err(|error| {
        // The error of the system names a file with a random name, which says nothing to anybody.
        let explained = match folder.is_dir() {
            true => Error::new(ErrorKind::Io, format!("no file can be made in `{}`", folder.display())),
            false => refused(folder, "is no directory; make it first"),
        };
        explained.caused_by(error)
    })?;
    let written = write(&mut file)?;
    file.place_anyway(name).map_err(|error| error.within(format_args!("`{}`", to.display())))?;
    Ok(written)
}

fn folder_and_name(path: &Path) -> Result<(&Path, &OsStr)> {
    match path.file_name() {
        Some(name) => Ok((folder_of(path), name)),
        None => Err(refused(path, "is not the name of a file")),
    }
}

/// Says which path the operating system refused.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::new(ErrorKind::InvalidArgument, format!("`{}`: {error}", path.display())).caused_by(error)
        }
        _ => Error::from(error).within(format_args!("`{}`", path.display())),
    }
}

pub(super) fn refused(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("`{}` {why}", path.display()))
}
