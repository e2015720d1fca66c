//! Two sites in one process, each with the embedded ledger and case system, joined by the memory transport.

#![allow(dead_code, unused_imports, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod delivery;
mod flaky;
mod parts;
mod trial;
mod verdict;

pub(crate) use delivery::*;
pub(crate) use flaky::*;
pub(crate) use parts::*;
pub(crate) use trial::*;
pub(crate) use verdict::*;

use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
use claimwire::codec::{AgeIdentity, DesMd5Key, Framing, decrypt_bytes};
use claimwire::exchange::{Event, Exchange, ExchangeSettings, ExportOptions, Partner};
use claimwire::ledger::Outgoing;
use claimwire::model::{Claim, ClaimFile, Document, ExchangeId, Note, PackageId, SiteId};
use claimwire::protocol::{Endpoint, Peer, Request, Response, SigningKey};
use claimwire::transport::MemoryTransport;
use std::io::Read;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use tempfile::TempDir;

/// An endpoint that is known before the exchange behind it is open.
#[derive(Default)]
pub(crate) struct LateEndpoint(OnceLock<Exchange>);

impl LateEndpoint {
    pub(crate) fn open(&self, exchange: &Exchange) {
        assert!(self.0.set(exchange.clone()).is_ok(), "opened once");
    }
}

impl Endpoint for LateEndpoint {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        self.0.get().expect("the exchange is open").answer(request, peer, body)
    }
}

/// One side: its exchange, its claims, the events it was told.
pub(crate) struct Side {
    pub(crate) exchange: Exchange,
    pub(crate) cases: Arc<SqliteCaseSystem>,
    pub(crate) folder: PathBuf,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl Side {
    pub(crate) fn site(&self) -> &SiteId {
        self.exchange.site()
    }

    pub(crate) fn file(&self, claim: &ExchangeId) -> ClaimFile {
        self.cases.load(claim).unwrap().expect("the claim is here")
    }

    pub(crate) fn bytes(&self, claim: &ExchangeId, document: &ExchangeId) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.cases.open_document(claim, document).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn new_packages(&self) -> Vec<PackageId> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|event| match event {
                Event::NewPackage { package, .. } => Some(*package),
                _ => None,
            })
            .collect()
    }

    /// The names of the files in one of the exchange's folders.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.join("exchange").join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// The keys of both sites. A test that plays a site, or a thief, signs and seals with them.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) insurer_signs: SigningKey,
    pub(crate) examiner_signs: SigningKey,
    /// Seals what the insurer sends: key version 1.
    pub(crate) legacy: DesMd5Key,
    /// Opens what either site receives under age: from the examiner as version 1, from the insurer as version 2.
    pub(crate) identity: AgeIdentity,
}

impl Keys {
    pub(crate) fn generate() -> Self {
        Self {
            insurer_signs: SigningKey::generate("on-ins-1").unwrap(),
            examiner_signs: SigningKey::generate("imex-1").unwrap(),
            legacy: DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap(),
            identity: AgeIdentity::generate(),
        }
    }
}

/// An insurer and an examiner, and what each knows of the other.
pub(crate) struct TwoSites {
    pub(crate) insurer: Side,
    pub(crate) examiner: Side,
    pub(crate) keys: Keys,
    _folder: TempDir,
}

/// How a test changes what one side knows of the other, or how it is opened.
pub(crate) struct Setup {
    pub(crate) keys: Keys,
    pub(crate) insurer_of_examiner: Box<dyn FnOnce(Partner) -> Partner>,
    pub(crate) examiner_of_insurer: Box<dyn FnOnce(Partner) -> Partner>,
    pub(crate) insurer: Box<dyn FnOnce(ExchangeSettings) -> ExchangeSettings>,
    pub(crate) examiner: Box<dyn FnOnce(ExchangeSettings) -> ExchangeSettings>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            keys: Keys::generate(),
            insurer_of_examiner: Box::new(|partner| partner),
            examiner_of_insurer: Box::new(|partner| partner),
            insurer: Box::new(|settings| settings),
            examiner: Box::new(|settings| settings),
        }
    }
}

pub(crate) fn insurer_site() -> SiteId {
    SiteId::new("ON-INS").unwrap()
}

pub(crate) fn examiner_site() -> SiteId {
    SiteId::new("IMEX").unwrap()
}

pub(crate) fn id(text: &str) -> ExchangeId {
    text.parse().unwrap()
}

