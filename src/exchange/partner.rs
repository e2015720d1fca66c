//! A partner: another site as this one knows it, with its keys, its transport and its rules.

use crate::codec::{OpeningKey, SealingKey, Suite};
use crate::merge::ConflictPolicy;
use crate::model::SiteId;
use crate::protocol::{Credential, DEFAULT_WINDOW, Request, VerifyingKey, is_signed};
use crate::retry::RetryPolicy;
use crate::rules::{ExportRules, FieldSelection, ImportRules, NameMap};
use crate::transport::Transport;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    pub(super) sealing: Option<(u32, SealingKey)>,
    pub(super) opening: BTreeMap<u32, OpeningKey>,
    pub(super) verifying: Vec<VerifyingKey>,
    pub(super) signature_window: Duration,
    pub(super) selection: FieldSelection,
    pub(super) names: NameMap,
    pub(super) export_rules: ExportRules,
    pub(super) import_rules: ImportRules,
    pub(super) conflicts: ConflictPolicy,
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
            sealing: None,
            opening: BTreeMap::new(),
            verifying: Vec::new(),
            signature_window: DEFAULT_WINDOW,
            selection: FieldSelection::default(),
            names: NameMap::default(),
            export_rules: ExportRules::default(),
            import_rules: ImportRules::default(),
            conflicts: ConflictPolicy::Stop,
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

    /// The key, and its version, that packages to this partner are sealed with.
    #[must_use]
    pub fn seal_with(mut self, version: u32, key: impl Into<SealingKey>) -> Self {
        self.sealing = Some((version, key.into()));
        self
    }

    /// A key, and its version, that packages from this partner are opened with; several versions may be valid at
    /// once.
    #[must_use]
    pub fn open_with(mut self, version: u32, key: impl Into<OpeningKey>) -> Self {
        self.opening.insert(version, key.into());
        self
    }

    /// A key that the partner signs its requests and receipts with; several may be valid at once.
    #[must_use]
    pub fn verify_with(mut self, key: VerifyingKey) -> Self {
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

    /// Which fields of which records travel to this partner; by default all standard ones, no custom ones.
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
    #[must_use]
    pub fn retrying(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
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

    pub(super) fn sealing(&self) -> Result<(u32, &SealingKey)> {
        self.sealing
            .as_ref()
            .map(|(version, key)| (*version, key))
            .ok_or_else(|| self.lacks("key to seal with"))
    }

    /// What proves this request in place of a signature; `None` where one is there or must be.
    pub(super) fn stand_in(&self, request: &Request) -> Option<&Credential> {
        self.unsigned.as_ref().filter(|_| !is_signed(request.headers()))
    }

    /// Whether a bearer token stands in for this partner's signature.
    pub(super) fn may_bear_a_token(&self) -> bool {
        self.unsigned.as_ref().is_some_and(Credential::is_token)
    }

    /// What the partner needs to be sent to and received from, and does not have.
    pub(super) fn lacking_key(&self) -> Option<&'static str> {
        if self.verifying.is_empty() && self.unsigned.is_none() {
            Some("a key that verifies what it signs")
        } else if self.transport.is_some() && self.sealing.is_none() {
            Some("a key to seal what goes to it")
        } else if self.sealing.is_none() && self.opening.is_empty() {
            Some("a key to open what it sends")
        } else {
            None
        }
    }

    /// The partner's verifying key with this id.
    pub(super) fn verifying_key(&self, id: &str) -> Result<VerifyingKey> {
        self.verifying.iter().find(|key| key.id() == id).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownSender,
                format!(
                    "{} signed with key `{}`, which is not known here; exchange the new key",
                    self.alias,
                    id.escape_debug()
                ),
            )
        })
    }

    /// The key of this version; the suite must be the agreed one, or an attacker could talk us down to a weak one.
    pub(super) fn opening(&self, version: u32, suite: &str) -> Result<&OpeningKey> {
        let key = self.opening.get(&version).ok_or_else(|| {
            let known: Vec<String> = self.opening.keys().map(u32::to_string).collect();
            Error::new(
                ErrorKind::UnknownKeyVersion,
                format!(
                    "{} sealed the package with key version {version}; known here: {}. The key was rotated on one \
                     side only: exchange the new key, then unpack again",
                    self.alias,
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                ),
            )
        })?;
        if key.suite().name() != suite {
            return Err(Error::new(
                ErrorKind::UnsupportedSuite,
                format!(
                    "{} sealed with suite {suite}; agreed for key version {version} is {}",
                    self.alias,
                    key.suite().name()
                ),
            ));
        }
        Ok(key)
    }

    pub(super) fn lacks(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::InvalidSettings,
            format!("partner {} has no {what}; add it to its settings", self.alias),
        )
    }

    /// The suite packages to this partner are sealed with, where it has a key.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.sealing.as_ref().map(|(_, key)| key.suite())
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
