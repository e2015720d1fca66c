//! The front door: export, send, receive, unpack, history.
//!
//! An [`Exchange`] is one site's side of the traffic. It reads and writes the host's claims through a
//! [`CaseSystem`], keeps its own durable state in a
//! [`Ledger`], and speaks to each [`Partner`] through its
//! [`Transport`](crate::transport::Transport).
//!
//! | step | call | durable afterwards |
//! |---|---|---|
//! | try a new partner | [`Exchange::try_partner`] | that it was tried, in the history |
//! | export | [`Exchange::export`] | the sealed package, in the outbox |
//! | notes alone | [`Exchange::export_notes`], then send: applied as they arrive | the sealed package, in the outbox |
//! | send | by itself: [`Exchange::start_outbox`]; or [`Exchange::send_due`], [`Exchange::send_queued`], [`Exchange::send`] | the partner's signed receipt, or when to try again |
//! | pause | [`Exchange::pause`], [`Exchange::resume`] | that the partner is paused |
//! | send again | [`Exchange::replay`], [`Exchange::replay_since`] | that the packages are queued |
//! | receive | [`Exchange`] is an [`Endpoint`](crate::protocol::Endpoint) | the sealed package, in the inbox |
//! | notify | [`ExchangeSettings::on_event`] | |
//! | look before | [`Exchange::preview`] | |
//! | unpack | [`Exchange::unpack`], or by itself: [`Partner::unpacking_automatically_as`] | the claim, in the case system |
//! | reject | [`Exchange::reject`] | that it is refused for good, and the sender's knowledge of it |
//! | look | [`Exchange::mark_viewed`] | that nothing of the claim is new |
//! | acknowledge | by itself after an unpack or a rejection, and by the outbox where the sender could not be told; [`Exchange::acknowledge`] | the sender's knowledge of it |
//! | feedback | by itself when the word of an unpack comes: [`Partner::filling_on_unpack`] | a field of the sender's claim |
//! | history | [`Exchange::history`], its errors: [`Exchange::incoming_errors`] | |
//! | look after keys | [`Exchange::warnings`], [`Exchange::set_signing_key`], [`Exchange::set_partner`] | |
//! | prove the history | [`Exchange::verify_history`], [`Exchange::export_history`] | |
//! | monitor | [`Exchange::metrics`], [`Exchange::health`] | |
//!
//! An exchange can be cloned and used from many threads; its calls block. One
//! process at a time has a site's folder open.

mod apply_notes;
mod automatic;
mod counters;
mod event;
mod exchanged_part;
mod export;
mod failure;
mod feedback;
mod health;
mod history;
mod json;
mod key_ring;
mod known_keys;
mod legacy;
mod metrics;
mod notes;
mod numbers;
mod observed_ledger;
mod outbox;
mod outbox_line;
mod outbox_pass;
mod outbox_time;
mod outbox_untold;
mod outbox_wait;
mod outbox_worker;
mod partial;
mod partner;
mod partner_keys;
mod pause;
mod proof;
mod receipts;
mod receive;
mod reject;
mod replay;
mod resume;
mod retention;
mod scan;
mod sealed;
mod send;
mod settings;
mod signing;
mod store;
mod summary;
mod told;
mod trial;
mod turns;
mod unpack;
mod upload;
mod viewed;
mod warnings;
mod withdraw;

pub use crate::retry::RetryPolicy;
pub use event::Event;
pub use export::ExportOptions;
pub use health::{Health, HealthCheck, HealthStatus};
pub use known_keys::{KeyState, KeyUse, KnownKey, PublicPart};
pub use legacy::AfterReview;
pub use metrics::{FailureCount, Metrics, StepCount};
pub use outbox::SentQueue;
pub use outbox_worker::OutboxWorker;
pub use partial::UploadLimits;
pub(crate) use partner::DEFAULT_GRACE;
pub use partner::Partner;
pub use receipts::Acknowledgement;
pub use settings::ExchangeSettings;
pub use trial::{TrialOptions, TrialReport};
pub use unpack::Unpacked;
pub use warnings::{Warning, WarningCode};

