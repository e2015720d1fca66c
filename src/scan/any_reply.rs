//! A daemon that says anything, and listens as long as it likes: what the fuzz target `clamd` holds the reader of replies to.

use super::Verdict;
use super::instream::{Deadline, Socket, scan};
use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::sync::OnceLock;
use std::time::Duration;

const DOCUMENT: &[u8] = b"Please examine the left knee.";

/// The command, a chunk and its length, and the length of none.
const SENT: usize = 10 + 4 + DOCUMENT.len() + 4;

struct Daemon<'a> {
    /// How many bytes it still takes.
    takes: usize,
    reply: &'a [u8],
    /// The most bytes that it says at once.
    piece: usize,
}

impl Read for Daemon<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.piece.min(buffer.len());
        self.reply.read(&mut buffer[..length])
    }
}

impl Write for Daemon<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.takes == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let length = self.takes.min(bytes.len());
        self.takes -= length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Daemon<'_> {
    fn bound(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

/// Any bytes as a reply; before them, how many bytes of the document are taken and in pieces of which length the reply comes.
/// A document is clean only if all of it was taken and the reply is the one that says so.
pub(crate) fn any_reply(bytes: &[u8]) {
    static FILE: OnceLock<File> = OnceLock::new();
    let [takes, piece, reply @ ..] = bytes else { return };
    let mut document = FILE.get_or_init(|| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(DOCUMENT).unwrap();
        file
    });
    document.rewind().unwrap();
    let (takes, piece) = (usize::from(*takes), usize::from(*piece).max(1));
    let daemon = Daemon { takes, reply, piece };
    let line = reply.iter().take(4096).position(|byte| *byte == 0).map(|end| &reply[..end]);
    let verdict = scan(daemon, Deadline::after(Duration::MAX), &mut document.try_clone().unwrap());
    if let Ok(Verdict::Clean) = &verdict {
        assert!(takes >= SENT);
        assert_eq!(line, Some(&b"stream: OK"[..]));
    }
    if let Ok(Verdict::Infected(name)) = &verdict {
        let line = String::from_utf8_lossy(line.unwrap());
        assert_eq!(line, format!("stream: {name} FOUND"));
    }
    if let Err(error) = &verdict {
        assert_eq!(error.kind(), crate::ErrorKind::ScanFailed);
        assert!(!error.to_string().chars().any(char::is_control));
        assert!(line != Some(b"stream: OK") || takes < SENT);
        let found = line.filter(|line| line.starts_with(b"stream: ") && line.ends_with(b" FOUND"));
        assert!(found.is_none_or(|line| line.len() < "stream:  FOUND".len()));
    }
}
