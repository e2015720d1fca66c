//! The three-way merge of records, field by field.

use super::change_set::{ChangeSet, ConflictPolicy, FieldChange, FieldOutcome, RecordChange};
use super::private::without;
use super::same::{has_value, same};
use crate::codec::to_nfc;
use crate::model::{ExchangeId, Json, Record, RecordKind, by_id};
use crate::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};

/// The fields of a document that speak about its bytes: they are taken together or not at all.
const DOCUMENT_GROUP: &[&str] = &["media_type", "name", "sha256", "size"];

type Index<'a> = BTreeMap<&'a ExchangeId, &'a Record>;

/// Merges what a partner sent into what stands here.
///
/// `base` is what both sides last had in common of these records; a field it does not have counts as having had no
/// value. For each field the partner speaks of:
///
/// | local and base | incoming and base | outcome |
/// |---|---|---|
/// | same | differ | theirs is taken |
/// | differ | same | ours stays |
/// | differ | differ, and differ from each other | a conflict, settled by `policy` |
///
/// Fields and records that the partner does not speak of are not touched and never deleted. A record that was
/// removed here stays removed until the partner changes it. The name, media type, size and digest of a document
/// speak about its bytes and are one field in this sense. The mark `internal` is each side's own, and a note or
/// document that carries it here is not touched. The cost is O(n log n) in the number of fields.
///
/// # Errors
/// [`ErrorKind::UnknownClaim`] when neither side has a claim record. [`ErrorKind::InvalidPackage`] when what came in
/// contradicts itself or what stands here: an id twice, another claim, another kind of record, a bill of another
/// or of no assessment, a document that names its bytes only in part.
/// [`ErrorKind::InvalidArgument`] when `local` or `base` has an id twice.
pub fn merge(
    local: &[Record],
    incoming: &[Record],
    base: &[Record],
    policy: ConflictPolicy,
) -> Result<ChangeSet> {
    merge_keeping(local, incoming, base, &[], policy)
}

/// The same where ours stays in any case, and is no conflict, in the fields of `private`: the part of `incoming` that
/// speaks of what is this side's alone.
pub(crate) fn merge_keeping(
    local: &[Record],
    incoming: &[Record],
    base: &[Record],
    private: &[Record],
    policy: ConflictPolicy,
) -> Result<ChangeSet> {
    let private = index(private, ErrorKind::InvalidPackage)?;
    let local = index(local, ErrorKind::InvalidArgument)?;
    let base = index(base, ErrorKind::InvalidArgument)?;
    let theirs = index(incoming, ErrorKind::InvalidPackage)?;
    let claim = claim_of(&local, &theirs)?;
    let adds_claim = !local.contains_key(claim);

    let mut ordered: Vec<&Record> = incoming.iter().collect();
    ordered.sort_by_key(|record| record.kind);
    for record in &ordered {
        check_shape(record, &local, &theirs)?;
    }
    let removed_here = |record: &Record| {
        !adds_claim
            && !local.contains_key(&record.id)
            && base.get(&record.id).is_some_and(|common| says_nothing_new(record, common))
    };
    // A bill that is added needs its assessment, even one that was removed here.
    let needed: BTreeSet<&ExchangeId> = ordered
        .iter()
        .filter(|record| !local.contains_key(&record.id) && !removed_here(record))
        .filter_map(|record| record.parent.as_ref())
        .collect();

    let mut set = ChangeSet::new(claim.clone());
    set.adds_claim = adds_claim;
    for record in ordered {
        match local.get(&record.id) {
            Some(ours) => {
                let [base, private] = [&base, &private].map(|records| records.get(&record.id).copied());
                set.records.extend(update(ours, record, base, private, policy));
            }
            None if removed_here(record) && !needed.contains(&record.id) => {}
            None => set.records.push(add(record)),
        }
    }
    Ok(set)
}

