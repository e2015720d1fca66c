//! Holds the local headers of an archive against its directory: entry beside entry, they must account for every byte.
//!
//! Each is somewhere else in the archive, and of a sealed one all that stands around it has to be decrypted, so that
//! several threads share them where there are many.

use std::io::{Read, Seek};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use super::super::plaintext::Plaintext;
use super::super::relay::Relay;
use super::super::window::Window;
use super::catalogue::{ArchiveEntry, decode_name, ending, inconsistent, read_at};
use super::record::{self, Fields, Found};
use crate::{Error, Result};

/// How many headers a thread takes at once; none is started for fewer.
const SHARE: usize = 64;

/// An entry, and where what follows it begins.
pub(super) struct Placed<'e> {
    entry: &'e mut ArchiveEntry,
    end: u64,
}

/// The entries in the order in which they stand in the archive, which must begin with one.
pub(super) fn place(entries: &mut [ArchiveEntry], directory_start: u64) -> Result<Vec<Placed<'_>>> {
    let mut order: Vec<&mut ArchiveEntry> = entries.iter_mut().collect();
    order.sort_by_key(|entry| entry.header_start);
    let ends: Vec<u64> =
        order.iter().skip(1).map(|entry| entry.header_start).chain([directory_start]).collect();
    if order.first().map_or(directory_start, |entry| entry.header_start) != 0 {
        return Err(inconsistent("bytes stand before the first entry"));
    }
    Ok(order.into_iter().zip(ends).map(|(entry, end)| Placed { entry, end }).collect())
}

