//! What a user changed in a claim that an exchange may have changed meanwhile.

use super::edit::{fill_in_bytes, invalid, records_of};
use super::{SqliteCaseSystem, rows};
use crate::model::{ClaimFile, ExchangeId, Json, Record, RecordKind};
use crate::{Detail, Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};

impl SqliteCaseSystem {
    /// Stores what is different between a claim file as it was loaded and as it is now, and nothing else: what was
    /// unpacked or added meanwhile stays.
    ///
    /// Records and fields that are only in `before` are removed, others are added or get their new values. A document's
    /// bytes come by [`add_document`](Self::add_document), as with [`put`](Self::put).
    ///
    /// ```
    /// use claimwire::case_system::{CaseSystem, SqliteCaseSystem};
    /// use claimwire::model::{Claim, ClaimFile, Note};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let cases = SqliteCaseSystem::open(folder.path().join("cases"))?;
    /// let claim = "ON-INS/C-1".parse()?;
    /// cases.put(&ClaimFile::new(Claim::new("ON-INS/C-1".parse()?)))?;
    /// let Some(before) = cases.load(&claim)? else { panic!("it was put there") };
    /// let mut after = before.clone();
    /// after.claim.status = Some("in review".into());
    /// // While a user was at it, a note came in.
    /// cases.add_note(&claim, &Note::new("IMEX/N-1".parse()?))?;
    /// cases.update(&before, &after)?;
    /// assert_eq!(cases.load(&claim)?.map(|file| file.notes.len()), Some(1));
    /// # Ok::<(), claimwire::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] with one detail for each field or record that was changed here too, to something else:
    /// load the claim again. [`ErrorKind::UnknownClaim`] when it is not here; [`ErrorKind::InvalidArgument`] when the
    /// two are of different claims, and as with [`put`](Self::put); [`ErrorKind::CaseSystem`] when the store cannot be
    /// written. Nothing is changed then.
    pub fn update(&self, before: &ClaimFile, after: &ClaimFile) -> Result<()> {
        let claim = &after.claim.id;
        if before.claim.id != *claim {
            return Err(invalid(claim, &format!("what was loaded is claim {}", before.claim.id)));
        }
        let (before_records, after_records) = (by_id(records_of(before)?), records_of(after)?);
        self.database.write(|transaction| {
            let Some(here) = rows::claim_file(transaction, claim)? else {
                return Err(rows::unknown_claim(claim).into());
            };
            // As the model has it, like what was loaded.
            let mut update = Update { here: by_id(here.to_records()?), conflicts: Vec::new() };
            let mut stored = rows::Records::of(transaction, claim)?;
            let left: BTreeSet<_> = after_records.iter().map(|record| &record.id).collect();
            for was in before_records.values().filter(|was| !left.contains(&was.id)) {
                if update.removes(was) {
                    rows::remove_record(transaction, claim, was.id.as_str())?;
                }
            }
            for is in &after_records {
                let Some(mut record) = update.changes(before_records.get(&is.id), is) else { continue };
                if record.kind == RecordKind::Document {
                    fill_in_bytes(transaction, claim, &mut record)?;
                }
                stored.set(&record)?;
            }
            let mut other = here.other;
            update.merge(claim, (&before.other, &after.other), &mut other);
            rows::set_claim(transaction, claim, &other)?;
            update.conflict(claim).map_or(Ok(()), |conflict| Err(conflict.into()))
        })
    }
}

/// The records that are here, and what of them cannot be changed as asked.
struct Update {
    here: BTreeMap<ExchangeId, Record>,
    conflicts: Vec<Detail>,
}

impl Update {
    /// Whether a record that was as `was` is to be removed.
    fn removes(&mut self, was: &Record) -> bool {
        let here = self.here.get(&was.id);
        let unchanged = here == Some(was);
        if here.is_some() && !unchanged {
            self.conflicts_with(&was.id, "it was removed, and is changed here");
        }
        unchanged
    }

    /// The record that is to be stored for one that was as `was` and now is as `is`; none where nothing is to be done.
    fn changes(&mut self, was: Option<&Record>, is: &Record) -> Option<Record> {
        if was == Some(is) {
            return None;
        }
        match (was, self.here.get(&is.id).cloned()) {
            (None, None) => return Some(is.clone()),
            (None, Some(here)) if here == *is => {}
            (None, Some(_)) => self.conflicts_with(&is.id, "another one was added here"),
            (Some(_), None) => self.conflicts_with(&is.id, "it was changed, and is removed here"),
            (Some(was), Some(here)) if was.kind != is.kind || here.kind != is.kind => {
                self.conflicts_with(&is.id, "it is of another kind here");
            }
            (Some(was), Some(mut here)) => {
                if was.parent != is.parent {
                    if here.parent != was.parent && here.parent != is.parent {
                        self.conflicts_with(&is.id, "it belongs to another assessment here");
                    }
                    here.parent.clone_from(&is.parent);
                }
                self.merge(&is.id, (&was.fields, &is.fields), &mut here.fields);
                return Some(here);
            }
        }
        None
    }

    /// Gives `here` the values that are different in `is` from what they were.
    fn merge(
        &mut self,
        of: &ExchangeId,
        (was, is): (&BTreeMap<String, Json>, &BTreeMap<String, Json>),
        here: &mut BTreeMap<String, Json>,
    ) {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names.into_iter().filter(|name| was.get(*name) != is.get(*name)) {
            let found = here.get(name);
            if found != was.get(name) && found != is.get(name) {
                self.conflicts_with(of, &format!("`{name}` was changed here too"));
            }
            match is.get(name) {
                Some(value) => drop(here.insert(name.clone(), value.clone())),
                None => drop(here.remove(name)),
            }
        }
    }

    fn conflicts_with(&mut self, record: &ExchangeId, what: &str) {
        self.conflicts.push(Detail::new(format!("{record}: {what}")).about(record.as_str()));
    }

    fn conflict(self, claim: &ExchangeId) -> Option<Error> {
        let said = Detail::joined(&self.conflicts, "; ");
        let message = format!("claim {claim} was changed meanwhile: {said}; load it again, and change that");
        (!self.conflicts.is_empty())
            .then(|| Error::new(ErrorKind::Conflict, message).with_details(self.conflicts))
    }
}

fn by_id(records: Vec<Record>) -> BTreeMap<ExchangeId, Record> {
    records.into_iter().map(|record| (record.id.clone(), record)).collect()
}
