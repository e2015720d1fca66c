//! Searches small circuits for the S-boxes of DES and writes them as Rust.
//!
//! ```text
//! cargo run --release -- search gates|lookups SEED ROUNDS STEPS [BOX]   improves the circuits in found/
//! cargo run --release -- emit                                           writes src/codec/des/circuits.rs of the crate
//! cargo run --release -- check                                          proves both, prints the numbers of gates
//! ```
//!
//! The search starts from the tables of the boxes alone; see `search.rs` for how. The same seed, rounds and steps from
//! the same files give the same circuits. Those in found/ are the smallest of several seeds after about an hour on one
//! core; more time finds smaller ones.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::circuit::{Circuit, Set};
use crate::random::Random;

mod circuit;
mod emit;
mod random;
#[path = "../../../src/codec/des/sboxes.rs"]
mod sboxes;
mod search;
mod tables;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["search", set, seed, rounds, steps] => search(set, [seed, rounds, steps], None),
        ["search", set, seed, rounds, steps, number] => search(set, [seed, rounds, steps], Some(number)),
        ["emit"] => emit(),
        ["check"] => check(),
        _ => Err("search gates|lookups SEED ROUNDS STEPS [BOX], emit, or check".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Walks on from the circuit of every box, or of one, and writes what is not worse.
fn search(set: &str, numbers: [&str; 3], only: Option<&str>) -> Result<(), String> {
    let set = Set::ALL.into_iter().find(|known| known.name() == set).ok_or("gates or lookups")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    let [seed, rounds, steps] = numbers.map(number);
    let (seed, steps) = (seed?, usize::try_from(steps?).map_err(|error| error.to_string())?);
    let only = only.map(number).transpose()?;
    for round in 0..rounds? {
        let mut circuits = Vec::new();
        for number in (0..8).filter(|number| only.is_none_or(|only| only == *number as u64 + 1)) {
            let mut random = Random::new(seed + 8 * round + number as u64);
            let targets = tables::outputs(number);
            let start = found(set, number).unwrap_or_else(|_| search::grow(set, targets, &mut random));
            let circuit = search::walk(&start, set, targets, steps, &mut random);
            assert!(circuit.computes(set, targets), "the walk left the box");
            let path = path(set, number);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
                .map_err(|error| error.to_string())?;
            std::fs::write(path, circuit.to_string()).map_err(|error| error.to_string())?;
            circuits.push(circuit);
        }
        print(set, &circuits);
    }
    Ok(())
}

fn emit() -> Result<(), String> {
    std::fs::write(rust(), emit::file(&all()?)).map_err(|error| error.to_string())
}

/// Whether every circuit computes its box, and the crate's file is what they give.
fn check() -> Result<(), String> {
    let all = all()?;
    for (set, circuits) in &all {
        print(*set, circuits);
    }
    let committed = std::fs::read_to_string(rust()).map_err(|error| error.to_string())?;
    if committed == emit::file(&all) { Ok(()) } else { Err("circuits.rs is not what `emit` writes".into()) }
}

fn print(set: Set, circuits: &[Circuit]) {
    let sizes: Vec<usize> = circuits.iter().map(|circuit| circuit.gates.len()).collect();
    println!("{}: {sizes:?}, {:.3} on average", set.name(), emit::average(circuits));
}

/// The circuits of both sets.
fn all() -> Result<Vec<(Set, Vec<Circuit>)>, String> {
    let boxes = |set| (0..8).map(|number| found(set, number)).collect::<Result<Vec<_>, _>>();
    Set::ALL.into_iter().map(|set| boxes(set).map(|boxes| (set, boxes))).collect()
}

/// The circuit in found/, if it computes its box.
fn found(set: Set, number: usize) -> Result<Circuit, String> {
    let path = path(set, number);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let circuit = Circuit::parse(&text).filter(|circuit| circuit.computes(set, tables::outputs(number)));
    circuit.ok_or_else(|| format!("{}: this does not compute box {}", path.display(), number + 1))
}

fn path(set: Set, number: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("found").join(set.name()).join(format!("s{}.txt", number + 1))
}

/// The file of the crate.
fn rust() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/codec/des/circuits.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circuits_of_the_crate_are_those_that_were_found_and_compute_every_box() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn a_circuit_with_one_gate_changed_is_refused() {
        for (set, circuits) in all().expect("the circuits are there") {
            for (number, mut circuit) in circuits.into_iter().enumerate() {
                circuit.gates[5].table ^= 0xff;
                assert!(!circuit.computes(set, tables::outputs(number)));
            }
        }
    }

    #[test]
    fn a_search_from_nothing_finds_a_circuit_and_the_same_seed_the_same() {
        for set in Set::ALL {
            let targets = tables::outputs(3);
            let circuit = || {
                let mut random = Random::new(5);
                search::walk(&search::grow_one(set, targets, &mut random), set, targets, 200, &mut random)
            };
            assert!(circuit().computes(set, targets));
            assert_eq!(circuit(), circuit());
            assert_eq!(Circuit::parse(&circuit().to_string()), Some(circuit()));
        }
    }
}
