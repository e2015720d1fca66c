//! The rules of an import: what is refused, and what is made of the rest before it is merged.

use super::catalogue::Catalogue;
use super::names::{NameSet, folded};
use super::violation::{Violation, ViolationCode};
use crate::model::{Json, Record, RecordKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a record whose type is not known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnknownType {
    /// The package is refused until the type is known.
    #[default]
    Reject,
    /// It is taken as it is.
    Accept,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForcedStatus {
    status: String,
    #[serde(default)]
    exceptions: NameSet,
}

/// What this site makes of packages from a partner.
///
/// By default: types that the catalogue does not know are refused, contacts are imported, no status is forced and no
/// claim is protected. Types and statuses are compared without regard to case and outer spaces.
///
/// ```
/// use claimwire::model::RecordKind;
/// use claimwire::rules::{ImportRules, UnknownType};
///
/// let rules = ImportRules::new()
///     .unknown_bill_types(UnknownType::Accept)
///     .contacts(false)
///     .force_status(RecordKind::Claim, "received", ["closed"])
///     .protect(["closed"]);
/// # drop(rules);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportRules {
    unknown_claim_types: UnknownType,
    unknown_assessment_types: UnknownType,
    unknown_bill_types: UnknownType,
    contacts: bool,
    forced_status: BTreeMap<RecordKind, ForcedStatus>,
    protected_statuses: NameSet,
}

impl Default for ImportRules {
    fn default() -> Self {
        Self {
            unknown_claim_types: UnknownType::Reject,
            unknown_assessment_types: UnknownType::Reject,
            unknown_bill_types: UnknownType::Reject,
            contacts: true,
            forced_status: BTreeMap::new(),
            protected_statuses: NameSet::default(),
        }
    }
}

impl ImportRules {
    /// The default rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What becomes of a claim whose type (template) is not known here.
    #[must_use]
    pub fn unknown_claim_types(mut self, rule: UnknownType) -> Self {
        self.unknown_claim_types = rule;
        self
    }

    /// What becomes of assessments whose type is not known here.
    #[must_use]
    pub fn unknown_assessment_types(mut self, rule: UnknownType) -> Self {
        self.unknown_assessment_types = rule;
        self
    }

    /// What becomes of bills whose type is not known here.
    #[must_use]
    pub fn unknown_bill_types(mut self, rule: UnknownType) -> Self {
        self.unknown_bill_types = rule;
        self
    }

    /// Whether people and companies are imported.
    #[must_use]
    pub fn contacts(mut self, imported: bool) -> Self {
        self.contacts = imported;
        self
    }

    /// Gives every imported claim, assessment or bill this status instead of the sender's, unless the sender's is one
    /// of the exceptions. Other kinds of record have no forced status.
    #[must_use]
    pub fn force_status(
        mut self,
        kind: RecordKind,
        status: impl Into<String>,
        exceptions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mut forced = ForcedStatus { status: status.into(), exceptions: NameSet::default() };
        forced.exceptions.add(exceptions);
        self.forced_status.insert(kind, forced);
        self
    }

    /// The status that imported records of this kind get, where there is one.
    pub(crate) fn forced_status(&self, kind: RecordKind) -> Option<&str> {
        self.forced_status.get(&kind).map(|forced| forced.status.as_str())
    }

    /// Adds statuses in which a claim here is protected: no package changes it.
    #[must_use]
    pub fn protect(mut self, statuses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.protected_statuses.add(statuses);
        self
    }
}

/// Every rule that the package violates; empty when it may be unpacked.
///
/// `records` is what came in, `local` the claim file as it stands here (empty when the claim is new). A type that a
/// record here has already counts as known. One unknown type is reported once.
#[must_use]
pub fn check_import(
    records: &[Record],
    local: &[Record],
    rules: &ImportRules,
    catalogue: &Catalogue,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    if let Some(claim) = local.iter().find(|record| record.kind == RecordKind::Claim)
        && let Some(status) = text(claim, "status").filter(|status| rules.protected_statuses.contains(status))
    {
        let number = text(claim, "claim_number").unwrap_or(claim.id.as_str());
        violations.push(Violation::new(
            ViolationCode::ProtectedClaim,
            Some(claim.id.clone()),
            format!(
                "Claim `{}` is protected here: its status is `{}`. Reopen it to unpack the package, or reject the package.",
                number.escape_debug(),
                status.escape_debug()
            ),
        ));
    }
    let known_here: BTreeSet<(RecordKind, String)> = local.iter().filter_map(typed).collect();
    let mut reported = BTreeSet::new();
    for record in records {
        let Some(key) = typed(record) else { continue };
        let name = text(record, type_field(record.kind)).unwrap_or_default();
        let (rule, known, code, what) = match record.kind {
            RecordKind::Claim => (
                rules.unknown_claim_types,
                catalogue.knows_claim_type(name),
                ViolationCode::UnknownClaimType,
                "claim",
            ),
            RecordKind::Assessment => (
                rules.unknown_assessment_types,
                catalogue.knows_assessment_type(name),
                ViolationCode::UnknownAssessmentType,
                "assessment",
            ),
            _ => (
                rules.unknown_bill_types,
                catalogue.knows_bill_type(name),
                ViolationCode::UnknownBillType,
                "bill",
            ),
        };
        if rule == UnknownType::Accept || known || known_here.contains(&key) || !reported.insert(key) {
            continue;
        }
        violations.push(Violation::new(
            code,
            Some(record.id.clone()),
            format!(
                "The {what} type `{}` is not known here. Contact the sender, or add the type and unpack the package again.",
                name.escape_debug()
            ),
        ));
    }
    violations
}

/// What came in as the rules let it in: without contacts where they are off, with forced statuses.
#[must_use]
pub fn prepare_import(records: Vec<Record>, rules: &ImportRules) -> Vec<Record> {
    let mut records = records;
    records.retain(|record| rules.contacts || record.kind != RecordKind::Contact);
    for record in &mut records {
        if !matches!(record.kind, RecordKind::Claim | RecordKind::Assessment | RecordKind::Bill) {
            continue;
        }
        let Some(forced) = rules.forced_status.get(&record.kind) else { continue };
        if !text(record, "status").is_some_and(|status| forced.exceptions.contains(status)) {
            record.fields.insert("status".into(), Json::from(forced.status.as_str()));
        }
    }
    records
}

fn type_field(kind: RecordKind) -> &'static str {
    if kind == RecordKind::Claim { "claim_type" } else { "type" }
}

/// The record's level and type, where its level has types and it has one.
fn typed(record: &Record) -> Option<(RecordKind, String)> {
    if !matches!(record.kind, RecordKind::Claim | RecordKind::Assessment | RecordKind::Bill) {
        return None;
    }
    text(record, type_field(record.kind)).map(|name| (record.kind, folded(name)))
}

fn text<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record.fields.get(name).and_then(Json::as_str)
}
