//! The outcome of a merge: which records are added and updated, field by field, and why.

use super::pairs::ContactPairs;
use super::same::same;
use crate::model::{ClaimFile, ExchangeId, Json, Record, RecordKind};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// How many conflicting fields the sentence for people names; all of them are in the details.
const NAMED_FIELDS: usize = 5;

/// Who wins where both sides changed the same field differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictPolicy {
    /// The partner's value is taken.
    Theirs,
    /// The value here stays.
    Ours,
    /// Nothing of the package is applied until a person has settled it.
    #[default]
    Stop,
}

/// What became of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FieldOutcome {
    /// Only theirs changed: it is taken.
    Updated,
    /// Only ours changed, or it is this side's alone: it stays.
    KeptOurs,
    /// Both changed: theirs is taken, as the policy says.
    ConflictTakenTheirs,
    /// Both changed: ours stays, as the policy says.
    ConflictKeptOurs,
    /// Both changed, and the policy is to stop.
    ConflictStopped,
}

impl FieldOutcome {
    /// Whether both sides had changed the field differently.
    #[must_use]
    pub fn is_conflict(self) -> bool {
        matches!(self, Self::ConflictTakenTheirs | Self::ConflictKeptOurs | Self::ConflictStopped)
    }

    /// Whether the partner's value is taken.
    #[must_use]
    pub fn takes_theirs(self) -> bool {
        matches!(self, Self::Updated | Self::ConflictTakenTheirs)
    }
}

/// One field in which the sides differ; `null` stands for no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FieldChange {
    /// The field, a custom field with the prefix `custom_fields.`.
    pub name: String,
    /// The value here.
    pub local: Json,
    /// The partner's value.
    pub incoming: Json,
    /// The value both sides last had in common.
    pub base: Json,
    /// What became of it.
    pub outcome: FieldOutcome,
}

impl FieldChange {
    pub(super) fn new(
        name: &str,
        local: Option<&Json>,
        incoming: Option<&Json>,
        base: Option<&Json>,
        outcome: FieldOutcome,
    ) -> Self {
        let value = |field: Option<&Json>| field.cloned().unwrap_or(Json::NULL);
        Self {
            name: name.to_owned(),
            local: value(local),
            incoming: value(incoming),
            base: value(base),
            outcome,
        }
    }
}

/// What happens to a record as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecordAction {
    /// It is new here.
    Added,
    /// At least one field takes the partner's value.
    Updated,
    /// The sides differ, but everything here stays as it is.
    Unchanged,
}

/// One record in which the sides differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordChange {
    /// The record as it stood here; `None` when it is new.
    pub before: Option<Record>,
    /// The whole record as it shall stand; a field that was cleared is there with `null`.
    pub after: Record,
    /// The fields in which the sides differ.
    pub fields: Vec<FieldChange>,
}

impl RecordChange {
    /// What happens to the record as a whole.
    #[must_use]
    pub fn action(&self) -> RecordAction {
        if self.before.is_none() {
            RecordAction::Added
        } else if self.fields.iter().any(|field| field.outcome.takes_theirs()) {
            RecordAction::Updated
        } else {
            RecordAction::Unchanged
        }
    }

    /// Whether the change gives a document other bytes, which the case system then takes from the staged file.
    #[must_use]
    pub fn brings_bytes(&self) -> bool {
        let takes_bytes = || {
            self.fields
                .iter()
                .any(|field| matches!(field.name.as_str(), "sha256" | "size") && field.outcome.takes_theirs())
        };
        self.after.kind == RecordKind::Document && (self.before.is_none() || takes_bytes())
    }

    /// Applies the change to the record as it stands now (`None`: it is not there), for case systems.
    ///
    /// Only fields that take the partner's value are written. A field that already has that value is left, so
    /// that applying twice is harmless.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`], worth a retry with a fresh merge, when the record was changed here after the merge
    /// looked at it.
    pub fn apply_to(&self, current: Option<Record>) -> Result<Option<Record>> {
        let moved = |what: String| {
            let text = format!(
                "{} {}: {what} while the package was being unpacked; unpack it again",
                self.after.kind, self.after.id
            );
            Error::new(ErrorKind::Conflict, text).retryable(true)
        };
        let mut record = match (current, self.action()) {
            (current, RecordAction::Unchanged) => return Ok(current),
            (None, RecordAction::Added) => return Ok(Some(self.after.clone())),
            (None, _) => return Err(moved("it was removed here".into())),
            (Some(current), _) => current,
        };
        for field in self.fields.iter().filter(|field| field.outcome.takes_theirs()) {
            let now = record.fields.get(&field.name);
            if same(now, Some(&field.incoming)) {
                continue;
            }
            if !same(now, Some(&field.local)) {
                return Err(moved(format!("`{}` was changed here", field.name)));
            }
            record.fields.insert(field.name.clone(), field.incoming.clone());
        }
        Ok(Some(record))
    }
}