use crate::case_system::CaseSystem;
use crate::codec::PackOptions;
use crate::durable_file::create_private_folder;
use crate::ledger::{Ledger, Link};
use crate::model::{ExchangeId, PackageId, PackageIds, SiteId, Timestamp};
use crate::package::PackageLimits;
use crate::protocol::{Nonces, SigningKey};
use crate::scan::DocumentScan;
use crate::trace::span;
use crate::{Error, ErrorKind, Result};
use automatic::Unpacker;
use counters::Counters;
use event::Listeners;
use health::KeptHealth;
use observed_ledger::ObservedLedger;
use outbox::Outbox;
use partial::PartialUploads;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU8;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use store::{Side, Store};
use turns::Turns;

/// One site's side of the exchange. Clones share it; when the last one goes, an automatic unpack that is under way is
/// finished first.
#[derive(Clone)]
pub struct Exchange(Arc<Inner>, Option<Arc<Unpacker>>);

struct Inner {
    site: SiteId,
    signing: RwLock<Vec<SigningKey>>,
    clock: settings::Clock,
    ids: PackageIds,
    warning_ahead: Duration,
    case_system: Arc<dyn CaseSystem>,
    ledger: Arc<dyn Ledger>,
    store: Store,
    uploads: PartialUploads,
    partners: RwLock<BTreeMap<SiteId, Arc<Partner>>>,
    listeners: Listeners,
    pack: PackOptions,
    limits: PackageLimits,
    sealed_size_limit: u64,
    scan: Option<Arc<dyn DocumentScan>>,
    base_path: String,
    nonces: Nonces,
    counters: Arc<Counters>,
    health: Option<KeptHealth>,
    exporting: Mutex<()>,
    turns: Turns,
    sends_at_once: NonZeroU8,
    outbox: Outbox,
}

impl Exchange {
    /// Opens a site's exchange; its folder and ledger are made when they are not there.
    ///
    /// What an earlier process left undone is done: notes that were received are applied, and what partners sent that
    /// are [unpacked automatically](Partner::unpacking_automatically_as) is unpacked,
    /// [feedback](Partner::filling_on_unpack) that could not be filled in is, and failures that it did not come to tell
    /// are told. What it was sending is due, see [`send_due`](Self::send_due).
    ///
    /// # Errors
    /// [`ErrorKind::Io`] or [`ErrorKind::Ledger`] when the folder or the ledger cannot be opened;
    /// [`ErrorKind::WrongState`] when another exchange has the folder open;
    /// [`ErrorKind::InvalidSettings`] when there is no ledger and none is built in.
    pub fn open(settings: ExchangeSettings) -> Result<Self> {
        span!("open", site = settings.site);
        create_private_folder(&settings.folder)?;
        let store = Store::open(&settings.folder)?;
        let ledger = match settings.ledger {
            Some(ledger) => ledger,
            None => embedded_ledger(&settings.folder)?,
        };
        store.sweep(|side, package, file| {
            Ok(match side {
                Side::Out => {
                    ledger.outgoing(package)?.is_some_and(|known| known.file == file && !known.sealed_removed)
                }
                Side::In => {
                    ledger.incoming(package)?.is_some_and(|known| known.file == file && !known.sealed_removed)
                }
            })
        })?;
        let uploads = PartialUploads::open(store.uploads(), settings.uploads)?;
        let counters = Arc::new(Counters::new());
        let inner = Inner {
            site: settings.site,
            signing: RwLock::default(),
            clock: settings.clock,
            ids: PackageIds::default(),
            warning_ahead: settings.warning_ahead,
            case_system: settings.case_system,
            ledger: Arc::new(ObservedLedger { ledger, counters: counters.clone() }),
            store,
            uploads,
            partners: RwLock::new(
                settings.partners.into_iter().map(|(site, partner)| (site, Arc::new(partner))).collect(),
            ),
            listeners: settings.listeners,
            pack: settings.pack,
            limits: settings.limits,
            sealed_size_limit: settings.sealed_size_limit,
            scan: settings.scan,
            base_path: settings.base_path,
            nonces: Nonces::default(),
            counters,
            health: settings.answers_health.then(KeptHealth::default),
            exporting: Mutex::new(()),
            turns: Turns::default(),
            sends_at_once: settings.sends_at_once,
            outbox: Outbox::default(),
        };
        let exchange = Self(Arc::new(inner), Some(Arc::new(Unpacker::default())));
        settings.signing.into_iter().for_each(|key| exchange.set_signing_key(key));
        exchange.tell_failures_that_wait()?;
        exchange.apply_notes_that_wait()?;
        exchange.fill_feedback_of_last(feedback::AT_OPENING)?;
        if exchange.partners().values().any(|partner| partner.unpacks_as.is_some()) {
            exchange.unpack_what_waits();
        }
        Ok(exchange)
    }

