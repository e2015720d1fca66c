//! What a partner sends, merged into what stands here.

use claimwire::merge::{
    ConflictPolicy, ContactPairs, RecordAction, agree, common_at_first, match_contacts, merge,
};
use claimwire::model::{ClaimFile, Record};
use claimwire::rules::{Catalogue, ImportRules, check_import, prepare_import};

/// Any two or three claim files, with a NUL byte between: what stands here, what comes in, and what both sides last had in
/// common. Merged under each policy, the set that is not blocked applies, once and again; what is agreed on brings nothing
/// new when it comes again.
pub(crate) fn merging(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0).map(records);
    let (Some(Some((file, local))), Some(Some((_, incoming)))) = (parts.next(), parts.next()) else { return };
    let base = parts.next().flatten().map(|(_, records)| records).unwrap_or_default();
    let rules = ImportRules::default();
    for violation in check_import(&incoming, &local, &rules, &Catalogue::default()) {
        assert!(!violation.to_string().is_empty());
    }
    let mut incoming = prepare_import(incoming, &rules);
    let pairs = match_contacts(&local, &incoming, &base, &ContactPairs::new(), |_| true);
    pairs.rename_contacts(&mut incoming);
    pairs.rename_references(&mut incoming);
    let base = agree(&base, &common_at_first(&local, &incoming, &base, &pairs));
    for policy in [ConflictPolicy::Theirs, ConflictPolicy::Ours, ConflictPolicy::Stop] {
        let Ok(changes) = merge(&local, &incoming, &base, policy) else { return };
        assert_eq!(changes.apply_to(Some(&file)).is_err(), changes.blocked());
        let Ok(merged) = changes.apply_to(Some(&file)) else { continue };
        assert_eq!(changes.apply_to(Some(&merged)).ok().as_ref(), Some(&merged));
        let (local, base) =
            (merged.to_records().expect("what was merged has records"), agree(&base, &incoming));
        let again = merge(&local, &incoming, &base, policy).expect("it was merged before");
        assert!(again.records.iter().all(|record| record.action() == RecordAction::Unchanged));
    }
}

fn records(json: &[u8]) -> Option<(ClaimFile, Vec<Record>)> {
    let file = ClaimFile::from_json(json).ok()?;
    let records = file.to_records().ok()?;
    Some((file, records))
}