/// What unpacking a package changes in one claim file, and what it leaves; a dry run shows the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangeSet {
    /// The claim.
    pub claim: ExchangeId,
    /// Whether the claim itself is new here.
    pub adds_claim: bool,
    /// The records in which the sides differ: the claim first, parents before their children.
    pub records: Vec<RecordChange>,
    /// The contacts that are taken for the same person or company as one here; they stand in `records` by our ids.
    #[serde(default, skip_serializing_if = "ContactPairs::is_empty")]
    pub matched_contacts: ContactPairs,
}

impl ChangeSet {
    /// A set without changes for `claim`.
    #[must_use]
    pub fn new(claim: ExchangeId) -> Self {
        Self { claim, adds_claim: false, records: Vec::new(), matched_contacts: ContactPairs::new() }
    }

    /// Every field that both sides had changed differently, with its record.
    pub fn conflicts(&self) -> impl Iterator<Item = (&RecordChange, &FieldChange)> {
        self.records.iter().flat_map(|record| {
            record.fields.iter().filter(|field| field.outcome.is_conflict()).map(move |field| (record, field))
        })
    }

    /// Whether it may not be applied: the policy is to stop, and there is a conflict.
    #[must_use]
    pub fn blocked(&self) -> bool {
        self.conflicts().any(|(_, field)| field.outcome == FieldOutcome::ConflictStopped)
    }

    /// Whether applying it would change nothing. A [`blocked`](Self::blocked) set may be empty in this sense.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.iter().all(|record| record.action() == RecordAction::Unchanged)
    }

    /// Applies the set to the claim file as it stands now (`None`: it is not there), for case systems that keep a
    /// claim as one piece. Gives the file as it shall stand; applying the set twice is harmless.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the set is [`blocked`](Self::blocked), or a record was changed here after the merge
    /// looked at it ([`RecordChange::apply_to`]); [`ErrorKind::UnknownClaim`] when there is no claim and the set does
    /// not add it; [`ErrorKind::InvalidPackage`] when a field would get a value of another type than the model says.
    pub fn apply_to(&self, current: Option<&ClaimFile>) -> Result<ClaimFile> {
        self.unless_blocked()?;
        if current.is_none() && !self.adds_claim {
            return Err(Error::new(
                ErrorKind::UnknownClaim,
                format!("claim {} is not here any more", self.claim),
            ));
        }
        let mut records = current.map_or_else(|| Ok(Vec::new()), ClaimFile::to_records)?;
        for change in &self.records {
            let place = records.iter().position(|record| record.id == change.after.id);
            let after = change.apply_to(place.map(|place| records[place].clone()))?;
            match (place, after) {
                (Some(place), Some(after)) => records[place] = after,
                (None, Some(after)) => records.push(after),
                (_, None) => {}
            }
        }
        let mut file = ClaimFile::from_records(records)?;
        file.other = current.map(|file| file.other.clone()).unwrap_or_default();
        Ok(file)
    }

    /// The set itself, or the error that says which fields a person has to settle first.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] with one detail line for each conflict when the set is [`blocked`](Self::blocked).
    pub fn unless_blocked(&self) -> Result<&Self> {
        if !self.blocked() {
            return Ok(self);
        }
        let place = |record: &RecordChange, field: &FieldChange| {
            format!("`{}` of {} {}", field.name.escape_debug(), record.after.kind, record.after.id)
        };
        let mut places: Vec<String> =
            self.conflicts().take(NAMED_FIELDS).map(|(record, field)| place(record, field)).collect();
        match self.conflicts().count() - places.len() {
            0 => {}
            1 => places.push("one more field".to_owned()),
            more => places.push(format!("{more} more fields")),
        }
        let details = self.conflicts().map(|(record, field)| {
            let said = format!(
                "{} was changed here and at the partner; settle it with the partner",
                place(record, field)
            );
            Detail::new(said).coded(ErrorKind::Conflict.name()).about(record.after.id.as_str())
        });
        let said =
            format!("claim {}: both sides changed {}; nothing was applied", self.claim, places.join(", "));
        Err(Error::new(ErrorKind::Conflict, said).with_details(details))
    }
}
