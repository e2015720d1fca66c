//! The manifest: what a package says of itself and of each of its entries.

use crate::model::{Json, Package};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the package format that this crate writes, and the highest it reads.
pub const FORMAT_VERSION: u64 = 1;

/// The highest place in the order of packages: a ledger counts in 63 bits, and nobody sends more.
const HIGHEST_SEQUENCE: u64 = u64::MAX >> 1;

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of the format: [`FORMAT_VERSION`].
    pub format_version: u64,
    /// What the package is: who sends which part of which claim to whom.
    pub package: Package,
    /// Every entry but the manifest, in the order of the archive.
    pub entries: Vec<ManifestEntry>,
    /// JSON members that this version does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, Json>,
}

/// One entry of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestEntry {
    /// The entry's path in the archive.
    pub path: String,
    /// Its size in bytes, inflated.
    pub size: u64,
    /// The SHA-256 of its bytes, inflated, in lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// The manifest of `package` with these entries.
    pub(super) fn new(package: Package, entries: Vec<ManifestEntry>) -> Self {
        Self { format_version: FORMAT_VERSION, package, entries, other: BTreeMap::new() }
    }

    /// Reads a manifest, the version first: a later version may have another shape.
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        let not_a_package = |why: &str| {
            Error::new(ErrorKind::NotAPackage, format!("not a claimwire package: its manifest.json {why}"))
        };
        let value: Json = std::str::from_utf8(json)
            .map_err(|_| not_a_package("is not UTF-8"))?
            .parse()
            .map_err(|error: Error| not_a_package("is not JSON").caused_by(error))?;
        let version = value
            .0
            .get("format_version")
            .and_then(serde_json::Value::as_u64)
            .ok_or_else(|| not_a_package("has no `format_version`"))?;
        if version != FORMAT_VERSION {
            return Err(Error::new(
                ErrorKind::UnsupportedFormatVersion,
                format!(
                    "the package is of format version {version}, this system reads version {FORMAT_VERSION}; \
                     ask the sender for version {FORMAT_VERSION}, or update claimwire here"
                ),
            ));
        }
        let invalid = |why: String| {
            Error::new(
                ErrorKind::InvalidPackage,
                format!("manifest.json: {why}; ask the sender to export it anew"),
            )
        };
        let manifest: Self = value.to().map_err(|error| invalid(error.to_string()))?;
        let sequence = manifest.package.sequence;
        if !(1..=HIGHEST_SEQUENCE).contains(&sequence) {
            return Err(invalid(format!("{sequence} is no place in the order of packages")));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(json: &str) -> ErrorKind {
        Manifest::from_json(json.as_bytes()).unwrap_err().kind()
    }

    #[test]
    fn a_higher_format_version_is_refused_and_both_versions_are_named() {
        let error = Manifest::from_json(br#"{"format_version": 2, "shape": "unknown"}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFormatVersion);
        assert!(
            error.to_string().contains("version 2") && error.to_string().contains("version 1"),
            "{error}"
        );
    }

    #[test]
    fn what_has_no_version_is_not_a_package() {
        assert_eq!(kind_of("{}"), ErrorKind::NotAPackage);
        assert_eq!(kind_of("[1]"), ErrorKind::NotAPackage);
        assert_eq!(kind_of("no json"), ErrorKind::NotAPackage);
        assert_eq!(kind_of(r#"{"format_version": "1"}"#), ErrorKind::NotAPackage);
    }

    #[test]
    fn a_manifest_with_a_missing_member_is_invalid() {
        assert_eq!(kind_of(r#"{"format_version": 1, "entries": []}"#), ErrorKind::InvalidPackage);
    }
}
