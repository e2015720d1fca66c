//! Contacts that both sides know under ids of their own: which is which, and records told in the other side's ids.

use crate::model::{ExchangeId, Json, Record, RecordKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The contacts of one claim that a partner knows by another id than this site: theirs, each with ours.
///
/// One to one: no id stands twice on its side.
///
/// ```
/// use claimwire::merge::ContactPairs;
///
/// let mut pairs = ContactPairs::new();
/// assert!(pairs.add("IMEX/P-9".parse()?, "ON-INS/P-1".parse()?));
/// assert!(!pairs.add("IMEX/P-8".parse()?, "ON-INS/P-1".parse()?));
/// assert_eq!(pairs.ours(&"IMEX/P-9".parse()?), Some(&"ON-INS/P-1".parse()?));
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactPairs(BTreeMap<ExchangeId, ExchangeId>);

impl IntoIterator for ContactPairs {
    type Item = (ExchangeId, ExchangeId);
    type IntoIter = std::collections::btree_map::IntoIter<ExchangeId, ExchangeId>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl ContactPairs {
    /// No pairs: every contact has the same id at both sides.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether every contact has the same id at both sides.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs, theirs first, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&ExchangeId, &ExchangeId)> {
        self.0.iter()
    }

    /// Pairs two ids; not when one of them has its counterpart already. Says whether it did.
    pub fn add(&mut self, theirs: ExchangeId, ours: ExchangeId) -> bool {
        let free = !self.0.contains_key(&theirs) && self.0.values().all(|paired| *paired != ours);
        if free {
            self.0.insert(theirs, ours);
        }
        free
    }

    /// Our id of the contact they call `theirs`, where it is another.
    #[must_use]
    pub fn ours(&self, theirs: &ExchangeId) -> Option<&ExchangeId> {
        self.0.get(theirs)
    }

    /// The pairs of these contacts of ours.
    #[must_use]
    pub fn of_ours<'a>(&self, contacts: impl IntoIterator<Item = &'a ExchangeId>) -> Self {
        let contacts: BTreeSet<&ExchangeId> = contacts.into_iter().collect();
        let mut pairs = self.clone();
        pairs.0.retain(|_, ours| contacts.contains(ours));
        pairs
    }

    /// The pairs that still hold. One ends where the partner's id came to stand here beside ours (another site
    /// brought it), and where the partner, in `incoming`, speaks of the contact by both ids: it has two.
    #[must_use]
    pub fn holding(&self, local: &[Record], incoming: &[Record]) -> Self {
        if self.is_empty() {
            return Self::new();
        }
        let here: BTreeSet<&ExchangeId> = local.iter().map(|record| &record.id).collect();
        let came: BTreeSet<&ExchangeId> = incoming.iter().map(|record| &record.id).collect();
        let mut holding = self.clone();
        holding.0.retain(|theirs, ours| {
            let has_two = came.contains(theirs) && came.contains(ours);
            !has_two && !here.contains(theirs)
        });
        holding
    }

    /// The same pairs seen from the partner, with which what leaves is told in its ids.
    #[must_use]
    pub fn inverted(&self) -> Self {
        Self(self.iter().map(|(theirs, ours)| (ours.clone(), theirs.clone())).collect())
    }

    /// Calls contact records by the other id.
    pub fn rename_contacts(&self, records: &mut [Record]) {
        for record in records.iter_mut().filter(|record| record.kind == RecordKind::Contact) {
            if let Some(id) = self.0.get(&record.id) {
                record.id = id.clone();
            }
        }
    }

    /// Lets every field that refers to a contact say the other id.
    pub fn rename_references(&self, records: &mut [Record]) {
        if self.is_empty() {
            return;
        }
        for record in records {
            for (field, inner) in references(record.kind) {
                let Some(value) = record.fields.get_mut(*field) else { continue };
                match inner {
                    None => self.rename(&mut value.0),
                    Some(member) => self.rename_inside(value, member),
                }
            }
        }
    }

    /// Adds pairs of contacts that had no counterpart so far.
    pub(crate) fn extend(&mut self, pairs: impl IntoIterator<Item = (ExchangeId, ExchangeId)>) {
        self.0.extend(pairs);
    }

    fn rename_inside(&self, list: &mut Json, member: &str) {
        let Value::Array(items) = &mut list.0 else { return };
        for reference in items.iter_mut().filter_map(|item| item.get_mut(member)) {
            self.rename(reference);
        }
    }

    fn rename(&self, reference: &mut Value) {
        let id = reference.as_str().and_then(|text| text.parse::<ExchangeId>().ok());
        if let Some(id) = id.and_then(|id| self.0.get(&id)) {
            *reference = Value::String(id.to_string());
        }
    }
}

