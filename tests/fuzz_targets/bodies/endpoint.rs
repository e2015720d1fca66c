//! A site's endpoint before a partner that may send what it likes.

use super::messages::{SIGNED_ID, Told, signed_at, signer};
use claimwire::case_system::SqliteCaseSystem;
use claimwire::codec::{DesMd5Key, Framing};
use claimwire::exchange::{Exchange, ExchangeSettings, Partner, UploadLimits};
use claimwire::ledger::PackageQuery;
use claimwire::model::{PackageId, SiteId};
use claimwire::protocol::{Credential, Digest, Endpoint, Peer, Receipt, Request, UploadState};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The partner's client certificate, which stands in for its signature, and its fingerprint.
const CERTIFICATE: &[u8] = b"abc";
const FINGERPRINT: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// The most requests of one row.
const MOST: usize = 8;

/// Any row of requests, each after a line `--`: every one is answered; what a receipt says was received lies there with
/// that digest; an offset that is told is one at which bytes lie.
pub(crate) fn endpoint(bytes: &[u8]) {
    let folder = super::folder();
    let site = site(folder.path());
    let peer = Peer::unknown().with_certificate(CERTIFICATE);
    let mut received: BTreeMap<PackageId, Digest> = BTreeMap::new();
    for part in split(bytes).take(MOST) {
        let Some(told) = Told::by(part) else { continue };
        let (method, path) = told.line.split_once(' ').unwrap_or(("POST", told.line));
        let Ok(mut request) = Request::new(method, path) else { continue };
        told.fill(request.headers_mut());
        let response = site.answer(&request, &peer, &mut { told.body });
        assert!((200..600).contains(&response.status()));
        if let Ok(receipt) = Receipt::from_response(&response) {
            let digest = received.entry(receipt.package_id).or_insert(receipt.digest);
            assert_eq!(*digest, receipt.digest, "the receipt is another one than before");
        }
        let state = UploadState::from_headers(response.headers());
        if let (204, Some(offset), Some(length)) = (response.status(), state.offset, state.length) {
            assert!(offset <= length);
        }
    }
    let lying: Vec<Digest> =
        files(&folder.path().join("inbox")).iter().map(|file| Digest::of(file)).collect();
    let known = site.incoming_packages(&PackageQuery::new()).expect("a ledger of our own");
    assert_eq!(lying.len(), known.len());
    for (package, digest) in received {
        assert!(known.iter().any(|known| known.id == package) && lying.contains(&digest));
    }
    assert!(files(&folder.path().join("work")).is_empty());
}

fn site(folder: &Path) -> Exchange {
    let legacy = DesMd5Key::new("legacy-Secret1", Framing::OpenSsl).expect("a good password");
    let partner = Partner::new(SiteId::new("ON-INS").expect("a site"), "Northern Mutual")
        .open_with(1, legacy)
        .accept_unsigned(Credential::client_certificate(FINGERPRINT).expect("a fingerprint"));
    let cases = SqliteCaseSystem::open(folder.join("cases")).expect("an empty folder");
    let mut uploads = UploadLimits::default();
    (uploads.per_partner, uploads.bytes_per_partner) = (2, 1 << 16);
    let site = SiteId::new("IMEX").expect("a site");
    let settings = ExchangeSettings::new(site, folder, signer(), Arc::new(cases))
        .with_partner(partner)
        .with_sealed_size_limit(1 << 12)
        .with_upload_limits(uploads)
        .with_clock(signed_at);
    Exchange::open(settings).expect("a site of our own")
}

/// What stands between lines `--`.
fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = bytes.windows(4).position(|window| window == b"\n--\n");
        rest = end.map(|end| &bytes[end + 4..]);
        Some(end.map_or(bytes, |end| &bytes[..end]))
    })
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder of the site's");
    entries.map(|entry| fs::read(entry.expect("an entry").path()).expect("a file")).collect()
}
