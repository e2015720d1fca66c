//! A violated rule: a stable code for programs, a sentence for a claims handler.

use crate::model::ExchangeId;
use crate::{Detail, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which rule is violated. The names are stable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ViolationCode {
    /// No note was added since the last export to the partner.
    NoteMissing,
    /// The claim neither originated here nor came from the partner, and may not be forwarded.
    ForwardingForbidden,
    /// Neither a claim number nor a policy number travels.
    ClaimNumberMissing,
    /// A document's name does not match the naming convention.
    DocumentName,
    /// A required field has no value.
    RequiredFieldMissing,
    /// The sealed package is larger than the limit.
    SealedTooLarge,
    /// The claim's type is not known here.
    UnknownClaimType,
    /// An assessment's type is not known here.
    UnknownAssessmentType,
    /// A bill's type is not known here.
    UnknownBillType,
    /// The claim is protected here: it is closed.
    ProtectedClaim,
    /// The claim is one of this site's that was never shared with the sender.
    ClaimNotShared,
    /// A type or status has no name on the other side, where its name means something else.
    NameNotMapped,
    /// A field with another name on the other side has a value that the field of that name cannot take.
    ValueNotMapped,
    /// Notes were to travel alone, but the claim was never exchanged with the partner.
    NotExchangedBefore,
    /// Notes were to travel alone, but the partner has them all, or none may leave.
    NoNewNote,
    /// A rule of the host's own, by the host's name for it.
    Host(String),
}

const NAMES: &[(ViolationCode, &str)] = &[
    (ViolationCode::NoteMissing, "note-missing"),
    (ViolationCode::ForwardingForbidden, "forwarding-forbidden"),
    (ViolationCode::ClaimNumberMissing, "claim-number-missing"),
    (ViolationCode::DocumentName, "document-name"),
    (ViolationCode::RequiredFieldMissing, "required-field-missing"),
    (ViolationCode::SealedTooLarge, "sealed-too-large"),
    (ViolationCode::UnknownClaimType, "unknown-claim-type"),
    (ViolationCode::UnknownAssessmentType, "unknown-assessment-type"),
    (ViolationCode::UnknownBillType, "unknown-bill-type"),
    (ViolationCode::ProtectedClaim, "protected-claim"),
    (ViolationCode::ClaimNotShared, "claim-not-shared"),
    (ViolationCode::NameNotMapped, "name-not-mapped"),
    (ViolationCode::ValueNotMapped, "value-not-mapped"),
    (ViolationCode::NotExchangedBefore, "not-exchanged-before"),
    (ViolationCode::NoNewNote, "no-new-note"),
];

impl ViolationCode {
    /// The stable name, in kebab-case.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Host(name) => name,
            code => NAMES.iter().find(|(known, _)| known == code).map_or("", |(_, name)| name),
        }
    }

    /// What the partner reads in the place of a sentence of this code, which may hold what was never exchanged with it:
    /// this site's statuses, numbers and names.
    pub(crate) fn told(&self) -> Option<&'static str> {
        match self {
            Self::ProtectedClaim => Some(
                "The claim is protected at the recipient: no package changes it. Ask the recipient to reopen it.",
            ),
            Self::ClaimNotShared => {
                Some("The claim was never shared with the sender. Ask the recipient to export it first.")
            }
            Self::NameNotMapped => Some(
                "A type or status of the record has no name at the recipient. Ask the recipient to give it one in its name map.",
            ),
            Self::ValueNotMapped => Some(
                "A field of the record has a value that the recipient's field of another name cannot take. Ask the recipient which one, and correct it.",
            ),
            _ => None,
        }
    }
}

impl From<String> for ViolationCode {
    /// The code with this name; a name that is none of the built-in ones is a host's own.
    fn from(name: String) -> Self {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map_or_else(|| Self::Host(name), |(code, _)| code.clone())
    }
}

impl From<ViolationCode> for String {
    fn from(code: ViolationCode) -> Self {
        code.name().to_owned()
    }
}

/// One violated rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violation {
    /// Which rule.
    pub code: ViolationCode,
    /// The record it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<ExchangeId>,
    /// What is wrong and what to do about it, for a claims handler.
    pub message: String,
    /// What to put in the place of what is wrong, such as a document's name that would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
}

impl Violation {
    /// A violation, also of a host's own rule.
    #[must_use]
    pub fn new(code: ViolationCode, record: Option<ExchangeId>, message: impl Into<String>) -> Self {
        Self { code, record, message: message.into(), proposal: None }
    }

    /// The same violation with what would do instead.
    #[must_use]
    pub fn proposing(self, proposal: impl Into<String>) -> Self {
        Self { proposal: Some(proposal.into()), ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<&Violation> for Detail {
    fn from(violation: &Violation) -> Self {
        Self {
            subject: violation.record.as_ref().map(ToString::to_string),
            proposal: violation.proposal.clone(),
            ..Self::new(violation.message.as_str()).coded(violation.code.name())
        }
    }
}

/// One error for all violations, with one detail each: the code, the record, the sentence, the proposal.
///
/// `kind` is [`ErrorKind::ExportRulesViolated`] or [`ErrorKind::ImportRulesViolated`].
#[must_use]
pub fn violations_error(kind: ErrorKind, violations: &[Violation]) -> Error {
    let what = match kind {
        ErrorKind::ExportRulesViolated => "the claim may not be exported",
        ErrorKind::ImportRulesViolated => "the package may not be unpacked",
        _ => "rules are violated",
    };
    let details: Vec<Detail> = violations.iter().map(Detail::from).collect();
    Error::new(kind, format!("{what}: {}", Detail::joined(&details, " "))).with_details(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_that_leads_back() {
        for (code, name) in NAMES {
            assert_eq!(code.name(), *name);
            assert_eq!(&ViolationCode::from((*name).to_owned()), code);
        }
        let own = ViolationCode::from("closed-period".to_owned());
        assert_eq!(own, ViolationCode::Host("closed-period".into()));
        assert_eq!(own.name(), "closed-period");
    }

    #[test]
    fn a_violation_shows_as_its_sentence() {
        let violation = Violation::new(ViolationCode::NoteMissing, None, "Add a note.");
        assert_eq!(violation.to_string(), "Add a note.");
    }

    #[test]
    fn one_error_carries_every_fault() {
        let violations = [
            Violation::new(ViolationCode::NoteMissing, None, "Add a note."),
            Violation::new(ViolationCode::DocumentName, "A/D-1".parse().ok(), "Rename it.")
                .proposing("a.pdf"),
        ];
        let error = violations_error(ErrorKind::ExportRulesViolated, &violations);
        assert_eq!(error.kind(), ErrorKind::ExportRulesViolated);
        assert_eq!(error.to_string(), "the claim may not be exported: Add a note. Rename it.");
        let expected = [
            Detail::new("Add a note.").coded("note-missing"),
            Detail::new("Rename it.").coded("document-name").about("A/D-1").proposing("a.pdf"),
        ];
        assert_eq!(error.details(), expected);
        let incoming = violations_error(ErrorKind::ImportRulesViolated, &violations[..1]);
        assert_eq!(incoming.to_string(), "the package may not be unpacked: Add a note.");
    }
}
