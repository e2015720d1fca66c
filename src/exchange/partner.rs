//! A partner: another site as this one knows it, with its keys, its transport and its rules.

use super::key_ring::KeyRing;
use super::legacy::{AfterReview, LegacyReview};
use crate::codec::{Compression, OpeningKey, SealingKey, Suite};
use crate::merge::ConflictPolicy;
use crate::model::{Date, SiteId, Timestamp};
use crate::protocol::{Credential, DEFAULT_WINDOW, Validity, VerifyingKey};
use crate::retry::RetryPolicy;
use crate::rules::{ExportRules, FieldSelection, ImportRules, NameMap};
use crate::transport::Transport;
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long after a key's end packages under it are taken in when nothing else is set: 7 days.
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Another site as this one knows it.
///
/// ```
/// # #[cfg(feature = "age")] {
/// use claimwire::codec::AgeIdentity;
/// use claimwire::exchange::Partner;
/// use claimwire::model::SiteId;
/// use claimwire::protocol::SigningKey;
///
/// // What the partner handed over out of band: its recipient and its verifying key.
/// let theirs = AgeIdentity::generate();
/// let signs = SigningKey::generate("imex-2026")?;
/// // What we open their packages with; they get only the recipient.
/// let ours = AgeIdentity::generate();
///
/// let partner = Partner::new(SiteId::new("IMEX")?, "Independent Medical Examiners")
///     .seal_with(1, theirs.recipient())
///     .open_with(1, ours)
///     .verify_with(signs.verifying_key());
/// assert_eq!(partner.alias(), "Independent Medical Examiners");
/// # }
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone)]
pub struct Partner {
    pub(super) site: SiteId,
    pub(super) alias: String,
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) sealing: KeyRing<SealingKey>,
    pub(super) opening: KeyRing<OpeningKey>,
    pub(super) opening_grace: Duration,
    pub(super) legacy: LegacyReview,
    pub(super) verifying: Vec<VerifyingKey>,
    pub(super) signature_window: Duration,
    pub(super) selection: FieldSelection,
    pub(super) names: NameMap,
    pub(super) export_rules: ExportRules,
    pub(super) import_rules: ImportRules,
    pub(super) conflicts: ConflictPolicy,
    pub(super) compression: Compression,
    pub(super) unpacks_as: Option<String>,
    pub(super) paused: bool,
    pub(super) retry: RetryPolicy,
    unsigned: Option<Credential>,
    pub(super) feedback_field: Option<String>,
}

impl Partner {
    /// A partner by its site id and the name its users know it by. It can neither be sent to nor received from
    /// before it has keys, and a transport to send with.
    #[must_use]
    pub fn new(site: SiteId, alias: impl Into<String>) -> Self {
        Self {
            site,
            alias: alias.into(),
            transport: None,
            sealing: KeyRing::default(),
            opening: KeyRing::default(),
            opening_grace: DEFAULT_GRACE,
            legacy: LegacyReview::default(),
            verifying: Vec::new(),
            signature_window: DEFAULT_WINDOW,
            selection: FieldSelection::default(),
            names: NameMap::default(),
            export_rules: ExportRules::default(),
            import_rules: ImportRules::default(),
            conflicts: ConflictPolicy::Stop,
            compression: Compression::default(),
            unpacks_as: None,
            paused: false,
            retry: RetryPolicy::for_packages(),
            unsigned: None,
            feedback_field: None,
        }
    }

