//! Malware scanning of documents that came in: what an exchange asks before it releases them, and a client of ClamAV.
//!
//! An exchange that was given a [`DocumentScan`] (with
//! [`ExchangeSettings::with_document_scan`](crate::exchange::ExchangeSettings::with_document_scan)) has it look at every
//! document of a package, after the package is verified and before anything of it reaches the case system. One document
//! that is infected, or that could not be scanned, holds back the whole package.
//!
//! [`Clamd`] is one, ready to use; a closure is another:
//!
//! ```
//! use claimwire::model::ExchangeId;
//! use claimwire::scan::{DocumentScan, Verdict};
//! use std::path::Path;
//!
//! let no_programs = |_: &ExchangeId, file: &Path| {
//!     let bytes = std::fs::read(file)?;
//!     Ok(if bytes.starts_with(b"MZ") { Verdict::Infected("Windows program".into()) } else { Verdict::Clean })
//! };
//! # let file = tempfile::NamedTempFile::new()?;
//! # std::fs::write(file.path(), b"MZ\x90")?;
//! let verdict = no_programs.scan(&"IMEX/D-1".parse()?, file.path())?;
//! assert_eq!(verdict, Verdict::Infected("Windows program".into()));
//! # Ok::<(), claimwire::Error>(())
//! ```

#[cfg(test)]
mod any_reply;
mod clamd;
mod instream;

pub use clamd::Clamd;

use crate::Result;
use crate::model::ExchangeId;
use std::path::Path;

/// What a scanner says of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Malware, with the scanner's name of it. At most 200 characters are kept.
    Infected(String),
}

/// Looks for malware in documents of partners before they are released to the case system.
pub trait DocumentScan: Send + Sync {
    /// Scans one document. `file` is a private file with its verified bytes: only to be read, and gone when the unpack
    /// is over. What is in it is still hostile: parse it where a fault costs nothing.
    ///
    /// Called on the thread that unpacks, one document after the other; on several threads at once where several
    /// packages are unpacked.
    ///
    /// # Errors
    /// Whatever kept the scanner from a verdict: the package is then not unpacked, with
    /// [`ErrorKind::ScanFailed`](crate::ErrorKind::ScanFailed), and the error says whether a later try may succeed.
    fn scan(&self, document: &ExchangeId, file: &Path) -> Result<Verdict>;
}

impl<F: Fn(&ExchangeId, &Path) -> Result<Verdict> + Send + Sync> DocumentScan for F {
    fn scan(&self, document: &ExchangeId, file: &Path) -> Result<Verdict> {
        self(document, file)
    }
}
