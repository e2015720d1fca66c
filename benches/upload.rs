//! What it costs that an upload can be gone on with: a package of 250 MB over real HTTPS on loopback, sent plainly, sent
//! so that it can be gone on with, and cut at 60 percent and gone on with.
//!
//! ```sh
//! cargo bench --bench upload
//! ```
//!
//! Both ends are in one process, and the receiving one has its folder in the system's temporary folder: set `TMPDIR` to
//! measure another disk.

#![allow(clippy::print_stdout, reason = "a program that talks to a person")]

use claimwire::ErrorKind;
use claimwire::case_system::SqliteCaseSystem;
use claimwire::exchange::{Exchange, ExchangeSettings, Partner};
use claimwire::model::{PackageId, PackageKind, SiteId, Timestamp};
use claimwire::protocol::{
    Digest, DigestReader, Envelope, PACKAGE_MEDIA_TYPE, PARTIAL_UPLOAD_MEDIA_TYPE, Request, Response, Route,
    SigningKey, UploadState, sign_request,
};
use claimwire::receiver::{Receiver, ReceiverSettings, TlsSettings};
use claimwire::transport::{Body, HttpsSettings, HttpsTransport, Transport};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::error::Error;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

const SIZE: u64 = 250_000_000;
const ROUNDS: usize = 5;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A sender, and what it sends: the same bytes under a new id each time.
struct Sender {
    transport: HttpsTransport,
    key: SigningKey,
    digest: Digest,
}

impl Sender {
    fn request(&self, package: PackageId, method: &str, state: UploadState) -> Outcome<Request> {
        let route = if method == "POST" { Route::Package } else { Route::UploadPart(package) };
        let mut request = Request::new(method, &route.path(""))?;
        let headers = request.headers_mut();
        let (from, to) = (SiteId::new("A")?, SiteId::new("B")?);
        Envelope::new(package, PackageKind::Claim, from, to, "age").to_headers(headers)?;
        let media_type = if method == "POST" { PACKAGE_MEDIA_TYPE } else { PARTIAL_UPLOAD_MEDIA_TYPE };
        headers.insert("content-type", media_type)?;
        if method == "POST" {
            headers.insert("content-digest", self.digest.to_string())?;
        }
        headers.insert("repr-digest", self.digest.to_string())?;
        state.to_headers(headers)?;
        sign_request(&mut request, &self.key, Timestamp::now())?;
        Ok(request)
    }

    fn send(&self, request: &Request, length: u64, body: &mut dyn Read) -> claimwire::Result<Response> {
        let reply = self.transport.send(request, Body::new(length, body))?;
        let answered = reply.into_answer(request).map(|(_, response)| response);
        answered.ok_or_else(|| claimwire::Error::new(ErrorKind::NoReceipt, "no answer"))
    }

    /// Sends it whole; gives the seconds.
    fn whole(&self, state: UploadState) -> Outcome<f64> {
        let request = self.request(PackageId::generate(), "POST", state)?;
        let begun = Instant::now();
        let answer = self.send(&request, SIZE, &mut io::repeat(7).take(SIZE))?;
        assert_eq!(answer.status(), 200, "{answer:?}");
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Sends 60 percent, loses the connection, asks, and sends the rest; gives the seconds of the two last.
    fn cut(&self) -> Outcome<f64> {
        let package = PackageId::generate();
        let state = UploadState::new(None, Some(true), Some(SIZE));
        let request = self.request(package, "POST", state)?;
        let broken = self.send(&request, SIZE, &mut io::repeat(7).take(SIZE / 10 * 6));
        assert!(broken.is_err(), "{broken:?}");
        let begun = Instant::now();
        let mut question = Request::new("HEAD", &Route::UploadOffset(package).path(""))?;
        sign_request(&mut question, &self.key, Timestamp::now())?;
        let standing = self.send(&question, 0, &mut io::empty())?;
        let offset = UploadState::from_headers(standing.headers()).offset.ok_or("an offset")?;
        assert!(offset > SIZE / 2, "{offset}");
        let state = UploadState::new(Some(offset), Some(true), None);
        let request = self.request(package, "PATCH", state)?;
        let answer = self.send(&request, SIZE - offset, &mut io::repeat(7).take(SIZE - offset))?;
        assert_eq!(answer.status(), 200, "{answer:?}");
        Ok(begun.elapsed().as_secs_f64())
    }
}

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (key, receipts) = (SigningKey::generate("a")?, SigningKey::generate("b")?);
    let cases = Arc::new(SqliteCaseSystem::open(folder.path().join("cases"))?);
    let partner = Partner::new(SiteId::new("A")?, "A").verify_with(key.verifying_key());
    let settings = ExchangeSettings::new(SiteId::new("B")?, folder.path().join("exchange"), receipts, cases);
    let exchange = Exchange::open(settings.with_partner(partner))?;
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".into()])?;
    let tls = TlsSettings::new(cert.pem(), signing_key.serialize_pem());
    let running = Receiver::bind("127.0.0.1:0", tls, Arc::new(exchange), ReceiverSettings::default())?;
    let url = format!("https://127.0.0.1:{}", running.local_addr().port());
    let transport = HttpsTransport::new(HttpsSettings::new(&url)?.root_certificates(cert.pem()))?;
    let mut bytes = DigestReader::new(io::repeat(7).take(SIZE));
    io::copy(&mut bytes, &mut io::sink())?;
    let sender = Sender { transport, key, digest: bytes.finish() };

    let resumable = UploadState::new(None, Some(true), Some(SIZE));
    let [mut plain, mut kept, mut rest] = [const { Vec::new() }; 3];
    // In turn, so that a disk that gets slower does so for all.
    for _ in 0..ROUNDS {
        plain.push(sender.whole(UploadState::default())?);
        kept.push(sender.whole(resumable)?);
        rest.push(sender.cut()?);
    }
    for (what, seconds) in [
        ("plainly", &mut plain),
        ("so that it can be gone on with", &mut kept),
        ("the last 40 percent", &mut rest),
    ] {
        seconds.sort_by(f64::total_cmp);
        println!(
            "{what:<32} median {:.2} s, from {:.2} to {:.2}",
            seconds[ROUNDS / 2],
            seconds[0],
            seconds[ROUNDS - 1]
        );
    }
    Ok(())
}
