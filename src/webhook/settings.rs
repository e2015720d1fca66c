//! What a webhook is opened with, and what it tells of its troubles.

use super::{RetryPolicy, WebhookSecret};
use crate::Error;
use crate::model::{SiteId, Timestamp};
use crate::transport::HttpsSettings;
use std::fmt;
use std::path::PathBuf;

/// Something a person should know about a webhook's delivery.
#[derive(Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// An event could not be kept for delivery, and its receiver will not be told of it: the spool is full, or the
    /// disk refused. The exchange's history has the event.
    NotKept(Error),
    /// A try failed; another follows.
    Retrying {
        /// The message's id.
        message: String,
        /// The tries so far.
        tries: u32,
        /// When the next one comes.
        next: Timestamp,
        /// Why this one failed.
        error: Error,
    },
    /// The last try failed. The message lies in the spool's folder `failed`;
    /// [`Webhook::retry_failed`](super::Webhook::retry_failed) tries it again.
    GivenUp {
        /// The message's id.
        message: String,
        /// Why the last try failed.
        error: Error,
    },
    /// The receiver answered 410 Gone: nothing is posted until [`Webhook::enable`](super::Webhook::enable).
    Disabled(Error),
    /// The spool's folder could not be read or written; a message may be delivered again after a restart.
    Spool(Error),
}

type Listener = dyn Fn(&Trouble) + Send + Sync;

/// What [`Webhook::open`](super::Webhook::open) needs to know.
///
/// ```no_run
/// use claimwire::model::SiteId;
/// use claimwire::transport::HttpsSettings;
/// use claimwire::webhook::{WebhookSecret, WebhookSettings};
///
/// let endpoint = HttpsSettings::new("https://host.example.com/hooks/claimwire")?
///     .root_certificates(std::fs::read("host-ca.pem")?);
/// let secret = WebhookSecret::from_text(&std::fs::read_to_string("webhook-secret")?)?;
/// let settings = WebhookSettings::new(SiteId::new("ON-INS")?, endpoint, "/var/lib/claimwire/webhook", secret)
///     .on_trouble(|trouble| eprintln!("{trouble:?}"));
/// # Ok::<(), claimwire::Error>(())
/// ```
pub struct WebhookSettings {
    pub(super) site: SiteId,
    pub(super) endpoint: HttpsSettings,
    pub(super) folder: PathBuf,
    pub(super) secrets: Vec<WebhookSecret>,
    pub(super) retry: RetryPolicy,
    pub(super) capacity: usize,
    pub(super) trouble: Box<Listener>,
}

impl WebhookSettings {
    /// The events of `site` go to `endpoint`, signed with `secret`, and wait in `folder` until they are delivered.
    ///
    /// The endpoint is an `https` address, or an `http` one of this machine, as [`HttpsSettings::new`] has it; its
    /// root certificates, client certificate, token, proxy and timeouts hold here too. A try takes at most 30 s unless
    /// [`Timeouts::whole_call`](crate::transport::Timeouts::whole_call) says otherwise. The folder is made, for this
    /// user alone, when it is not there; it must be the webhook's own.
    #[must_use]
    pub fn new(
        site: SiteId,
        endpoint: HttpsSettings,
        folder: impl Into<PathBuf>,
        secret: WebhookSecret,
    ) -> Self {
        Self {
            site,
            endpoint,
            folder: folder.into(),
            secrets: vec![secret],
            retry: RetryPolicy::default(),
            capacity: 10_000,
            trouble: Box::new(|_| {}),
        }
    }

    /// Signs with this secret as well, so that a receiver that knows only one of them takes the message: the old
    /// one, while a new one is introduced.
    #[must_use]
    pub fn with_other_secret(mut self, secret: WebhookSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// How often a message that was not taken is tried again.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The most events that wait for delivery, and the most that are kept after they were given up; by default
    /// 10,000. When as many wait, further ones are not kept, and [`Trouble::NotKept`] says so; of those given up, the
    /// oldest make room.
    #[must_use]
    pub fn with_capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Calls `listener` whenever a delivery has a trouble, on the thread that met it. It must not call
    /// [`Webhook::deliver_due`](super::Webhook::deliver_due) or
    /// [`Webhook::retry_failed`](super::Webhook::retry_failed), which would wait for itself.
    #[must_use]
    pub fn on_trouble(mut self, listener: impl Fn(&Trouble) + Send + Sync + 'static) -> Self {
        self.trouble = Box::new(listener);
        self
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings")
            .field("site", &self.site)
            .field("endpoint", &self.endpoint)
            .field("folder", &self.folder)
            .field("secrets", &self.secrets.len())
            .field("retry", &self.retry)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
