//! Writes the documents that the benchmarks pack into a directory, the same bytes each time.
//!
//! ```sh
//! cargo run --release --example corpus -- DIR            # 252.7 MB in about 1,000 documents
//! cargo run --release --example corpus -- DIR 10         # 10 MB
//! cargo run --release --example corpus -- DIR 250 one    # one document, which compresses
//! ```

#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::error::Error;
use std::path::Path;

const USAGE: &str = "usage: corpus DIR [MEGABYTES [one]]";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (directory, documents) = match arguments[..] {
        [option, ..] if option.starts_with('-') => return Err(USAGE.into()),
        [directory] => (directory, corpus::claim(corpus::CLAIM)),
        [directory, megabytes] => (directory, corpus::claim(bytes(megabytes)?)),
        [directory, megabytes, "one"] => (directory, vec![corpus::report(bytes(megabytes)?)]),
        _ => return Err(USAGE.into()),
    };
    Ok(corpus::write(&documents, Path::new(directory))?)
}

/// The bytes in so many megabytes, 1 to 1,000.
fn bytes(megabytes: &str) -> Result<u64, Box<dyn Error>> {
    match megabytes.parse() {
        Ok(number @ 1..=1_000) => Ok(number * 1_000_000),
        _ => Err(format!("`{megabytes}` is no number of megabytes from 1 to 1000").into()),
    }
}
