//! Name maps: the partner calls fields, types and statuses by other names than this site does.

use super::names::folded;
use super::selection::{always, fault_of_name};
use super::violation::{Violation, ViolationCode};
use crate::model::{Json, Record, RecordKind, by_id};
use crate::{Detail, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const CUSTOM: &str = "custom_fields.";

/// Names by ours, each with theirs.
type Pairs = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LevelNames {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: Pairs,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    types: Pairs,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    statuses: Pairs,
}

/// What this site and a partner call the same thing, level by level; a name that is not mapped is the same at both.
///
/// A package carries the partner's names, so one side maps or the other, or each to a vocabulary they agreed on.
/// Everything kept here (rules, history, what both sides last had in common) is in this site's names.
///
/// Fields are standard ones or custom ones, these with the prefix `custom_fields.`. A field whose name is given to
/// another field at the partner, and that has no name of its own there, is not exchanged. Types and statuses are
/// compared without regard to case and outer spaces; one whose name means something else at the partner stops the
/// export or the unpack, since silence would change it on the way back.
///
/// ```
/// use claimwire::model::{Json, Record, RecordKind};
/// use claimwire::rules::NameMap;
///
/// let map = NameMap::new()
///     .fields(RecordKind::Claim, [("custom_fields.region", "jurisdiction")])
///     .statuses(RecordKind::Claim, [("open", "in progress")]);
/// map.check()?;
/// let mut claim = Record::new(RecordKind::Claim, "ON-INS/C-1".parse()?);
/// claim.fields.insert("status".into(), Json::from("open"));
/// claim.fields.insert("custom_fields.region".into(), Json::from("CA-ON"));
///
/// let there = map.to_theirs(vec![claim.clone()]).records;
/// assert_eq!(there[0].fields["status"], Json::from("in progress"));
/// assert_eq!(there[0].fields["jurisdiction"], Json::from("CA-ON"));
/// assert_eq!(map.to_ours(there, &[], &[]).records, [claim]);
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameMap {
    levels: BTreeMap<RecordKind, LevelNames>,
}

/// Records in the names of the side they are for, and what could not be named there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Named {
    /// The records.
    pub records: Vec<Record>,
    /// One for each record and name ([`ViolationCode::NameNotMapped`]), and for each field that cannot take the value
    /// that came with its name ([`ViolationCode::ValueNotMapped`]); where there is any, the records must not be used.
    pub violations: Vec<Violation>,
}

#[derive(Clone, Copy)]
enum Direction {
    ToTheirs,
    ToOurs,
}

impl NameMap {
    /// The same names at both sides.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds fields of a level: ours, theirs.
    #[must_use]
    pub fn fields<O: Into<String>, T: Into<String>>(
        mut self,
        kind: RecordKind,
        pairs: impl IntoIterator<Item = (O, T)>,
    ) -> Self {
        add(&mut self.levels.entry(kind).or_default().fields, pairs);
        self
    }

    /// Adds types of a level (claim, assessment, bill, contact, document): ours, theirs.
    #[must_use]
    pub fn types<O: Into<String>, T: Into<String>>(
        mut self,
        kind: RecordKind,
        pairs: impl IntoIterator<Item = (O, T)>,
    ) -> Self {
        add(&mut self.levels.entry(kind).or_default().types, pairs);
        self
    }

    /// Adds statuses of a level (claim, assessment, bill, document): ours, theirs.
    #[must_use]
    pub fn statuses<O: Into<String>, T: Into<String>>(
        mut self,
        kind: RecordKind,
        pairs: impl IntoIterator<Item = (O, T)>,
    ) -> Self {
        add(&mut self.levels.entry(kind).or_default().statuses, pairs);
        self
    }

