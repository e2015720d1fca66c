//! Archives of a handful of small files, in memory.

use std::io::Cursor;

use super::limits::Limits;
use super::reader::ArchiveReader;
use super::writer::ArchiveWriter;
use crate::Result;

/// Makes an archive of these files, in this order. The same files give the same bytes.
///
/// ```
/// use claimwire::codec::{Limits, compress_bytes, decompress_bytes};
///
/// # fn main() -> claimwire::Result<()> {
/// let archive = compress_bytes([("note.txt", "Please call back.")])?;
/// let files = decompress_bytes(&archive, &Limits::default())?;
/// assert_eq!(files, [("note.txt".to_owned(), b"Please call back.".to_vec())]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`ArchiveWriter::add`].
pub fn compress_bytes<N: AsRef<str>, C: AsRef<[u8]>>(
    files: impl IntoIterator<Item = (N, C)>,
) -> Result<Vec<u8>> {
    let mut archive = ArchiveWriter::new(Vec::new());
    for (name, content) in files {
        archive.queue(name.as_ref(), content.as_ref())?;
    }
    archive.finish()
}

/// The files of an archive, name and content, in the order of its directory. Bounded by `limits`, all of it is in
/// memory at once.
///
/// # Errors
///
/// Those of [`ArchiveReader::open`] and [`ArchiveReader::read`].
pub fn decompress_bytes(archive: &[u8], limits: &Limits) -> Result<Vec<(String, Vec<u8>)>> {
    let mut archive = ArchiveReader::open(Cursor::new(archive), limits)?;
    let names: Vec<String> = archive.entries().map(|entry| entry.name().to_owned()).collect();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let mut content = Vec::new();
        archive.read(&name, &mut content)?;
        files.push((name, content));
    }
    Ok(files)
}
