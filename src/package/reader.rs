//! Reads a package into a private folder, and tells nothing of it before every part of it held.

use super::manifest::{Manifest, ManifestEntry};
use super::{CLAIM_FILE, MANIFEST, document_path};
use crate::codec::{
    EntryDigest, Limits, OpeningKey, Plaintext, Relay, SharedArchive, Wanted, Watch, available_threads,
};
use crate::model::{ClaimFile, ExchangeId, Json, PackageKind, Record, RecordKind};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a package may cost to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageLimits {
    archive: Limits,
    json_size: u64,
    json_depth: u32,
}

impl Default for PackageLimits {
    /// The archive's own defaults; 32 MiB of JSON, 32 levels deep.
    fn default() -> Self {
        Self { archive: Limits::default(), json_size: 32 << 20, json_depth: 32 }
    }
}

impl PackageLimits {
    /// These limits with others on the archive: inflated size, entries, names, ratio.
    #[must_use]
    pub fn with_archive(mut self, archive: Limits) -> Self {
        self.archive = archive;
        self
    }

    /// These limits with another size of `claim.json` and of `manifest.json`, in bytes each.
    #[must_use]
    pub fn with_json_size(mut self, bytes: u64) -> Self {
        self.json_size = bytes;
        self
    }

    /// These limits with another depth of JSON, in levels; no more than 128 are ever read.
    #[must_use]
    pub fn with_json_depth(mut self, levels: u32) -> Self {
        self.json_depth = levels;
        self
    }
}

/// A package of which everything held: entries, digests, and that the parts agree with each other.
#[derive(Debug)]
#[non_exhaustive]
pub struct Contents {
    /// What the package says of itself.
    pub manifest: Manifest,
    /// The records it carries, the claim first.
    pub records: Vec<Record>,
    /// The verified documents, as files in the folder given to [`read`].
    pub documents: BTreeMap<ExchangeId, PathBuf>,
}

/// Opens, reads and verifies a sealed package, all of the file `sealed`; its documents are written to `folder` under
/// names of our own, by as many threads as the machine runs at once.
///
/// The caller keeps `folder` private and removes it when this fails. `watch` is told of the sealed bytes read, on this
/// thread only.
///
/// # Errors
/// Those of [`Decryptor`](crate::codec::Decryptor) and of [`ArchiveReader`](crate::codec::ArchiveReader);
/// [`ErrorKind::NotAPackage`] without a manifest, [`ErrorKind::UnsupportedFormatVersion`], [`ErrorKind::Altered`] when
/// an entry is not what the manifest says, [`ErrorKind::InvalidPackage`] when the manifest, the claim file and the
/// entries do not agree; [`ErrorKind::Cancelled`].
pub fn read(
    sealed: &File,
    key: &OpeningKey,
    folder: &Path,
    limits: &PackageLimits,
    watch: &dyn Watch,
) -> Result<Contents> {
    let relay = Relay::new(watch);
    read_opened(&Plaintext::of_file(key, sealed, &relay)?, folder, limits, &relay)
}

/// As [`read`], of a sealed package in memory.
///
/// # Errors
/// Those of [`read`].
pub fn read_bytes(
    sealed: &[u8],
    key: &OpeningKey,
    folder: &Path,
    limits: &PackageLimits,
) -> Result<Contents> {
    let relay = Relay::new(&());
    read_opened(&Plaintext::of_bytes(key, &sealed, &relay)?, folder, limits, &relay)
}

