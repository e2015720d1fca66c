//! Pack and unpack of whole claims, by suite, by size and by threads, as lines for a table or a picture.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use claimwire::codec::{Limits, OpeningKey, PackOptions, SealingKey, UnpackOptions, pack, unpack};

use crate::corpus;
use crate::kernels::{Outcome, age, des_md5};
use crate::spent::median;

const ROUNDS: usize = 5;
const SMALLEST: u64 = 1_000;

/// From here on, the cost of a byte must not depend on how many there are.
const LINEAR_FROM: u64 = 1_000_000;

/// One line: what was measured, and the median of its seconds.
struct Line {
    what: String,
    bytes: u64,
    seconds: f64,
}

/// Prints `verb,suite,threads,bytes,seconds,MB/s` for 1 KB and each tenfold up to `largest` bytes; then, as lines that
/// begin with `#`, how the cost of a megabyte moves from 1 MB on.
pub(crate) fn measure(largest: u64) -> Outcome<()> {
    println!("verb,suite,threads,bytes,seconds,MB/s");
    let mut lines = Vec::new();
    let sizes = std::iter::successors(Some(SMALLEST), |size| Some(size * 10));
    for bytes in sizes.take_while(|bytes| *bytes <= largest) {
        let folder = tempfile::tempdir()?;
        corpus::write(&corpus::claim(bytes), &folder.path().join("claim"))?;
        for (suite, keys) in [("des-md5", des_md5()?), ("age", age())] {
            for threads in [1, 2] {
                lines.extend(both(folder.path(), suite, &keys, threads, bytes)?);
            }
        }
    }
    for line in lines.iter().filter(|line| line.bytes > LINEAR_FROM) {
        let first = lines.iter().find(|first| first.what == line.what && first.bytes == LINEAR_FROM);
        if let Some(first) = first {
            let ratio = cost(line) / cost(first);
            println!("# {} {} bytes: {ratio:.2} of the cost of a byte at 1 MB", line.what, line.bytes);
        }
    }
    Ok(())
}

fn cost(line: &Line) -> f64 {
    line.seconds / megabytes(line.bytes)
}

fn both(
    folder: &Path,
    suite: &str,
    (sealing, opening): &(SealingKey, OpeningKey),
    threads: usize,
    bytes: u64,
) -> Outcome<[Line; 2]> {
    let (claim, sealed, to) = (folder.join("claim"), folder.join("sealed"), folder.join("unpacked"));
    let threads = NonZeroUsize::new(threads).ok_or("at least one thread")?;
    let to_pack = PackOptions::default().with_threads(threads);
    let limits = Limits::default().with_inflated_size(bytes.max(1 << 30));
    let to_unpack = UnpackOptions::default().with_threads(threads).with_limits(limits);
    let (mut packing, mut unpacking) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        pack(&claim, sealing, File::create(&sealed)?, &to_pack, &())?;
        packing.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        unpack(&File::open(&sealed)?, opening, &to, &to_unpack, &())?;
        unpacking.push(begun.elapsed().as_secs_f64());
        fs::remove_dir_all(&to)?;
    }
    Ok([("pack", packing), ("unpack", unpacking)].map(|(verb, seconds)| {
        let line = Line { what: format!("{verb},{suite},{threads}"), bytes, seconds: median(seconds) };
        println!("{},{bytes},{:.6},{:.2}", line.what, line.seconds, megabytes(bytes) / line.seconds);
        line
    }))
}

fn megabytes(bytes: u64) -> f64 {
    // Whole kilobytes, which fit.
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1e3
}
