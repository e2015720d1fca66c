//! Notes on a claim.

use super::object::record;
use super::{ExchangeId, Timestamp};

record! {
    /// A note on a claim; its body is required when it travels.
    Note {
        one {
            /// What it is about, in a line.
            subject: String,
            /// The text.
            body: String,
            /// The topic it is filed under.
            topic: String,
            /// Whether it stays in its own system: an internal note never leaves.
            internal: bool,
            /// Who may read it, as the originating system classes notes.
            security_type: String,
            /// The record it is about.
            related_to: ExchangeId,
            /// The note it answers.
            in_reply_to: ExchangeId,
            /// When it was sent.
            sent_at: Timestamp,
            /// When it was received.
            received_at: Timestamp,
        }
        many {}
    }
}

impl Note {
    /// Whether the note must stay in its own system.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.internal.unwrap_or(false)
    }
}
