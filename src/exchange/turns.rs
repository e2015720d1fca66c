//! Turns: whoever changes a claim, or a package that came in, by what it reads of it, waits for whoever does so already,
//! and lets all other claims and packages go on.
//!
//! The case system is at work within a turn, so a slow one holds up its own claim alone. What needs both turns takes the
//! package's first, and nobody takes a second one of a kind but in the order of the ids: so none waits for itself.

use super::Exchange;
use crate::model::{ExchangeId, PackageId};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What a turn is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A package that came in: its state.
    Package(PackageId),
    /// What is common with partners about a claim, and the claim in the case system.
    Claim(ExchangeId),
}

/// The turns that are taken.
#[derive(Default)]
pub(super) struct Turns {
    taken: Mutex<BTreeSet<Subject>>,
    one_ended: Condvar,
}

/// A turn, until it is dropped.
#[must_use]
pub(super) struct Turn<'a>(&'a Turns, Subject);

impl Turns {
    /// Waits until nobody has this turn.
    fn take(&self, subject: Subject) -> Turn<'_> {
        let taken = self.one_ended.wait_while(self.taken(), |taken| taken.contains(&subject));
        taken.unwrap_or_else(PoisonError::into_inner).insert(subject.clone());
        Turn(self, subject)
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<Subject>> {
        // A set is whole at every step. A thread that died in its turn gave it back, and left nothing half done: the
        // ledger commits whole or not at all.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.taken().remove(&self.1);
        self.0.one_ended.notify_all();
    }
}

impl Exchange {
    /// The turn to change what is common with partners about a claim.
    pub(super) fn turn_of_claim(&self, claim: &ExchangeId) -> Turn<'_> {
        self.0.turns.take(Subject::Claim(claim.clone()))
    }

    /// The turn to change a package that came in.
    pub(super) fn turn_of_package(&self, package: PackageId) -> Turn<'_> {
        self.0.turns.take(Subject::Package(package))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread::scope;

    fn claim(name: &str) -> Subject {
        Subject::Claim(name.parse().unwrap())
    }

    #[test]
    fn a_turn_holds_up_its_own_subject_alone() {
        let turns = Turns::default();
        let first = turns.take(claim("A/1"));
        drop(turns.take(claim("A/2")));
        drop(turns.take(Subject::Package(PackageId::generate())));
        let (tell, told) = channel();
        scope(|scope| {
            let turns = &turns;
            scope.spawn(move || {
                let _second = turns.take(claim("A/1"));
                tell.send(()).unwrap();
            });
            assert!(told.try_recv().is_err());
            drop(first);
            told.recv().unwrap();
        });
        assert!(turns.taken().is_empty());
    }

    #[test]
    fn a_thread_that_dies_gives_its_turn_back() {
        let turns = Turns::default();
        let died = scope(|scope| {
            let dies = scope.spawn(|| {
                let _turn = turns.take(claim("A/1"));
                panic!("on purpose");
            });
            dies.join().is_err()
        });
        assert!(died);
        drop(turns.take(claim("A/1")));
    }
}
