//! What is promised holds whatever breaks: processes, disks, clocks and wires fail at every point, and afterwards both
//! sites have each package once, tell the same, and keep nothing that belongs to nobody.
//!
//! `CLAIMWIRE_FAULT_RUNS` asks for more runs, `CLAIMWIRE_FAULT_SEED` for the one that follows from a seed.

#![cfg(all(
    unix,
    feature = "failpoints",
    feature = "age",
    feature = "https",
    feature = "receiver",
    feature = "webhook"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "faults/applying.rs"]
mod applying;
#[path = "faults/check.rs"]
mod check;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/keys.rs"]
mod keys;
#[path = "faults/process.rs"]
mod process;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "faults/random.rs"]
mod random;
#[path = "faults/site.rs"]
mod site;
#[path = "faults/story.rs"]
mod story;
#[path = "faults/sweep.rs"]
mod sweep;
#[path = "webhook_host/mod.rs"]
mod webhook_host;
#[path = "faults/wire.rs"]
mod wire;

use claimwire::failpoint::POINTS;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many runs unless more are asked for.
const RUNS: u64 = 40;

/// Every site of the tests below is a process that runs this.
#[test]
#[ignore = "the other tests start it"]
fn a_site_that_others_start() {
    site::play();
}

#[test]
fn a_kill_at_every_point_loses_nothing_and_does_nothing_twice() {
    let swept = sweep::sweep("kill");
    let listed: BTreeSet<String> = POINTS.iter().map(|point| (*point).to_owned()).collect();
    assert_eq!(swept.reached, listed, "the list of points and the run");
    assert_eq!(swept.struck, listed);
}

#[test]
fn a_disk_that_fails_at_every_point_loses_nothing_and_does_nothing_twice() {
    let listed: BTreeSet<String> = POINTS.iter().map(|point| (*point).to_owned()).collect();
    for fate in ["broken", "full", "readonly"] {
        assert_eq!(sweep::sweep(fate).struck, listed, "{fate}");
    }
}

#[test]
fn a_file_that_may_not_grow_is_refused_or_kills_and_leaves_nothing() {
    disk::files_that_may_not_grow();
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    if !disk::full_disks() {
        assert!(std::env::var_os("CI").is_none(), "CI runs as a user who may mount a file system");
        eprintln!("skipped: this machine lets nobody mount a file system");
    }
}

#[test]
fn what_a_site_may_have_applied_when_it_was_cut_off_is_not_rejected_and_is_applied_once() {
    applying::what_may_be_applied_is_not_rejected();
}

#[test]
fn a_receiver_killed_in_the_midst_of_an_upload_goes_on_with_it() {
    wire::killed_in_the_midst();
}

#[test]
fn an_upload_whose_bytes_could_not_be_synced_begins_anew() {
    wire::a_sync_that_fails();
}

#[test]
fn a_folder_that_may_not_be_written_is_told_and_leaves_nothing() {
    if !(disk::read_only_folders() && disk::read_only_drop_folders()) {
        assert!(std::env::var_os("CI").is_none(), "CI is no root, or a root who may mount");
        eprintln!("skipped: this is root, whom no mode keeps from writing, and who may not mount");
    }
}

#[test]
fn a_wire_that_is_cut_anywhere_delivers_once() {
    wire::cut_everywhere();
}

#[test]
fn a_host_is_told_in_one_go_of_what_happened_while_the_clock_was_ahead() {
    story::events_from_a_clock_ahead();
}

#[test]
fn runs_at_random_come_to_rest_as_if_nothing_had_happened() {
    if let Ok(seed) = std::env::var("CLAIMWIRE_FAULT_SEED") {
        eprintln!("{:?}", story::play(seed.parse().unwrap()));
        return;
    }
    let asked = std::env::var("CLAIMWIRE_FAULT_RUNS").ok().map(|runs| runs.parse().unwrap());
    let runs = asked.unwrap_or(RUNS);
    let (next, packages, deaths) = (AtomicU64::new(1), AtomicU64::new(0), AtomicU64::new(0));
    let dropped = AtomicU64::new(0);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let work = || {
            let mut failed = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed > runs {
                    return failed;
                }
                match catch_unwind(|| story::play(seed)) {
                    Ok(told) => {
                        packages.fetch_add(told.packages as u64, Ordering::Relaxed);
                        deaths.fetch_add(told.deaths as u64, Ordering::Relaxed);
                        dropped.fetch_add(told.dropped as u64, Ordering::Relaxed);
                    }
                    Err(_) => failed.push(seed),
                }
            }
        };
        let threads = [(); 4].map(|()| scope.spawn(work));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    eprintln!(
        "{runs} runs, {dropped:?} over drop folders: {packages:?} packages, {deaths:?} processes killed"
    );
    assert!(failed.is_empty(), "replay them with CLAIMWIRE_FAULT_SEED: {failed:?}");
}
