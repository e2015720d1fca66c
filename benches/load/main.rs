//! The receiver under load: many partners at once with packages of all sizes, while strangers flood it, and a shutdown
//! in the middle; over real HTTPS on loopback.
//!
//! ```sh
//! cargo bench --bench load            # 64 partners, 10 KB to 50 MB, 200 slow strangers
//! cargo bench --bench load -- quick   # 16 partners, up to 2 MB; part of `.ci/run`
//! ```
//!
//! The receiver is a process of its own, so that what the kernel reports (VmHWM of `/proc/self/status`, Linux only) is
//! its peak alone. Everything fails that is lost, that never arrives, or that takes more memory than it may.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

mod flood;
mod noise;
mod partner;
mod receiver;

use partner::{Sent, Traffic};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What the receiver may take at most.
const LIMIT_KIB: u64 = 64 << 10;

/// When the last package must be there.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much load there is.
pub(crate) struct Load {
    /// The size of each document, by partner.
    packages: Vec<Vec<u64>>,
    slow: usize,
    oversize: usize,
    unauthenticated: usize,
}

impl Load {
    fn quick() -> Self {
        Self {
            packages: vec![vec![10_000, 100_000, 2_000_000]; 16],
            slow: 50,
            oversize: 2,
            unauthenticated: 4,
        }
    }

    /// Every partner sends small and middling packages, every second one 5 MB, every eighth 50 MB.
    fn full() -> Self {
        let of = |partner: usize| {
            let large = partner.is_multiple_of(2).then_some(5_000_000);
            let largest = partner.is_multiple_of(8).then_some(50_000_000);
            [10_000, 100_000, 1_000_000].into_iter().chain(large).chain(largest).collect()
        };
        Self { packages: (0..64).map(of).collect(), slow: 200, oversize: 4, unauthenticated: 8 }
    }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["receive", folder, port, partners] => receiver::run(Path::new(folder), port, partners.parse()?),
        ["quick"] => measure(&Load::quick()),
        _ => measure(&Load::full()),
    }
}

fn measure(load: &Load) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let partners = load.packages.len();
    receiver::prepare(folder.path())?;
    let running = receiver::start(folder.path(), "0", partners)?;
    let port = running.port.clone();
    let traffic = Traffic::prepare(folder.path(), load, &port)?;
    let (over, begun) = (AtomicBool::new(false), Instant::now());
    let (sent, peaks, refused) = std::thread::scope(|scope| -> Outcome<_> {
        let floods = flood::start(scope, load, folder.path(), &port, &over)?;
        let sending = traffic.start(scope, begun + PATIENCE);
        let stopped = (|| {
            traffic.wait_for_half();
            // In the middle of everything, it is told to go, and another one takes its place.
            let first = running.stop()?;
            let second = receiver::start(folder.path(), &port, partners)?;
            Ok((first, second))
        })();
        let sent: Result<Vec<Vec<Sent>>, String> = sending.into_iter().map(partner::joined).collect();
        over.store(true, Ordering::SeqCst);
        let (first, second): (u64, _) = stopped.map_err(|error: Box<dyn std::error::Error>| error)?;
        let peaks = [first, second.stop()?];
        let refused = floods.into_iter().map(flood::joined).collect::<Outcome<Vec<_>>>()?;
        Ok((sent?, peaks, refused))
    })?;
    let took = begun.elapsed();
    traffic.nothing_is_lost(folder.path())?;
    report(&sent.concat(), took);
    compare(&sent);
    for (what, count) in refused.into_iter().flatten().fold(BTreeMap::new(), |mut all, (what, count)| {
        *all.entry(what).or_insert(0) += count;
        all
    }) {
        println!("{count:>7} {what}");
    }
    let peak = peaks.into_iter().max().unwrap_or_default();
    println!("peak memory of the receiver: {} KiB, restarted: {} KiB", peaks[0], peaks[1]);
    if peak > LIMIT_KIB {
        return Err(format!("peak memory is above the limit of {LIMIT_KIB} KiB").into());
    }
    Ok(())
}

/// How long each package took from the first try to its receipt, by size.
fn report(sent: &[Sent], took: Duration) {
    let bytes: u64 = sent.iter().map(|it| it.bytes).sum();
    let seconds = took.as_secs_f64();
    println!(
        "{} packages, {:.0} MB in {seconds:.1} s, {:.0} MB/s, with one restart",
        sent.len(),
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / seconds
    );
    println!(
        "{:>10} {:>9} {:>10} {:>10} {:>10} {:>12}",
        "size", "packages", "median s", "95 % s", "most s", "most tries"
    );
    let mut by_size: BTreeMap<u64, Vec<&Sent>> = BTreeMap::new();
    for it in sent {
        by_size.entry(it.size).or_default().push(it);
    }
    for (size, all) in by_size {
        let tries = all.iter().map(|it| it.tries).max().unwrap_or_default();
        let [median, nearly_all, most] = at(all.iter().map(|it| it.took).collect(), [50, 95, 100]);
        println!("{size:>10} {:>9} {median:>10.3} {nearly_all:>10.3} {most:>10.3} {tries:>12}", all.len());
    }
}

/// How long the partners with the same packages took for all of them: served fairly, the last is not far from the first.
fn compare(sent: &[Vec<Sent>]) {
    println!("{:>10} {:>9} {:>10} {:>10} {:>10}", "up to", "partners", "first s", "median s", "last s");
    let mut by_largest: BTreeMap<u64, Vec<Duration>> = BTreeMap::new();
    for partner in sent {
        let largest = partner.iter().map(|it| it.size).max().unwrap_or_default();
        by_largest.entry(largest).or_default().push(partner.iter().map(|it| it.took).sum());
    }
    for (size, all) in by_largest {
        let partners = all.len();
        let [first, median, last] = at(all, [0, 50, 100]);
        println!("{size:>10} {partners:>9} {first:>10.3} {median:>10.3} {last:>10.3}");
    }
}

/// The times that so many percent of all keep.
fn at<const N: usize>(mut all: Vec<Duration>, percents: [usize; N]) -> [f64; N] {
    all.sort();
    percents.map(|percent| all[(all.len() - 1) * percent / 100].as_secs_f64())
}