    /// Our names that have another one at the partner: fields, types and statuses of a level.
    pub(crate) fn ours(&self, kind: RecordKind) -> [Vec<&str>; 3] {
        fn names(pairs: Option<&Pairs>) -> Vec<&str> {
            pairs.into_iter().flatten().map(|(ours, _)| ours.as_str()).collect()
        }
        let level = self.levels.get(&kind);
        [
            names(level.map(|level| &level.fields)),
            names(level.map(|level| &level.types)),
            names(level.map(|level| &level.statuses)),
        ]
    }

    /// Whether a custom field of ours, without its prefix, is a standard one at the partner, which takes not every value.
    pub(crate) fn makes_standard(&self, kind: RecordKind, custom: &str) -> bool {
        let theirs = self.levels.get(&kind).and_then(|level| level.fields.get(&format!("{CUSTOM}{custom}")));
        theirs.is_some_and(|theirs| !theirs.starts_with(CUSTOM))
    }

    /// Checks that the map can be gone both ways.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`] with one detail line for each fault, which begins with its place: a name of
    /// theirs (or ours, but for case) that stands for two, a name that is no field of its level, a field that carries
    /// the record itself (a note's body, a document's name, media type, size and digest), a level without types or
    /// statuses.
    pub fn check(&self) -> Result<()> {
        let faults: Vec<Detail> = self.levels.iter().flat_map(|(kind, level)| level.faults(*kind)).collect();
        if faults.is_empty() {
            return Ok(());
        }
        let said = format!("the name map is not valid: {}", Detail::joined(&faults, "; "));
        Err(Error::new(ErrorKind::InvalidSettings, said).with_details(faults))
    }

    /// The records without the fields whose names mean another field at the partner: these cannot be told there.
    #[must_use]
    pub fn without_taken(&self, records: Vec<Record>) -> Vec<Record> {
        let mut records = records;
        for record in &mut records {
            let Some(level) = self.levels.get(&record.kind).filter(|level| !level.fields.is_empty()) else {
                continue;
            };
            let taken: BTreeSet<&str> = level.fields.values().map(String::as_str).collect();
            record.fields.retain(|name, _| level.fields.contains_key(name) || !taken.contains(name.as_str()));
        }
        records
    }

    /// The records in the partner's names: what is sent.
    #[must_use]
    pub fn to_theirs(&self, records: Vec<Record>) -> Named {
        let mut named = Named { records, violations: Vec::new() };
        for record in &mut named.records {
            let Some(level) = self.levels.get(&record.kind) else { continue };
            named.violations.extend(level.rename_values(record, Direction::ToTheirs));
            level.rename_fields(record, Direction::ToTheirs);
            named.violations.extend(level.misfits(record, Direction::ToTheirs));
        }
        named
    }

    /// The records in this site's names: what came in. Where `local` (the claim here) or `base` (what both sides last
    /// had in common) spells the same type or status with other case or spaces, their spelling is kept, so that it is
    /// not taken for a change.
    #[must_use]
    pub fn to_ours(&self, records: Vec<Record>, local: &[Record], base: &[Record]) -> Named {
        let mut named = Named { records, violations: Vec::new() };
        if self.levels.is_empty() {
            return named;
        }
        let known = [local, base].map(by_id);
        for record in &mut named.records {
            let Some(level) = self.levels.get(&record.kind) else { continue };
            level.rename_fields(record, Direction::ToOurs);
            named.violations.extend(level.misfits(record, Direction::ToOurs));
            named.violations.extend(level.rename_values(record, Direction::ToOurs));
            let types = type_field(record.kind).filter(|_| !level.types.is_empty());
            let statuses = status_field(record.kind).filter(|_| !level.statuses.is_empty());
            for field in [types, statuses].into_iter().flatten() {
                let spelled = known.iter().find_map(|records| {
                    let theirs = text(record, field)?;
                    text(records.get(&record.id)?, field).filter(|known| folded(known) == folded(theirs))
                });
                if let Some(spelled) = spelled {
                    record.fields.insert(field.to_owned(), Json::from(spelled));
                }
            }
        }
        named
    }
}

