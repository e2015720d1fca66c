//! Reading at a place, so that several threads read one input without a position that they would share.

use std::fs::File;
use std::io;

/// Bytes that can be read at any place, from several threads at once.
pub(in crate::codec) trait ReadAt: Sync {
    /// Reads into `buffer` what stands at `offset`: as many bytes as come at once, none at the end and behind it.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// How many bytes there are.
    fn length(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    /// Moves the position of the file, which nobody else here looks at.
    #[cfg(windows)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.as_slice().length()
    }
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        (**self).length()
    }
}

/// Reads at `offset` until `buffer` is full or the input ends; returns how many bytes came.
pub(in crate::codec) fn fill_at<R: ReadAt + ?Sized>(
    input: &R,
    offset: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read_at(offset.saturating_add(filled as u64), rest) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn reads_everywhere(input: &(impl ReadAt + ?Sized), content: &[u8]) {
        assert_eq!(input.length().unwrap(), content.len() as u64);
        for offset in 0..content.len() + 3 {
            let mut buffer = [0; 4];
            let came = fill_at(input, offset as u64, &mut buffer).unwrap();
            let expected = content.get(offset..).unwrap_or_default();
            assert_eq!(&buffer[..came], &expected[..expected.len().min(4)], "at {offset}");
        }
        assert_eq!(input.read_at(u64::from(u32::MAX) * 4, &mut [0; 4]).unwrap(), 0);
    }

    #[test]
    fn an_interruption_loses_nothing_and_another_fault_is_told() {
        use std::sync::atomic::{AtomicBool, Ordering};

        /// Gives a byte at a time, interrupted before each, up to a place that cannot be read.
        struct Faltering(AtomicBool);
        impl ReadAt for Faltering {
            fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0.fetch_xor(true, Ordering::Relaxed) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                if offset == 5 {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                buffer[0] = b"claim"[usize::try_from(offset).unwrap()];
                Ok(1)
            }

            fn length(&self) -> io::Result<u64> {
                Ok(6)
            }
        }
        let (input, mut buffer) = (Faltering(AtomicBool::new(true)), [0; 5]);
        assert_eq!(fill_at(&input, 0, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer, b"claim");
        assert_eq!(fill_at(&input, 2, &mut buffer).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn files_and_bytes_are_read_at_any_place_and_end_where_they_end() {
        let content = b"Please call back.";
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        reads_everywhere(&file, content);
        reads_everywhere(&content[..], content);
        reads_everywhere(&content.to_vec(), content);
        reads_everywhere(&&content[..], content);
    }
}
