//! Scan: nothing of a package is released while the host's scanner does not call every document clean.

use super::Exchange;
use crate::codec::{Watch, tell};
use crate::model::ExchangeId;
use crate::scan::Verdict;
use crate::trace::span;
use crate::{Detail, Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The most documents told of; a person rejects the package long before.
const MOST_FOUND: usize = 100;

/// The most characters of a scanner's name for what it found.
const LONGEST_NAME: usize = 200;

impl Exchange {
    /// Has every document scanned, and says of all that are infected. What could not be scanned counts as little as
    /// what is infected, unless the package is refused for that already.
    pub(super) fn scan_documents(
        &self,
        documents: &BTreeMap<ExchangeId, PathBuf>,
        watch: &dyn Watch,
    ) -> Result<()> {
        let Some(scanner) = &self.0.scan else { return Ok(()) };
        span!("scan_documents");
        let mut found = Vec::new();
        for (document, file) in documents {
            tell(watch, 0)?;
            match scanner.scan(document, file) {
                Ok(Verdict::Clean) => {}
                Ok(Verdict::Infected(name)) => found.push(finding(document, &name)),
                Err(error) if found.is_empty() => return Err(unscanned(document, error)),
                Err(_) => break,
            }
            if found.len() == MOST_FOUND {
                break;
            }
        }
        if found.is_empty() { Ok(()) } else { Err(infected(found)) }
    }
}

fn finding(document: &ExchangeId, name: &str) -> Detail {
    let name: String =
        name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_NAME).collect();
    let said = format!("Document {document} is infected: the scanner found {}.", name.trim());
    Detail::new(said).coded(ErrorKind::InfectedDocument.name()).about(document.as_str())
}

fn infected(found: Vec<Detail>) -> Error {
    let more = match found.len() {
        0 | 1 => String::new(),
        count => format!(" So are {} more.", count - 1),
    };
    let first = found.first().map_or("", |finding| finding.message.as_str());
    let said = format!("{first}{more} Nothing of the package was released; reject it, and tell the sender.");
    Error::new(ErrorKind::InfectedDocument, said).with_details(found)
}

fn unscanned(document: &ExchangeId, error: Error) -> Error {
    let said =
        format!("document {document} could not be scanned, so nothing of the package was released: {error}");
    Error::new(ErrorKind::ScanFailed, said).retryable(error.is_retryable()).caused_by(error)
}
