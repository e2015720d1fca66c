//! The suite `age`: the age v1 file format (<https://age-encryption.org/v1>) with X25519 recipients and nothing else:
//! no passphrases, no plugins, no armour.

use std::fmt;
use std::io::{self, BufRead, Chain, Cursor, Read, Write};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use age::secrecy::ExposeSecret;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, EncryptError, x25519};
use zeroize::Zeroizing;

use super::pump::fill;
use crate::{Error, ErrorKind, Result};

/// The first line of every file of version 1.
const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// A longer header is refused: room for 300 recipients, and little enough to parse at no cost.
const LONGEST_HEADER: usize = 32 * 1024;

/// The nonce of the payload, between the header and the first chunk.
const NONCE: usize = 16;

/// A site's own secret: opens what others sealed for its [`recipient`](Self::recipient).
///
/// Wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct AgeIdentity(x25519::Identity);

impl AgeIdentity {
    /// A new identity from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The one identity of a key file as `age-keygen` writes it: empty lines and lines with `#` are passed over.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) when the file holds no identity, more than one, or one of another kind.
    pub fn from_key_file(text: &str) -> Result<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        match (lines.next(), lines.next()) {
            (Some(line), None) => line.parse(),
            (None, _) => Err(Error::new(ErrorKind::InvalidKey, "the key file holds no age identity")),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorKind::InvalidKey,
                "the key file holds more than one age identity; keep one file for each key version",
            )),
        }
    }

    /// What to hand out to those who shall seal for this identity.
    #[must_use]
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient(self.0.to_public())
    }

    /// The secret as text, `AGE-SECRET-KEY-1…`, to be stored where only this site reads.
    #[must_use]
    pub fn to_secret_string(&self) -> AgeSecret {
        AgeSecret(Zeroizing::new(self.0.to_string().expose_secret().to_owned()))
    }
}

impl FromStr for AgeIdentity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        x25519::Identity::from_str(text).map(Self).map_err(|reason| {
            let what = "not an age identity (`AGE-SECRET-KEY-1` and 58 more characters)";
            Error::new(ErrorKind::InvalidKey, format!("{what}: {reason}"))
        })
    }
}

impl fmt::Debug for AgeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeIdentity").field("recipient", &self.recipient()).finish_non_exhaustive()
    }
}

/// The text of an [`AgeIdentity`]: wiped when dropped, and shown only where [`expose`](Self::expose) is called.
pub struct AgeSecret(Zeroizing<String>);

impl AgeSecret {
    /// The text itself, `AGE-SECRET-KEY-1…`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AgeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgeSecret(..)")
    }
}

/// One who shall be able to open what is sealed: the public half of an [`AgeIdentity`], `age1…` as text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgeRecipient(x25519::Recipient);

impl FromStr for AgeRecipient {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        x25519::Recipient::from_str(text).map(Self).map_err(|reason| {
            let what = "not an age recipient (`age1` and 58 more characters)";
            Error::new(ErrorKind::InvalidKey, format!("{what}: {reason}"))
        })
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeRecipient({})", self.0)
    }
}

/// One or several recipients: each can open what is sealed, none learns who the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeRecipients(Vec<AgeRecipient>);

impl AgeRecipients {
    /// These recipients.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) when there are none: nobody could open what is sealed.
    pub fn new(recipients: impl IntoIterator<Item = AgeRecipient>) -> Result<Self> {
        let recipients: Vec<_> = recipients.into_iter().collect();
        if recipients.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidKey,
                "no age recipient is given: nobody could open the package",
            ));
        }
        Ok(Self(recipients))
    }

    /// Each recipient.
    pub fn iter(&self) -> impl Iterator<Item = &AgeRecipient> {
        self.0.iter()
    }
}

impl From<AgeRecipient> for AgeRecipients {
    fn from(recipient: AgeRecipient) -> Self {
        Self(vec![recipient])
    }
}

/// Encrypts what is written to it; `finish` writes the last chunk.
pub(super) struct Encryptor<W: Write> {
    stream: StreamWriter<Frank<W>>,
    failed: bool,
}

