//! What the points around a commit are called.

use crate::ledger::{Change, OutgoingState};

/// The name of a commit's point: the entry of the history that it writes, else what it changes first.
pub(super) fn point_of(changes: &[Change], step: &str) -> String {
    let entry = changes.iter().find_map(|change| match change {
        Change::Append(entry) => Some(entry),
        _ => None,
    });
    if let Some(entry) = entry {
        return format!("{}-{}-{step}", entry.direction.name(), entry.step.name());
    }
    let what = match changes.first() {
        Some(Change::SetIncoming { .. }) => "incoming-applying",
        Some(Change::SetOutgoing { package, .. }) => match package.state {
            OutgoingState::Failed | OutgoingState::Rejected => "outgoing-told",
            _ if package.retry_at.is_some() => "outgoing-put-off",
            _ => "outgoing-at-rest",
        },
        Some(Change::SetBase { .. }) => "base",
        Some(Change::DropSnapshots { .. }) => "snapshots",
        Some(Change::DropSentNotes(_)) => "sent-notes",
        Some(Change::Pause(_)) => "pause",
        Some(Change::Resume(_)) => "resume",
        _ => "other",
    };
    format!("{what}-{step}")
}
