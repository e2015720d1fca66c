//! What an exchange is opened with: the site, its folder, its signing key, its case system, its partners.

use super::event::{Event, Listeners};
use super::partial::UploadLimits;
use super::partner::Partner;
use crate::case_system::CaseSystem;
use crate::codec::PackOptions;
use crate::ledger::Ledger;
use crate::model::{SiteId, Timestamp};
use crate::package::PackageLimits;
use crate::protocol::SigningKey;
use crate::scan::DocumentScan;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What tells the time.
pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// To how many partners the outbox sends at once when nothing else is set: 4.
const SENDS_AT_ONCE: NonZeroU8 = NonZeroU8::MIN.saturating_add(3);

/// What [`Exchange::open`](super::Exchange::open) needs to know.
pub struct ExchangeSettings {
    pub(super) site: SiteId,
    pub(super) folder: PathBuf,
    pub(super) signing: Vec<SigningKey>,
    pub(super) clock: Clock,
    pub(super) warning_ahead: Duration,
    pub(super) case_system: Arc<dyn CaseSystem>,
    pub(super) ledger: Option<Arc<dyn Ledger>>,
    pub(super) partners: BTreeMap<SiteId, Partner>,
    pub(super) listeners: Listeners,
    pub(super) pack: PackOptions,
    pub(super) limits: PackageLimits,
    pub(super) sealed_size_limit: u64,
    pub(super) uploads: UploadLimits,
    pub(super) sends_at_once: NonZeroU8,
    pub(super) scan: Option<Arc<dyn DocumentScan>>,
    pub(super) base_path: String,
    pub(super) answers_health: bool,
}

impl ExchangeSettings {
    /// The settings of `site`, which keeps its sealed packages in `folder`, signs with `signing` and has its
    /// claims in `case_system`.
    ///
    /// The folder is made, for this user alone, when it is not there; it should lie on an encrypted disk.
    #[must_use]
    pub fn new(
        site: SiteId,
        folder: impl Into<PathBuf>,
        signing: SigningKey,
        case_system: impl CaseSystem + 'static,
    ) -> Self {
        Self {
            site,
            folder: folder.into(),
            signing: vec![signing],
            clock: Arc::new(Timestamp::now),
            warning_ahead: Duration::from_secs(30 * 24 * 60 * 60),
            case_system: Arc::new(case_system),
            ledger: None,
            partners: BTreeMap::new(),
            listeners: Listeners::default(),
            pack: PackOptions::default(),
            limits: PackageLimits::default(),
            sealed_size_limit: 262_144_000,
            uploads: UploadLimits::default(),
            sends_at_once: SENDS_AT_ONCE,
            scan: None,
            base_path: String::new(),
            answers_health: false,
        }
    }

    /// Adds a partner, or replaces the one with the same site id.
    #[must_use]
    pub fn with_partner(mut self, partner: Partner) -> Self {
        self.partners.insert(partner.site().clone(), partner);
        self
    }

    /// Adds a key that the site signs with, for a time of its own; see
    /// [`Exchange::set_signing_key`](super::Exchange::set_signing_key) for which of them signs when.
    #[must_use]
    pub fn with_signing_key(mut self, key: SigningKey) -> Self {
        self.signing.push(key);
        self
    }

    /// How long before the end of a key, and before the review of a legacy suite is due,
    /// [`Exchange::warnings`](super::Exchange::warnings) begins to tell of it; by default 30 days.
    #[must_use]
    pub fn warning_ahead(mut self, ahead: Duration) -> Self {
        self.warning_ahead = ahead;
        self
    }

    /// What tells the time by which signatures are made and judged, keys are valid and reviews are due; by default the
    /// system's clock. For tests, and for hosts that have a better clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Calls `listener` for every event, on the thread that did the work and after it was made durable.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners.add(listener);
        self
    }

    /// A ledger of the host's own in place of the embedded one, which is `ledger.sqlite3` in the folder.
    #[must_use]
    pub fn with_ledger(mut self, ledger: impl Ledger + 'static) -> Self {
        self.ledger = Some(Arc::new(ledger));
        self
    }

    /// On how many threads, and how hard, exported packages are compressed. With what is each partner's own setting:
    /// [`Partner::compressing_with`].
    #[must_use]
    pub fn with_pack_options(mut self, options: PackOptions) -> Self {
        self.pack = options;
        self
    }

    /// What an incoming package may cost to read.
    #[must_use]
    pub fn with_package_limits(mut self, limits: PackageLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The largest sealed package taken in, in bytes; by default 262,144,000 (250 MiB).
    #[must_use]
    pub fn with_sealed_size_limit(mut self, bytes: u64) -> Self {
        self.sealed_size_limit = bytes;
        self
    }

    /// What partners may leave half-sent here, to go on with later.
    #[must_use]
    pub fn with_upload_limits(mut self, limits: UploadLimits) -> Self {
        self.uploads = limits;
        self
    }

    /// To how many partners a [started outbox](super::Exchange::start_outbox) sends at the same time; by default 4. To one
    /// partner it sends one package after the other.
    ///
    /// Each is a thread with a connection of its own, which reads its package from the disk as it goes. With 1, partners
    /// are served one after the other, and one that stalls holds up the others until its timeout.
    #[must_use]
    pub fn with_sends_at_once(mut self, partners: NonZeroU8) -> Self {
        self.sends_at_once = partners;
        self
    }

    /// Scans every document that comes in, after its package is verified and before anything of it is released.
    ///
    /// Malware in one document, or one that could not be scanned, holds back the whole package. By default nothing is
    /// scanned. See [`scan`](crate::scan).
    #[must_use]
    pub fn with_document_scan(mut self, scan: impl DocumentScan + 'static) -> Self {
        self.scan = Some(Arc::new(scan));
        self
    }

    /// The path below which this site's endpoint is reached, as partners see it, such as `/claimwire`; by default
    /// the root.
    #[must_use]
    pub fn at_base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = path.into();
        self
    }

    /// Whether `GET {base}/health` is answered to whoever asks, with 200 or 503: whether this site does its work, and
    /// nothing else of it. By default it is not.
    ///
    /// It is looked at most once in ten seconds, however many ask. [`Exchange::health`](super::Exchange::health) tells
    /// more, and only to this process.
    #[must_use]
    pub fn answering_health(mut self, answering: bool) -> Self {
        self.answers_health = answering;
        self
    }
}

impl fmt::Debug for ExchangeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeSettings")
            .field("site", &self.site)
            .field("folder", &self.folder)
            .field("partners", &self.partners)
            .field("pack", &self.pack)
            .field("limits", &self.limits)
            .field("sealed_size_limit", &self.sealed_size_limit)
            .field("uploads", &self.uploads)
            .field("sends_at_once", &self.sends_at_once)
            .field("scans", &self.scan.is_some())
            .field("base_path", &self.base_path)
            .field("answers_health", &self.answers_health)
            .finish_non_exhaustive()
    }
}