impl TwoSites {
    /// Out under des-md5, back under age.
    pub(crate) fn new() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = setup.keys;
        let Keys { insurer_signs, examiner_signs, legacy, identity } = keys.clone();
        let (to_insurer, to_examiner) =
            (Arc::new(LateEndpoint::default()), Arc::new(LateEndpoint::default()));
        let examiner_as_partner = Partner::new(examiner_site(), "Independent Medical Examiners")
            .reached_by(MemoryTransport::new(to_examiner.clone()))
            .seal_with(1, legacy.clone())
            .open_with(1, identity.clone())
            .verify_with(examiner_signs.verifying_key());
        let insurer_as_partner = Partner::new(insurer_site(), "Northern Mutual")
            .reached_by(MemoryTransport::new(to_insurer.clone()))
            .seal_with(1, identity.recipient())
            .open_with(1, legacy)
            .open_with(2, identity)
            .verify_with(insurer_signs.verifying_key());
        let insurer = side(
            folder.path().join("insurer"),
            insurer_site(),
            insurer_signs,
            (setup.insurer_of_examiner)(examiner_as_partner),
            setup.insurer,
        );
        let examiner = side(
            folder.path().join("examiner"),
            examiner_site(),
            examiner_signs,
            (setup.examiner_of_insurer)(insurer_as_partner),
            setup.examiner,
        );
        to_insurer.open(&insurer.exchange);
        to_examiner.open(&examiner.exchange);
        Self { insurer, examiner, keys, _folder: folder }
    }

    /// A claim of the insurer's with a note and a report.
    pub(crate) fn claim_at_insurer(&self) -> ExchangeId {
        let claim = put_claim(&self.insurer, "C-1");
        put_document(&self.insurer, &claim, "D-1", "report.txt", b"Left knee: sprain.\n");
        claim
    }

    pub(crate) fn export(&self, claim: &ExchangeId) -> claimwire::Result<Outgoing> {
        self.insurer.exchange.export(claim, self.examiner.site(), &ExportOptions::by("dana"))
    }

    /// Export, send and unpack, from the insurer to the examiner.
    pub(crate) fn deliver(&self, claim: &ExchangeId) -> PackageId {
        let package = self.export(claim).unwrap().package.id;
        self.insurer.exchange.send(package, &()).unwrap();
        self.examiner.exchange.unpack(package, "front desk", &()).unwrap();
        package
    }

    /// Export, send and unpack, from the examiner to the insurer.
    pub(crate) fn deliver_back(&self, claim: &ExchangeId) -> PackageId {
        let options = ExportOptions::by("front desk");
        let package = self.examiner.exchange.export(claim, self.insurer.site(), &options).unwrap().package.id;
        self.examiner.exchange.send(package, &()).unwrap();
        self.insurer.exchange.unpack(package, "dana", &()).unwrap();
        package
    }
}

fn side(
    folder: PathBuf,
    site: SiteId,
    signs: SigningKey,
    partner: Partner,
    change: Box<dyn FnOnce(ExchangeSettings) -> ExchangeSettings>,
) -> Side {
    let cases = Arc::new(SqliteCaseSystem::open(folder.join("cases")).unwrap());
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let told = events.clone();
    let settings = ExchangeSettings::new(site, folder.join("exchange"), signs, cases.clone())
        .with_partner(partner)
        .on_event(move |event| told.lock().unwrap().push(event.clone()));
    Side { exchange: Exchange::open(change(settings)).unwrap(), cases, folder, events }
}

pub(crate) fn put_claim(side: &Side, local: &str) -> ExchangeId {
    let claim = ExchangeId::new(side.site(), local).unwrap();
    let mut record = Claim::new(claim.clone());
    record.claim_number = Some(local.to_owned());
    record.status = Some("open".into());
    let mut file = ClaimFile::new(record);
    file.notes.push(note(side.site(), &format!("{local}-N-1"), "Please examine the left knee."));
    side.cases.put(&file).unwrap();
    claim
}

pub(crate) fn note(site: &SiteId, local: &str, body: &str) -> Note {
    let mut note = Note::new(ExchangeId::new(site, local).unwrap());
    note.body = Some(body.to_owned());
    note
}

pub(crate) fn add_note(side: &Side, claim: &ExchangeId, local: &str, body: &str) {
    let mut file = side.file(claim);
    file.notes.push(note(side.site(), local, body));
    side.cases.put(&file).unwrap();
}

pub(crate) fn put_document(
    side: &Side,
    claim: &ExchangeId,
    local: &str,
    name: &str,
    bytes: &[u8],
) -> ExchangeId {
    let id = ExchangeId::new(side.site(), local).unwrap();
    let mut record = Document::new(id.clone());
    record.name = Some(name.to_owned());
    side.cases.add_document(claim, record, bytes).unwrap();
    id
}

/// Whether nothing but what is meant to stay lies in `folder`: no file in the making, no work in progress.
pub(crate) fn is_tidy(side: &Side) -> bool {
    let sealed = |name: &String| name.ends_with(".sealed");
    side.files_in("outbox").iter().all(sealed)
        && side.files_in("inbox").iter().all(sealed)
        && side.files_in("work").is_empty()
}

/// A password under which the padding of these bytes comes out right, or wrong.
pub(crate) fn other_password(sealed: &[u8], passes: bool) -> DesMd5Key {
    // One iteration, which is as wrong and soon tried.
    (0..)
        .map(|attempt| DesMd5Key::new(format!("another-Secret{attempt}"), Framing::SaltPrefix).unwrap())
        .map(|key| key.with_iterations(NonZeroU32::MIN).unwrap())
        .find(|key| decrypt_bytes(&key.clone().into(), sealed).is_ok() == passes)
        .unwrap()
}

pub(crate) fn sealed_path(side: &Side, folder: &str) -> PathBuf {
    let names = side.files_in(folder);
    assert_eq!(names.len(), 1, "one sealed package in {folder}");
    Path::new(&side.folder).join("exchange").join(folder).join(&names[0])
}

pub(crate) fn third_site() -> SiteId {
    "THIRD".parse().unwrap()
}

/// Two sites, each of which has a third partner too; and the key that this third one signs with.
pub(crate) fn with_a_third() -> (TwoSites, SigningKey) {
    let key = SigningKey::generate("third-1").unwrap();
    let (at_examiner, at_insurer) = (key.verifying_key(), key.verifying_key());
    let setup = Setup {
        examiner: Box::new(|settings| {
            settings.with_partner(Partner::new(third_site(), "Third Party").verify_with(at_examiner))
        }),
        insurer: Box::new(|settings| {
            settings.with_partner(Partner::new(third_site(), "Third Party").verify_with(at_insurer))
        }),
        ..Setup::default()
    };
    (TwoSites::with(setup), key)
}
