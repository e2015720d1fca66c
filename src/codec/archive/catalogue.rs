//! Reads what an archive says of itself, and believes it only where all of it agrees: the end record, the central
//! directory and the local headers must account for every byte of the file exactly once.

use std::fmt::Display;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::limits::Limits;
use super::local::{Placed, place};
use super::name::{Names, check_path};
use super::record::{self, Fields, Found, Method};
use crate::{Error, ErrorKind, Result};

/// A file in an archive, as the archive's headers describe it.
#[derive(Clone, Debug)]
pub struct ArchiveEntry {
    pub(super) name: String,
    pub(super) is_directory: bool,
    pub(super) method: Method,
    pub(super) crc32: u32,
    pub(super) compressed: u64,
    pub(super) inflated: u64,
    pub(super) flags: u16,
    pub(super) header_start: u64,
    pub(super) data_start: u64,
}

impl ArchiveEntry {
    /// The path inside the archive: checked, relative, with `/` between its parts.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size its header declares. Reading fails where the content has another.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.inflated
    }
}

/// The methods that are read.
const METHODS: &str =
    if cfg!(feature = "zstd") { "stored, deflated and Zstandard" } else { "stored and deflated" };

/// Where the central directory lies.
struct Directory {
    start: u64,
    size: u64,
    entries: u64,
}

