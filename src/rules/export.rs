//! The rules of an export, all checked together.

use super::naming::{NamingConvention, NamingFacts};
use super::selection::fault_of_name;
use super::violation::{Violation, ViolationCode};
use crate::merge::has_value;
use crate::model::{ExchangeId, Json, Record, RecordKind, SiteId};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// 250 MiB, in bytes.
pub const DEFAULT_SEALED_SIZE_LIMIT: u64 = 262_144_000;

const CUSTOM: &str = "custom_fields.";

/// What a partner prescribes for exports to it.
///
/// By default: a note is required, any document name will do, a claim that came from elsewhere may not be forwarded,
/// no field is required beyond a claim or policy number, and a sealed package is at most 250 MiB.
///
/// ```
/// use claimwire::model::RecordKind;
/// use claimwire::rules::{ExportRules, NamingConvention};
///
/// let rules = ExportRules::new()
///     .naming(NamingConvention::new("{claim_number}_{document_type}_{date:YYYYMMDD}.{ext:pdf|docx}")?)
///     .require(RecordKind::Assessment, ["status", "custom_fields.clinic"]);
/// rules.check()?;
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportRules {
    note_required: bool,
    naming: Option<NamingConvention>,
    forwarding_allowed: bool,
    required_fields: BTreeMap<RecordKind, BTreeSet<String>>,
    sealed_size_limit: u64,
}

impl Default for ExportRules {
    fn default() -> Self {
        Self {
            note_required: true,
            naming: None,
            forwarding_allowed: false,
            required_fields: BTreeMap::new(),
            sealed_size_limit: DEFAULT_SEALED_SIZE_LIMIT,
        }
    }
}

impl ExportRules {
    /// The default rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a note must have been added since the last export.
    #[must_use]
    pub fn note_required(mut self, required: bool) -> Self {
        self.note_required = required;
        self
    }

    /// The convention that the names of documents must match.
    #[must_use]
    pub fn naming(mut self, convention: NamingConvention) -> Self {
        self.naming = Some(convention);
        self
    }

    /// Whether a claim that came from another site may be sent on to this partner.
    #[must_use]
    pub fn forwarding_allowed(mut self, allowed: bool) -> Self {
        self.forwarding_allowed = allowed;
        self
    }

    /// Adds fields that every record of `kind` must have a value in; custom fields with the prefix
    /// `custom_fields.`.
    #[must_use]
    pub fn require(mut self, kind: RecordKind, fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required_fields.entry(kind).or_default().extend(fields.into_iter().map(Into::into));
        self
    }

    /// The largest sealed package, in bytes.
    #[must_use]
    pub fn sealed_size_limit(mut self, bytes: u64) -> Self {
        self.sealed_size_limit = bytes;
        self
    }

    /// The largest sealed package, in bytes.
    #[must_use]
    pub fn max_sealed_size(&self) -> u64 {
        self.sealed_size_limit
    }

    /// Checks that every required field is one that can travel.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail line for each name that is no field of its level.
    pub fn check(&self) -> Result<()> {
        let faults: Vec<Detail> = self
            .required_fields
            .iter()
            .flat_map(|(kind, names)| names.iter().map(|name| (*kind, name)))
            .filter(|(_, name)| !name.starts_with(CUSTOM))
            .filter_map(|(kind, name)| fault_of_name(kind, name))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidSettings,
            format!("the required fields are not valid: {}", Detail::joined(&faults, "; ")),
        )
        .with_details(faults))
    }
}

/// What an export is about, as far as the rules ask.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExportFacts<'a> {
    this_site: &'a SiteId,
    partner: &'a SiteId,
    partner_name: &'a str,
    records: &'a [Record],
    known_notes: Option<&'a BTreeSet<ExchangeId>>,
    received_from_partner: bool,
    sealed_size: Option<u64>,
}

impl<'a> ExportFacts<'a> {
    /// An export of `records`, as [`select`](super::select) chose them, from this site to `partner`.
    #[must_use]
    pub fn new(this_site: &'a SiteId, partner: &'a SiteId, records: &'a [Record]) -> Self {
        Self {
            this_site,
            partner,
            partner_name: partner.as_str(),
            records,
            known_notes: None,
            received_from_partner: false,
            sealed_size: None,
        }
    }

    /// The partner's name for people; by default its site id.
    #[must_use]
    pub fn partner_name(mut self, name: &'a str) -> Self {
        self.partner_name = name;
        self
    }

    /// The notes that the partner has seen already: sent in an earlier export, or received from it. Another note is
    /// one that was added since; clocks do not matter.
    #[must_use]
    pub fn known_notes(mut self, notes: &'a BTreeSet<ExchangeId>) -> Self {
        self.known_notes = Some(notes);
        self
    }

    /// Whether the claim was received from the partner at some time.
    #[must_use]
    pub fn received_from_partner(mut self, received: bool) -> Self {
        self.received_from_partner = received;
        self
    }

