//! Runs one kernel a number of times, for a tool that counts instructions: see `benches/counts.py`.
//!
//! ```sh
//! cargo run --release --package claimwire-counts -- des-md5-decrypt 2
//! ```
//!
//! The difference between two numbers of runs is the kernel's alone. Without arguments, it says what the kernels are.

#![allow(clippy::print_stdout, reason = "a program that talks to a person")]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../kernels/mod.rs"]
mod kernels;

use kernels::{Kernel, NAMES, Outcome};

/// Small enough for an interpreter of instructions, large enough to be about the loop.
const LENGTH: u64 = 1 << 20;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => println!("{}", NAMES.join("\n")),
        [name, runs] => {
            let mut kernel = Kernel::prepare(name, LENGTH)?;
            for _ in 0..runs.parse()? {
                kernel.run()?;
            }
        }
        _ => return Err("usage: counts [KERNEL RUNS]".into()),
    }
    Ok(())
}