    /// This site's id.
    #[must_use]
    pub fn site(&self) -> &SiteId {
        &self.0.site
    }

    /// The partner with this site id, as its settings are now.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPartner`] when the settings name no such partner.
    pub fn partner(&self, site: &SiteId) -> Result<Arc<Partner>> {
        self.partners().get(site).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownPartner,
                format!("no partner has the site id {site}; add it to the settings"),
            )
        })
    }

    /// All partners, in the order of their site ids, as their settings are now.
    #[must_use]
    pub fn all_partners(&self) -> Vec<Arc<Partner>> {
        self.partners().values().cloned().collect()
    }

    /// Adds a partner, or gives the one with the same site id these settings, transport included; gives back the
    /// former ones.
    ///
    /// Work that is under way ends with the settings it began with. What is queued stays: a package in the outbox is
    /// sealed and goes out as it is, over the new transport; one in the inbox is opened with the keys of now, so keep
    /// the former versions until it is unpacked. Where packages are
    /// [unpacked automatically](Partner::unpacking_automatically_as), what waits is unpacked. A
    /// [pause](Self::pause) stays.
    pub fn set_partner(&self, partner: Partner) -> Option<Arc<Partner>> {
        let (site, unpacks) = (partner.site.clone(), partner.unpacks_as.is_some());
        let mut partners = self.0.partners.write().unwrap_or_else(PoisonError::into_inner);
        let former = partners.insert(site.clone(), Arc::new(partner));
        drop(partners);
        self.0.outbox.call(&site);
        if unpacks {
            self.unpack_what_waits();
        }
        former
    }

    /// Takes a partner out: from now on nothing goes to it, and it is a stranger here. Its packages, queued ones
    /// among them, and its history stay, and go on when it is [set](Self::set_partner) again.
    pub fn remove_partner(&self, site: &SiteId) -> Option<Arc<Partner>> {
        self.0.partners.write().unwrap_or_else(PoisonError::into_inner).remove(site)
    }

    /// The present moment, by the clock that keys, signatures and reviews are judged by.
    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    fn partners(&self) -> RwLockReadGuard<'_, BTreeMap<SiteId, Arc<Partner>>> {
        // A map is whole at every step, so a thread that died with the lock left a good one.
        self.0.partners.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: &Event) {
        self.0.listeners.tell(event);
    }

    /// One export at a time takes the next sequence number.
    fn exporting(&self) -> MutexGuard<'_, ()> {
        take_turn(&self.0.exporting)
    }

    /// What is between this site and a partner about a claim so far.
    fn link(&self, partner: &SiteId, claim: &ExchangeId) -> Result<Link> {
        Ok(self.0.ledger.link(partner, claim)?.unwrap_or_else(|| Link::new(partner.clone(), claim.clone())))
    }
}

fn take_turn(turn: &Mutex<()>) -> MutexGuard<'_, ()> {
    // A thread that died in its turn left nothing half done: the ledger commits whole or not at all.
    turn.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("site", &self.0.site)
            .field("partners", &*self.partners())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "sqlite")]
fn embedded_ledger(folder: &std::path::Path) -> Result<Arc<dyn Ledger>> {
    Ok(Arc::new(crate::ledger::SqliteLedger::open(folder.join("ledger.sqlite3"))?))
}

#[cfg(not(feature = "sqlite"))]
fn embedded_ledger(_folder: &std::path::Path) -> Result<Arc<dyn Ledger>> {
    Err(Error::new(
        ErrorKind::InvalidSettings,
        "no ledger was given and the embedded one is not built in; give one or build with the feature `sqlite`",
    ))
}

fn unknown_claim(claim: &ExchangeId) -> Error {
    Error::new(ErrorKind::UnknownClaim, format!("the case system has no claim {claim}"))
}

fn unknown_package(package: PackageId) -> Error {
    Error::new(ErrorKind::UnknownPackage, format!("no package {package} is known here"))
}
