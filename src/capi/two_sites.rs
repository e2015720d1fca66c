//! For tests of this room: an insurer and an examiner, each opened through the C functions, joined in memory.

use super::buffer::{cw_buffer, cw_buffer_data, cw_buffer_free, cw_buffer_len};
use super::callback::cw_drop_fn;
use super::case_system::cw_case_system;
use super::code::CW_OK;
use super::error::cw_error;
use super::event::{cw_event, cw_event_json, cw_event_kind};
use super::exchange::{cw_exchange, cw_exchange_free, cw_exchange_open};
use super::exchange_settings::*;
use super::partner::{cw_partner, cw_partner_free};
use super::signing_key::{cw_signing_key, cw_signing_key_free};
use super::trial::outcome;
use crate::case_system::{CaseSystem, SqliteCaseSystem};
use crate::codec::{AgeIdentity, DesMd5Key, Framing, OpeningKey, SealingKey, Suite};
use crate::exchange::{Exchange, Partner};
use crate::model::{Claim, ClaimFile, Document, ExchangeId, Note, SiteId};
use crate::protocol::{Endpoint, Peer, Request, Response, SigningKey};
use crate::transport::MemoryTransport;
use std::ffi::{CStr, c_void};
use std::io::Read;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex, OnceLock};

/// Calls C functions; the tests keep the contract of the header, or break what the library says it checks.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: the handles are alive, the lengths are true, and what is NULL may be.
        unsafe { $call }
    };
}
pub(super) use c;

/// Calls with a place for the error; a code and, where it failed, the message with its details.
pub(super) fn failing(call: impl FnOnce(*mut *mut cw_error) -> i32) -> (i32, String) {
    match outcome(call) {
        Ok(()) => (CW_OK, String::new()),
        Err(failed) => (failed.code, [vec![failed.message], failed.details].concat().join("\n")),
    }
}

#[track_caller]
pub(super) fn works(call: impl FnOnce(*mut *mut cw_error) -> i32) {
    let (code, said) = failing(call);
    assert_eq!(code, CW_OK, "{said}");
}

/// The text in a buffer, which is freed.
pub(super) fn take(buffer: *mut cw_buffer) -> String {
    assert!(!buffer.is_null());
    let bytes = c!(std::slice::from_raw_parts(cw_buffer_data(buffer), cw_buffer_len(buffer)));
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    c!(cw_buffer_free(buffer));
    text
}

/// An endpoint that is known before the exchange behind it is open.
#[derive(Default)]
struct LateEndpoint(OnceLock<Exchange>);

impl Endpoint for LateEndpoint {
    fn answer(&self, request: &Request, peer: &Peer, body: &mut dyn Read) -> Response {
        self.0.get().unwrap().answer(request, peer, body)
    }
}

type Told = Mutex<Vec<(i32, String)>>;

pub(super) struct Site {
    pub(super) exchange: *mut cw_exchange,
    pub(super) cases: Arc<SqliteCaseSystem>,
    pub(super) told: Arc<Told>,
    id: SiteId,
}

impl Site {
    /// The kinds of the events told so far, which are then forgotten.
    pub(super) fn kinds(&self) -> Vec<i32> {
        std::mem::take(&mut *self.told.lock().unwrap()).into_iter().map(|(kind, _)| kind).collect()
    }

    pub(super) fn file(&self, claim: &str) -> ClaimFile {
        self.cases.load(&claim.parse().unwrap()).unwrap().unwrap()
    }

    pub(super) fn change(&self, claim: &str, change: impl FnOnce(&mut ClaimFile)) {
        let mut file = self.file(claim);
        change(&mut file);
        self.cases.put(&file).unwrap();
    }

    pub(super) fn add_note(&self, claim: &str, local: &str, body: &str) {
        let mut note = Note::new(ExchangeId::new(&self.id, local).unwrap());
        note.body = Some(body.to_owned());
        self.change(claim, |file| file.notes.push(note));
    }

    /// A claim with a note and a report.
    pub(super) fn put_claim(&self, claim: &str) {
        let id: ExchangeId = claim.parse().unwrap();
        let mut record = Claim::new(id.clone());
        record.claim_number = Some("C-1".into());
        record.status = Some("open".into());
        self.cases.put(&ClaimFile::new(record)).unwrap();
        self.add_note(claim, "N-1", "Please examine the left knee.");
        let mut report = Document::new(ExchangeId::new(&self.id, "D-1").unwrap());
        report.name = Some("report.txt".into());
        self.cases.add_document(&id, report, &b"Left knee: sprain.\n"[..]).unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        c!(cw_exchange_free(self.exchange));
    }
}

pub(super) struct TwoSites {
    pub(super) insurer: Site,
    pub(super) examiner: Site,
    pub(super) examiner_key: SigningKey,
    _folder: tempfile::TempDir,
    endpoints: [Arc<LateEndpoint>; 2],
}

