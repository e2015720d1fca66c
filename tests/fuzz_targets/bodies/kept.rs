//! What is kept for years and checked again by whoever reads it then: receipts with their proof, and the history.

use super::messages::{SIGNED_ID, signer};
use claimwire::ledger::{HistoryEntry, HistoryHead, verify_history};
use claimwire::protocol::Evidence;

/// Any JSON as evidence: nothing is proven but what was signed, and it survives being stored.
pub(crate) fn evidence(json: &[u8]) {
    let Ok(evidence) = serde_json::from_slice::<Evidence>(json) else { return };
    let stored = serde_json::to_string(&evidence).expect("what was read can be written");
    assert_eq!(serde_json::from_str::<Evidence>(&stored).ok().as_ref(), Some(&evidence));
    let _ = evidence.receipt();
    if let Ok((receipt, _)) = evidence.verify(&signer().verifying_key()) {
        assert_eq!(receipt.package_id.to_string(), SIGNED_ID);
    }
}

/// Any lines as an exported history: one that verifies is what was chained, entry by entry.
pub(crate) fn history(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let Ok(entries) = lines.map(serde_json::from_slice).collect::<Result<Vec<HistoryEntry>, _>>() else {
        return;
    };
    for entry in &entries {
        let line = entry.to_json().expect("what was read can be written");
        assert_eq!(serde_json::from_str::<HistoryEntry>(&line).ok().as_ref(), Some(entry));
    }
    let Ok(head) = verify_history(&entries, &HistoryHead::start()) else { return };
    let again = entries
        .into_iter()
        .try_fold(HistoryHead::start(), |head, entry| entry.chained_after(&head).map(|entry| entry.head()));
    assert_eq!(again.ok(), Some(head));
}
