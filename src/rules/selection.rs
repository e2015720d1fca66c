//! Which records and fields of a claim file travel to a partner.

use super::names::NameSet;
use crate::model::{ExchangeId, Json, Record, RecordKind};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const CUSTOM: &str = "custom_fields.";

/// Fields without which the record would not be what it is; they travel whatever is chosen.
pub(super) fn always(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Document => &["media_type", "name", "sha256", "size"],
        RecordKind::Note => &["body"],
        _ => &[],
    }
}

/// Whether a standard field may be chosen: `bills` are records of their own, `internal` is each side's own mark.
fn may_travel(kind: RecordKind, name: &str) -> bool {
    let own = match kind {
        RecordKind::Assessment => name == "bills",
        RecordKind::Note | RecordKind::Document => name == "internal",
        _ => false,
    };
    !own && kind.standard_fields().contains(&name)
}

/// Each system's own counters: two sides that exchanged them would differ after every edit.
const OWN_COUNTERS: &[&str] = &["version", "updated_at"];

/// Which fields of a level are chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FieldChoice {
    /// All of them, but of the standard fields neither `version` nor `updated_at`, which each system counts itself.
    All,
    /// These alone.
    Only(BTreeSet<String>),
}

impl FieldChoice {
    /// These fields alone.
    #[must_use]
    pub fn only(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Level {
    exchanged: bool,
    standard: FieldChoice,
    custom: FieldChoice,
}

impl Default for Level {
    fn default() -> Self {
        Self { exchanged: true, standard: FieldChoice::All, custom: FieldChoice::Only(BTreeSet::new()) }
    }
}

/// Which assessments travel, by their status; names are compared without regard to case and outer spaces.
///
/// By default every status is allowed and none is forced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssessmentStatuses {
    allowed: Option<NameSet>,
    forced: NameSet,
}

impl AssessmentStatuses {
    /// Every status allowed, none forced.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds statuses whose assessments a user may pick; those not named are not allowed from now on.
    #[must_use]
    pub fn allow(mut self, statuses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed.get_or_insert_default().add(statuses);
        self
    }

    /// Adds statuses whose assessments always travel.
    #[must_use]
    pub fn force(mut self, statuses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.forced.add(statuses);
        self
    }

    /// The statuses that are named, forced ones first.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        self.forced.iter().chain(self.allowed.iter().flat_map(NameSet::iter))
    }

    /// Whether an assessment in this status may be picked by a user.
    #[must_use]
    pub fn allows(&self, status: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(status)) || self.forces(status)
    }

    /// Whether an assessment in this status always travels.
    #[must_use]
    pub fn forces(&self, status: &str) -> bool {
        self.forced.contains(status)
    }
}

/// What of a claim file is exchanged with a partner.
///
/// By default: every level, with its standard fields and no custom fields. What is not chosen never leaves, nor does
/// a member this version does not know.
///
/// ```
/// use claimwire::model::RecordKind;
/// use claimwire::rules::{AssessmentStatuses, FieldChoice, FieldSelection};
///
/// let selection = FieldSelection::new()
///     .standard(RecordKind::Claim, FieldChoice::only(["claim_number", "status", "loss_date"]))
///     .custom(RecordKind::Claim, FieldChoice::only(["region"]))
///     .without(RecordKind::Contact)
///     .assessments(AssessmentStatuses::new().allow(["scheduled", "completed"]).force(["completed"]));
/// selection.check()?;
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSelection {
    levels: BTreeMap<RecordKind, Level>,
    assessments: AssessmentStatuses,
}

impl FieldSelection {
    /// Every level with its standard fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses the standard fields of a level.
    #[must_use]
    pub fn standard(mut self, kind: RecordKind, choice: FieldChoice) -> Self {
        self.levels.entry(kind).or_default().standard = choice;
        self
    }

    /// Chooses the custom fields of a level, by their names without a prefix.
    #[must_use]
    pub fn custom(mut self, kind: RecordKind, choice: FieldChoice) -> Self {
        self.levels.entry(kind).or_default().custom = choice;
        self
    }

    /// Leaves a level out.
    #[must_use]
    pub fn without(mut self, kind: RecordKind) -> Self {
        self.levels.entry(kind).or_default().exchanged = false;
        self
    }

    /// Says which assessments travel, by their status.
    #[must_use]
    pub fn assessments(mut self, statuses: AssessmentStatuses) -> Self {
        self.assessments = statuses;
        self
    }