/// The fields of a record that may refer to a contact; of a list, the member of its items that does.
fn references(kind: RecordKind) -> &'static [(&'static str, Option<&'static str>)] {
    match kind {
        RecordKind::Claim => &[
            ("adjuster", None),
            ("claimant", None),
            ("exposures", Some("claimant")),
            ("insured", None),
            ("insurer", None),
        ],
        RecordKind::Assessment => &[("provider", None), ("requested_by", None)],
        RecordKind::Bill => &[("payee", None), ("provider", None)],
        RecordKind::Contact => &[("company", None), ("roles", Some("related_to"))],
        RecordKind::Note | RecordKind::Document => &[("related_to", None)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClaimFile;

    /// Every reference to a contact that the model has, and two that only look like one.
    const FILE: &str = r#"{
        "claim": {"id": "A/C", "insurer": "B/P", "adjuster": "B/P", "insured": "B/P", "claimant": "B/P",
                  "exposures": [{"id": "B/P", "claimant": "B/P"}], "custom_fields": {"x": "B/P"}},
        "assessments": [{"id": "A/A", "provider": "B/P", "requested_by": "B/P",
                         "bills": [{"id": "A/B", "provider": "B/P", "payee": "B/P"}]}],
        "contacts": [{"id": "B/P", "company": "B/P", "roles": [{"role": "claimant", "related_to": "B/P"}]}],
        "notes": [{"id": "A/N", "related_to": "B/P", "body": "B/P"}],
        "documents": [{"id": "A/D", "related_to": "B/P"}]
    }"#;

    #[test]
    fn every_reference_is_renamed_and_nothing_else() {
        let mut pairs = ContactPairs::new();
        pairs.add("B/P".parse().unwrap(), "A/P".parse().unwrap());
        let before = ClaimFile::from_json(FILE.as_bytes()).unwrap().to_records().unwrap();
        let mut records = before.clone();
        pairs.rename_contacts(&mut records);
        pairs.rename_references(&mut records);
        let json = serde_json::to_string(&records).unwrap();
        assert_eq!(json.matches("A/P").count(), 14, "{json}");
        assert_eq!(
            json.matches("B/P").count(),
            3,
            "the exposure's own id, the custom field, the note's text"
        );
        pairs.inverted().rename_references(&mut records);
        pairs.inverted().rename_contacts(&mut records);
        assert_eq!(records, before);
    }

    #[test]
    fn a_pair_ends_when_both_ids_stand_on_one_side() {
        let contact = |id: &str| Record::new(RecordKind::Contact, id.parse().unwrap());
        let (ours, theirs) = (contact("A/P"), contact("B/P"));
        let mut pairs = ContactPairs::new();
        pairs.add(theirs.id.clone(), ours.id.clone());
        let here = std::slice::from_ref(&ours);
        assert_eq!(pairs.holding(here, std::slice::from_ref(&theirs)), pairs);
        assert!(pairs.holding(here, &[ours.clone(), theirs.clone()]).is_empty());
        assert!(pairs.holding(&[ours.clone(), theirs], &[]).is_empty());
    }
}