    /// The way to the partner's one target server.
    #[must_use]
    pub fn reached_by(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// A key, and its version, that packages to this partner are sealed with, at any time. Of several versions the
    /// highest that is valid now seals.
    #[must_use]
    pub fn seal_with(self, version: u32, key: impl Into<SealingKey>) -> Self {
        self.seal_during(Validity::ALWAYS, version, key)
    }

    /// A key, and its version, that packages to this partner are sealed with at this time.
    #[must_use]
    pub fn seal_during(mut self, validity: Validity, version: u32, key: impl Into<SealingKey>) -> Self {
        self.sealing.insert(version, Some(key.into()), validity);
        self
    }

    /// A key, and its version, that packages from this partner are opened with, at any time; several versions may be
    /// valid at once.
    #[must_use]
    pub fn open_with(self, version: u32, key: impl Into<OpeningKey>) -> Self {
        self.open_during(Validity::ALWAYS, version, key)
    }

    /// A key, and its version, that packages from this partner are opened with at this time.
    ///
    /// What counts for its end is when the package came in, by this site's clock, with a [grace](Self::taking_late) for
    /// those that were sealed in time and came late; when it is unpacked does not. Its beginning may be as much early as
    /// the clocks may [differ](Self::within_window).
    #[must_use]
    pub fn open_during(mut self, validity: Validity, version: u32, key: impl Into<OpeningKey>) -> Self {
        self.opening.insert(version, Some(key.into()), validity);
        self
    }

    /// That a version opens nothing any more and its key is gone: a package under it is refused for that, with the
    /// date, and not as one of a version that nobody knows.
    #[must_use]
    pub fn retire(mut self, version: u32, at: Timestamp) -> Self {
        self.opening.insert(version, None, Validity::ending(at));
        self
    }

    /// How long after the end of an opening key packages under it are still taken in; by default seven days, for those
    /// that were sealed before and waited in a queue.
    #[must_use]
    pub fn taking_late(mut self, grace: Duration) -> Self {
        self.opening_grace = grace;
        self
    }

    /// The last day on which `des-md5` with this partner needs no second look, and what becomes of it afterwards.
    /// Unless it is told, the look is due from the first day, and every package warns; see
    /// [`Exchange::warnings`](super::Exchange::warnings).
    #[must_use]
    pub fn reviewing_legacy_by(mut self, day: Date, after: AfterReview) -> Self {
        self.legacy = LegacyReview { by: Some(day), after };
        self
    }

    /// A key that the partner signs its requests and receipts with, beside those with other ids, or in the place of the
    /// one with the same id; several may be valid at once. What it signed outside of its
    /// [validity](VerifyingKey::valid_during), by the time that the signature names, is refused.
    #[must_use]
    pub fn verify_with(mut self, key: VerifyingKey) -> Self {
        self.verifying.retain(|known| known.id() != key.id());
        self.verifying.push(key);
        self
    }

    /// How old a signed request of this partner may be, and how far ahead its clock; by default five minutes. Requests
    /// that wait in a drop folder need as long as they may wait there.
    #[must_use]
    pub fn within_window(mut self, window: Duration) -> Self {
        self.signature_window = window;
        self
    }

    /// Takes packages, notes and questions after them from this partner also without a signature, when `credential`
    /// proves who sends them: for a partner that cannot sign.
    ///
    /// A signature that is there must still be good, and receipts are always signed: they are evidence. So nothing can
    /// be delivered to a partner without a [verifying key](Self::verify_with).
    #[must_use]
    pub fn accept_unsigned(mut self, credential: Credential) -> Self {
        self.unsigned = Some(credential);
        self
    }

    /// Which fields of which records travel to this partner; by default all standard ones, no custom ones. What of the
    /// others has a value of this site's own, its packages do not change.
    #[must_use]
    pub fn selecting(mut self, selection: FieldSelection) -> Self {
        self.selection = selection;
        self
    }

    /// What the partner calls fields, types and statuses that have other names here; by default the same.
    #[must_use]
    pub fn mapping_names(mut self, names: NameMap) -> Self {
        self.names = names;
        self
    }

    /// The rules an export to this partner has to keep.
    #[must_use]
    pub fn with_export_rules(mut self, rules: ExportRules) -> Self {
        self.export_rules = rules;
        self
    }

    /// The rules a package from this partner has to keep.
    #[must_use]
    pub fn with_import_rules(mut self, rules: ImportRules) -> Self {
        self.import_rules = rules;
        self
    }

    /// What settles a field that both sides changed; by default such a package is not unpacked.
    #[must_use]
    pub fn settling_conflicts(mut self, policy: ConflictPolicy) -> Self {
        self.conflicts = policy;
        self
    }

    /// What packages to this partner are compressed with; by default [`Compression::Deflate`], which every partner reads.
    ///
    /// A [trial](super::Exchange::try_partner) shows whether the partner reads another. What the partner itself uses needs no
    /// setting.
    #[must_use]
    pub fn compressing_with(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Unpacks packages of this partner by themselves, acting as `account`, as this site names people.
    ///
    /// It is done after the receipt, on a thread of the exchange; what waits when the exchange is closed is unpacked
    /// when it is opened again, and what waits when these settings are [set](super::Exchange::set_partner), then. A package that cannot be unpacked waits for a user, as without this setting, and
    /// [`Event::UnpackFailed`](super::Event::UnpackFailed) tells of it.
    #[must_use]
    pub fn unpacking_automatically_as(mut self, account: impl Into<String>) -> Self {
        self.unpacks_as = Some(account.into());
        self
    }

    /// Whether nothing is sent to the partner for now; by default it is.
    ///
    /// This pause and that of [`Exchange::pause`](super::Exchange::pause) stand side by side: while either holds, what
    /// is exported is queued. Neither changes the other.
    #[must_use]
    pub fn paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// How often, and over what time, a package that could not be delivered is
    /// [tried again](super::Exchange::send_due); by default [`RetryPolicy::for_packages`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail for each number that a [`RetryPolicy`] may not have.
    pub fn retrying(mut self, policy: RetryPolicy) -> Result<Self> {
        policy.check()?;
        self.retry = policy;
        Ok(self)
    }

    /// Fills a custom field of our claim, by its name without a prefix, when the partner says that it has unpacked a
    /// package of it.
    ///
    /// The value is the time of the unpack in UTC and the disposition: `2026-03-02T14:30:00Z accepted`, or
    /// `accepted with changes` where the partner kept values of its own. Notes that it applied count too; a word that
    /// is older than the one in the field changes nothing.
    ///
    /// The field is this site's own: it is never exchanged with any partner, whatever is selected. The receipt does
    /// not depend on it. Where the case system cannot take it, the history says so, and it is tried again when the
    /// receipt comes again ([`Exchange::poll`](super::Exchange::poll)), when the exchange is opened, and by
    /// [`Exchange::fill_pending_feedback`](super::Exchange::fill_pending_feedback).
    #[must_use]
    pub fn filling_on_unpack(mut self, field: impl Into<String>) -> Self {
        self.feedback_field = Some(field.into());
        self
    }

    /// The partner's site id.
    #[must_use]
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// The name users know the partner by.
    #[must_use]
    pub fn alias(&self) -> &str {
        &self.alias
    }

    pub(super) fn transport(&self) -> Result<&dyn Transport> {
        self.transport.as_deref().ok_or_else(|| self.lacks("transport to send with"))
    }

    /// What proves a request in place of a signature; `None` where one is there or must be.
    pub(super) fn stand_in(&self, is_signed: bool) -> Option<&Credential> {
        self.unsigned.as_ref().filter(|_| !is_signed)
    }

    /// Whether a bearer token stands in for this partner's signature.
    pub(super) fn may_bear_a_token(&self) -> bool {
        self.unsigned.as_ref().is_some_and(Credential::is_token)
    }

    /// What the partner needs to be sent to and received from, and does not have.
    pub(super) fn lacking_key(&self) -> Option<&'static str> {
        if self.verifying.is_empty() && self.unsigned.is_none() {
            Some("a key that verifies what it signs")
        } else if self.transport.is_some() && self.sealing.is_empty() {
            Some("a key to seal what goes to it")
        } else if self.sealing.is_empty() && self.opening.is_empty() {
            Some("a key to open what it sends")
        } else {
            None
        }
    }

    pub(super) fn lacks(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::InvalidSettings,
            format!("partner {} has no {what}; add it to its settings", self.alias),
        )
    }

    /// The suite packages to this partner are sealed with now, where it has a key that is valid.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.sealing.newest_at(Timestamp::now()).map(|(_, key)| key.suite())
    }
}

impl fmt::Debug for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partner")
            .field("site", &self.site)
            .field("alias", &self.alias)
            .field("transport", &self.transport)
            .field("suite", &self.suite())
            .finish_non_exhaustive()
    }
}