impl LevelNames {
    fn rename_fields(&self, record: &mut Record, direction: Direction) {
        if self.fields.is_empty() {
            return;
        }
        let names: BTreeMap<&str, &str> = directed(&self.fields, direction).collect();
        let taken: BTreeSet<&str> = names.values().copied().collect();
        record.fields = std::mem::take(&mut record.fields)
            .into_iter()
            .filter_map(|(name, value)| match names.get(name.as_str()) {
                Some(there) => Some(((*there).to_owned(), value)),
                None => (!taken.contains(name.as_str())).then_some((name, value)),
            })
            .collect();
    }

    /// What stands under a new name and is no value of the field that has this name: a custom field holds any JSON.
    fn misfits<'a>(
        &'a self,
        record: &'a Record,
        direction: Direction,
    ) -> impl Iterator<Item = Violation> + 'a {
        directed(&self.fields, direction)
            .filter(|(_, there)| !there.starts_with(CUSTOM))
            .filter_map(|(here, there)| Some((here, there, record.fields.get(there)?)))
            .filter(|(_, there, value)| {
                let mut alone = Record::new(record.kind, record.id.clone());
                alone.fields.insert((*there).to_owned(), (*value).clone());
                !alone.is_readable()
            })
            .map(move |(here, there, _)| misfit(record, here, there, direction))
    }

    /// Renames type and status, and says what has no name on the other side.
    fn rename_values(&self, record: &mut Record, direction: Direction) -> Vec<Violation> {
        let named = [
            (type_field(record.kind), &self.types, "type"),
            (status_field(record.kind), &self.statuses, "status"),
        ];
        let mut violations = Vec::new();
        for (field, pairs, what) in named {
            let Some(field) = field.filter(|_| !pairs.is_empty()) else { continue };
            let Some(name) = text(record, field) else { continue };
            let is = folded(name);
            if let Some((_, there)) = directed(pairs, direction).find(|(here, _)| folded(here) == is) {
                record.fields.insert(field.to_owned(), Json::from(there));
            } else if let Some((other, _)) = directed(pairs, direction).find(|(_, there)| folded(there) == is)
            {
                violations.push(unnamed(record, what, name, other, direction));
            }
        }
        violations
    }

    fn faults(&self, kind: RecordKind) -> Vec<Detail> {
        let mut faults = Vec::new();
        let mut theirs = BTreeMap::new();
        for (ours, there) in &self.fields {
            let place = format!("{kind}.fields.{}", ours.escape_debug());
            for name in [ours, there] {
                faults.extend(fault_of_field(kind, name).map(|fault| Detail::at(&place, fault)));
            }
            if let Some(other) = theirs.insert(there, ours) {
                faults.push(Detail::at(
                    &place,
                    format_args!("`{}` stands for `{}` too", there.escape_debug(), other.escape_debug()),
                ));
            }
        }
        for (field, pairs, list) in
            [(type_field(kind), &self.types, "types"), (status_field(kind), &self.statuses, "statuses")]
        {
            if field.is_none() && !pairs.is_empty() {
                faults.push(Detail::at(format_args!("{kind}.{list}"), format_args!("a {kind} has none")));
            }
            faults.extend(faults_of_values(pairs).map(|fault| fault.below(&format!("{kind}.{list}."))));
        }
        faults
    }
}

fn faults_of_values(pairs: &Pairs) -> impl Iterator<Item = Detail> {
    let (mut ours_known, mut theirs_known) = (BTreeMap::new(), BTreeMap::new());
    pairs.iter().flat_map(move |(ours, theirs)| {
        let place = ours.escape_debug();
        let mut faults = Vec::new();
        if ours.trim().is_empty() || theirs.trim().is_empty() {
            faults.push(Detail::at(&place, "a name must not be empty"));
        }
        if let Some(other) = ours_known.insert(folded(ours), ours) {
            faults.push(Detail::at(&place, format_args!("the same name as `{}`", other.escape_debug())));
        }
        if let Some(other) = theirs_known.insert(folded(theirs), ours) {
            let (theirs, other) = (theirs.escape_debug(), other.escape_debug());
            faults.push(Detail::at(&place, format_args!("`{theirs}` stands for `{other}` too")));
        }
        faults
    })
}