/// Reads and judges the catalogue of an archive; `hold` holds its [local headers](super::local) against it.
pub(super) fn read<R: Read + Seek>(
    input: &mut R,
    limits: &Limits,
    hold: impl FnOnce(&mut R, &mut [Placed<'_>]) -> Result<()>,
) -> Result<Vec<ArchiveEntry>> {
    let length = input.seek(SeekFrom::End(0))?;
    let directory = find_directory(input, length)?;
    if directory.entries > limits.entries() {
        return Err(Error::new(
            ErrorKind::TooManyEntries,
            format!("the archive has {} entries, {} are allowed", directory.entries, limits.entries()),
        ));
    }
    let mut entries = read_directory(input, &directory, limits)?;
    judge_sizes(&entries, length, limits)?;
    hold(input, &mut place(&mut entries, directory.start)?)?;
    Ok(entries)
}

/// Finds the directory through the end record, which must be the last bytes of the file.
fn find_directory<R: Read + Seek>(input: &mut R, length: u64) -> Result<Directory> {
    let end_start = length.saturating_sub(record::END_LENGTH as u64);
    let end =
        read_at(input, end_start, record::END_LENGTH.min(usize::try_from(length).unwrap_or(usize::MAX)))?;
    let Some(fields) = parse_end(&end) else {
        return Err(explain_missing_end(input, length)?);
    };
    let located = match end_start.checked_sub(record::LOCATOR_LENGTH as u64) {
        Some(start) => read_at(input, start, record::LOCATOR_LENGTH)?,
        None => Vec::new(),
    };
    let (directory, directory_end) = if located.starts_with(&record::LOCATOR_SIGNATURE) {
        find_zip64_directory(input, &located, end_start, &fields)?
    } else {
        (fields, end_start)
    };
    if directory.start.checked_add(directory.size) != Some(directory_end) {
        return Err(inconsistent(
            "the end record does not point at the directory: bytes were put before or between",
        ));
    }
    Ok(directory)
}

/// The plain end record (4.3.16) without a comment, in an archive of one disk.
fn parse_end(bytes: &[u8]) -> Option<Directory> {
    let mut fields = Fields(bytes);
    fields.signature(record::END_SIGNATURE)?;
    let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
    let (entries_here, entries) = (fields.u16()?, fields.u16()?);
    let (size, start) = (fields.u32()?, fields.u32()?);
    let comment = fields.u16()?;
    (disk == directory_disk && entries_here == entries && comment == 0).then_some(Directory {
        start: start.into(),
        size: size.into(),
        entries: entries.into(),
    })
}

/// The zip64 end record (4.3.14), which must agree with the plain one wherever that states a value.
fn find_zip64_directory<R: Read + Seek>(
    input: &mut R,
    locator: &[u8],
    end_start: u64,
    plain: &Directory,
) -> Result<(Directory, u64)> {
    let fault = || inconsistent("the zip64 end record does not agree with the plain one");
    let parse_locator = || {
        let mut fields = Fields(locator);
        fields.signature(record::LOCATOR_SIGNATURE)?;
        let (disk, start, disks) = (fields.u32()?, fields.u64()?, fields.u32()?);
        (disk == 0 && disks <= 1).then_some(start)
    };
    let start = parse_locator().ok_or_else(fault)?;
    let lengths = (record::END64_LENGTH + record::LOCATOR_LENGTH) as u64;
    if start.checked_add(lengths) != Some(end_start) {
        return Err(fault());
    }
    let bytes = read_at(input, start, record::END64_LENGTH)?;
    let parse = || {
        let mut fields = Fields(&bytes);
        fields.signature(record::END64_SIGNATURE)?;
        fields.u64()?;
        fields.u32()?;
        let (disk, directory_disk) = (fields.u32()?, fields.u32()?);
        let (here, entries, size, start) = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        (disk == 0 && directory_disk == 0 && here == entries).then_some(Directory { start, size, entries })
    };
    let directory = parse().ok_or_else(fault)?;
    let agrees = |plain: u64, mark: u64, value: u64| plain == mark || plain == value;
    let (mark16, mark32) = (u64::from(record::IN_ZIP64_16), u64::from(record::IN_ZIP64_32));
    if !agrees(plain.entries, mark16, directory.entries)
        || !agrees(plain.size, mark32, directory.size)
        || !agrees(plain.start, mark32, directory.start)
    {
        return Err(fault());
    }
    Ok((directory, start))
}

/// What is wrong with a file that does not end as an archive of ours or of a common tool ends.
fn explain_missing_end<R: Read + Seek>(input: &mut R, length: u64) -> Result<Error> {
    let start = read_at(input, 0, usize::try_from(length.min(4)).unwrap_or_default())?;
    if !record::LOCAL_SIGNATURE.starts_with(&start) && start != record::END_SIGNATURE {
        return Ok(Error::new(
            ErrorKind::NotAnArchive,
            "this is not a zip archive; after a decryption that checks nothing, most likely the key is wrong",
        ));
    }
    let tail_length = length.min((record::END_LENGTH + usize::from(u16::MAX)) as u64);
    let tail = read_at(input, length - tail_length, usize::try_from(tail_length).unwrap_or_default())?;
    let end = tail.windows(4).rposition(|window| window == record::END_SIGNATURE);
    let Some(end) = end.and_then(|position| tail.get(position..)) else {
        return Ok(truncated());
    };
    let comment = Fields(end.get(record::END_LENGTH - 2..).unwrap_or_default()).u16().map(usize::from);
    Ok(match comment {
        Some(comment) if comment > 0 && record::END_LENGTH + comment == end.len() => Error::new(
            ErrorKind::UnsupportedArchive,
            "the archive carries a comment, which packages never do",
        ),
        Some(comment) if record::END_LENGTH + comment < end.len() => {
            inconsistent("bytes follow the end of the archive")
        }
        Some(0) => Error::new(ErrorKind::UnsupportedArchive, "the archive is one part of several"),
        _ => truncated(),
    })
}

/// Reads all central headers; they must fill the directory exactly.
fn read_directory<R: Read + Seek>(
    input: &mut R,
    directory: &Directory,
    limits: &Limits,
) -> Result<Vec<ArchiveEntry>> {
    input.seek(SeekFrom::Start(directory.start))?;
    let mut bytes = BufReader::new(input.take(directory.size));
    let mut entries = Vec::new();
    let mut names = Names::default();
    let mut header = [0; record::CENTRAL_LENGTH];
    let mut left = directory.size;
    for _ in 0..directory.entries {
        let cut = "the directory ends before its last entry";
        bytes.read_exact(&mut header).map_err(ending(cut))?;
        let found = Found::central(&header).ok_or_else(|| inconsistent("the directory is damaged"))?;
        let mut rest = vec![0; found.name_length + found.extra_length + found.comment_length];
        bytes.read_exact(&mut rest).map_err(ending(cut))?;
        left = left.saturating_sub((header.len() + rest.len()) as u64);
        let entry = judge_entry(found, &rest, limits)?;
        names.insert(&entry.name, entry.is_directory).map_err(inconsistent)?;
        if names.directories() > limits.entries() {
            let message =
                format!("the archive has more directories than the {} that are allowed", limits.entries());
            return Err(Error::new(ErrorKind::TooManyEntries, message));
        }
        entries.push(entry);
    }
    if left != 0 {
        return Err(inconsistent("the directory holds more than the end record says: entries are hidden"));
    }
    Ok(entries)
}

/// Takes one central header with what follows it (name, extra fields, comment), or says why not.
fn judge_entry(mut found: Found, rest: &[u8], limits: &Limits) -> Result<ArchiveEntry> {
    let mut fields = Fields(rest);
    let raw_name = fields.take(found.name_length).unwrap_or_default();
    let extra = fields.take(found.extra_length).unwrap_or_default();
    let path = decode_name(found.flags, raw_name, extra)?;
    let (name, is_directory) = path.strip_suffix('/').map_or((path.as_str(), false), |name| (name, true));
    check_path(name, limits)?;
    judge_extent(&found, extra, limits)
        .map_err(|what| Error::new(ErrorKind::UnsupportedArchive, format!("entry `{name}` has {what}")))?;
    found
        .resolve_zip64(extra)
        .ok_or_else(|| inconsistent(format!("entry `{name}`: its zip64 field is damaged")))?;
    let method = judge_features(&found, name, is_directory)?;
    let empty = found.inflated == 0 && found.crc32 == 0 && found.compressed <= 2;
    if is_directory && !empty || method == Method::Stored && found.compressed != found.inflated {
        return Err(inconsistent(format!("entry `{name}`: its sizes contradict each other")));
    }
    Ok(ArchiveEntry {
        name: name.to_owned(),
        is_directory,
        method,
        crc32: found.crc32,
        compressed: found.compressed,
        inflated: found.inflated,
        flags: found.flags,
        header_start: found.offset,
        data_start: 0,
    })
}

/// Bounds what stands beside a name in the directory: the second reader keeps all of it, and each extra field, however
/// short, in a struct of its own.
fn judge_extent(found: &Found, extra: &[u8], limits: &Limits) -> Result<(), String> {
    let fields = record::extra_fields(extra).count();
    let too_many = |what: &str, has: usize, allowed: usize| {
        (has > allowed).then(|| format!("{has} {what}, {allowed} are allowed"))
    };
    let what = too_many("bytes of name beside the one in UTF-8", found.name_length, limits.raw_path_length())
        .or_else(|| too_many("bytes of extra fields", extra.len(), limits.extra_length()))
        .or_else(|| too_many("extra fields", fields, Limits::EXTRA_FIELDS))
        .or_else(|| too_many("bytes of comment", found.comment_length, Limits::COMMENT_LENGTH));
    what.map_or(Ok(()), Err)
}

/// Refuses what packages never use: encryption, other methods, split archives, links and devices.
fn judge_features(found: &Found, name: &str, is_directory: bool) -> Result<Method> {
    let unsupported =
        |what: String| Err(Error::new(ErrorKind::UnsupportedArchive, format!("entry `{name}` {what}")));
    if found.flags & (record::ENCRYPTED | record::STRONGLY_ENCRYPTED | record::MASKED) != 0 {
        return unsupported("is encrypted inside the archive".to_owned());
    }
    if found.flags & record::PATCHED != 0 || found.disk != 0 {
        return unsupported("is a patch or part of a split archive".to_owned());
    }
    let Some(method) = Method::from_code(found.method) else {
        return unsupported(format!("is compressed {}", unread(found.method)));
    };
    // The file type bits of a Unix mode; writers on other systems leave them zero.
    match found.attributes >> 28 {
        0 => Ok(method),
        0o10 if !is_directory => Ok(method),
        0o4 if is_directory => Ok(method),
        0o10 | 0o4 => {
            Err(inconsistent(format!("entry `{name}` is a file by its mode and a directory by its name")))
        }
        0o12 => unsupported("is a symbolic link".to_owned()),
        _ => unsupported("is a device or another special file".to_owned()),
    }
}

/// With what an entry is compressed that is not read here, and what can be done.
fn unread(method: u16) -> String {
    match method {
        record::ZSTD => {
            "with Zstandard (method 93), which is not built in here: build with the feature `zstd`, or have \
                         the sender set `compression = \"deflate\"` for this site"
                .to_owned()
        }
        method => format!("by method {method}; only {METHODS} are read"),
    }
}

/// The name as text: UTF-8 by its flag or by Info-ZIP's extra field; else UTF-8 where it is that, as macOS writes it
/// without saying so.
pub(super) fn decode_name(flags: u16, raw_name: &[u8], extra: &[u8]) -> Result<String> {
    let bytes = if flags & record::UTF8 == 0 { record::unicode_path(extra, raw_name) } else { None };
    let decoded = std::str::from_utf8(bytes.unwrap_or(raw_name));
    decoded.map(str::to_owned).map_err(|_| {
        let shown = raw_name.escape_ascii();
        Error::new(
            ErrorKind::HostileName,
            format!("the name `{shown}` is not UTF-8; pack it with a tool that writes it"),
        )
    })
}

/// Bounds what all entries together declare. Reading holds each to what it declares.
fn judge_sizes(entries: &[ArchiveEntry], length: u64, limits: &Limits) -> Result<()> {
    let too_large = |what: String| Err(Error::new(ErrorKind::InflatedTooLarge, what));
    if let Some(entry) = entries.iter().find(|entry| limits.is_bomb(entry.compressed, entry.inflated)) {
        return too_large(format!("entry `{}` inflates more than {} times", entry.name, limits.ratio()));
    }
    let inflated = entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.inflated));
    if inflated > limits.inflated_size() {
        return too_large(format!(
            "the archive inflates to {inflated} bytes, {} are allowed",
            limits.inflated_size()
        ));
    }
    if limits.is_bomb(length, inflated) {
        return too_large(format!("the archive inflates more than {} times", limits.ratio()));
    }
    Ok(())
}

