//! The drop folder: requests and answers as files, put in place by atomic rename.
//!
//! ```text
//! <folder>/requests/<key>.http    a request (RFC 9112 message, media type message/http), waiting
//! <folder>/answers/<key>.http     its answer, until the sender collects it
//! <folder>/sent/<key>.http        the sender's copy of the request's head, until then
//! <folder>/refused/<name>         what lay in requests and was none
//! ```
//!
//! The key is the package id of `Idempotency-Key`, else a SHA-256 of method, path and body digest. A file that is
//! being written has a name that begins with a dot. Each file is written, synced, renamed, and its folder synced, so
//! that a crash between any two steps leaves either nothing or the whole, and the worst it costs is that a request
//! is answered twice; answering twice has the effect of answering once. What a crash left in the making, and answers that
//! nobody waits for, are [swept](sweep). Folders have mode 0700 and files 0600: both sides run as the same user, or
//! something else (SFTP, a synced share) carries the files between them.

mod inbox;
mod message_form;
mod sender;
mod sweep;

pub use inbox::DirectoryInbox;
pub use sender::DirectoryTransport;

use crate::durable_file::folder_of;
use crate::failpoint::failpoint;
use crate::protocol::{Digest, Envelope, Request};
use crate::{Error, ErrorKind, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const ENDING: &str = ".http";
/// What the name of a file in the making ends with; it begins with a dot.
const PART: &str = ".part";

/// The four folders.
#[derive(Clone, Debug)]
struct Layout {
    requests: PathBuf,
    answers: PathBuf,
    sent: PathBuf,
    refused: PathBuf,
}

impl Layout {
    /// Makes the folders that are not there yet.
    fn open(folder: &Path) -> Result<Self> {
        let layout = Self {
            requests: folder.join("requests"),
            answers: folder.join("answers"),
            sent: folder.join("sent"),
            refused: folder.join("refused"),
        };
        for path in [&layout.requests, &layout.answers, &layout.sent, &layout.refused] {
            make_private_folder(path).map_err(|error| fault("make the drop folder", path, error))?;
        }
        Ok(layout)
    }
}

/// The name under which a request, its copy and its answer lie; `body` is the digest of a body that has no other id.
fn key(request: &Request, body: Option<Digest>) -> String {
    if let Ok(id) = Envelope::package_id(request.headers()) {
        return id.to_string();
    }
    let body = body.map(|digest| digest.to_string()).unwrap_or_default();
    Digest::of(format!("{} {}\n{body}", request.method(), request.path()).as_bytes()).to_hex()
}

fn file_of(folder: &Path, key: &str) -> PathBuf {
    folder.join(format!("{key}{ENDING}"))
}

/// Writes a file whole or not at all: under a name with a dot, synced, renamed, the folder synced.
fn put(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let folder = folder_of(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The same name at every try: what a crash leaves behind is overwritten by the next one, or swept.
    let part = folder.join(format!(".{name}{PART}"));
    let written = (|| {
        let mut file = private_file(&part).map_err(|error| fault("write", &part, error))?;
        failpoint!(in folder, "writing");
        write(&mut file)?;
        failpoint!(in folder, "written");
        file.flush().and_then(|()| file.sync_all()).map_err(|error| fault("write", &part, error))?;
        failpoint!(in folder, "synced");
        fs::rename(&part, path).map_err(|error| fault("put in place", path, error))?;
        failpoint!(in folder, "renamed");
        sync_folder(folder)?;
        failpoint!(in folder, "placed");
        Ok(())
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Removes a file, durably; one that is gone already is as good.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.map_err(|error| fault("remove", path, error))?,
    }
    let folder = folder_of(path);
    failpoint!(in folder, "removed");
    sync_folder(folder)
}

fn fault(what: &str, path: &Path, error: io::Error) -> Error {
    // A fault of the body that was being copied keeps its own kind.
    let kind = Error::from(error);
    match kind.kind() {
        ErrorKind::Io => kind.within(format_args!("cannot {what} {}", path.display())),
        _ => kind,
    }
}

#[cfg(unix)]
fn make_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    // Never through a link that somebody put there.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes renames and removals in a folder durable, where the system can.
fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| fault("sync the folder", path, error))?;
    }
    Ok(())
}