impl TwoSites {
    pub(super) fn new(suite: Suite) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (seals, opens): (SealingKey, OpeningKey) = match suite {
            Suite::DesMd5 => {
                let key = DesMd5Key::new("legacy-Secret1", Framing::SaltPrefix).unwrap();
                (key.clone().into(), key.into())
            }
            Suite::Age => {
                let identity = AgeIdentity::generate();
                (identity.recipient().into(), identity.into())
            }
        };
        let endpoints: [Arc<LateEndpoint>; 2] = Default::default();
        let keys = ["ins-1", "imex-1"].map(|id| SigningKey::generate(id).unwrap());
        let ids = ["ON-INS", "IMEX"].map(|id| id.parse::<SiteId>().unwrap());
        let partner = |other: usize| {
            Partner::new(ids[other].clone(), ["Northern Mutual", "Medical Examiners"][other])
                .reached_by(MemoryTransport::new(endpoints[other].clone()))
                .seal_with(1, seals.clone())
                .open_with(1, opens.clone())
                .verify_with(keys[other].verifying_key())
        };
        let site = |ours: usize| open(folder.path(), &ids[ours], &keys[ours], partner(1 - ours));
        let (insurer, examiner) = (site(0), site(1));
        for (endpoint, site) in endpoints.iter().zip([&insurer, &examiner]) {
            let exchange = c!(&*site.exchange).0.clone();
            assert!(endpoint.0.set(exchange).is_ok());
        }
        let [_, examiner_key] = keys;
        Self { insurer, examiner, examiner_key, _folder: folder, endpoints }
    }
}

impl Drop for TwoSites {
    fn drop(&mut self) {
        // The sites' transports lead to each other; without this neither is ever closed.
        for endpoint in &mut self.endpoints {
            drop(Arc::get_mut(endpoint).map(|endpoint| endpoint.0.take()));
        }
    }
}

unsafe extern "C-unwind" fn note_down(told: *mut c_void, event: *const cw_event) {
    let json = c!(CStr::from_ptr(cw_event_json(event))).to_str().unwrap().to_owned();
    let kind = c!(cw_event_kind(event));
    c!(&*told.cast::<Told>()).lock().unwrap().push((kind, json));
}

unsafe extern "C-unwind" fn end_told(told: *mut c_void) {
    drop(c!(Arc::from_raw(told.cast::<Told>().cast_const())));
}

pub(super) unsafe extern "C-unwind" fn panicking(_: *mut c_void, _: *const cw_event) {
    std::panic::resume_unwind(Box::new("a fault of the host's"));
}

/// Counts how often the host's data was ended.
pub(super) unsafe extern "C-unwind" fn count_end(ended: *mut c_void) {
    c!(*ended.cast::<u32>() += 1);
}
pub(super) const COUNT_END: cw_drop_fn = Some(count_end);

/// Settings of a site with a case system of its own; the handles they were made of are freed.
pub(super) fn settings(
    folder: &Path,
    site: &str,
    key: &SigningKey,
) -> (*mut cw_exchange_settings, Arc<SqliteCaseSystem>) {
    let cases = Arc::new(SqliteCaseSystem::open(folder.join(site).join("cases")).unwrap());
    let case_system = cw_case_system { shared: cases.clone(), embedded: None };
    let key = Box::into_raw(Box::new(cw_signing_key::new(key.clone())));
    let folder = folder.join(site).join("exchange");
    let folder = folder.to_str().unwrap();
    let mut settings = null_mut();
    works(|error| {
        c!(cw_exchange_settings_new(
            site.as_ptr().cast(),
            site.len(),
            folder.as_ptr().cast(),
            folder.len(),
            key,
            &raw const case_system,
            &raw mut settings,
            error,
        ))
    });
    c!(cw_signing_key_free(key));
    (settings, cases)
}

fn open(folder: &Path, site: &SiteId, key: &SigningKey, partner: Partner) -> Site {
    let (settings, cases) = settings(folder, site.as_str(), key);
    let partner = Box::into_raw(Box::new(cw_partner::new(partner)));
    works(|error| c!(cw_exchange_settings_add_partner(settings, partner, error)));
    c!(cw_partner_free(partner));
    let told: Arc<Told> = Arc::default();
    let data = Arc::into_raw(told.clone()).cast_mut().cast();
    let panics =
        |error| c!(cw_exchange_settings_on_event(settings, Some(panicking), null_mut(), None, error));
    works(panics);
    works(|error| c!(cw_exchange_settings_on_event(settings, Some(note_down), data, Some(end_told), error)));
    works(|error| c!(cw_exchange_settings_set_sealed_size_limit(settings, 1 << 20, error)));
    works(|error| c!(cw_exchange_settings_set_base_path(settings, null(), 0, error)));
    let mut exchange = null_mut();
    works(|error| c!(cw_exchange_open(settings, &raw mut exchange, error)));
    Site { exchange, cases, told, id: site.clone() }
}