pub(super) fn read_at<R: Read + Seek>(input: &mut R, start: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    input.seek(SeekFrom::Start(start))?;
    input.read_exact(&mut bytes).map_err(ending("a header lies outside the archive"))?;
    Ok(bytes)
}

/// An error of reading: `what` is wrong where the archive ended. All else is the input's, and no fault of the archive.
pub(super) fn ending(what: impl Display) -> impl FnOnce(io::Error) -> Error {
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => inconsistent(what),
        _ => error.into(),
    }
}

pub(super) fn inconsistent(what: impl Display) -> Error {
    Error::new(ErrorKind::InconsistentArchive, format!("the archive contradicts itself: {what}"))
}

fn truncated() -> Error {
    Error::new(ErrorKind::Truncated, "the archive ends too early: its directory is missing")
}

#[cfg(test)]
mod tests {
    use super::super::local::hold;
    use super::super::record::Header;
    use super::*;
    use std::io::Write;

    /// Without the feature that reads it. Tests are built with all features; only the text is at stake here.
    #[test]
    fn what_is_not_built_in_is_named_with_what_to_do() {
        assert_eq!(
            unread(record::ZSTD),
            "with Zstandard (method 93), which is not built in here: build with the feature `zstd`, or have the sender \
             set `compression = \"deflate\"` for this site"
        );
        assert!(unread(14).starts_with("by method 14; only stored"));
    }