/// Says so when the field is none that can be called otherwise.
fn fault_of_field(kind: RecordKind, name: &str) -> Option<String> {
    match name.strip_prefix(CUSTOM) {
        Some(custom) => custom.trim().is_empty().then(|| "a custom field needs a name".to_owned()),
        None if always(kind).contains(&name) => {
            Some(format!("`{name}` carries the {kind} itself and has the same name everywhere"))
        }
        None => fault_of_name(kind, name).map(|fault| fault.message),
    }
}

fn unnamed(record: &Record, what: &str, name: &str, other: &str, direction: Direction) -> Violation {
    let (kind, name, other) = (record.kind, name.escape_debug(), other.escape_debug());
    let message = match direction {
        Direction::ToTheirs => format!(
            "The {kind} {what} `{name}` cannot be told to the partner: there, `{name}` means our `{other}`. Change the {what}, or give it a name in the name map."
        ),
        Direction::ToOurs => format!(
            "The partner's {kind} {what} `{name}` has no name here: our `{name}` is called `{other}` there. Give it a name in the name map and unpack the package again."
        ),
    };
    Violation::new(ViolationCode::NameNotMapped, Some(record.id.clone()), message)
}

fn misfit(record: &Record, here: &str, there: &str, direction: Direction) -> Violation {
    let (kind, here, there) = (record.kind, here.escape_debug(), there.escape_debug());
    let message = match direction {
        Direction::ToTheirs => format!(
            "The {kind} field `{here}` cannot be told to the partner: there it is `{there}`, which takes no such value. Correct the value, or take the field out of the name map."
        ),
        Direction::ToOurs => format!(
            "The partner's {kind} field `{here}` is our `{there}`, which takes no such value. Ask the partner to correct it, or take the field out of the name map and unpack the package again."
        ),
    };
    Violation::new(ViolationCode::ValueNotMapped, Some(record.id.clone()), message)
}

fn add<O: Into<String>, T: Into<String>>(pairs: &mut Pairs, new: impl IntoIterator<Item = (O, T)>) {
    pairs.extend(new.into_iter().map(|(ours, theirs)| (ours.into(), theirs.into())));
}

/// The pairs as (name here, name on the other side), seen from the side that is left.
fn directed(pairs: &Pairs, direction: Direction) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(move |(ours, theirs)| match direction {
        Direction::ToTheirs => (ours.as_str(), theirs.as_str()),
        Direction::ToOurs => (theirs.as_str(), ours.as_str()),
    })
}

fn type_field(kind: RecordKind) -> Option<&'static str> {
    match kind {
        RecordKind::Claim => Some("claim_type"),
        RecordKind::Document => Some("document_type"),
        RecordKind::Note => None,
        _ => Some("type"),
    }
}

fn status_field(kind: RecordKind) -> Option<&'static str> {
    (!matches!(kind, RecordKind::Note | RecordKind::Contact)).then_some("status")
}

fn text<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record.fields.get(name).and_then(Json::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_otherwise_is_listed_by_our_names() {
        let map = NameMap::new()
            .fields(RecordKind::Claim, [("insured", "policyholder")])
            .types(RecordKind::Claim, [("auto", "motor")])
            .statuses(RecordKind::Claim, [("open", "in progress"), ("shut", "closed")]);
        let [fields, types, statuses] = map.ours(RecordKind::Claim);
        assert_eq!((fields, types), (vec!["insured"], vec!["auto"]));
        assert_eq!(statuses, ["open", "shut"]);
        assert!(map.ours(RecordKind::Bill).iter().all(Vec::is_empty));
    }
}
