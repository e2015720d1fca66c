//! A request's body: a reader that must give exactly as many bytes as it declares.

use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::io::{self, Read};

/// A request's body: how many bytes it has, and where they come from.
///
/// Reading checks the declared length: a reader that ends early or goes on past it is an error, never a shorter
/// or longer body. Whatever is behind is read once, in pieces.
pub struct Body<'a> {
    reader: &'a mut dyn Read,
    length: u64,
    left: u64,
    ended: bool,
}

impl<'a> Body<'a> {
    /// A body of exactly `length` bytes from `reader`.
    pub fn new(length: u64, reader: &'a mut dyn Read) -> Self {
        Self { reader, length, left: length, ended: false }
    }

    /// How many bytes the body has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads the rest into memory: for small bodies, and for transports that need it whole.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the body has another length than it declares, or more than `most`; else
    /// what reading failed with.
    pub fn into_vec(mut self, most: u64) -> Result<Vec<u8>> {
        if self.left > most {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("a body of {} bytes is too large to be held in memory", self.length),
            ));
        }
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Body<'_> {
    /// Whether a body declared as empty is: for transports that never read such a body.
    pub(crate) fn check_empty(&mut self) -> Result<()> {
        if self.left == 0 && !self.ended {
            self.check_end()?;
        }
        Ok(())
    }

    /// Checks that nothing comes after the last byte.
    fn check_end(&mut self) -> io::Result<()> {
        if retrying(self.reader, &mut [0])? != 0 {
            let length = self.length;
            let what = format!("the body goes on past the {length} bytes it was declared with");
            return Err(Error::new(ErrorKind::InvalidArgument, what).into());
        }
        self.ended = true;
        Ok(())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.ended {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = if most == 0 { 0 } else { retrying(self.reader, &mut buffer[..most])? };
        if count == 0 && self.left > 0 {
            let (had, length) = (self.length - self.left, self.length);
            let what = format!("the body ended after {had} of the {length} bytes it was declared with");
            return Err(Error::new(ErrorKind::InvalidArgument, what).into());
        }
        self.left -= count as u64;
        if self.left == 0 {
            // Before the last bytes are given away: a body that goes on must not reach the partner whole.
            self.check_end()?;
        }
        Ok(count)
    }
}

fn retrying(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_exactly_its_length() {
        assert_eq!(Body::new(3, &mut &b"abc"[..]).into_vec(10).unwrap(), b"abc");
        assert_eq!(Body::new(0, &mut io::empty()).into_vec(0).unwrap(), b"");
        for (length, says) in [(4, "ended after 3 of the 4"), (2, "past the 2 bytes")] {
            let error = Body::new(length, &mut &b"abc"[..]).into_vec(10).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(says), "{error}");
        }
        let mut given = [0; 8];
        assert!(Body::new(2, &mut &b"abc"[..]).read(&mut given).is_err(), "the last bytes are held back");
        assert!(Body::new(0, &mut &b"a"[..]).check_empty().is_err());
        assert!(Body::new(u64::MAX, &mut io::empty()).into_vec(10).is_err());
    }
}
