//! Events posted to the host over HTTP, for hosts that prefer that to a callback.
//!
//! Every [`Event`] becomes one message: a CloudEvents 1.0 body in JSON that names ids and holds no claim data, signed
//! and posted as [Standard Webhooks](https://www.standardwebhooks.com) 1.0.0 has it. `docs/events.md` shows the
//! bodies, and how a receiver checks them; a receiver in Rust calls [`verify`].
//!
//! - **Durable.** A message is synced to the spool folder before the listener returns, and removed after the receiver
//!   took it. A crash right between a step and its event loses the message; the exchange's history has the event.
//! - **At least once**, always under the same `webhook-id`. Receivers pass over ids they know.
//! - **In order for each partner site.** Behind a message that waits for its next try, later ones about the same
//!   partner wait too; those about other partners do not.
//! - **Bounded.** A number of tries, an age, a number of waiting messages; whatever is given up is kept aside and
//!   told ([`Trouble`]).
//!
//! | the receiver answers | then |
//! |---|---|
//! | 2xx, and at most 1 MiB more | the message is delivered |
//! | 410 | nothing more is posted until [`Webhook::enable`]; messages wait in the spool |
//! | another status with `Retry-After` | nothing is posted before that, seven days at most |
//! | another status, a redirect among them, or not at all | the message is tried again, see [`RetryPolicy`] |
//!
//! ```no_run
//! # fn main() -> claimwire::Result<()> {
//! use claimwire::webhook::Webhook;
//! use std::time::Duration;
//! # let webhook_settings: claimwire::webhook::WebhookSettings = unreachable!();
//! # let exchange_settings: claimwire::exchange::ExchangeSettings = unreachable!();
//!
//! let webhook = Webhook::open(webhook_settings)?;
//! webhook.start()?;
//! let exchange = claimwire::exchange::Exchange::open(exchange_settings.on_event(webhook.listener()))?;
//! // …
//! webhook.stop(Duration::from_secs(10));
//! # Ok(()) }
//! ```

mod cloud_event;
mod delivery;
mod secret;
mod settings;
mod signature;
mod spool;
mod worker;

pub use crate::retry::RetryPolicy;
pub use secret::WebhookSecret;
pub use settings::{Trouble, WebhookSettings};
pub use signature::verify;

use crate::exchange::Event;
use crate::model::Timestamp;
use crate::{Error, ErrorKind, Result};
use delivery::Courier;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Tells one HTTP endpoint of a site's events.
///
/// Dropping it tells the worker to end and does not wait for it; what was not delivered stays in the spool. The spool
/// folder is free for another webhook once this, its listeners and its worker are gone.
#[derive(Debug)]
pub struct Webhook {
    courier: Arc<Courier>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl Webhook {
    /// Opens the spool with what waits in it from before. Nothing is posted yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] for an endpoint or a retry policy that cannot be used; [`ErrorKind::WrongState`]
    /// when another webhook has the folder; [`ErrorKind::Io`].
    pub fn open(settings: WebhookSettings) -> Result<Self> {
        Ok(Self { courier: Arc::new(Courier::open(settings)?), worker: Mutex::new(None) })
    }

    /// The listener for [`ExchangeSettings::on_event`](crate::exchange::ExchangeSettings::on_event). It writes a small
    /// file and returns; it does not wait for the receiver.
    pub fn listener(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let courier = self.courier.clone();
        move |event| courier.keep(event)
    }

    /// Starts the worker, a thread that delivers until [`stop`](Self::stop). A host that has its own scheduler calls
    /// [`deliver_due`](Self::deliver_due) instead.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] when it was started or stopped before; [`ErrorKind::Io`] when the system gives no
    /// thread.
    pub fn start(&self) -> Result<()> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.is_some() || self.courier.state().stopping {
            return Err(Error::new(ErrorKind::WrongState, "a webhook's worker is started once"));
        }
        let courier = self.courier.clone();
        self.courier.state().working = true;
        let started = std::thread::Builder::new()
            .name("claimwire-webhook".into())
            .spawn(move || worker::work(&courier));
        match started {
            Ok(handle) => *worker = Some(handle),
            Err(error) => {
                self.courier.state().working = false;
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Posts all that is due at `now`, and returns when to call this next: `None` when nothing waits, or nothing may
    /// be posted. New events are due at once.
    ///
    /// Blocks while it posts. `now` is the present moment; time that passes during the call is added to it.
    pub fn deliver_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.courier.deliver_due(now)
    }

    /// How many messages wait for delivery.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.courier.waiting()
    }

    /// Whether the receiver answered 410 Gone and was not enabled since; restarts do not change it.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.courier.is_disabled()
    }

    /// Posts again to a receiver that had answered 410 Gone, beginning with what waited meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn enable(&self) -> Result<()> {
        self.courier.enable()
    }

    /// Queues the messages that were given up once more, as many as there is room for, with all their tries; returns
    /// how many. Call it when the receiver has been repaired.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]. A file that holds no message is passed over and told as [`Trouble::Spool`].
    pub fn retry_failed(&self) -> Result<usize> {
        self.courier.retry_failed(Timestamp::now())
    }

    /// Ends delivery: a try under way is finished, no other is begun, and what was not delivered stays in the spool.
    /// Returns whether the worker ended `within` that time; it ends by itself later otherwise.
    ///
    /// Events that come after this are still kept, for the next webhook that opens the folder.
    pub fn stop(&self, within: Duration) -> bool {
        self.tell_to_stop();
        if !worker::wait_for_end(&self.courier, within) {
            return false;
        }
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic of a host's callback was told by the worker's own thread.
        worker.map(JoinHandle::join);
        true
    }

    fn tell_to_stop(&self) {
        self.courier.state().stopping = true;
        self.courier.changed.notify_all();
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}
