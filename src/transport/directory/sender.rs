//! The sender's side of a drop folder: drop a request, collect its answer.

use super::message_form::{read_request, read_response, request_head};
use super::sweep::{self, Sweeper};
use super::{Layout, fault, file_of, key, put, remove};
use crate::Result;
use crate::protocol::{Digest, MAX_ANSWER_BYTES, Request, Response};
use crate::transport::{Body, Reply, Transport};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Drops requests into a folder that the partner reads with a [`DirectoryInbox`](super::DirectoryInbox).
///
/// The first time a request is sent, it is dropped: [`Reply::Pending`]. Sending it again, or another one with the
/// same package id, collects the answer once it is there. A package id that is waiting is not dropped again.
///
/// An answer that nobody collects is removed after 30 days, since its request was settled in another way. Where the
/// request is sent after all, it is dropped anew, and the partner answers as before.
#[derive(Clone, Debug)]
pub struct DirectoryTransport {
    layout: Layout,
    base_path: String,
    sweeper: Sweeper,
}

impl DirectoryTransport {
    /// Uses this folder; makes it, and the folders in it, when they are not there. What an earlier transport left in the
    /// making is removed: a folder has one transport at a time, and copies of it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) when they cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self> {
        let layout = Layout::open(&folder.into())?;
        for folder in [&layout.requests, &layout.sent] {
            sweep::in_the_making(folder)?;
        }
        let sweeper = Sweeper::begun(&layout)?;
        Ok(Self { layout, base_path: String::new(), sweeper })
    }

    /// The same, for a partner whose endpoint answers below this path.
    #[must_use]
    pub fn with_base_path(mut self, base_path: &str) -> Self {
        self.base_path = base_path.trim_end_matches('/').to_owned();
        self
    }

    /// The answer that lies there, with the request it answers.
    fn collect(&self, key: &str) -> Result<Option<(Request, Response)>> {
        let (answer, sent) = (file_of(&self.layout.answers, key), file_of(&self.layout.sent, key));
        let Some(mut file) = open(&answer)? else { return Ok(None) };
        let response = read_response(&mut file).map_err(|error| error.within(answer.display()));
        let request = match open(&sent)? {
            Some(mut file) => Some(read_request(&mut file).map_err(|error| error.within(sent.display()))?.0),
            // An answer to a request of which nothing is known here proves nothing: it is dropped anew.
            None => None,
        };
        // A recipient that died when it had answered would answer the request once more, and nobody collect that.
        remove(&file_of(&self.layout.requests, key))?;
        remove(&answer)?;
        remove(&sent)?;
        Ok(request.zip(Some(response?)))
    }

    fn drop_request(&self, key: &str, request: &Request, length: u64, body: &mut dyn Read) -> Result<()> {
        let head = request_head(request, length);
        let copy = file_of(&self.layout.sent, key);
        put(&copy, |file| {
            let kept = request_head(request, 0);
            file.write_all(kept.as_bytes()).map_err(|error| fault("write", &copy, error))
        })?;
        let path = file_of(&self.layout.requests, key);
        let dropped = put(&path, |file| {
            file.write_all(head.as_bytes())
                .and_then(|()| io::copy(body, file))
                .map(drop)
                .map_err(|error| fault("write", &path, error))
        });
        if dropped.is_err() {
            remove(&copy)?;
        }
        dropped
    }
}

impl Transport for DirectoryTransport {
    fn send(&self, request: &Request, mut body: Body<'_>) -> Result<Reply> {
        body.check_empty()?;
        self.sweeper.sweep(&self.layout)?;
        let length = body.length();
        // A body without any id of its own is named by its digest, so it is read first; such bodies are small.
        let announced = request.headers().get("content-digest").and_then(|text| text.parse().ok());
        let small;
        let mut rest;
        let named = crate::protocol::Envelope::package_id(request.headers()).is_ok() || announced.is_some();
        let (key, body): (String, &mut dyn Read) = if named || length == 0 {
            (key(request, announced), &mut body)
        } else {
            small = body.into_vec(MAX_ANSWER_BYTES as u64)?;
            rest = small.as_slice();
            (key(request, Some(Digest::of(&small))), &mut rest)
        };
        if let Some((earlier, response)) = self.collect(&key)? {
            let same = earlier == *request;
            return Ok(if same {
                Reply::Answered(response)
            } else {
                Reply::Collected { request: earlier, response }
            });
        }
        if !file_of(&self.layout.requests, &key).exists() {
            self.drop_request(&key, request, length, body)?;
        }
        Ok(Reply::Pending)
    }

    fn base_path(&self) -> &str {
        &self.base_path
    }

    fn answers_later(&self) -> bool {
        true
    }
}

fn open(path: &Path) -> Result<Option<BufReader<File>>> {
    // A pipe or a link in an answer's place would block or lead elsewhere.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault("read", path, error)),
    }
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::new(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault("read", path, error)),
    }
}
