//! A change set in short: a line for the history, without claim data, and a word for the sender.

use super::exchanged_part::ExchangedPart;
use crate::merge::{ChangeSet, RecordAction};
use crate::model::RecordKind;
use crate::protocol::Disposition;

/// Such as `claim updated; 2 notes added; 1 document added`.
pub(super) fn summary(changes: &ChangeSet) -> String {
    let mut parts = Vec::new();
    for kind in RecordKind::ALL {
        for (action, said) in [(RecordAction::Added, "added"), (RecordAction::Updated, "updated")] {
            let records = changes.records.iter().filter(|record| record.after.kind == *kind);
            match (records.filter(|record| record.action() == action).count(), kind) {
                (0, _) => {}
                (1, RecordKind::Claim) => parts.push(format!("claim {said}")),
                (1, _) => parts.push(format!("1 {kind} {said}")),
                (count, _) => parts.push(format!("{count} {kind}s {said}")),
            }
        }
    }
    match changes.matched_contacts.iter().count() {
        0 => {}
        1 => parts.push("1 contact known here under another id".to_owned()),
        count => parts.push(format!("{count} contacts known here under other ids")),
    }
    let kept = changes.conflicts().filter(|(_, field)| !field.outcome.takes_theirs()).count();
    if kept > 0 {
        parts.push(format!("{kept} conflicting fields kept as they are here"));
    }
    if parts.is_empty() { "nothing was new".to_owned() } else { parts.join("; ") }
}

/// What the sender is told of an applied change set: that all of it was taken, or that values of our own stay. Only what
/// is exchanged with it counts, or guesses would be answered.
pub(super) fn disposition(
    changes: &ChangeSet,
    exchanged: &ExchangedPart<'_>,
) -> (Disposition, Option<String>) {
    let fields =
        changes.records.iter().flat_map(|record| record.fields.iter().map(move |field| (record, field)));
    let mut kept = fields.filter(|(_, field)| !field.outcome.takes_theirs());
    match kept.all(|(record, field)| !exchanged.has(&record.after, &field.name)) {
        true => (Disposition::Accepted, None),
        false => (Disposition::AcceptedWithChanges, Some("the recipient kept values of its own".to_owned())),
    }
}
