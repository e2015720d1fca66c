//! The nonces of signed requests that were taken: each signature admits one request.
//!
//! Only what a partner has signed is remembered, and only after its signature was verified, so that strangers fill
//! nothing. A nonce is forgotten when its signature is too old to be taken anyway. Where more come in than there is
//! room for, the oldest are forgotten earlier, and whatever was signed no later than one that is forgotten counts as
//! seen: then the window narrows, for the partner with the most, and no signature is ever taken twice.

use super::{Digest, VerifiedRequest};
use crate::model::{SiteId, Timestamp};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The most nonces of one partner: in the usual window of five minutes, 54 requests a second. Some 1 MiB.
const MOST_OF_ONE: usize = 16 * 1024;

/// The most nonces of all partners together.
const MOST_IN_ALL: usize = 8 * MOST_OF_ONE;

/// What is kept of a key id and a nonce: both are a partner's texts, of any length.
type Mark = [u8; 16];

/// The nonces of every partner's requests, within their windows.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<BTreeMap<SiteId, Seen>>);

/// What one partner has sent.
#[derive(Debug, Default)]
struct Seen {
    marks: HashSet<Mark>,
    /// The same, in the order of their signing.
    by_age: BTreeSet<(i64, Mark)>,
    /// The latest signing time of what is forgotten; what is not later may be among it.
    forgotten_to: Option<i64>,
}

impl Nonces {
    /// Takes note of a request whose signature by this partner was verified within its window.
    ///
    /// # Errors
    /// [`ErrorKind::Replayed`] when it was taken before.
    pub(crate) fn take(
        &self,
        partner: &SiteId,
        proof: &VerifiedRequest,
        now: Timestamp,
        window: Duration,
    ) -> Result<()> {
        // A map is whole at every step, so a thread that died with the lock left a good one.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = all.entry(partner.clone()).or_default();
        let oldest = now.unix_seconds().saturating_sub_unsigned(window.as_secs());
        seen.forget_before(oldest);
        let newest = now.unix_seconds().saturating_add_unsigned(window.as_secs());
        if !seen.admits(mark_of(proof), proof.created.unix_seconds(), newest) {
            return Err(Error::new(
                ErrorKind::Replayed,
                "this signed request was taken before, or came too late among many; a request is signed anew for \
                 each try",
            ));
        }
        if seen.marks.len() > MOST_OF_ONE {
            seen.forget_oldest();
        }
        if all.values().map(|seen| seen.marks.len()).sum::<usize>() > MOST_IN_ALL
            && let Some(most) = all.values_mut().max_by_key(|seen| seen.marks.len())
        {
            most.forget_oldest();
        }
        Ok(())
    }
}

impl Seen {
    /// Notes the mark; `false` where it is known, or may have been. `newest` is the latest time that a signature may have
    /// now: what was forgotten beyond it is of a clock that ran ahead, and would shut honest requests out until that time.
    fn admits(&mut self, mark: Mark, created: i64, newest: i64) -> bool {
        let forgotten_to = self.forgotten_to.filter(|forgotten| *forgotten <= newest);
        let late = forgotten_to.is_some_and(|forgotten| created <= forgotten);
        let new = !late && self.marks.insert(mark);
        if new {
            self.by_age.insert((created, mark));
        }
        new
    }

    fn forget_before(&mut self, oldest: i64) {
        while self.by_age.first().is_some_and(|(created, _)| *created < oldest) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((created, mark)) = self.by_age.pop_first() {
            self.marks.remove(&mark);
            self.forgotten_to = self.forgotten_to.max(Some(created));
        }
    }
}

