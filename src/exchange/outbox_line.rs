//! The line of partners that have something to be sent: one place each, so that a slow one holds up no other.
//!
//! A thread takes the partner at the head, sends one of its packages, and puts it back at the end. So a partner is with
//! one thread at a time, which keeps the order of its packages, and a long queue takes turns with the short ones.

use super::outbox_pass::Pass;
use crate::model::{SiteId, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// A partner, and how far its queue was gone through; nothing where its packages are still to be read.
pub(super) type Place = (SiteId, Option<Box<Pass>>);

/// Who comes next, and when.
#[derive(Default)]
pub(super) struct Line {
    waiting: VecDeque<Place>,
    /// The partners in the line or with a thread, and whether there was news of them since their packages were read.
    present: BTreeMap<SiteId, bool>,
    /// When the others come into the line by themselves, and when that was noted.
    due: BTreeMap<SiteId, (Timestamp, Timestamp)>,
    threads: usize,
}

impl Line {
    /// There may be something new to be sent to this partner.
    pub(super) fn call(&mut self, site: &SiteId) {
        match self.present.get_mut(site) {
            Some(news) => *news = true,
            None => self.enter(site.clone()),
        }
    }

    /// The partner at the head of the line, which nobody else serves until it is put [back](Self::back) or
    /// [done](Self::done).
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Place> {
        // What was noted at a time to come was noted by a clock that was ahead.
        let is_due = |(due, noted): &(Timestamp, Timestamp)| *due <= now || *noted > now;
        let mut due: Vec<_> = self.due.iter().filter(|(_, times)| is_due(times)).collect();
        due.sort_by_key(|(_, times)| **times);
        for site in due.into_iter().map(|(site, _)| site.clone()).collect::<Vec<_>>() {
            self.enter(site);
        }
        let (site, pass) = self.waiting.pop_front()?;
        if pass.is_none() {
            // Read from now on, so what was new is seen.
            self.present.insert(site.clone(), false);
        }
        Some((site, pass))
    }

    /// Puts a partner to the end: with what is left of its queue, or to have it read anew.
    pub(super) fn back(&mut self, site: SiteId, pass: Option<Box<Pass>>) {
        self.waiting.push_back((site, pass));
    }

    /// A partner's queue was gone through by `now`, and it is due again then; at once where there was news meanwhile.
    pub(super) fn done(&mut self, site: SiteId, due: Option<Timestamp>, now: Timestamp) {
        if self.present.remove(&site) == Some(true) {
            self.enter(site);
        } else if let Some(due) = due {
            self.due.insert(site, (due, now));
        }
    }

    /// When the next partner comes into the line by itself.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.values().map(|(due, _)| *due).min()
    }

    pub(super) fn thread_comes(&mut self) {
        self.threads += 1;
    }

    /// When the last thread goes, what was read of the queues is forgotten: it would be old when the next one comes.
    pub(super) fn thread_goes(&mut self) {
        self.threads -= 1;
        if self.threads == 0 {
            self.waiting.iter_mut().for_each(|(_, pass)| *pass = None);
        }
    }

    fn enter(&mut self, site: SiteId) {
        self.due.remove(&site);
        self.present.insert(site.clone(), false);
        self.waiting.push_back((site, None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> SiteId {
        name.parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    fn next(line: &mut Line, now: i64) -> Option<String> {
        line.next(at(now)).map(|(site, _)| site.to_string())
    }

    #[test]
    fn a_partner_has_one_place_and_is_with_one_thread_at_a_time() {
        let mut line = Line::default();
        for name in ["A", "B", "A", "A"] {
            line.call(&site(name));
        }
        assert_eq!(next(&mut line, 0).as_deref(), Some("A"));
        line.call(&site("A"));
        assert_eq!(next(&mut line, 0).as_deref(), Some("B"));
        assert_eq!(next(&mut line, 0), None, "A is with a thread");
        line.back(site("A"), None);
        assert_eq!(next(&mut line, 0).as_deref(), Some("A"));
    }

    #[test]
    fn whoever_is_put_back_comes_after_those_that_wait() {
        let mut line = Line::default();
        line.call(&site("A"));
        line.call(&site("B"));
        assert_eq!(next(&mut line, 0).as_deref(), Some("A"));
        line.back(site("A"), None);
        assert_eq!(next(&mut line, 0).as_deref(), Some("B"));
        assert_eq!(next(&mut line, 0).as_deref(), Some("A"));
    }

    #[test]
    fn what_is_new_while_a_queue_is_gone_through_is_looked_at_afterwards() {
        let mut line = Line::default();
        line.call(&site("A"));
        assert_eq!(next(&mut line, 0).as_deref(), Some("A"));
        line.call(&site("A"));
        line.done(site("A"), Some(at(100)), at(0));
        assert_eq!(line.next_due(), None, "not only then");
        assert_eq!(next(&mut line, 0).as_deref(), Some("A"));
        line.done(site("A"), Some(at(100)), at(0));
        assert_eq!((next(&mut line, 99), line.next_due()), (None, Some(at(100))));
    }

    #[test]
    fn those_that_are_due_come_in_the_order_of_their_time_and_news_is_faster() {
        let mut line = Line::default();
        for (name, due) in [("A", 30), ("B", 10), ("C", 20), ("D", 90)] {
            line.call(&site(name));
            assert_eq!(next(&mut line, 0).as_deref(), Some(name));
            line.done(site(name), Some(at(due)), at(0));
        }
        line.call(&site("A"));
        let served: Vec<_> = std::iter::from_fn(|| next(&mut line, 50)).collect();
        assert_eq!(served, ["A", "B", "C"]);
        assert_eq!(line.next_due(), Some(at(90)));
    }

    #[test]
    fn whoever_was_put_off_by_a_clock_that_was_ahead_is_looked_at_when_it_is_right() {
        let mut line = Line::default();
        line.call(&site("A"));
        assert_eq!(next(&mut line, 1_000_000).as_deref(), Some("A"));
        line.done(site("A"), Some(at(1_000_030)), at(1_000_000));
        assert_eq!(next(&mut line, 1_000_001), None, "the clock goes on");
        assert_eq!(next(&mut line, 5).as_deref(), Some("A"));
    }
}
