//! Delivery: what is due is posted, in order, and what came of it is kept.

use super::cloud_event;
use super::settings::{Trouble, WebhookSettings};
use super::signature::{ID, SIGNATURE, TIMESTAMP, sign};
use super::spool::{Message, Spool};
use crate::exchange::Event;
use crate::model::{SiteId, Timestamp};
use crate::protocol::{Request, Response};
use crate::retry::{chance, retry_after};
use crate::transport::{Body, HttpsTransport, Reply, Transport as _};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A try that says nothing more of how long it may take, in whole.
const WHOLE_TRY: Duration = Duration::from_secs(30);

/// What the listener, the worker and the handle share.
#[derive(Debug)]
pub(super) struct Courier {
    settings: WebhookSettings,
    transport: HttpsTransport,
    path: String,
    spool: Spool,
    state: Mutex<State>,
    /// Told whenever the state changes in a way somebody may wait for.
    pub(super) changed: Condvar,
    /// One pass at a time.
    delivering: Mutex<()>,
}

#[derive(Debug)]
pub(super) struct State {
    messages: BTreeMap<u64, Message>,
    next: u64,
    /// The receiver asked to be left alone until then.
    paused_until: Option<Timestamp>,
    disabled: bool,
    /// Something came in since the worker last looked.
    pub(super) news: bool,
    pub(super) stopping: bool,
    pub(super) working: bool,
}

/// What a receiver made of a message.
enum Answer {
    Taken,
    Gone(Error),
    Failed { error: Error, wait: Option<Duration> },
}

