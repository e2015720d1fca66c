//! A package whose upload breaks off goes on where it broke: asked by hand of the endpoint, and over the real wire.

mod bounds;
mod by_hand;
mod over_https;

use crate::support::*;
use claimwire::exchange::{Exchange, ExchangeSettings, Partner, UploadLimits};
use claimwire::protocol::{
    Digest, Endpoint, PARTIAL_UPLOAD_MEDIA_TYPE, Peer, Problem, Request, Response, Route, UploadState,
    sign_request,
};
use std::io::{self, Read};
use tempfile::TempDir;

/// Bytes that no compression makes less of.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A body whose connection breaks after these bytes.
struct Breaking<'a>(&'a [u8]);

impl Read for Breaking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            length => Ok(length),
        }
    }
}

fn state(offset: Option<u64>, complete: Option<bool>, length: Option<u64>) -> UploadState {
    UploadState::new(offset, complete, length)
}

/// The insurer's side of an upload, written by hand.
impl Delivery {
    fn size(&self) -> u64 {
        self.body.len() as u64
    }

    /// The whole in one request, which asks that what comes of it be kept.
    fn resumable(&self) -> Request {
        self.signed(self.unsigned(), state(None, Some(true), Some(self.size())))
    }

    /// The beginning of an upload whose parts come later.
    fn beginning(&self) -> Request {
        let mut request = self.unsigned();
        request.headers_mut().insert("content-digest", Digest::of(b"").to_string()).unwrap();
        request.headers_mut().insert("content-length", "0").unwrap();
        self.signed(request, state(None, Some(false), Some(self.size())))
    }

    /// The bytes from `offset` on, as the last part.
    fn rest(&self, offset: u64) -> Request {
        self.part(offset, self.size() - offset, true)
    }

    fn part(&self, offset: u64, length: u64, is_last: bool) -> Request {
        let mut request = Request::new("PATCH", &Route::UploadPart(self.id()).path("")).unwrap();
        self.envelope.to_headers(request.headers_mut()).unwrap();
        for (name, value) in [
            ("content-type", PARTIAL_UPLOAD_MEDIA_TYPE.to_owned()),
            ("repr-digest", self.digest.to_string()),
            ("content-length", length.to_string()),
        ] {
            request.headers_mut().insert(name, value).unwrap();
        }
        self.signed(request, state(Some(offset), Some(is_last), None))
    }

    fn signed(&self, mut request: Request, state: UploadState) -> Request {
        state.to_headers(request.headers_mut()).unwrap();
        sign_request(&mut request, &self.signer, self.signed_at).unwrap();
        request
    }

    fn question(&self, route: Route) -> Request {
        self.signed(Request::new(route.method(), &route.path("")).unwrap(), UploadState::default())
    }

    /// How far the upload is, and whether it is whole; `None` when there is none.
    #[track_caller]
    fn standing(&self, at: &Exchange) -> Option<(u64, bool)> {
        let answer = ask(at, &self.question(Route::UploadOffset(self.id())), &mut io::empty());
        match answer.status() {
            204 => {
                let state = UploadState::from_headers(answer.headers());
                Some((state.offset.unwrap(), state.complete.unwrap()))
            }
            404 => None,
            other => panic!("{other}: {:?}", Problem::from_response(&answer)),
        }
    }

    /// Sends the whole over a connection that breaks after so many bytes.
    fn cut_at(&self, at: &Exchange, bytes: usize) {
        ask(at, &self.resumable(), &mut Breaking(&self.body[..bytes]));
    }

    /// Sends the bytes from `offset` on.
    fn finish(&self, at: &Exchange, offset: u64) -> Response {
        ask(at, &self.rest(offset), &mut &self.body[usize::try_from(offset).unwrap()..])
    }
}

fn ask(at: &Exchange, request: &Request, body: &mut dyn Read) -> Response {
    at.answer(request, &Peer::unknown(), body)
}

/// Two sites, of which the examiner keeps uploads within these limits.
fn sites_within(limits: UploadLimits) -> TwoSites {
    let examiner: Box<dyn FnOnce(ExchangeSettings) -> ExchangeSettings> =
        Box::new(|settings| settings.with_upload_limits(limits));
    TwoSites::with(Setup { examiner, ..Setup::default() })
}

/// The examiner's process died: it starts again on what is on its disk.
fn restarted(sites: &TwoSites) -> (Exchange, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&sites.examiner.folder.join("exchange"), folder.path());
    (opened(sites, &folder), folder)
}

fn opened(sites: &TwoSites, folder: &TempDir) -> Exchange {
    let keys = sites.keys.clone();
    let partner = Partner::new(insurer_site(), "Northern Mutual")
        .open_with(1, keys.legacy)
        .verify_with(keys.insurer_signs.verifying_key());
    let settings = ExchangeSettings::new(
        examiner_site(),
        folder.path(),
        keys.examiner_signs,
        sites.examiner.cases.clone(),
    );
    Exchange::open(settings.with_partner(partner)).unwrap()
}