    /// The size of the sealed package in bytes, once it is known.
    #[must_use]
    pub fn sealed_size(mut self, bytes: u64) -> Self {
        self.sealed_size = Some(bytes);
        self
    }

    fn claim(&self) -> Option<&'a Record> {
        self.records.iter().find(|record| record.kind == RecordKind::Claim)
    }

    fn of_kind(&self, kind: RecordKind) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(move |record| record.kind == kind)
    }

    fn adds_a_note(&self) -> bool {
        self.of_kind(RecordKind::Note).any(|note| {
            !note.id.is_from(self.partner) && self.known_notes.is_none_or(|known| !known.contains(&note.id))
        })
    }
}

/// Every rule that the export violates; empty when it may go.
#[must_use]
pub fn check_export(rules: &ExportRules, facts: &ExportFacts<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let claim = facts.claim();
    let claim_id = claim.map(|claim| claim.id.clone());
    let partner = facts.partner_name;
    let mut report = |code, record, message: String| violations.push(Violation::new(code, record, message));

    if rules.note_required && !facts.adds_a_note() {
        report(
            ViolationCode::NoteMissing,
            claim_id.clone(),
            format!(
                "No note was added since the last export to {partner}. Add a note that is neither internal nor filed under something that stays here, then export again."
            ),
        );
    }
    let at_home = claim.is_some_and(|claim| claim.id.is_from(facts.this_site));
    if !(at_home || facts.received_from_partner || rules.forwarding_allowed) {
        report(
            ViolationCode::ForwardingForbidden,
            claim_id.clone(),
            format!(
                "The claim neither originated here nor was received from {partner}, and the settings do not allow to forward claims to {partner}. Export it to the partner it came from, or have forwarding allowed."
            ),
        );
    }
    let names_claim = |name| claim.is_some_and(|claim| is_filled(claim, name));
    if !names_claim("claim_number") && !names_claim("policy_number") {
        report(
            ViolationCode::ClaimNumberMissing,
            claim_id.clone(),
            "The export has neither a claim number nor a policy number. Enter one of them on the claim, and check that the field is among those exchanged.".into(),
        );
    }
    for (kind, required) in &rules.required_fields {
        for record in facts.of_kind(*kind) {
            let missing: Vec<&str> =
                required.iter().map(String::as_str).filter(|name| !is_filled(record, name)).collect();
            if !missing.is_empty() {
                report(
                    ViolationCode::RequiredFieldMissing,
                    Some(record.id.clone()),
                    format!(
                        "{} has no value in: {}. {partner} requires it: fill it in, and check that the field is among those exchanged.",
                        title(record),
                        missing.join(", ")
                    ),
                );
            }
        }
    }
    if let Some(convention) = &rules.naming {
        violations.extend(misnamed(convention, facts));
    }
    if let Some(size) = facts.sealed_size.filter(|size| *size > rules.sealed_size_limit) {
        violations.push(Violation::new(
            ViolationCode::SealedTooLarge,
            claim_id,
            format!(
                "The package has {size} bytes, {} more than the {} that {partner} accepts. Leave documents out or send them in parts.",
                size - rules.sealed_size_limit,
                rules.sealed_size_limit
            ),
        ));
    }
    violations
}

/// The documents that are not named as the partner asks; those that came from it keep their names.
fn misnamed(convention: &NamingConvention, facts: &ExportFacts<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for document in facts.of_kind(RecordKind::Document).filter(|record| !record.id.is_from(facts.partner)) {
        let name = document.fields.get("name").and_then(Json::as_str).unwrap_or_default();
        let known = facts.claim().map_or_else(NamingFacts::new, |claim| NamingFacts::of(claim, document));
        if let Err(fault) = convention.check(name, &known) {
            let record = Some(document.id.clone());
            let violation = Violation::new(ViolationCode::DocumentName, record, fault.to_string());
            violations.push(Violation { proposal: fault.proposal, ..violation });
        }
    }
    violations
}

/// Whether the field has a value that is more than spaces.
fn is_filled(record: &Record, name: &str) -> bool {
    let field = record.fields.get(name);
    has_value(field) && field.and_then(Json::as_str).is_none_or(|text| !text.trim().is_empty())
}

/// The record as a claims handler knows it.
fn title(record: &Record) -> String {
    let text = |name| record.fields.get(name).and_then(Json::as_str);
    let name = match record.kind {
        RecordKind::Claim => text("claim_number"),
        RecordKind::Assessment => text("assessment_number"),
        RecordKind::Bill => text("bill_number"),
        RecordKind::Contact => text("name").or_else(|| text("last_name")),
        RecordKind::Document => text("name"),
        _ => text("subject"),
    };
    let kind = record.kind.name();
    let kind = format!("{}{}", kind[..1].to_uppercase(), &kind[1..]);
    name.map_or_else(|| format!("{kind} {}", record.id), |name| format!("{kind} `{}`", name.escape_debug()))
}