impl Courier {
    pub(super) fn open(mut settings: WebhookSettings) -> Result<Self> {
        settings.retry.check()?;
        settings.endpoint = settings.endpoint.for_small_bodies(WHOLE_TRY);
        let path = settings.endpoint.path().to_owned();
        let transport = HttpsTransport::new(settings.endpoint.clone())?;
        let (spool, found) = Spool::open(&settings.folder)?;
        for error in found.damaged {
            (settings.trouble)(&Trouble::Spool(error));
        }
        let state = State {
            messages: found.messages,
            next: found.next,
            paused_until: None,
            disabled: found.disabled,
            news: false,
            stopping: false,
            working: false,
        };
        Ok(Self {
            settings,
            transport,
            path,
            spool,
            state: Mutex::new(state),
            changed: Condvar::new(),
            delivering: Mutex::new(()),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A host's callback that panicked did so outside of this lock, and left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an event for delivery; durable when this returns.
    pub(super) fn keep(&self, event: &Event) {
        if let Err(error) = self.queue(event) {
            let error = error.within("an event could not be kept for the webhook");
            self.tell(&Trouble::NotKept(error));
        }
        self.changed.notify_all();
    }

    fn queue(&self, event: &Event) -> Result<()> {
        let id = uuid::Uuid::now_v7().to_string();
        let now = Timestamp::now();
        let body = cloud_event::body(&self.settings.site, &id, now, event)?;
        let partner = event.partner().clone();
        let mut state = self.state();
        if state.messages.len() >= self.settings.capacity {
            return Err(Error::new(
                ErrorKind::Io,
                format!(
                    "{} events wait in {} already: bring the receiver back, or raise the capacity",
                    state.messages.len(),
                    self.settings.folder.display()
                ),
            ));
        }
        let message = Message { id, partner, queued_at: now, tries: 0, due: now, body };
        self.spool.write(state.next, &message)?;
        let number = state.next;
        state.next += 1;
        state.messages.insert(number, message);
        state.news = true;
        Ok(())
    }

    /// One pass over what waits: posts whatever is due, and tells when the next is. `now` moves on with the pass.
    pub(super) fn deliver_due(&self, now: Timestamp) -> Option<Timestamp> {
        let _turn = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        // A partner's events keep their order: behind one that must wait, the partner's others wait too.
        let mut waiting = BTreeSet::new();
        let mut next: Option<Timestamp> = None;
        let mut last = None;
        while let Some((number, message, paused_until)) = self.candidate(last, &waiting) {
            last = Some(number);
            let now = now.later(started.elapsed());
            let partner = message.partner.clone();
            let due = paused_until.map_or(message.due, |until| until.max(message.due));
            let again = if due > now { Some(due) } else { self.attempt(number, message, now) };
            if let Some(again) = again {
                waiting.insert(partner);
                next = Some(next.map_or(again, |next| next.min(again)));
            }
        }
        next
    }

    /// The first message after `last` whose partner is not waiting, unless nothing is posted any more.
    fn candidate(
        &self,
        last: Option<u64>,
        waiting: &BTreeSet<SiteId>,
    ) -> Option<(u64, Message, Option<Timestamp>)> {
        let state = self.state();
        if state.disabled || state.stopping {
            return None;
        }
        let after = last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = state.messages.range((after, Bound::Unbounded));
        let (number, message) = rest.find(|(_, message)| !waiting.contains(&message.partner))?;
        Some((*number, message.clone(), state.paused_until))
    }

    /// Posts one message; tells when to try it again, or `None` when it is done with.
    fn attempt(&self, number: u64, mut message: Message, now: Timestamp) -> Option<Timestamp> {
        let (error, wait) = match self.post(&message, now) {
            Answer::Taken => {
                self.state().messages.remove(&number);
                self.report(self.spool.remove(number));
                return None;
            }
            Answer::Gone(error) => {
                self.state().disabled = true;
                self.report(self.spool.set_disabled(true));
                self.tell(&Trouble::Disabled(error));
                return None;
            }
            Answer::Failed { error, wait } => (error, wait),
        };
        message.tries = message.tries.saturating_add(1);
        let policy = &self.settings.retry;
        let again = policy.next_try(message.tries, message.queued_at, now, wait, chance());
        if let Some(wait) = wait {
            self.state().paused_until = Some(now.later(wait));
        }
        let Some(again) = again else {
            self.give_up(number, message, error);
            return None;
        };
        message.due = again;
        self.report(self.spool.write(number, &message));
        let (id, tries) = (message.id.clone(), message.tries);
        self.state().messages.insert(number, message);
        self.tell(&Trouble::Retrying { message: id, tries, next: again, error });
        Some(again)
    }

    fn give_up(&self, number: u64, message: Message, error: Error) {
        self.state().messages.remove(&number);
        self.report(self.make_room_and_set_aside(number));
        self.tell(&Trouble::GivenUp { message: message.id, error });
    }

    fn make_room_and_set_aside(&self, number: u64) -> Result<()> {
        let failed = self.spool.failed()?;
        let surplus = (failed.len() + 1).saturating_sub(self.settings.capacity);
        for oldest in failed.into_iter().take(surplus) {
            self.spool.remove_failed(oldest)?;
        }
        self.spool.set_aside(number).map(drop)
    }

    fn post(&self, message: &Message, now: Timestamp) -> Answer {
        let sent = self.request(message, now).and_then(|request| {
            let mut body = message.body.as_bytes();
            self.transport.send(&request, Body::new(body.len() as u64, &mut body))
        });
        match sent {
            Ok(Reply::Answered(response)) => judged(&response, now),
            Ok(_) => Answer::Failed {
                error: Error::new(ErrorKind::Internal, "the HTTPS transport answers at once"),
                wait: None,
            },
            Err(error) => Answer::Failed { error, wait: None },
        }
    }

    fn request(&self, message: &Message, now: Timestamp) -> Result<Request> {
        let timestamp = now.unix_seconds().to_string();
        let signature = sign(&self.settings.secrets, &message.id, &timestamp, message.body.as_bytes())?;
        let mut request = Request::new("POST", &self.path)?;
        let headers = request.headers_mut();
        headers.insert("content-type", cloud_event::MEDIA_TYPE)?;
        headers.insert(ID, message.id.as_str())?;
        headers.insert(TIMESTAMP, timestamp)?;
        headers.insert(SIGNATURE, signature)?;
        Ok(request)
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.state().disabled
    }

    pub(super) fn waiting(&self) -> usize {
        self.state().messages.len()
    }

    pub(super) fn enable(&self) -> Result<()> {
        self.spool.set_disabled(false)?;
        let mut state = self.state();
        state.disabled = false;
        state.news = true;
        self.changed.notify_all();
        Ok(())
    }

    /// Queues what was given up anew, as if it had just happened, in its old place of the order.
    pub(super) fn retry_failed(&self, now: Timestamp) -> Result<usize> {
        let _turn = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        for number in self.spool.failed()? {
            let mut message = match self.spool.read_failed(number) {
                Ok(message) => message,
                Err(error) => {
                    self.report(Err(error));
                    continue;
                }
            };
            (message.tries, message.queued_at, message.due) = (0, now, now);
            let mut state = self.state();
            if state.messages.len() >= self.settings.capacity {
                break;
            }
            self.spool.write(number, &message)?;
            self.spool.remove_failed(number)?;
            state.messages.insert(number, message);
            state.news = true;
            count += 1;
        }
        self.changed.notify_all();
        Ok(count)
    }

    fn report(&self, done: Result<()>) {
        if let Err(error) = done {
            self.tell(&Trouble::Spool(
                error.within(format_args!("webhook spool {}", self.settings.folder.display())),
            ));
        }
    }

    fn tell(&self, trouble: &Trouble) {
        (self.settings.trouble)(trouble);
    }
}

fn judged(response: &Response, now: Timestamp) -> Answer {
    let status = response.status();
    let refused = |what: &str| {
        Error::new(ErrorKind::Refused, format!("the webhook's receiver answered {status}: {what}"))
    };
    match status {
        200..=299 => Answer::Taken,
        410 => {
            Answer::Gone(refused("it wants no more messages; enable the webhook again when that has changed"))
        }
        300..=399 => {
            Answer::Failed { error: refused("redirects are not followed; set the new address"), wait: None }
        }
        _ => Answer::Failed {
            error: refused("it did not take the message").retryable(true),
            wait: response.headers().get("retry-after").and_then(|value| retry_after(value, now)),
        },
    }
}