fn read_opened(
    package: &Plaintext<'_>,
    folder: &Path,
    limits: &PackageLimits,
    relay: &Relay<'_>,
) -> Result<Contents> {
    let mut archive = SharedArchive::open(package, &limits.archive, available_threads(), relay)?;
    let entries: Vec<String> = archive.files().map(|entry| entry.name().to_owned()).collect();
    if !entries.iter().any(|name| name == MANIFEST) {
        return Err(Error::new(
            ErrorKind::NotAPackage,
            "the archive has no manifest.json: it is not a claimwire package",
        ));
    }
    let manifest = Manifest::from_json(&read_json(&mut archive, MANIFEST, limits)?.0)?;
    let listed = listed_entries(&manifest, &entries)?;

    let claim = *listed.get(CLAIM_FILE).ok_or_else(|| invalid("it has no claim.json"))?;
    let (json, digest) = read_json(&mut archive, CLAIM_FILE, limits)?;
    check_digest(claim, &digest)?;
    let records = read_records(&json, &manifest)?;

    let mut by_path = BTreeMap::new();
    for record in records.iter().filter(|record| record.kind == RecordKind::Document) {
        by_path.insert(document_entry(record, &listed)?.path.as_str(), &record.id);
    }
    if by_path.len() + 1 != listed.len() {
        return Err(invalid("it has documents that the claim file does not speak of, or one twice"));
    }
    let (mut wanted, mut documents) = (Vec::new(), BTreeMap::new());
    for name in &entries {
        if let Some(id) = by_path.get(name.as_str()).copied() {
            let path = folder.join(wanted.len().to_string());
            wanted.push(Wanted { name: name.clone(), path: path.clone() });
            documents.insert(id.clone(), path);
        }
    }
    archive.extract(&wanted, available_threads(), relay, &(), &|file, digest| {
        let entry = listed.get(file.name.as_str()).copied();
        entry.map_or_else(
            || Err(invalid("the manifest does not list it")),
            |entry| check_digest(entry, digest),
        )
    })?;
    Ok(Contents { manifest, records, documents })
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidPackage,
        format!("the package contradicts itself: {why}; ask the sender to export it anew"),
    )
}

/// Reads a JSON entry of bounded size and depth.
fn read_json(
    archive: &mut SharedArchive<'_>,
    name: &str,
    limits: &PackageLimits,
) -> Result<(Vec<u8>, EntryDigest)> {
    let mut json = Bounded { bytes: Vec::new(), name, limit: limits.json_size };
    let digest = archive.read(name, &mut json)?;
    if depth(&json.bytes) > limits.json_depth {
        return Err(Error::new(
            ErrorKind::InvalidPackage,
            format!("{name} is nested more than {} levels deep", limits.json_depth),
        ));
    }
    Ok((json.bytes, digest))
}

/// How deep arrays and objects stand in each other, without building them.
fn depth(json: &[u8]) -> u32 {
    let (mut level, mut deepest, mut in_string, mut escaped) = (0u32, 0u32, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            // Only a text has one: elsewhere it ends what can be read.
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                level = level.saturating_add(1);
                deepest = deepest.max(level);
            }
            b']' | b'}' if !in_string => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Bounded<'a> {
    bytes: Vec<u8>,
    name: &'a str,
    limit: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        if (self.bytes.len() + chunk.len()) as u64 > self.limit {
            return Err(Error::new(
                ErrorKind::InflatedTooLarge,
                format!("{} is larger than {} bytes", self.name, self.limit),
            )
            .into());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The manifest's entries by path, which must be the archive's entries: all of them, each once, nothing more.
fn listed_entries<'a>(
    manifest: &'a Manifest,
    entries: &[String],
) -> Result<BTreeMap<&'a str, &'a ManifestEntry>> {
    let mut listed = BTreeMap::new();
    for entry in &manifest.entries {
        if listed.insert(entry.path.as_str(), entry).is_some() {
            return Err(invalid(format_args!("the manifest lists `{}` twice", entry.path.escape_debug())));
        }
    }
    for name in entries.iter().filter(|name| *name != MANIFEST) {
        if !listed.contains_key(name.as_str()) {
            return Err(invalid(format_args!("the manifest does not list `{}`", name.escape_debug())));
        }
    }
    if listed.len() + 1 != entries.len() {
        return Err(invalid("the manifest lists entries that the archive does not have"));
    }
    Ok(listed)
}

fn check_digest(entry: &ManifestEntry, digest: &EntryDigest) -> Result<()> {
    if entry.size == digest.size() && entry.sha256 == digest.to_hex() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Altered,
        format!(
            "`{}` is not what the manifest says: its size or SHA-256 differs; ask the sender to export it anew",
            entry.path.escape_debug()
        ),
    ))
}