/// Checks that the entries, each with its local header, data and descriptor, lie side by side, and that the local
/// headers say what the directory says.
pub(super) fn hold<R: Read + Seek>(input: &mut R, placed: &mut [Placed<'_>]) -> Result<()> {
    placed.iter_mut().try_for_each(|placed| placed.hold(input))
}

/// As [`hold`], with the same error, by up to `threads` threads; this one reads through `window`.
pub(super) fn hold_abreast<'p>(
    plaintext: &'p Plaintext<'p>,
    window: &mut Window<'p>,
    placed: &mut [Placed<'_>],
    threads: NonZeroUsize,
    relay: &Relay<'_>,
) -> Result<()> {
    let helpers = threads.get().min(placed.len() / SHARE).saturating_sub(1);
    let shares = Shares { left: Mutex::new(placed.chunks_mut(SHARE).enumerate()), failed: Mutex::default() };
    relay.share(helpers, || shares.hold(window), || shares.hold(&mut Window::new(plaintext)));
    let failed = shares.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(Ok(()), |(_, error)| Err(error))
}

/// Shares of the entries, given out in their order until one fails.
struct Shares<I> {
    left: Mutex<I>,
    failed: Mutex<Failed>,
}

/// The first share that failed, and why. All before it were given out.
type Failed = Option<(usize, Error)>;

impl<'s, 'e: 's, I: Iterator<Item = (usize, &'s mut [Placed<'e>])>> Shares<I> {
    fn hold(&self, window: &mut Window<'_>) {
        while let Some((number, share)) = self.next() {
            if let Err(error) = hold(window, share) {
                note(&mut self.failed.lock().unwrap_or_else(PoisonError::into_inner), number, error);
            }
        }
    }

    fn next(&self) -> Option<I::Item> {
        if self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return None;
        }
        self.left.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

fn note(failed: &mut Failed, number: usize, error: Error) {
    if failed.as_ref().is_none_or(|(first, _)| number < *first) {
        *failed = Some((number, error));
    }
}

impl Placed<'_> {
    fn hold<R: Read + Seek>(&mut self, input: &mut R) -> Result<()> {
        let Self { entry, end } = self;
        let fault = |what: &str| inconsistent(format!("entry `{}`: {what}", entry.name));
        let fixed = read_at(input, entry.header_start, record::LOCAL_LENGTH)?;
        let mut found =
            Found::local(&fixed).ok_or_else(|| fault("there is no header where the directory says"))?;
        let mut rest = vec![0; found.name_length + found.extra_length];
        input
            .read_exact(&mut rest)
            .map_err(ending(format_args!("entry `{}`: its header is cut", entry.name)))?;
        if !agrees(entry, &mut found, &rest) {
            return Err(fault("its header differs from the directory"));
        }
        let data_start = entry.header_start + (fixed.len() + rest.len()) as u64;
        let data_end = data_start.checked_add(entry.compressed);
        let after = data_end.and_then(|data_end| Some((data_end, end.checked_sub(data_end)?)));
        let (data_end, after) = after.ok_or_else(|| fault("it overlaps with what follows"))?;
        let descriptor = read_at(input, data_end, usize::try_from(after.min(25)).unwrap_or_default())?;
        if !is_descriptor(entry, &descriptor) {
            return Err(fault(
                "bytes follow it that belong to nothing, or its descriptor differs from the directory",
            ));
        }
        entry.data_start = data_start;
        Ok(())
    }
}

/// Whether a local header says what the directory says of its entry.
fn agrees(entry: &ArchiveEntry, found: &mut Found, rest: &[u8]) -> bool {
    const COMPARED: u16 =
        record::ENCRYPTED | record::HAS_DESCRIPTOR | record::STRONGLY_ENCRYPTED | record::UTF8;
    let (raw_name, extra) = rest.split_at(found.name_length.min(rest.len()));
    if found.resolve_zip64(extra).is_none() {
        return false;
    }
    let Ok(name) = decode_name(found.flags, raw_name, extra) else {
        return false;
    };
    let is_named = name.strip_suffix('/').map_or((name.as_str(), false), |name| (name, true));
    let late = |value: u64| entry.flags & record::HAS_DESCRIPTOR != 0 && value == 0;
    is_named == (entry.name.as_str(), entry.is_directory)
        && found.flags & COMPARED == entry.flags & COMPARED
        && found.method == entry.method.code()
        && (found.crc32 == entry.crc32 || late(found.crc32.into()))
        && (found.compressed == entry.compressed || late(found.compressed))
        && (found.inflated == entry.inflated || late(found.inflated))
}

/// Whether `bytes` are exactly what may follow the data of `entry`: nothing, or a descriptor (4.3.9) in one of its
/// four shapes, with the values of the directory.
fn is_descriptor(entry: &ArchiveEntry, bytes: &[u8]) -> bool {
    if entry.flags & record::HAS_DESCRIPTOR == 0 {
        return bytes.is_empty();
    }
    let bytes = if matches!(bytes.len(), 16 | 24) {
        bytes.strip_prefix(&record::DESCRIPTOR_SIGNATURE).unwrap_or_default()
    } else {
        bytes
    };
    let mut fields = Fields(bytes);
    let crc32 = fields.u32();
    let sizes = match bytes.len() {
        12 => fields.u32().map(u64::from).zip(fields.u32().map(u64::from)),
        20 => fields.u64().zip(fields.u64()),
        _ => None,
    };
    crc32 == Some(entry.crc32) && sizes == Some((entry.compressed, entry.inflated))
}

#[cfg(test)]
mod tests {
    use super::super::super::read_at::ReadAt;
    use super::super::super::{DesMd5Key, Framing, encrypt_bytes};
    use super::super::limits::Limits;
    use super::super::record::Method;
    use super::super::{ArchiveWriter, SharedArchive};
    use super::*;
    use crate::ErrorKind;
    use std::collections::HashSet;
    use std::io;
    use std::ops::ControlFlow;
    use std::sync::Condvar;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    /// An archive of so many files, `0.jpg` the first, that is longer than what is read at once.
    fn archive(files: usize) -> Vec<u8> {
        let scan: Vec<u8> = (0..2000_u32).map(|n| ((n * n) ^ (n >> 3)).to_le_bytes()[0]).collect();
        let mut archive = ArchiveWriter::new(Vec::new());
        for number in 0..files {
            archive.add(&format!("{number}.jpg"), &[&b"\xff\xd8\xff"[..], &scan].concat()[..]).unwrap();
        }
        archive.finish().unwrap()
    }

    fn opened(bytes: &dyn ReadAt, threads: usize) -> Result<()> {
        let threads = NonZeroUsize::new(threads).unwrap();
        let plaintext = Plaintext::plain(bytes)?;
        let mut archive = SharedArchive::open(&plaintext, &Limits::default(), threads, &Relay::new(&()))?;
        let names: Vec<String> = archive.files().map(|entry| entry.name().to_owned()).collect();
        for name in names {
            archive.read(&name, io::sink())?;
        }
        Ok(())
    }

    #[test]
    fn the_first_header_that_differs_is_the_error_for_any_number_of_threads() {
        let honest = archive(5 * SHARE);
        let mut changed = honest.clone();
        for number in [2 * SHARE + 9, 2 * SHARE + 10, 4 * SHARE] {
            let name = format!("{number}.jpg");
            let at = honest.windows(name.len()).position(|bytes| bytes == name.as_bytes()).unwrap();
            changed[at] ^= 1;
        }
        for threads in [1, 2, 3, 9] {
            opened(&honest, threads).unwrap();
            let error = opened(&changed, threads).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InconsistentArchive);
            assert!(error.to_string().contains("entry `137.jpg`: its header differs"), "{error}");
        }
    }

    #[test]
    fn of_several_shares_that_failed_the_first_is_told() {
        let mut failed = None;
        for (number, why, told) in [
            (5, "cut", "cut"),
            (7, "changed", "cut"),
            (5, "again", "cut"),
            (3, "early", "early"),
            (4, "late", "early"),
        ] {
            note(&mut failed, number, inconsistent(why));
            let (_, error) = failed.as_ref().unwrap();
            assert!(error.to_string().ends_with(&format!(": {told}")), "{error}");
        }
    }

    /// Bytes that keep whoever reads in their first half until so many threads have.
    struct Kept {
        bytes: Vec<u8>,
        expected: usize,
        readers: Mutex<HashSet<ThreadId>>,
        came: Condvar,
    }

    impl ReadAt for Kept {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            if offset < self.bytes.len() as u64 / 2 {
                let mut readers = self.readers.lock().unwrap();
                readers.insert(thread::current().id());
                self.came.notify_all();
                let are_few = |readers: &mut HashSet<_>| readers.len() < self.expected;
                drop(self.came.wait_timeout_while(readers, Duration::from_secs(60), are_few).unwrap());
            }
            self.bytes.read_at(offset, buffer)
        }

        fn length(&self) -> io::Result<u64> {
            self.bytes.length()
        }
    }

    #[test]
    fn many_headers_are_shared_by_as_many_threads_as_there_may_be() {
        for (files, threads, expected) in
            [(2 * SHARE - 1, 4, 1), (2 * SHARE, 1, 1), (2 * SHARE, 4, 2), (5 * SHARE, 3, 3)]
        {
            let kept =
                Kept { bytes: archive(files), expected, readers: Mutex::default(), came: Condvar::new() };
            opened(&kept, threads).unwrap();
            assert_eq!(kept.readers.into_inner().unwrap().len(), expected, "{files} by {threads}");
        }
    }

    #[test]
    fn a_watch_that_says_stop_stops_every_thread() {
        let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
        let sealed = encrypt_bytes(&key.clone().into(), &archive(5 * SHARE)).unwrap();
        let told = AtomicU64::new(0);
        let watch = |bytes: u64| match told.fetch_add(bytes, Ordering::Relaxed) {
            0..100_000 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        };
        let relay = Relay::new(&watch);
        let (key, sealed) = (key.into(), sealed.as_slice());
        let plaintext = Plaintext::of_bytes(&key, &sealed, &relay).unwrap();
        let threads = NonZeroUsize::new(3).unwrap();
        let error = SharedArchive::open(&plaintext, &Limits::default(), threads, &relay).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(told.into_inner() < 500_000);
    }

    #[test]
    fn a_descriptor_has_four_shapes_and_the_values_of_the_directory() {
        let entry = ArchiveEntry {
            name: "report.txt".to_owned(),
            is_directory: false,
            method: Method::Deflated,
            crc32: 7,
            compressed: 3,
            inflated: 4,
            flags: record::HAS_DESCRIPTOR,
            header_start: 0,
            data_start: 0,
        };
        for (signature, width) in [(0, 4), (0, 8), (4, 4), (4, 8)] {
            let descriptor = |crc32: u32, sizes: [u64; 2]| {
                let sizes = sizes.map(|size| size.to_le_bytes()[..width].to_vec()).concat();
                [&record::DESCRIPTOR_SIGNATURE[..signature], &crc32.to_le_bytes(), &sizes].concat()
            };
            assert!(is_descriptor(&entry, &descriptor(7, [3, 4])));
            for (crc32, sizes) in [(8, [3, 4]), (7, [4, 4]), (7, [3, 5])] {
                assert!(!is_descriptor(&entry, &descriptor(crc32, sizes)), "{crc32} {sizes:?}");
            }
        }
        assert!(!is_descriptor(&entry, b""), "one was announced");
        assert!(!is_descriptor(&ArchiveEntry { flags: 0, ..entry }, &[0; 16]), "none was announced");
    }
}