    /// Two entries in a sparse file: the first has more than 4 GiB, so the second begins beyond what 32 bits hold.
    #[test]
    fn sizes_and_offsets_beyond_four_gigabytes_are_read() {
        let long = u64::from(u32::MAX) + 5;
        let header = |name, offset, size, has_descriptor| Header {
            name,
            method: Method::Stored,
            is_directory: false,
            has_descriptor,
            crc32: 7,
            compressed: size,
            inflated: size,
            offset,
        };
        let mut file = tempfile::tempfile().unwrap();
        let first = header("first", 0, long, true);
        file.write_all(&first.local()).unwrap();
        file.seek(SeekFrom::Current(i64::try_from(long).unwrap())).unwrap();
        file.write_all(&first.descriptor()).unwrap();
        let second = header("second", file.stream_position().unwrap(), 3, false);
        file.write_all(&second.local()).unwrap();
        file.write_all(b"abc").unwrap();
        let directory = [first.central(), second.central()].concat();
        let start = file.stream_position().unwrap();
        file.write_all(&directory).unwrap();
        file.write_all(&record::end(2, start, directory.len() as u64)).unwrap();

        let limits = Limits::default().with_inflated_size(u64::MAX);
        let entries = read(&mut file, &limits, hold).unwrap();
        assert_eq!(entries.iter().map(ArchiveEntry::size).collect::<Vec<_>>(), [long, 3]);
        assert!(entries[1].data_start > u64::from(u32::MAX));
        assert_eq!(
            read(&mut file, &Limits::default(), hold).unwrap_err().kind(),
            ErrorKind::InflatedTooLarge
        );
    }
}