    /// Which assessments travel, by their status.
    #[must_use]
    pub fn assessment_statuses(&self) -> &AssessmentStatuses {
        &self.assessments
    }

    /// Whether records of this kind are exchanged at all; bills need their assessments.
    #[must_use]
    pub fn exchanges(&self, kind: RecordKind) -> bool {
        let on = |kind| self.levels.get(&kind).is_none_or(|level| level.exchanged);
        on(kind) && (kind != RecordKind::Bill || on(RecordKind::Assessment))
    }

    /// Whether this field travels with records of this kind; a custom field has the prefix `custom_fields.`.
    #[must_use]
    pub fn exchanges_field(&self, kind: RecordKind, name: &str) -> bool {
        let default = Level::default();
        let level = self.levels.get(&kind).unwrap_or(&default);
        let chosen = match (name.strip_prefix(CUSTOM), &level.standard, &level.custom) {
            (Some(custom), _, FieldChoice::Only(names)) => names.contains(custom),
            (Some(_), _, FieldChoice::All) => true,
            (None, FieldChoice::Only(names), _) => names.contains(name),
            (None, FieldChoice::All, _) => !OWN_COUNTERS.contains(&name),
        };
        let standard = name.starts_with(CUSTOM) || may_travel(kind, name);
        self.exchanges(kind) && (always(kind).contains(&name) || (standard && chosen))
    }

    /// The custom fields of a level that are named, without their prefix.
    pub(crate) fn custom_fields(&self, kind: RecordKind) -> impl Iterator<Item = &str> {
        let chosen = self.levels.get(&kind).map(|level| &level.custom);
        let names = match chosen {
            Some(FieldChoice::Only(names)) => Some(names),
            _ => None,
        };
        names.into_iter().flatten().map(String::as_str)
    }

    /// Checks the selection as a whole.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail line for each fault: a name that is no field of its level, a
    /// level without any standard field, a selection without claims.
    pub fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        if !self.exchanges(RecordKind::Claim) {
            faults.push(Detail::at(RecordKind::Claim, "a package needs its claim; it cannot be left out"));
        }
        for (kind, level) in self.levels.iter().filter(|(_, level)| level.exchanged) {
            if let FieldChoice::Only(names) = &level.standard {
                if names.is_empty() {
                    let what = "choose at least one standard field, or leave the level out";
                    faults.push(Detail::at(kind, what));
                }
                faults.extend(names.iter().filter_map(|name| fault_of_name(*kind, name)));
            }
            if let FieldChoice::Only(names) = &level.custom
                && names.iter().any(|name| name.trim().is_empty())
            {
                faults.push(Detail::at(kind, "a custom field needs a name"));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidSettings,
            format!("the field selection is not valid: {}", Detail::joined(&faults, "; ")),
        )
        .with_details(faults))
    }

    /// The record with the chosen fields alone; a chosen field without value is there with `null`.
    fn narrow(&self, record: &Record, custom: bool) -> Record {
        let default = Level::default();
        let level = self.levels.get(&record.kind).unwrap_or(&default);
        let mut narrow = Record::new(record.kind, record.id.clone());
        narrow.parent.clone_from(&record.parent);
        let mut take = |name: &str| {
            let value = record.fields.get(name).cloned().unwrap_or(Json::NULL);
            narrow.fields.insert(name.to_owned(), value);
        };
        always(record.kind).iter().for_each(|name| take(name));
        match &level.standard {
            FieldChoice::All => record
                .kind
                .standard_fields()
                .iter()
                .filter(|name| may_travel(record.kind, name) && !OWN_COUNTERS.contains(name))
                .for_each(|name| take(name)),
            FieldChoice::Only(names) => {
                names.iter().filter(|name| may_travel(record.kind, name)).for_each(|name| take(name));
            }
        }
        match &level.custom {
            _ if !custom => {}
            FieldChoice::All => {
                record.fields.keys().filter(|name| name.starts_with(CUSTOM)).for_each(|name| take(name));
            }
            FieldChoice::Only(names) => names.iter().for_each(|name| take(&format!("{CUSTOM}{name}"))),
        }
        narrow
    }
}