/// The claim file's records, once they are known to fit the model and the manifest.
fn read_records(json: &[u8], manifest: &Manifest) -> Result<Vec<Record>> {
    let file = ClaimFile::from_json(json)?;
    if file.claim.id != manifest.package.claim {
        return Err(invalid(format_args!(
            "the manifest speaks of claim {}, the claim file of {}",
            manifest.package.claim, file.claim.id
        )));
    }
    let text = std::str::from_utf8(json).map_err(|_| invalid("claim.json is not UTF-8"))?;
    let records = ClaimFile::records_of_json(text.parse()?)?;
    let mut ids: Vec<&ExchangeId> = records.iter().map(|record| &record.id).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(invalid(format_args!("record {} stands in the claim file twice", pair[0])));
    }
    if manifest.package.kind == PackageKind::Notes && !records.iter().all(may_go_with_notes) {
        return Err(invalid(
            "a package of notes carries other records, fields of the claim, or custom fields",
        ));
    }
    Ok(records)
}

/// Whether a package of notes may carry it: the claim's id, and notes without custom fields.
fn may_go_with_notes(record: &Record) -> bool {
    match record.kind {
        RecordKind::Claim => record.fields.is_empty(),
        RecordKind::Note => record.fields.keys().all(|name| !name.starts_with("custom_fields.")),
        _ => false,
    }
}

/// The manifest entry of a document, which must be where the record's id and name put it and state the same bytes.
fn document_entry<'a>(
    record: &Record,
    listed: &BTreeMap<&str, &'a ManifestEntry>,
) -> Result<&'a ManifestEntry> {
    let name = record.fields.get("name").and_then(Json::as_str);
    let name = name.ok_or_else(|| invalid(format_args!("document {} has no name", record.id)))?;
    let path = document_path(&record.id, name)?;
    let entry = listed
        .get(path.as_str())
        .ok_or_else(|| invalid(format_args!("the bytes of document {} are missing", record.id)))?;
    let states = |field: &str, value: Json| record.fields.get(field).is_none_or(|stated| *stated == value);
    if !states("sha256", entry.sha256.as_str().into()) || !states("size", Json(entry.size.into())) {
        return Err(invalid(format_args!("the record of document {} states other bytes", record.id)));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_stands_in_each_other_and_not_side_by_side() {
        assert_eq!(depth(b"12"), 0);
        assert_eq!(depth(b"[[], {}, []]"), 2);
        assert_eq!(depth(br#"{"claim": {"notes": [{}]}}"#), 4);
        assert_eq!(depth(b"[[[["), 4, "what never ends is deep all the same");
        assert_eq!(depth(b"]]][["), 2, "what ends too often is not below nothing");
    }

    #[test]
    fn brackets_in_a_text_are_no_depth() {
        assert_eq!(depth(br#"["[[[[ see {{{ below"]"#), 1);
        assert_eq!(depth(br#"["a quote \" and [[", []]"#), 2);
        assert_eq!(depth(br#"["a backslash \\", [[]]]"#), 3);
        assert_eq!(depth(br#"["]", [], "]", []]"#), 2);
    }

    #[test]
    fn json_is_taken_up_to_its_limit_and_not_a_byte_further() {
        let bounded = || Bounded { bytes: Vec::new(), name: CLAIM_FILE, limit: 4 };
        let mut json = bounded();
        json.write_all(b"{}").unwrap();
        json.write_all(b"  ").unwrap();
        assert_eq!(json.bytes, b"{}  ");
        assert!(json.write_all(b" ").is_err());
        assert!(bounded().write_all(b"{    ").is_err());
    }
}
