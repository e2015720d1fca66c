//! The package archive: what stands in the zip, written in one pass and read with nothing taken on trust.
//!
//! Format version 1, a zip that any unzip tool opens:
//!
//! | entry | holds |
//! |---|---|
//! | `documents/<site>/<id>/<name>` | a document's bytes, under its exchange id and the name its author gave it |
//! | `claim.json` | the claim file ([`ClaimFile`](crate::model::ClaimFile)) |
//! | `manifest.json` | the [`Manifest`]: what the package is, and path, size and SHA-256 of every other entry |
//!
//! Documents come first, so that the claim file can tell the size and digest of what really went in; the manifest
//! comes last, so that packing stays one pass. [`read`] checks every entry against the manifest and every
//! document against the claim file, into a private folder; the caller gets nothing before all of it held.

mod manifest;
mod reader;
mod writer;

pub use manifest::{FORMAT_VERSION, Manifest, ManifestEntry};
pub use reader::{Contents, PackageLimits, read, read_bytes};
pub use writer::PackageWriter;

use crate::model::ExchangeId;
use crate::{Error, ErrorKind, Result};

const MANIFEST: &str = "manifest.json";
const CLAIM_FILE: &str = "claim.json";
const DOCUMENTS: &str = "documents/";

/// The archive path of a document. Its name is one name: a path in it would make folders wherever it is saved.
fn document_path(id: &ExchangeId, name: &str) -> Result<String> {
    if name.contains('/') {
        return Err(Error::new(
            ErrorKind::HostileName,
            format!("document {id} is named `{}`, which is a path; rename it", name.escape_debug()),
        ));
    }
    Ok(format!("{DOCUMENTS}{id}/{name}"))
}