pub(super) fn fault_of_name(kind: RecordKind, name: &str) -> Option<Detail> {
    if may_travel(kind, name) {
        return None;
    }
    let what = match (kind, name) {
        (RecordKind::Assessment, "bills") => {
            "`bills` are a level of their own; choose the fields of bills".to_owned()
        }
        (RecordKind::Note | RecordKind::Document, "internal") => {
            "`internal` is each side's own mark and never travels".to_owned()
        }
        _ => format!("`{}` is no standard field", name.escape_debug()),
    };
    Some(Detail::at(kind, what))
}

/// What of a claim file travels: the records and fields that the selection names.
///
/// Left out are levels that are not exchanged, internal notes and documents, and assessments by their status: one in
/// a forced status always travels; another must be allowed and, where `chosen` is given, chosen. With what is left out
/// stay an assessment's bills, the notes and documents that are filed under it, the replies to a note, and what is filed
/// under those in turn.
/// A chosen field without value is there with `null`, so that a value that was cleared here is cleared there. The
/// body of a note and the name, media type, size and digest of a document always travel.
#[must_use]
pub fn select(
    records: &[Record],
    selection: &FieldSelection,
    chosen: Option<&BTreeSet<ExchangeId>>,
) -> Vec<Record> {
    let withheld = withheld(records, selection, chosen);
    records
        .iter()
        .filter(|record| !withheld.contains(record.id.as_str()))
        .map(|record| selection.narrow(record, true))
        .collect()
}

/// The notes of a claim file that travel on their own, without custom fields: as [`select`] chooses them.
#[must_use]
pub fn select_notes(records: &[Record], selection: &FieldSelection) -> Vec<Record> {
    let withheld = withheld(records, selection, None);
    records
        .iter()
        .filter(|record| record.kind == RecordKind::Note && !withheld.contains(record.id.as_str()))
        .map(|record| selection.narrow(record, false))
        .collect()
}

/// The records with which this one stays: a bill's assessment, what a note or document is filed under, the note that it
/// answers.
fn hangs_on(record: &Record) -> impl Iterator<Item = &str> {
    let references: &[&str] = match record.kind {
        RecordKind::Note | RecordKind::Document => &["related_to", "in_reply_to"],
        _ => &[],
    };
    let named = references.iter().filter_map(|name| record.fields.get(*name)?.as_str());
    named.chain(record.parent.as_ref().map(ExchangeId::as_str))
}

/// What stays here: by its level, its status or its mark, and whatever hangs on that, over any number of steps.
pub(crate) fn withheld<'a>(
    records: &'a [Record],
    selection: &FieldSelection,
    chosen: Option<&BTreeSet<ExchangeId>>,
) -> BTreeSet<&'a str> {
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in records {
        for above in hangs_on(record) {
            below.entry(above).or_default().push(record.id.as_str());
        }
    }
    let by_itself = records.iter().filter(|record| stays_by_itself(record, selection, chosen));
    let mut pending: Vec<&str> = by_itself.map(|record| record.id.as_str()).collect();
    let mut withheld = BTreeSet::new();
    while let Some(id) = pending.pop() {
        if withheld.insert(id) {
            // Taken out, so that each is followed once, also where they go in a circle.
            pending.extend(below.remove(id).unwrap_or_default());
        }
    }
    withheld
}

fn stays_by_itself(
    record: &Record,
    selection: &FieldSelection,
    chosen: Option<&BTreeSet<ExchangeId>>,
) -> bool {
    let by_kind = match record.kind {
        RecordKind::Assessment => {
            let statuses = &selection.assessments;
            let status = record.fields.get("status").and_then(Json::as_str).unwrap_or_default();
            let picked = chosen.is_none_or(|chosen| chosen.contains(&record.id));
            !(statuses.forces(status) || (picked && statuses.allows(status)))
        }
        RecordKind::Note | RecordKind::Document => record.fields.get("internal") == Some(&true.into()),
        _ => false,
    };
    by_kind || !selection.exchanges(record.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_custom_fields_of_a_level_are_listed_where_they_are_named() {
        let selection = FieldSelection::new()
            .custom(RecordKind::Claim, FieldChoice::only(["region", "branch"]))
            .custom(RecordKind::Note, FieldChoice::All);
        assert_eq!(selection.custom_fields(RecordKind::Claim).collect::<Vec<_>>(), ["branch", "region"]);
        assert_eq!(selection.custom_fields(RecordKind::Note).count(), 0);
        assert_eq!(selection.custom_fields(RecordKind::Bill).count(), 0);
    }
}