/// The new common state after `common` became known to both sides: sent and acknowledged, or received and applied.
///
/// Fields that `common` does not speak of keep their place in `base`.
#[must_use]
pub fn agree(base: &[Record], common: &[Record]) -> Vec<Record> {
    let mut records: BTreeMap<&ExchangeId, Record> =
        base.iter().map(|record| (&record.id, record.clone())).collect();
    for record in common {
        match records.get_mut(&record.id) {
            Some(known) => {
                known.fields.extend(record.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
                known.parent.clone_from(&record.parent);
            }
            None => {
                records.insert(&record.id, record.clone());
            }
        }
    }
    let mut records: Vec<Record> = records.into_values().collect();
    records.sort_by_key(|record| record.kind);
    records
}

/// Puts what a sender took over afterwards in place of what its older records say: `taken` is what was sent to it, and
/// all of it was applied there. Fields and records that `taken` does not speak of stay.
pub(crate) fn overtake(records: &mut [Record], taken: &[Record]) {
    let taken = by_id(taken);
    for record in records {
        if let Some(later) = taken.get(&record.id) {
            record.fields.extend(later.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

/// Takes out of what a package said all that a later one says too.
pub(crate) fn not_said_again(records: &mut Vec<Record>, later: &[Record]) {
    *records = without(records, later);
    records.retain(|record| !record.fields.is_empty());
}

fn index(records: &[Record], kind: ErrorKind) -> Result<Index<'_>> {
    let mut index = Index::new();
    for record in records {
        if index.insert(&record.id, record).is_some() {
            return Err(Error::new(kind, format!("{} {} is there twice", record.kind, record.id)));
        }
    }
    Ok(index)
}

fn claim_of<'a>(local: &Index<'a>, incoming: &Index<'a>) -> Result<&'a ExchangeId> {
    let claims = |records: &Index<'a>| -> Vec<&'a ExchangeId> {
        records.values().filter(|record| record.kind == RecordKind::Claim).map(|record| &record.id).collect()
    };
    match (claims(local).as_slice(), claims(incoming).as_slice()) {
        ([ours], []) => Ok(ours),
        ([], [theirs]) => Ok(theirs),
        ([ours], [theirs]) if ours == theirs => Ok(ours),
        ([ours], [theirs]) => Err(Error::new(
            ErrorKind::InvalidPackage,
            format!("the records are of claim {theirs}, not of claim {ours}"),
        )),
        ([], []) => Err(Error::new(
            ErrorKind::UnknownClaim,
            "the claim is not here and what came in does not bring it",
        )),
        (_, theirs) if theirs.len() > 1 => {
            Err(Error::new(ErrorKind::InvalidPackage, format!("{} claims in one package", theirs.len())))
        }
        _ => Err(Error::new(ErrorKind::InvalidArgument, "the local records hold more than one claim")),
    }
}

fn check_shape(record: &Record, local: &Index<'_>, incoming: &Index<'_>) -> Result<()> {
    let invalid = |what: String| {
        Err(Error::new(
            ErrorKind::InvalidPackage,
            format!("{} {}: {what}; ask the sender", record.kind, record.id),
        ))
    };
    if let Some(ours) = local.get(&record.id) {
        if ours.kind != record.kind {
            return invalid(format!("the record with this id here is of kind {}", ours.kind));
        }
        if ours.parent != record.parent {
            return invalid("it belongs to another assessment here".into());
        }
    }
    if record.kind == RecordKind::Bill {
        let assessment = record.parent.as_ref().and_then(|id| local.get(id).or_else(|| incoming.get(id)));
        if assessment.is_none_or(|found| found.kind != RecordKind::Assessment) {
            return invalid("its assessment is neither here nor in the package".into());
        }
    }
    if record.kind == RecordKind::Document {
        let speaks = |name: &&str| record.fields.contains_key(*name);
        if DOCUMENT_GROUP.iter().any(speaks) && !["name", "sha256", "size"].iter().all(speaks) {
            return invalid("it names some but not all of `name`, `size` and `sha256`".into());
        }
    }
    Ok(())
}

/// The fields of `record` that are settled together, in the order of their names.
pub(super) fn units(record: &Record) -> Vec<Vec<&str>> {
    let grouped = |name: &str| record.kind == RecordKind::Document && DOCUMENT_GROUP.contains(&name);
    let mut units: Vec<Vec<&str>> = record
        .fields
        .keys()
        .map(String::as_str)
        .filter(|name| !grouped(name) && !is_private_mark(record, name))
        .map(|name| vec![name])
        .collect();
    if record.fields.keys().any(|name| grouped(name)) {
        units.push(DOCUMENT_GROUP.to_vec());
    }
    units
}

/// Whether the field is each side's own mark, which never travels.
fn is_private_mark(record: &Record, name: &str) -> bool {
    matches!(record.kind, RecordKind::Note | RecordKind::Document) && name == "internal"
}

pub(super) fn same_unit(unit: &[&str], one: &Record, other: Option<&Record>) -> bool {
    unit.iter().all(|name| same_field(name, one, other))
}

/// Whether both records say the same in a field. The name of a document travels in one Unicode form, whichever it has
/// here.
fn same_field(name: &str, one: &Record, other: Option<&Record>) -> bool {
    let (ours, theirs) = (one.fields.get(name), other.and_then(|other| other.fields.get(name)));
    if one.kind == RecordKind::Document && name == "name" {
        let texts = ours.and_then(Json::as_str).zip(theirs.and_then(Json::as_str));
        if let Some((ours, theirs)) = texts {
            return to_nfc(ours) == to_nfc(theirs);
        }
    }
    same(ours, theirs)
}

fn says_nothing_new(record: &Record, common: &Record) -> bool {
    units(record).iter().all(|unit| same_unit(unit, record, Some(common)))
}

fn add(record: &Record) -> RecordChange {
    let mut after = record.clone();
    after.fields.retain(|name, _| !is_private_mark(record, name));
    let fields = after
        .fields
        .iter()
        .filter(|(_, value)| has_value(Some(value)))
        .map(|(name, value)| FieldChange::new(name, None, Some(value), None, FieldOutcome::Updated))
        .collect();
    RecordChange { before: None, after, fields }
}

/// The change to a record that stands here; `None` when the sides say the same.
fn update(
    ours: &Record,
    theirs: &Record,
    base: Option<&Record>,
    private: Option<&Record>,
    policy: ConflictPolicy,
) -> Option<RecordChange> {
    let internal = is_private_mark(ours, "internal") && ours.fields.get("internal") == Some(&true.into());
    let stays = |unit: &[&str]| {
        internal || private.is_some_and(|private| unit.iter().any(|name| private.fields.contains_key(*name)))
    };
    let mut fields = Vec::new();
    for unit in units(theirs) {
        if same_unit(&unit, ours, Some(theirs)) {
            continue;
        }
        let outcome = if stays(&unit) || same_unit(&unit, theirs, base) {
            FieldOutcome::KeptOurs
        } else if same_unit(&unit, ours, base) {
            FieldOutcome::Updated
        } else {
            match policy {
                ConflictPolicy::Theirs => FieldOutcome::ConflictTakenTheirs,
                ConflictPolicy::Ours => FieldOutcome::ConflictKeptOurs,
                ConflictPolicy::Stop => FieldOutcome::ConflictStopped,
            }
        };
        for name in unit {
            if same_field(name, ours, Some(theirs)) {
                continue;
            }
            let (local, incoming) = (ours.fields.get(name), theirs.fields.get(name));
            let common = base.and_then(|base| base.fields.get(name));
            fields.push(FieldChange::new(name, local, incoming, common, outcome));
        }
    }
    if fields.is_empty() {
        return None;
    }
    let mut after = ours.clone();
    for field in fields.iter().filter(|field| field.outcome.takes_theirs()) {
        after.fields.insert(field.name.clone(), field.incoming.clone());
    }
    Some(RecordChange { before: Some(ours.clone()), after, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(status: &str) -> Record {
        let mut claim = Record::new(RecordKind::Claim, "A/C-1".parse().unwrap());
        claim.fields.insert("status".into(), status.into());
        claim
    }

    #[test]
    fn what_a_sender_took_over_later_stands_over_its_older_records() {
        let mut older = claim("open");
        older.fields.insert("loss_date".into(), "2026-03-02".into());
        let note = Record::new(RecordKind::Note, "A/N-1".parse().unwrap());
        let mut records = [older, note.clone()];
        overtake(&mut records, &[claim("closed")]);
        assert_eq!(records[0].fields["status"], "closed".into());
        assert_eq!(records[0].fields["loss_date"], "2026-03-02".into(), "of this nothing was sent");
        assert_eq!(records[1], note);
    }

    #[test]
    fn of_what_was_said_stays_what_no_later_package_says() {
        let mut earlier = claim("open");
        earlier.fields.insert("loss_date".into(), "2026-03-02".into());
        let mut note = Record::new(RecordKind::Note, "A/N-1".parse().unwrap());
        note.fields.insert("body".into(), "Please examine the left knee.".into());
        let mut records = vec![earlier, note.clone()];
        not_said_again(&mut records, &[claim("closed")]);
        assert_eq!(records[0].fields.keys().collect::<Vec<_>>(), ["loss_date"]);
        assert_eq!(records[1], note);
        not_said_again(&mut records, &[note.clone()]);
        assert_eq!(records.len(), 1, "of the note nothing is left to say");
    }
}
