//! Who is worked for: few threads look at heads, others are kept for partners.
//!
//! To look at a head takes a signature's check and never waits for bytes, so requests queue for it, first come, first
//! served. Once the endpoint says that a request is proven it moves to a slot of its own, where it may wait for its body,
//! and the next head is looked at. So a stranger is never in a slot, and a partner waits at most for the check of every
//! head that came before. How the slots are shared between partners is in `shares`.

use super::ReceiverSettings;
use super::connections::{Place, Stage, closed};
use super::shares::{Share, Shares, busy};
use crate::Result;
use crate::model::SiteId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many heads are looked at at once. It is work for the processor, so more threads would not make it faster.
const EXAMINERS: usize = 8;

/// The threads that requests take, as far as the settings go.
pub(super) struct Slots {
    waiting: Arc<Semaphore>,
    examiners: Arc<Semaphore>,
    partners: Arc<Shares>,
}

/// What one request holds while it is handled.
pub(super) struct Held {
    partners: Arc<Shares>,
    place: Option<Weak<Place>>,
    slot: Mutex<Option<Slot>>,
}

struct Slot {
    at: Work,
    _waiting: OwnedSemaphorePermit,
}

/// Which thread a request takes: it gives the other back.
enum Work {
    Examined { _by: OwnedSemaphorePermit },
    Proven { _as: Share },
}

impl Work {
    fn is_proven(&self) -> bool {
        matches!(self, Self::Proven { .. })
    }
}

impl Slots {
    pub(super) fn new(settings: &ReceiverSettings) -> Self {
        let of = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            waiting: of(settings.max_connections),
            examiners: of(EXAMINERS),
            partners: Shares::new(settings),
        }
    }

    /// How many threads can be at work at once.
    pub(super) fn threads(settings: &ReceiverSettings) -> usize {
        settings.max_requests.saturating_add(EXAMINERS)
    }

    /// Waits until the head of a request can be looked at.
    ///
    /// # Errors
    /// [`Unreachable`](crate::ErrorKind::Unreachable) when more wait already than there may be connections.
    pub(super) async fn examine(&self, place: Option<Weak<Place>>) -> Result<Held> {
        let waiting = self.waiting.clone().try_acquire_owned().map_err(|_| busy())?;
        // The semaphore is never closed, so this fails never.
        let examiner = self.examiners.clone().acquire_owned().await.map_err(|_| busy())?;
        let slot = Slot { at: Work::Examined { _by: examiner }, _waiting: waiting };
        Ok(Held { partners: self.partners.clone(), place, slot: Mutex::new(Some(slot)) })
    }
}

impl Held {
    /// Moves the request, which is proven to be this partner's, to a slot of its own; again changes nothing.
    ///
    /// # Errors
    /// [`Unreachable`](crate::ErrorKind::Unreachable) when no slot is left for the partner, or the connection was closed.
    pub(super) fn proven(&self, partner: Option<&SiteId>) -> Result<()> {
        let mut slot = self.slot();
        let Some(slot) = slot.as_mut().filter(|slot| !slot.at.is_proven()) else { return Ok(()) };
        let share = self.partners.take(partner)?;
        if let Some(place) = &self.place {
            place.upgrade().ok_or_else(closed)?.comes_to(Stage::Proven)?;
        }
        slot.at = Work::Proven { _as: share };
        Ok(())
    }

    /// Gives everything back: the answer is there.
    pub(super) fn end(&self) {
        let slot = self.slot().take();
        let place = self.place.as_ref().and_then(Weak::upgrade);
        if let (Some(place), true) = (place, slot.is_some_and(|slot| slot.at.is_proven())) {
            // A connection that was closed needs no note.
            let _ = place.comes_to(Stage::Answered);
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Slot>> {
        // What is under this lock is whole at every step.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
