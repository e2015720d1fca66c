//! Automatic unpack: a thread of the exchange's own, so that it neither delays a receipt nor endangers it.
//!
//! The thread is started by the first package that needs it. It owns no handle that keeps the exchange open: when the
//! last handle of the host goes, the thread finishes the package in hand and is joined. What still waits then stands
//! in the ledger, and is unpacked when the exchange is opened again.

use super::Exchange;
use super::event::Event;
use crate::ledger::{Incoming, IncomingState, PackageQuery, incoming_pages};
use crate::model::{PackageId, PackageKind};
use crate::{ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, current};

/// The thread, once there is one, and the line of what it has to do.
#[derive(Default)]
pub(super) struct Unpacker {
    line: Mutex<Option<(Sender<Work>, JoinHandle<()>)>>,
    closing: Arc<AtomicBool>,
}

enum Work {
    /// This package.
    Package(PackageId),
    /// Whatever waits in the inbox.
    Waiting,
}

impl Unpacker {
    /// Hands work to the thread; starts it where it is not there.
    fn hand(&self, exchange: &Exchange, work: Work) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.is_none() {
            let (sender, receiver) = channel();
            let (exchange, closing) = (Exchange(exchange.0.clone(), None), self.closing.clone());
            let thread = std::thread::Builder::new()
                .name("claimwire-unpack".into())
                .spawn(move || exchange.unpack_one_after_the_other(&receiver, &closing));
            // Where the system gives no thread, the package waits in the inbox, as every package does.
            *line = thread.ok().map(|thread| (sender, thread));
        }
        if let Some((sender, _)) = &*line {
            // Only a thread that died has no receiver; then too the package waits in the inbox.
            let _ = sender.send(work);
        }
    }
}

impl Drop for Unpacker {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        let line = self.line.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let Some((sender, thread)) = line else { return };
        drop(sender);
        // A listener may have held the last handle; a thread cannot wait for itself.
        if thread.thread().id() != current().id() {
            let _ = thread.join();
        }
    }
}

impl Exchange {
    /// Unpacks a received package on the exchange's thread.
    pub(super) fn unpack_soon(&self, package: PackageId) {
        self.hand(Work::Package(package));
    }

    /// Unpacks what was received and not unpacked, on the exchange's thread.
    pub(super) fn unpack_what_waits(&self) {
        self.hand(Work::Waiting);
    }

    fn hand(&self, work: Work) {
        if let Some(unpacker) = &self.1 {
            unpacker.hand(self, work);
        }
    }

    fn unpack_one_after_the_other(&self, line: &Receiver<Work>, closing: &AtomicBool) {
        for work in line {
            let packages = match work {
                Work::Package(package) => vec![package],
                // A ledger that cannot be read now is read when the exchange is opened again.
                Work::Waiting => self
                    .waiting(PackageKind::Claim)
                    .map(|waiting| waiting.into_iter().map(|incoming| incoming.id).collect())
                    .unwrap_or_default(),
            };
            for package in packages {
                if closing.load(Ordering::SeqCst) {
                    return;
                }
                // A host's callback that panics must not stop the packages behind this one.
                let _ = catch_unwind(AssertUnwindSafe(|| self.unpack_by_itself(package)));
            }
        }
    }

    fn unpack_by_itself(&self, package: PackageId) -> Result<()> {
        let incoming = self.incoming(package)?;
        let account = self.partner(&incoming.from)?.unpacks_as.clone();
        let settled = matches!(incoming.state, IncomingState::Unpacked | IncomingState::Rejected);
        let (Some(account), false) = (account, settled) else {
            return Ok(());
        };
        let from = incoming.from;
        match self.unpack(package, &account, &()) {
            Ok(unpacked) => {
                self.tell(&Event::AutomaticallyUnpacked { package, from, claim: unpacked.claim });
            }
            Err(error) => self.tell(&Event::UnpackFailed { package, from, reason: error.to_string() }),
        }
        Ok(())
    }

    /// Incoming packages of a kind that nobody has dealt with, or that failed for a reason that passes.
    pub(super) fn waiting(&self, kind: PackageKind) -> Result<Vec<Incoming>> {
        let passes = |incoming: &Incoming| {
            let kind = incoming.last_error.as_ref().and_then(|fault| ErrorKind::from_name(&fault.kind));
            incoming.state == IncomingState::Received || kind.is_some_and(ErrorKind::is_retryable)
        };
        let states = [IncomingState::Received, IncomingState::Failed];
        let mut waiting = Vec::new();
        for page in incoming_pages(&self.0.ledger, PackageQuery::new().kind(kind).incoming_in(states)) {
            waiting.extend(page?.into_iter().filter(passes));
        }
        Ok(waiting)
    }
}