fn mark_of(proof: &VerifiedRequest) -> Mark {
    // A line feed stands in no string of RFC 9651, so two pairs never run together.
    let whole = Digest::of(format!("{}\n{}", proof.key_id, proof.nonce).as_bytes());
    std::array::from_fn(|index| whole.as_bytes()[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_772_461_800 + seconds).unwrap()
    }

    fn signed(nonce: impl ToString, created: i64) -> VerifiedRequest {
        VerifiedRequest {
            key_id: "ON-INS/1".into(),
            nonce: nonce.to_string(),
            created: at(created),
            content_digest: None,
        }
    }

    fn site(text: &str) -> SiteId {
        text.parse().unwrap()
    }

    fn held(nonces: &Nonces) -> Vec<usize> {
        nonces.0.lock().unwrap().values().map(|seen| seen.marks.len()).collect()
    }

    #[test]
    fn a_nonce_is_taken_once_from_one_key_of_one_partner() {
        let (nonces, insurer) = (Nonces::default(), site("ON-INS"));
        let first = signed("a", 0);
        nonces.take(&insurer, &first, at(0), WINDOW).unwrap();
        // Signed at another time, it is the same nonce all the same.
        for again in [first.clone(), signed("a", 7)] {
            let error = nonces.take(&insurer, &again, at(1), WINDOW).unwrap_err();
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Replayed, true));
        }
        let mut under_another_key = first.clone();
        under_another_key.key_id = "ON-INS/2".into();
        nonces.take(&insurer, &under_another_key, at(1), WINDOW).unwrap();
        nonces.take(&site("IMEX"), &first, at(1), WINDOW).unwrap();
        nonces.take(&insurer, &signed("b", 0), at(1), WINDOW).unwrap();
    }

    #[test]
    fn a_nonce_is_held_as_long_as_its_signature_is_taken_and_no_longer() {
        let (nonces, insurer) = (Nonces::default(), site("ON-INS"));
        // A clock that runs ahead by the whole window.
        let ahead = signed("ahead", 300);
        nonces.take(&insurer, &ahead, at(0), WINDOW).unwrap();
        nonces.take(&insurer, &signed("now", 0), at(0), WINDOW).unwrap();
        assert!(nonces.take(&insurer, &ahead, at(600), WINDOW).is_err());
        assert_eq!(held(&nonces), [1]);
        nonces.take(&insurer, &signed("later", 601), at(601), WINDOW).unwrap();
        assert_eq!(held(&nonces), [1]);
        // Neither a clock that is set back nor a wider window brings back what was forgotten.
        assert!(nonces.take(&insurer, &ahead, at(0), WINDOW).is_err());
        assert!(nonces.take(&insurer, &ahead, at(601), WINDOW * 100).is_err());
    }

    #[test]
    fn a_clock_that_ran_ahead_shuts_nobody_out_once_it_is_right_again() {
        let (nonces, insurer) = (Nonces::default(), site("ON-INS"));
        nonces.take(&insurer, &signed("ahead", 86_400), at(86_400), WINDOW).unwrap();
        nonces.take(&insurer, &signed("later", 90_000), at(90_000), WINDOW).unwrap();
        nonces.take(&insurer, &signed("honest", 0), at(0), WINDOW).unwrap();
        assert!(nonces.take(&insurer, &signed("honest", 0), at(1), WINDOW).is_err());
    }

    #[test]
    fn a_partner_that_floods_narrows_its_own_window_and_nobody_elses() {
        let (nonces, loud, quiet) = (Nonces::default(), site("LOUD"), site("QUIET"));
        let early = signed("early", -100);
        nonces.take(&quiet, &early, at(0), WINDOW).unwrap();
        nonces.take(&loud, &early, at(0), WINDOW).unwrap();
        for number in 0..MOST_OF_ONE {
            nonces.take(&loud, &signed(number, 0), at(0), WINDOW).unwrap();
        }
        assert_eq!(held(&nonces), [MOST_OF_ONE, 1]);
        assert!(nonces.take(&loud, &early, at(0), WINDOW).is_err(), "what is forgotten counts as seen");
        assert!(nonces.take(&loud, &signed("late", -100), at(0), WINDOW).is_err());
        nonces.take(&loud, &signed("fresh", 1), at(1), WINDOW).unwrap();
        nonces.take(&quiet, &signed("late", -100), at(0), WINDOW).unwrap();
        assert!(nonces.take(&quiet, &early, at(0), WINDOW).is_err());
    }

    #[test]
    fn all_partners_together_have_a_bound_and_the_loudest_pays() {
        let nonces = Nonces::default();
        nonces.take(&site("QUIET"), &signed("kept", 0), at(0), WINDOW).unwrap();
        for partner in 0..9 {
            for number in 0..MOST_OF_ONE {
                // Each a second later than the one before, as far as the window goes.
                let created = i64::try_from(number / 100).unwrap();
                nonces
                    .take(&site(&format!("P{partner}")), &signed(number, created), at(200), WINDOW)
                    .unwrap();
            }
        }
        let held = held(&nonces);
        assert_eq!(held.iter().sum::<usize>(), MOST_IN_ALL);
        assert_eq!(held.last(), Some(&1));
        assert!(nonces.take(&site("QUIET"), &signed("kept", 0), at(200), WINDOW).is_err());
    }
}
