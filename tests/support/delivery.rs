//! Requests as a site, or somebody who claims to be one, puts them on the wire.

use super::{Side, TwoSites, examiner_site, insurer_site};
use claimwire::codec::{SealingKey, encrypt_bytes};
use claimwire::model::{PackageId, PackageKind, Timestamp};
use claimwire::protocol::{
    Digest, Endpoint, Envelope, PACKAGE_MEDIA_TYPE, Peer, Problem, RECEIPT_MEDIA_TYPE, Receipt, ReceiptState,
    Request, Response, Route, SigningKey, sign_request,
};
use claimwire::{ErrorKind, Result};
use std::io::Read;
use std::path::Path;

/// A sealed package on its way to the examiner, as the insurer would send it; every part can be made to lie.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) envelope: Envelope,
    pub(crate) body: Vec<u8>,
    pub(crate) digest: Digest,
    pub(crate) signer: SigningKey,
    pub(crate) signed_at: Timestamp,
    pub(crate) declared: Option<u64>,
}

impl Delivery {
    /// An honest delivery of these sealed bytes, under key version 1.
    pub(crate) fn new(sites: &TwoSites, sealed: impl Into<Vec<u8>>) -> Self {
        let body = sealed.into();
        let (from, to) = (insurer_site(), examiner_site());
        Self {
            envelope: Envelope::new(PackageId::generate(), PackageKind::Claim, from, to, "des-md5"),
            digest: Digest::of(&body),
            declared: Some(body.len() as u64),
            body,
            signer: sites.keys.insurer_signs.clone(),
            signed_at: Timestamp::now(),
        }
    }

    /// An honest delivery of this archive, sealed as agreed for key version 1 (`des-md5`) or 2 (`age`).
    pub(crate) fn of_archive(sites: &TwoSites, package: PackageId, archive: &[u8], key_version: u32) -> Self {
        let key: SealingKey = match key_version {
            1 => sites.keys.legacy.clone().into(),
            _ => sites.keys.identity.recipient().into(),
        };
        let mut delivery = Self::new(sites, encrypt_bytes(&key, archive).unwrap());
        delivery.envelope.package_id = package;
        delivery.envelope.suite = key.suite().name().to_owned();
        delivery.envelope.key_version = key_version;
        delivery
    }

    pub(crate) fn with(mut self, lie: impl FnOnce(&mut Self)) -> Self {
        lie(&mut self);
        self
    }

    pub(crate) fn id(&self) -> PackageId {
        self.envelope.package_id
    }

    /// The request, without its signature.
    pub(crate) fn unsigned(&self) -> Request {
        let mut request = Request::new("POST", &Route::Package.path("")).unwrap();
        self.envelope.to_headers(request.headers_mut()).unwrap();
        let mut fields = vec![
            ("content-type", PACKAGE_MEDIA_TYPE.to_owned()),
            ("content-digest", self.digest.to_string()),
            ("repr-digest", self.digest.to_string()),
        ];
        fields.extend(self.declared.map(|length| ("content-length", length.to_string())));
        for (name, value) in fields {
            request.headers_mut().insert(name, value).unwrap();
        }
        request
    }

    pub(crate) fn request(&self) -> Request {
        let mut request = self.unsigned();
        sign_request(&mut request, &self.signer, self.signed_at).unwrap();
        request
    }

    /// Posts it to the examiner.
    pub(crate) fn post(&self, sites: &TwoSites) -> Response {
        post(&sites.examiner, &self.request(), &self.body)
    }

    /// Posts it and expects that it is taken.
    #[track_caller]
    pub(crate) fn taken(&self, sites: &TwoSites) -> PackageId {
        let response = self.post(sites);
        assert_eq!(response.status(), 200, "{:?}", Problem::from_response(&response));
        self.id()
    }
}

pub(crate) fn post(side: &Side, request: &Request, mut body: &[u8]) -> Response {
    side.exchange.answer(request, &Peer::unknown(), &mut body)
}

/// A receipt on its way to the insurer, as the examiner would send it.
pub(crate) fn receipt_request(receipt: &Receipt, signer: &SigningKey) -> (Request, Vec<u8>) {
    let json = receipt.to_json().unwrap();
    let mut request = Request::new("POST", &Route::Receipts.path("")).unwrap();
    request.headers_mut().insert("content-type", RECEIPT_MEDIA_TYPE).unwrap();
    request.headers_mut().insert("content-digest", Digest::of(&json).to_string()).unwrap();
    sign_request(&mut request, signer, Timestamp::now()).unwrap();
    (request, json)
}

/// The examiner's word that it unpacked this package.
pub(crate) fn word_on(package: PackageId, sha256: &str) -> Receipt {
    let digest = Digest::from_hex(sha256).unwrap();
    Receipt::new(package, examiner_site(), insurer_site(), ReceiptState::Unpacked, digest)
}

/// A question after a package's state, signed with this key.
pub(crate) fn state_request(package: PackageId, signer: &SigningKey) -> Request {
    let mut request = Request::new("GET", &Route::State(package).path("")).unwrap();
    sign_request(&mut request, signer, Timestamp::now()).unwrap();
    request
}

/// A body that counts what is read of it: `left` bytes of zeros.
pub(crate) struct CountedBody {
    pub(crate) left: u64,
    pub(crate) read: u64,
}

impl CountedBody {
    pub(crate) fn of(bytes: u64) -> Self {
        Self { left: bytes, read: 0 }
    }
}

impl Read for CountedBody {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap());
        buffer[..length].fill(0);
        self.left -= length as u64;
        self.read += length as u64;
        Ok(length)
    }
}

/// What a refusal says: its status, its kind, and its sentence.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: ErrorKind,
    pub(crate) said: String,
}

#[track_caller]
pub(crate) fn refusal(response: &Response) -> Refusal {
    let problem = Problem::from_response(response);
    let kind = problem.kind().unwrap_or_else(|| panic!("no problem: {response:?}"));
    Refusal { status: response.status(), kind, said: problem.detail }
}

/// The receipt in an answer that has one.
pub(crate) fn receipt_in(response: &Response) -> Result<Receipt> {
    Receipt::from_response(response)
}

/// A request that proves who sends it by a token.
pub(crate) fn bearing(mut request: Request, token: &str) -> Request {
    request.headers_mut().insert("authorization", format!("Bearer {token}")).unwrap();
    request
}

/// Copies a folder with all that is in it: a site's disk as it is at one moment.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
