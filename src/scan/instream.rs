//! clamd's command `INSTREAM` (clamd(8)): the document in chunks, then one line. Whatever is not said clearly is no
//! verdict, and nothing is read or waited for without a bound.

use super::Verdict;
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const CHUNK: usize = 64 << 10;

/// More than any reply: the name of a finding and a few words.
const LONGEST_REPLY: u64 = 4096;

/// When the work must be done.
pub(super) struct Deadline {
    start: Instant,
    timeout: Duration,
}

impl Deadline {
    pub(super) fn after(timeout: Duration) -> Self {
        Self { start: Instant::now(), timeout }
    }

    /// The time that is left, which is more than none.
    pub(super) fn left(&self) -> io::Result<Duration> {
        let left = self.timeout.saturating_sub(self.start.elapsed());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// What to say of a connection that fails.
    pub(super) fn judged(&self, error: io::Error) -> Error {
        let said = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                format!(
                    "it gave no verdict within {:?}; look whether it hangs, or allow more time",
                    self.timeout
                )
            }
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                format!("it is not there ({error}); start it, or correct its address")
            }
            _ => format!("the connection broke ({error}); look at clamd's log"),
        };
        failed(said).caused_by(error)
    }
}

fn failed(said: impl Into<String>) -> Error {
    Error::new(ErrorKind::ScanFailed, said)
}

/// A socket whose single reads and writes can be bounded.
pub(super) trait Socket: Read + Write {
    fn bound(&self, timeout: Duration) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn bound(&self, timeout: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(timeout))?;
        self.set_write_timeout(Some(timeout))
    }
}

#[cfg(unix)]
impl Socket for std::os::unix::net::UnixStream {
    fn bound(&self, timeout: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(timeout))?;
        self.set_write_timeout(Some(timeout))
    }
}

/// A socket that is done when the deadline is over, however slowly it moves.
struct Timed<S> {
    socket: S,
    deadline: Deadline,
}

impl<S: Socket> Read for Timed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.bound(self.deadline.left()?)?;
        self.socket.read(buffer)
    }
}

impl<S: Socket> Write for Timed<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.bound(self.deadline.left()?)?;
        self.socket.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Has clamd scan what is left of `document`.
pub(super) fn scan(socket: impl Socket, deadline: Deadline, document: &mut File) -> Result<Verdict> {
    let mut clamd = Timed { socket, deadline };
    let sent = send(&mut clamd, document)?;
    match (sent, reply(&mut clamd)) {
        (Ok(()), Ok(line)) => verdict(&line),
        // It stopped reading, and says why.
        (Err(_), Ok(line)) => match verdict(&line)? {
            Verdict::Clean => Err(failed("it called a document clean that it had not read to its end")),
            found => Ok(found),
        },
        (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(clamd.deadline.judged(error)),
    }
}

/// Sends the document; inside, whether clamd took all of it.
fn send(clamd: &mut impl Write, document: &mut File) -> Result<io::Result<()>> {
    if let Err(error) = clamd.write_all(b"zINSTREAM\0") {
        return Ok(Err(error));
    }
    let mut chunk = Vec::with_capacity(4 + CHUNK);
    loop {
        chunk.clear();
        chunk.extend_from_slice(&[0; 4]);
        let length = document.take(CHUNK as u64).read_to_end(&mut chunk)?;
        for (place, byte) in chunk.iter_mut().zip(u32::try_from(length).unwrap_or_default().to_be_bytes()) {
            *place = byte;
        }
        // A chunk without bytes is the end, for clamd too.
        match clamd.write_all(&chunk) {
            Ok(()) if length > 0 => {}
            sent => return Ok(sent),
        }
    }
}

/// The reply up to its NUL. Without it, it was cut, and says nothing.
fn reply(clamd: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(clamd.take(LONGEST_REPLY)).read_until(0, &mut line)?;
    match line.pop() {
        Some(0) => Ok(line),
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the reply has no end")),
    }
}

fn verdict(line: &[u8]) -> Result<Verdict> {
    let line = String::from_utf8_lossy(line);
    match line.strip_prefix("stream: ") {
        Some("OK") => return Ok(Verdict::Clean),
        Some(said) => {
            if let Some(name) = said.strip_suffix(" FOUND") {
                return Ok(Verdict::Infected(name.to_owned()));
            }
        }
        None => {}
    }
    if line.contains("size limit exceeded") {
        let said = "the document is longer than clamd takes; raise StreamMaxLength in clamd.conf";
        return Err(failed(said).retryable(false));
    }
    Err(failed(format!("it gave no verdict but said `{}`; look at its log", line.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_word_is_a_verdict() {
        assert_eq!(verdict(b"stream: OK").unwrap(), Verdict::Clean);
        let found = verdict(b"stream: Win.Test.EICAR_HDB-1 FOUND").unwrap();
        assert_eq!(found, Verdict::Infected("Win.Test.EICAR_HDB-1".into()));
        for unclear in [
            &b""[..],
            b"OK",
            b"stream:",
            b"stream: ",
            b"stream: ok",
            b"stream: OK ",
            b"stream: OK\n",
            b"fd[10]: OK",
            b"stream: Can't allocate memory ERROR",
            b"UNKNOWN COMMAND",
            b"stream: OK\xff",
        ] {
            assert_eq!(verdict(unclear).unwrap_err().kind(), ErrorKind::ScanFailed);
        }
        let too_long = verdict(b"INSTREAM size limit exceeded. ERROR").unwrap_err();
        assert!(!too_long.is_retryable() && too_long.to_string().contains("StreamMaxLength"));
    }

    #[test]
    fn the_fuzz_target_holds_on_its_corpus_and_on_what_is_changed_of_it() {
        crate::replay::replay("clamd", crate::scan::any_reply::any_reply);
    }
}
