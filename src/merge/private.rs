//! What a partner says of that which is this side's alone: it is neither taken nor learned.

use super::three_way::{same_unit, units};
use crate::model::{Record, RecordKind, by_id};

/// The part of `incoming` that speaks of what is this side's alone: whole records that were never common and that
/// `stays` names, and fields that `chosen` does not and that stand here with another value than the common one.
///
/// A field that is not chosen and has no value here, or just the one that was common, is the partner's to fill and to
/// change.
pub(crate) fn private_part(
    incoming: &[Record],
    local: &[Record],
    base: &[Record],
    stays: impl Fn(&Record) -> bool,
    chosen: impl Fn(RecordKind, &str) -> bool,
) -> Vec<Record> {
    let [here, common] = [by_id(local), by_id(base)];
    let part = |theirs: &Record| {
        let ours = *here.get(&theirs.id)?;
        let common = common.get(&theirs.id).copied();
        if common.is_none() && stays(ours) {
            return Some(theirs.clone());
        }
        let mut part = theirs.clone();
        part.fields.clear();
        for unit in units(theirs) {
            if !unit.iter().any(|name| chosen(theirs.kind, name)) && !same_unit(&unit, ours, common) {
                let spoken = unit.iter().filter_map(|name| theirs.fields.get_key_value(*name));
                part.fields.extend(spoken.map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        (!part.fields.is_empty()).then_some(part)
    };
    incoming.iter().filter_map(part).collect()
}

/// The records without that part, and without those of which nothing else is left.
pub(crate) fn without(records: &[Record], part: &[Record]) -> Vec<Record> {
    let part = by_id(part);
    let rest = |record: &Record| {
        let mut rest = record.clone();
        if let Some(private) = part.get(&record.id) {
            rest.fields.retain(|name, _| !private.fields.contains_key(name));
            return Some(rest).filter(|rest| !rest.fields.is_empty());
        }
        Some(rest)
    };
    records.iter().filter_map(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Json;

    fn record(kind: RecordKind, id: &str, fields: &[(&str, &str)]) -> Record {
        let mut record = Record::new(kind, id.parse().unwrap());
        record.fields.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))));
        record
    }

    /// The private part, where nothing but the claim's number and what makes a document are chosen, and notes stay.
    fn private(incoming: &[Record], local: &[Record], base: &[Record]) -> Vec<Record> {
        let chosen =
            |kind, name: &str| name == "claim_number" || (kind == RecordKind::Document && name == "name");
        private_part(incoming, local, base, |ours| ours.kind == RecordKind::Note, chosen)
    }

    #[test]
    fn a_field_that_is_not_exchanged_is_private_while_it_differs_from_what_was_common() {
        let claim = |fields| [record(RecordKind::Claim, "A/C", fields)];
        let theirs = claim(&[("claim_number", "1"), ("status", "open")]);
        let of = |ours, base| private(&theirs, &claim(ours), &claim(base));
        let status = claim(&[("status", "open")]);
        assert_eq!(of(&[("claim_number", "2"), ("status", "fraud")], &[]), status);
        assert_eq!(of(&[("status", "open")], &[]), status, "a right guess too");
        assert_eq!(of(&[], &[("status", "open")]), status, "it was cleared here");
        assert!(of(&[], &[]).is_empty(), "theirs to fill");
        assert!(of(&[("status", "new")], &[("status", "new")]).is_empty(), "theirs to change");
        assert_eq!(without(&theirs, &status), claim(&[("claim_number", "1")]));
        assert!(private(&theirs, &[], &[]).is_empty(), "there is no such claim here");
    }

    #[test]
    fn a_record_that_stays_is_private_as_a_whole_until_it_was_common() {
        let theirs = [record(RecordKind::Note, "A/N", &[("body", "guess")])];
        let ours = [record(RecordKind::Note, "A/N", &[("body", "fraud"), ("claim_number", "1")])];
        assert_eq!(private(&theirs, &ours, &[]), theirs);
        assert!(without(&theirs, &theirs).is_empty());
        let bare = [record(RecordKind::Note, "A/N", &[])];
        assert!(without(&bare, &private(&bare, &ours, &[])).is_empty());
        let common = [record(RecordKind::Note, "A/N", &[("body", "fraud")])];
        assert!(private(&theirs, &ours, &common).is_empty());
    }

    #[test]
    fn what_is_said_of_the_bytes_of_a_document_stays_together() {
        let theirs = [record(RecordKind::Document, "A/D", &[("name", "a"), ("sha256", "0"), ("size", "1")])];
        let ours = [record(RecordKind::Document, "A/D", &[("name", "b"), ("sha256", "1")])];
        assert!(private(&theirs, &ours, &[]).is_empty());
    }
}
