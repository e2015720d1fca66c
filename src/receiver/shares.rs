//! What each partner holds of the slots: one that holds many leaves room for the others.
//!
//! A partner takes another slot only while it holds fewer than are free. So whoever is alone takes half of them, the next
//! one half of what is left, and one that holds none finds one, unless many partners take all they can at once. Nobody
//! waits here: a request without a slot is told to come back, and costs nothing meanwhile.

use super::ReceiverSettings;
use crate::model::SiteId;
use crate::{Error, ErrorKind, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The slots of proven requests.
pub(super) struct Shares {
    /// The most of one partner, where the settings say so.
    most: Option<usize>,
    taken: Mutex<Taken>,
}

struct Taken {
    free: usize,
    /// Those that hold any.
    by: HashMap<SiteId, usize>,
}

/// A slot that is held; dropping it makes it free.
pub(super) struct Share {
    of: Arc<Shares>,
    partner: Option<SiteId>,
}

impl Shares {
    pub(super) fn new(settings: &ReceiverSettings) -> Arc<Self> {
        let taken = Taken { free: settings.max_requests, by: HashMap::new() };
        Arc::new(Self { most: settings.max_requests_per_partner, taken: Mutex::new(taken) })
    }

    /// A slot for a request of this partner; where the endpoint does not say whose it is, any that is free.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when none is free, or the partner holds its share.
    pub(super) fn take(self: &Arc<Self>, partner: Option<&SiteId>) -> Result<Share> {
        let mut taken = self.taken();
        if taken.free == 0 {
            return Err(busy());
        }
        if let Some(partner) = partner {
            let held = taken.by.get(partner).copied().unwrap_or_default();
            let most = self.most.unwrap_or(usize::MAX).max(1);
            if held >= taken.free.min(most) {
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!(
                        "this site handles {held} requests of {partner} now, which is its share; send again later"
                    ),
                ));
            }
            taken.by.insert(partner.clone(), held + 1);
        }
        taken.free -= 1;
        Ok(Share { of: self.clone(), partner: partner.cloned() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // What is under this lock is whole at every step.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.of.taken();
        taken.free += 1;
        let Some(partner) = &self.partner else { return };
        if let Some(held) = taken.by.get_mut(partner) {
            *held -= 1;
            if *held == 0 {
                taken.by.remove(partner);
            }
        }
    }
}

/// That no thread is left for a request.
pub(super) fn busy() -> Error {
    Error::new(ErrorKind::Unreachable, "this site handles as many requests as it can; send again later")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(slots: usize, most: Option<usize>) -> Arc<Shares> {
        let settings = ReceiverSettings {
            max_requests: slots,
            max_requests_per_partner: most,
            ..ReceiverSettings::default()
        };
        Shares::new(&settings)
    }

    /// All that a partner can take.
    fn greedy(shares: &Arc<Shares>, name: &str) -> Vec<Share> {
        let site = SiteId::new(name).unwrap();
        std::iter::from_fn(|| shares.take(Some(&site)).ok()).collect()
    }

    fn held(slots: usize, most: Option<usize>) -> usize {
        greedy(&shares(slots, most), "A").len()
    }

    #[test]
    fn a_partner_alone_takes_half_and_at_least_one() {
        assert_eq!([32, 5, 3, 2, 1, 0].map(|slots| held(slots, None)), [16, 3, 2, 1, 1, 0]);
    }

    #[test]
    fn a_bound_makes_it_less_and_never_more_nor_none() {
        assert_eq!([40, 16, 4, 1, 0].map(|most| held(32, Some(most))), [16, 16, 4, 1, 1]);
    }

    #[test]
    fn each_greedy_partner_leaves_half_of_what_it_finds() {
        let all = shares(32, None);
        let taken: Vec<Vec<Share>> = ["A", "B", "C", "D", "E"].map(|name| greedy(&all, name)).into();
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [16, 8, 4, 2, 1]);
        assert_eq!(greedy(&all, "F").len(), 1);
    }

    #[test]
    fn as_many_partners_as_there_are_slots_have_one_each() {
        let all = shares(32, None);
        let names: Vec<String> = (0..33).map(|number| format!("S{number}")).collect();
        let one = |name: &String| all.take(Some(&SiteId::new(name).unwrap()));
        let taken: Vec<Share> = names[..32].iter().map(|name| one(name).unwrap()).collect();
        let none = one(&names[32]).err().unwrap();
        assert_eq!(none.kind(), ErrorKind::Unreachable);
        assert!(none.to_string().contains("as many requests as it can"), "{none}");
        drop(taken);
        assert!(all.taken().by.is_empty() && all.taken().free == 32);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_the_refusal_names_the_partner() {
        let all = shares(4, None);
        let mut taken = greedy(&all, "A");
        let site = SiteId::new("A").unwrap();
        let refused = all.take(Some(&site)).err().unwrap();
        assert!(refused.is_retryable() && refused.to_string().contains("2 requests of A"), "{refused}");
        taken.pop();
        assert!(all.take(Some(&site)).is_ok());
    }

    #[test]
    fn a_request_whose_partner_is_not_told_counts_for_nobody() {
        let all = shares(4, None);
        let unnamed: Vec<Share> = std::iter::from_fn(|| all.take(None).ok()).collect();
        assert_eq!(unnamed.len(), 4);
        drop(unnamed);
        assert_eq!(greedy(&all, "A").len(), 2);
    }
}
