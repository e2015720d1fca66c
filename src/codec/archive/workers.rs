//! Threads that work on jobs ahead of the one who needs them in order, and who lends a hand rather than wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::job::{Job, Tools};
use super::options::PackOptions;

/// A thread is started only when more than this waits: less is done before it would have begun.
const WORTH_A_THREAD: usize = 256 * 1024;

/// Jobs under way. Threads get owned content and compute; reading and writing stay with the owner's thread. Dropped, it
/// ends its threads and waits for them.
pub(super) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    most: usize,
    options: PackOptions,
    own: Tools,
    /// The number of the job to be submitted, and of the one to be given out, next.
    submitted: u64,
    given: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work_came: Condvar,
    work_ended: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Job)>,
    waiting_bytes: usize,
    ended: BTreeMap<u64, Job>,
    is_closed: bool,
}

impl Workers {
    pub(super) fn new(options: &PackOptions) -> Self {
        Self {
            shared: Arc::default(),
            threads: Vec::new(),
            most: options.threads().get() - 1,
            options: *options,
            own: Tools::new(*options),
            submitted: 0,
            given: 0,
        }
    }

    /// Whether there is anybody to work ahead.
    pub(super) fn are_several(&self) -> bool {
        self.most > 0
    }

    pub(super) fn submit(&mut self, job: Job) {
        let mut state = self.shared.lock();
        state.waiting_bytes += job.length();
        state.waiting.push_back((self.submitted, job));
        let is_much = state.waiting_bytes > WORTH_A_THREAD && state.waiting.len() > 1;
        drop(state);
        self.submitted += 1;
        if is_much && self.threads.len() < self.most {
            self.start_thread();
        }
        self.shared.work_came.notify_one();
    }

    /// The job after the one given out last, ended; `None` when none is under way.
    pub(super) fn next(&mut self) -> Option<Job> {
        if self.given == self.submitted {
            return None;
        }
        let wanted = self.given;
        self.given += 1;
        let mut state = self.shared.lock();
        loop {
            if let Some(job) = state.ended.remove(&wanted) {
                return Some(job);
            }
            if let Some((number, mut job)) = state.take() {
                drop(state);
                job.work(&mut self.own);
                state = self.shared.lock();
                state.ended.insert(number, job);
            } else {
                state = self.shared.work_ended.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn start_thread(&mut self) {
        let (shared, options) = (Arc::clone(&self.shared), self.options);
        let work = move || {
            let mut tools = Tools::new(options);
            while let Some(mut hand) = shared.take_in_hand() {
                hand.work(&mut tools);
            }
        };
        match thread::Builder::new().name("claimwire-pack".to_owned()).spawn(work) {
            Ok(thread) => self.threads.push(thread),
            // The system has none to give: the owner's thread does it all.
            Err(_) => self.most = self.threads.len(),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        // Blocks that wait for the measure of these end, too.
        state.waiting.clear();
        drop(state);
        self.shared.work_came.notify_all();
        for thread in self.threads.drain(..) {
            // A job whose thread panicked was given out without a result.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job; `None` when no more will come.
    fn take_in_hand(&self) -> Option<InHand<'_>> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some((number, job)) = state.take() {
                return Some(InHand { shared: self, number, job: Some(job) });
            }
            state = self.work_came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    /// The job that waits longest. So whoever takes a block can count on that the one before was taken.
    fn take(&mut self) -> Option<(u64, Job)> {
        let (number, job) = self.waiting.pop_front()?;
        self.waiting_bytes -= job.length();
        Some((number, job))
    }
}

/// A job that a thread works on. It is handed in when dropped, so that nobody waits for it in vain after a panic.
struct InHand<'s> {
    shared: &'s Shared,
    number: u64,
    job: Option<Job>,
}

impl InHand<'_> {
    fn work(&mut self, tools: &mut Tools) {
        if let Some(job) = &mut self.job {
            job.work(tools);
        }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.shared.lock().ended.insert(self.number, job);
            self.shared.work_ended.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffer::Buffers;
    use super::super::job::Part;
    use super::*;
    use std::num::NonZeroUsize;

    fn workers(threads: usize) -> Workers {
        Workers::new(&PackOptions::default().with_threads(NonZeroUsize::new(threads).unwrap()))
    }

    fn job(length: usize) -> Job {
        let mut buffer = Buffers::new(0).take(length);
        buffer.replace(&vec![b';'; length]);
        Job::new(buffer, Part::Whole, length)
    }

    #[test]
    fn a_thread_is_started_where_more_waits_than_it_is_worth() {
        let started = |lengths: &[usize]| {
            let mut workers = workers(2);
            lengths.iter().for_each(|length| workers.submit(job(*length)));
            workers.threads.len()
        };
        assert_eq!(started(&[WORTH_A_THREAD / 2, WORTH_A_THREAD / 2]), 0);
        assert_eq!(started(&[WORTH_A_THREAD / 2, WORTH_A_THREAD / 2 + 1]), 1);
        assert_eq!(started(&[4 * WORTH_A_THREAD]), 0, "whoever waits for it does it");
        assert_eq!(started(&[4 * WORTH_A_THREAD, 1]), 1);
    }

    #[test]
    fn there_are_never_more_threads_than_asked_for() {
        for threads in [1, 2, 3] {
            let mut workers = workers(threads);
            assert_eq!(workers.are_several(), threads > 1);
            for _ in 0..20 {
                workers.submit(job(WORTH_A_THREAD));
            }
            assert!(workers.threads.len() < threads, "the caller's is one of {threads}");
        }
    }

    #[test]
    fn threads_work_ahead_and_have_ended_when_the_owner_is_gone() {
        let mut workers = workers(2);
        for _ in 0..3 {
            workers.submit(job(WORTH_A_THREAD));
        }
        let shared = Arc::clone(&workers.shared);
        let mut state = shared.lock();
        while state.ended.len() < 3 {
            state = shared.work_ended.wait(state).unwrap();
        }
        assert_eq!((state.waiting.len(), state.waiting_bytes), (0, 0));
        drop(state);
        drop(workers);
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
