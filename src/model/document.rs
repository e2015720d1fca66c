//! Documents: files of a claim, with what is known about them.

use super::object::record;
use super::{ExchangeId, Timestamp};

record! {
    /// A file that belongs to a claim; the bytes travel beside it.
    Document {
        one {
            /// The file name as its author gave it, in Unicode NFC.
            name: String,
            /// The media type (RFC 6838).
            media_type: String,
            /// The size in bytes.
            size: u64,
            /// The SHA-256 of the bytes, in lower-case hexadecimal.
            sha256: String,
            /// The kind of document, such as `medical report`.
            document_type: String,
            /// Where it stands.
            status: String,
            /// The section of the claim file it is filed under.
            section: String,
            /// Whether it stays in its own system: an internal document never leaves.
            internal: bool,
            /// The attachment control number (X12 PWK06 = 275 TRN02).
            attachment_control_number: String,
            /// The record it belongs to.
            related_to: ExchangeId,
            /// When the file was last changed.
            modified_at: Timestamp,
        }
        many {}
    }
}

impl Document {
    /// Whether the document must stay in its own system.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.internal.unwrap_or(false)
    }
}
