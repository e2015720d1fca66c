//! What was spent: the time the processor gave to this thread, its clock, and the memory this process holds.

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use crate::kernels::Outcome;

/// The processor's time of this thread, so that what else the machine does is not counted. Linux only.
pub(crate) fn processor() -> Outcome<Duration> {
    let spent = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(spent.split(' ').next().ok_or("no time in schedstat")?.parse()?))
}

/// The resident memory of this process, in KiB. Linux only.
pub(crate) fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS: not Linux")?;
    Ok(held.trim().trim_end_matches(" kB").parse()?)
}

/// Cycles in a nanosecond: a chain of exclusive-or (1 cycle) and multiplication (3 cycles, as Agner Fog's tables have
/// it for every x86-64 of the last decade) lets nothing overlap. Elsewhere it is an estimate.
pub(crate) fn clock() -> Outcome<f64> {
    const LINKS: u32 = 100_000_000;
    let begun = processor()?;
    let mut value = black_box(1_u64);
    for _ in 0..LINKS {
        value = (value ^ 0x55).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    black_box(value);
    Ok(f64::from(LINKS) * 4.0 / (processor()? - begun).as_secs_f64() / 1e9)
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