impl<W: Write> Encryptor<W> {
    pub(super) fn new(recipients: &AgeRecipients, output: W) -> Result<Self> {
        let recipients = recipients.iter().map(|recipient| &recipient.0 as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(|error| match error {
            EncryptError::Io(error) => error.into(),
            error => {
                Error::new(ErrorKind::InvalidKey, "these age recipients cannot be used").caused_by(error)
            }
        })?;
        let fault = Arc::new(Fault::default());
        let output = Frank { output, fault: Arc::downgrade(&fault) };
        let stream = encryptor.wrap_output(output).map_err(|error| {
            let own = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
            own.unwrap_or(error)
        })?;
        Ok(Self { stream, failed: false })
    }

    pub(super) fn finish(self) -> Result<W> {
        if self.failed {
            return Err(Error::new(ErrorKind::Io, "an earlier write of ciphertext failed"));
        }
        Ok(self.stream.finish()?.output)
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(Error::new(ErrorKind::Io, "an earlier write of ciphertext failed").into());
        }
        let outcome = self.stream.write(plaintext);
        self.failed = outcome.is_err();
        outcome
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Where the error of an output is kept while the header is written.
type Fault = Mutex<Option<io::Error>>;

/// An output whose error is told as it is: the `age` crate makes a sentence of one that meets the header.
struct Frank<W> {
    output: W,
    fault: Weak<Fault>,
}

impl<W: Write> Write for Frank<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes).map_err(|error| match self.fault.upgrade() {
            Some(fault) if error.kind() != io::ErrorKind::Interrupted => {
                let told = error.kind().into();
                *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                told
            }
            _ => error,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// The header and the nonce, already in memory, then the chunks.
type Sealed<R> = Chain<Cursor<Vec<u8>>, Chunks<R>>;

/// Decrypts what it reads. Where the input has nothing to give yet (`WouldBlock`), the same read may be tried again.
pub(super) struct Decryptor<R: BufRead> {
    stream: StreamReader<Sealed<R>>,
    progress: Arc<Progress>,
    began: bool,
}

impl<R: BufRead> Decryptor<R> {
    pub(super) fn new(identity: &AgeIdentity, mut input: R) -> Result<Self> {
        let mut start = read_header(&mut input)?;
        let mut nonce = [0; NONCE];
        let came = fill(&mut input, &mut nonce)?;
        start.extend_from_slice(nonce.get(..came).unwrap_or_default());
        let progress = Arc::new(Progress::default());
        let chunks = Chunks { input, progress: Arc::clone(&progress) };
        let decryptor =
            age::Decryptor::new_buffered(Cursor::new(start).chain(chunks)).map_err(|error| match error {
                DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof && came == NONCE => {
                    altered_header().caused_by(error)
                }
                error => explain(error),
            })?;
        progress.opened.store(true, Ordering::Relaxed);
        if decryptor.is_scrypt() {
            return Err(Error::new(
                ErrorKind::UnsupportedSuite,
                "this age file is sealed with a passphrase; ask the sender to seal it for this site's recipient",
            ));
        }
        let stream =
            decryptor.decrypt(std::iter::once(&identity.0 as &dyn age::Identity)).map_err(explain)?;
        Ok(Self { stream, progress, began: false })
    }

    /// Why a chunk failed. The last chunk of a stream fails the same way whether it was cut or changed; when
    /// whole chunks came before it, a cut is by far the likelier cause.
    fn explain_chunk(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => cut_short(),
            io::ErrorKind::InvalidData if self.began && self.progress.ended.load(Ordering::Relaxed) => {
                Error::new(
                    ErrorKind::Truncated,
                    "the encrypted bytes end too early, or the last 64 KiB of them were changed",
                )
                .caused_by(error)
            }
            io::ErrorKind::InvalidData => Error::new(
                ErrorKind::Altered,
                "the encrypted bytes were changed or cut short after they were written",
            )
            .caused_by(error),
            _ => return error,
        }
        .into()
    }
}

impl<R: BufRead> Read for Decryptor<R> {
    fn read(&mut self, plaintext: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(plaintext).map_err(|error| self.explain_chunk(error))?;
        self.began |= length > 0;
        Ok(length)
    }
}

/// Takes the header, up to and with the line `--- MAC`, so that its length is bounded before anything parses it.
fn read_header(input: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut input = input.take(LONGEST_HEADER as u64);
    let mut header = Vec::new();
    input.read_until(b'\n', &mut header)?;
    if header != MAGIC {
        return Err(not_age(&header));
    }
    loop {
        let start = header.len();
        input.read_until(b'\n', &mut header)?;
        let line = header.get(start..).unwrap_or_default();
        if !line.ends_with(b"\n") {
            return Err(if input.limit() == 0 {
                Error::new(
                    ErrorKind::Altered,
                    format!("the age header is longer than {LONGEST_HEADER} bytes"),
                )
            } else {
                cut_short()
            });
        }
        if line.starts_with(b"---") {
            return Ok(header);
        }
    }
}

/// Looks, while a file arrives in pieces, for the end of its header, by the same rules as [`read_header`].
#[derive(Default)]
pub(super) struct HeaderScan {
    line: usize,
    scanned: usize,
}

impl HeaderScan {
    /// More bytes than this need not be shown.
    pub(super) const LONGEST: usize = LONGEST_HEADER + NONCE;

    /// Whether `start`, the beginning of a file, is enough to open it or to refuse it. Each time it is the same or has
    /// grown.
    pub(super) fn is_enough(&mut self, start: &[u8]) -> bool {
        while let Some(length) =
            start.get(self.scanned..).and_then(|new| new.iter().position(|b| *b == b'\n'))
        {
            let end = self.scanned + length + 1;
            let line = start.get(self.line..end).unwrap_or_default();
            if self.line == 0 && line != MAGIC {
                return true;
            }
            if line.starts_with(b"---") {
                return start.len() >= end + NONCE;
            }
            (self.line, self.scanned) = (end, end);
        }
        self.scanned = start.len();
        start.len() >= Self::LONGEST
    }
}

/// What a first line says that is not the one of age v1.
fn not_age(line: &[u8]) -> Error {
    if MAGIC.starts_with(line) {
        return cut_short();
    }
    let what = if line.starts_with(b"age-encryption.org/") {
        "this is an age file, but not of version 1"
    } else if line.starts_with(b"-----BEGIN AGE") {
        "this is an age file in text armour; ask the sender for the binary form"
    } else {
        "this is not an age file: the sender most likely uses another suite"
    };
    Error::new(ErrorKind::UnsupportedSuite, what)
}

fn explain(error: DecryptError) -> Error {
    match error {
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => cut_short(),
        DecryptError::Io(error) => error.into(),
        DecryptError::NoMatchingKeys => Error::new(
            ErrorKind::WrongKey,
            "sealed for another recipient: this site's age identity does not open it",
        ),
        error => altered_header().caused_by(error),
    }
}

fn altered_header() -> Error {
    Error::new(ErrorKind::Altered, "the age header was changed after it was written")
}

fn cut_short() -> Error {
    Error::new(ErrorKind::Truncated, "the encrypted bytes end too early")
}

/// How far the reading of a file has come.
#[derive(Default)]
struct Progress {
    opened: AtomicBool,
    ended: AtomicBool,
}

/// What follows the header and the nonce. It remembers having met its end, and gives nothing before the header was
/// found good: a header that seems to go on is not looked for in 250 MB.
struct Chunks<R> {
    input: R,
    progress: Arc<Progress>,
}

impl<R> Chunks<R> {
    fn is_opened(&self) -> bool {
        self.progress.opened.load(Ordering::Relaxed)
    }
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_opened() {
            return Ok(0);
        }
        let length = self.input.read(buffer)?;
        if length == 0 && !buffer.is_empty() {
            self.progress.ended.store(true, Ordering::Relaxed);
        }
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Chunks<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_opened() { self.input.fill_buf() } else { Ok(&[]) }
    }

    fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn secrets_are_not_shown_and_texts_lead_back() {
        let identity = AgeIdentity::generate();
        let secret = identity.to_secret_string();
        assert!(secret.expose().starts_with("AGE-SECRET-KEY-1"));
        assert!(!format!("{identity:?} {secret:?}").contains(secret.expose()));
        let again: AgeIdentity = secret.expose().parse().unwrap();
        assert_eq!(again.recipient(), identity.recipient());
        assert_eq!(identity.recipient().to_string().parse::<AgeRecipient>().unwrap(), identity.recipient());
    }

    #[test]
    fn key_files_hold_comments_and_exactly_one_identity() {
        let secret = AgeIdentity::generate().to_secret_string();
        let file = format!("# created: today\r\n# public key: age1\r\n{}\r\n\n", secret.expose());
        assert_eq!(AgeIdentity::from_key_file(&file).unwrap().to_secret_string().expose(), secret.expose());
        for bad in ["", "# nothing\n", "age1qqqq", &format!("{0}\n{0}\n", secret.expose())] {
            let error = AgeIdentity::from_key_file(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert!(!error.to_string().contains(secret.expose()));
        }
    }

    #[test]
    fn a_header_without_end_costs_no_memory() {
        for start in [&b""[..], b"-> X25519 a\n", b"--- \n", b"--- a mac that is too short\n"] {
            let endless = MAGIC.chain(start).chain(BufReader::new(io::repeat(b'a')));
            let error = Decryptor::new(&AgeIdentity::generate(), endless).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Altered, "{start:?}");
        }
    }

    #[test]
    fn an_output_that_refuses_the_header_is_told_as_it_is() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(Error::new(ErrorKind::Cancelled, "stopped on request").into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let recipients = AgeIdentity::generate().recipient().into();
        let error = Encryptor::new(&recipients, Full).err().unwrap();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Cancelled, "stopped on request"));
    }

    #[test]
    fn what_is_not_an_age_file_is_named() {
        let identity = AgeIdentity::generate();
        for (bytes, kind) in [
            (&b""[..], ErrorKind::Truncated),
            (b"age-encryption.org/v", ErrorKind::Truncated),
            (b"age-encryption.org/v1\n", ErrorKind::Truncated),
            (b"age-encryption.org/v2\n", ErrorKind::UnsupportedSuite),
            (b"-----BEGIN AGE ENCRYPTED FILE-----\n", ErrorKind::UnsupportedSuite),
            (b"PK\x03\x04", ErrorKind::UnsupportedSuite),
        ] {
            assert_eq!(Decryptor::new(&identity, bytes).err().unwrap().kind(), kind, "{bytes:?}");
        }
    }
}
