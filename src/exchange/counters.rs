//! What an exchange counts since it was opened: steps of packages, requests and refusals, bytes.
//!
//! Steps are counted as the ledger takes them, so that they say what the history says. Every name counted under is one
//! of this crate's own, of which there are few; nothing that a partner chose becomes one.

use crate::ErrorKind;
use crate::ledger::{Change, Direction, Fault, Outgoing, Step};
use crate::model::{PackageKind, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The steps that packages of either direction make, and are counted from zero on.
const STEPS: [(Direction, &[Step]); 2] = [
    (
        Direction::Outgoing,
        &[Step::Exported, Step::Sent, Step::Delivered, Step::Unpacked, Step::Rejected, Step::Failed],
    ),
    (
        Direction::Incoming,
        &[Step::Received, Step::Unpacked, Step::Superseded, Step::Rejected, Step::Failed, Step::Acknowledged],
    ),
];

/// Counts from many threads.
#[derive(Debug)]
pub(super) struct Counters(Mutex<Counted>);

/// What was counted so far.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) since: Timestamp,
    pub(super) steps: BTreeMap<(Direction, Step, &'static str), u64>,
    pub(super) failures: BTreeMap<(Direction, &'static str), u64>,
    pub(super) bytes: BTreeMap<Direction, u64>,
    pub(super) requests: u64,
    pub(super) refused: BTreeMap<&'static str, u64>,
}

impl Counters {
    pub(super) fn new() -> Self {
        let kinds = [PackageKind::Claim, PackageKind::Notes].map(PackageKind::name);
        let steps = STEPS.iter().flat_map(|(direction, steps)| {
            steps.iter().flat_map(move |step| kinds.map(|kind| ((*direction, *step, kind), 0)))
        });
        Self(Mutex::new(Counted {
            since: Timestamp::now(),
            steps: steps.collect(),
            failures: BTreeMap::new(),
            bytes: Direction::ALL.iter().map(|direction| (*direction, 0)).collect(),
            requests: 0,
            refused: BTreeMap::new(),
        }))
    }

    pub(super) fn now(&self) -> Counted {
        self.counted().clone()
    }

    /// A request was answered, with this fault where it was refused.
    pub(super) fn answered(&self, refused: Option<ErrorKind>) {
        let mut counted = self.counted();
        counted.requests += 1;
        if let Some(kind) = refused {
            *counted.refused.entry(kind.name()).or_default() += 1;
        }
    }

    /// The ledger has taken these changes.
    pub(super) fn committed(&self, changes: &[Change]) {
        let mut counted = self.counted();
        for change in changes {
            match change {
                Change::AddIncoming(incoming) => counted.add_bytes(Direction::Incoming, incoming.size),
                Change::Append(entry) => {
                    let key = (entry.direction, entry.step, entry.kind.name());
                    *counted.steps.entry(key).or_default() += 1;
                    if let Some(fault) = &entry.error {
                        *counted.failures.entry((entry.direction, name_of(fault))).or_default() += 1;
                    }
                    let delivered = (entry.direction, entry.step) == (Direction::Outgoing, Step::Delivered);
                    let size_of = |change: &Change| match change {
                        Change::SetOutgoing { package: Outgoing { package, size, .. }, .. } => {
                            (package.id == entry.package).then_some(*size)
                        }
                        _ => None,
                    };
                    if let Some(size) = changes.iter().find_map(size_of).filter(|_| delivered) {
                        counted.add_bytes(Direction::Outgoing, size);
                    }
                }
                _ => {}
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        // Numbers are whole at every step, so a thread that died with the lock left good ones.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn add_bytes(&mut self, direction: Direction, size: u64) {
        *self.bytes.entry(direction).or_default() += size;
    }
}

/// The fault's name where it is one of ours; a host's ledger may hold others.
fn name_of(fault: &Fault) -> &'static str {
    ErrorKind::from_name(&fault.kind).map_or("other", ErrorKind::name)
}
