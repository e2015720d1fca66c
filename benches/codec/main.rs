//! What the codec moves in a second, on this machine.
//!
//! ```sh
//! cargo bench --bench codec                      # the kernels, one core: MB/s and cycles per byte
//! cargo bench --bench codec -- kernels des-md5   # those whose name holds a word
//! cargo bench --bench codec -- sizes             # pack and unpack from 1 KB to 10 MB, on 1 and on 2 threads
//! cargo bench --bench codec -- sizes 1000        # to 1 GB, and whether the cost grows with the bytes
//! cargo bench --bench codec -- notes             # small packages: time of one, memory after a thousand
//! ```
//!
//! Files lie in the temporary directory: with `TMPDIR=/dev/shm` no disk is measured. `CLAIMWIRE_SIMD` lowers what the
//! kernels use of the processor.

#![allow(clippy::print_stdout, reason = "a program that talks to a person")]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../kernels/mod.rs"]
mod kernels;
mod notes;
mod sizes;
mod speed;
mod spent;

use kernels::Outcome;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["kernels"] => speed::measure(""),
        ["kernels", word] => speed::measure(word),
        ["sizes"] => sizes::measure(10_000_000),
        ["sizes", megabytes] => sizes::measure(megabytes.parse::<u64>()? * 1_000_000),
        ["notes"] => notes::measure(),
        _ => Err("usage: codec [kernels [WORD] | sizes [MEGABYTES] | notes]".into()),
    }
}
