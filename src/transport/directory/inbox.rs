//! The recipient's side of a drop folder: answer what lies there.

use super::message_form::{self, read_request};
use super::{ENDING, Layout, fault, file_of, put, remove, sweep, sync_folder};
use crate::failpoint::failpoint;
use crate::protocol::{Endpoint, Peer, Problem, Response};
use crate::{Error, ErrorKind, Result};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The most files one [`poll`](DirectoryInbox::poll) looks at; the rest waits for the next.
const MOST_AT_ONCE: usize = 1000;

/// Answers the requests that a partner's [`DirectoryTransport`](super::DirectoryTransport) drops into a folder.
///
/// A drop folder proves nothing about who put a file there: requests have to be signed.
#[derive(Debug)]
pub struct DirectoryInbox {
    layout: Layout,
    /// One poll at a time, so that no request is answered by two threads.
    polling: Mutex<()>,
}

impl DirectoryInbox {
    /// Uses this folder; makes it, and the folders in it, when they are not there. What an earlier inbox left in the
    /// making is removed.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when they cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self> {
        let layout = Layout::open(&folder.into())?;
        sweep::in_the_making(&layout.answers)?;
        Ok(Self { layout, polling: Mutex::new(()) })
    }

    /// Hands every waiting request to `endpoint` and puts its answer in place; gives how many were answered.
    ///
    /// What is no request gets a problem as its answer and is moved to `refused`. Looks at no more than 1000 files.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder cannot be read or written; what was answered before stays answered, and
    /// the rest waits.
    pub fn poll(&self, endpoint: &dyn Endpoint) -> Result<usize> {
        let _alone = self.polling.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut answered, mut failed) = (0, None);
        for name in self.waiting()? {
            match self.handle(&name, endpoint) {
                Ok(done) => answered += usize::from(done),
                // One file that cannot be read holds up no other.
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(answered), Err)
    }

    /// The names that lie in `requests`, without those that are being written.
    fn waiting(&self) -> Result<Vec<OsString>> {
        let folder = &self.layout.requests;
        let entries = fs::read_dir(folder).map_err(|error| fault("read", folder, error))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| fault("read", folder, error))?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                names.push(name);
            }
            if names.len() == MOST_AT_ONCE {
                break;
            }
        }
        // Package ids sort by the time they were made.
        names.sort();
        Ok(names)
    }

    fn handle(&self, name: &OsString, endpoint: &dyn Endpoint) -> Result<bool> {
        let path = self.layout.requests.join(name);
        let Some(key) = name.to_str().and_then(|name| name.strip_suffix(ENDING)).filter(|key| is_key(key))
        else {
            self.move_aside(&path, name)?;
            return Ok(false);
        };
        let answer = match answer(&path, endpoint) {
            Ok(Some(response)) => response,
            Ok(None) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::BadMessage => {
                self.write_answer(key, &Problem::from_error(&error).to_response())?;
                self.move_aside(&path, name)?;
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        self.write_answer(key, &answer)?;
        remove(&path)?;
        Ok(true)
    }

    fn write_answer(&self, key: &str, response: &Response) -> Result<()> {
        let path = file_of(&self.layout.answers, key);
        put(&path, |file| {
            file.write_all(&message_form::response(response)).map_err(|error| fault("write", &path, error))
        })
    }

    fn move_aside(&self, path: &Path, name: &OsString) -> Result<()> {
        // Two bad files of one name are both kept.
        let mut places = (0..MOST_AT_ONCE).map(|count| {
            let mut name = name.clone();
            if count > 0 {
                name.push(format!(".{count}"));
            }
            self.layout.refused.join(name)
        });
        let free = places.find(|place| fs::symlink_metadata(place).is_err());
        let place = free.unwrap_or_else(|| self.layout.refused.join(name));
        fs::rename(path, place).map_err(|error| fault("move aside", path, error))?;
        failpoint!("refused-renamed");
        sync_folder(&self.layout.requests)
    }
}

/// The endpoint's answer to the request in this file; `None` when the file is gone.
fn answer(path: &Path, endpoint: &dyn Endpoint) -> Result<Option<Response>> {
    let no_request =
        |what: &str| Error::new(ErrorKind::BadMessage, format!("the file is no request: {what}"));
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault("read", path, error)),
    };
    // Opening a pipe would block, and a link would lead elsewhere.
    if !metadata.is_file() {
        return Err(no_request("it is a folder, a link or a device"));
    }
    let file = File::open(path).map_err(|error| fault("read", path, error))?;
    let mut reader = BufReader::new(file);
    let (request, length) = read_request(&mut reader)?;
    let head = reader.stream_position().map_err(|error| fault("read", path, error))?;
    if head.checked_add(length) != Some(metadata.len()) {
        return Err(no_request("its body has another length than it says"));
    }
    Ok(Some(endpoint.answer(&request, &Peer::stored(), &mut reader.take(length))))
}

/// Whether a file's name could come from [`key`](super::key): a UUID or a digest in hex.
fn is_key(name: &str) -> bool {
    matches!(name.len(), 36 | 64)
        && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-')
}
