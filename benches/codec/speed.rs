//! The kernels on one core: megabytes in a second of the processor's time, and cycles for each byte.

use std::time::Duration;

use crate::kernels::{Kernel, NAMES, Outcome};
use crate::spent::{clock, median, processor};

/// More than the caches of most cores hold.
const LENGTH: u64 = 64 << 20;

const ROUNDS: usize = 5;

/// The shortest round: a long way above the clock's steps of a few milliseconds.
const ROUND: Duration = Duration::from_millis(200);

/// Prints a line for each kernel whose name holds `word`.
pub(crate) fn measure(word: &str) -> Outcome<()> {
    println!("{:<18} {:>10} {:>12} {:>14}", "kernel", "bytes", "MB/s", "cycles/byte");
    for name in NAMES.iter().filter(|name| name.contains(word)) {
        let mut kernel = Kernel::prepare(name, LENGTH)?;
        kernel.run()?;
        let (mut speeds, mut cycles) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let nanoseconds = round(&mut kernel)?;
            speeds.push(1e3 / nanoseconds);
            cycles.push(nanoseconds * clock()?);
        }
        println!("{name:<18} {:>10} {:>12.1} {:>14.2}", kernel.bytes, median(speeds), median(cycles));
    }
    Ok(())
}

/// The nanoseconds that a byte cost.
fn round(kernel: &mut Kernel) -> Outcome<f64> {
    let begun = processor()?;
    let mut bytes = 0_u32;
    loop {
        kernel.run()?;
        bytes += u32::try_from(kernel.bytes)?;
        let spent = processor()? - begun;
        if spent >= ROUND {
            return Ok(spent.as_secs_f64() * 1e9 / f64::from(bytes));
        }
    }
}
