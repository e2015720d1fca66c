//! A claim with all of its records: what a case system loads and a package carries.

use super::json::without_values;
use super::{Assessment, Claim, Contact, Document, Json, Note};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A claim with its assessments (and their bills), contacts, notes and documents.
///
/// A document is its metadata here; its bytes are read from the case system or from the package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClaimFile {
    /// The claim.
    pub claim: Claim,
    /// Its assessments, each with its bills.
    #[serde(default)]
    pub assessments: Vec<Assessment>,
    /// The people and companies it names.
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// Its notes.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Its documents.
    #[serde(default)]
    pub documents: Vec<Document>,
    /// JSON members that this version does not know, kept for the way back.
    #[serde(flatten)]
    pub other: BTreeMap<String, Json>,
}

impl ClaimFile {
    /// A claim file with nothing but the claim.
    #[must_use]
    pub fn new(claim: Claim) -> Self {
        Self {
            claim,
            assessments: Vec::new(),
            contacts: Vec::new(),
            notes: Vec::new(),
            documents: Vec::new(),
            other: BTreeMap::new(),
        }
    }

    /// Reads a claim file from JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPackage`] with the place where the JSON is not a claim file, and no value of it.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).map_err(|error| {
            let said = without_values(&error);
            Error::new(ErrorKind::InvalidPackage, format!("the claim file is not valid: {said}"))
        })
    }

    /// Writes the claim file as JSON: the same file gives the same bytes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when a value has no JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("the claim file has no JSON form: {error}"))
                .caused_by(error)
        })
    }
}
