//! What calls give back, as JSON, for hosts that store it, show it or pass it on.

use super::{Acknowledgement, SentQueue, Unpacked};
use crate::Error;
use crate::ledger::{Fault, Outgoing};
use crate::merge::ChangeSet;
use crate::model::{ExchangeId, PackageId, Timestamp};
use serde::{Serialize, Serializer};

/// A fault, whether another try may help, and whether this one may have arrived.
#[derive(Serialize)]
struct Failure {
    #[serde(flatten)]
    fault: Fault,
    retryable: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ambiguous: bool,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { fault: error.into(), retryable: error.is_retryable(), ambiguous: error.is_ambiguous() }
    }
}

impl Acknowledgement {
    /// The stable name: `told`, `left` or `not-told`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Left => "left",
            Self::NotTold(_) => "not-told",
        }
    }
}

/// `{"outcome": "told"}`; `not-told` has an `error` with `kind`, `message`, `details` and `retryable`.
impl Serialize for Acknowledgement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told {
            outcome: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<Failure>,
        }
        let error = match self {
            Self::NotTold(error) => Some(Failure::from(error)),
            Self::Told | Self::Left => None,
        };
        Told { outcome: self.name(), error }.serialize(serializer)
    }
}

/// `claim`, `superseded`, `acknowledgement` and the change set in `changes`.
impl Serialize for Unpacked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Done<'a> {
            claim: &'a ExchangeId,
            superseded: bool,
            acknowledgement: &'a Acknowledgement,
            changes: &'a ChangeSet,
        }
        let Self { claim, changes, superseded, acknowledgement } = self;
        Done { claim, superseded: *superseded, acknowledgement, changes }.serialize(serializer)
    }
}

/// The packages in `sent`; in `failed` the `package` and its `error`; the ids in `held_back`; when the next is due in
/// `next_due`, where one is.
impl Serialize for SentQueue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Run<'a> {
            sent: &'a [Outgoing],
            failed: Vec<Failed>,
            held_back: &'a [PackageId],
            #[serde(skip_serializing_if = "Option::is_none")]
            next_due: Option<Timestamp>,
        }
        #[derive(Serialize)]
        struct Failed {
            package: PackageId,
            error: Failure,
        }
        let failed = self.failed.iter();
        let failed =
            failed.map(|(package, error)| Failed { package: *package, error: error.into() }).collect();
        let Self { sent, held_back, next_due, .. } = self;
        Run { sent, failed, held_back, next_due: *next_due }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::model::Json;

    fn json(value: &impl Serialize) -> String {
        Json::from_serialize(value).unwrap().to_string()
    }

    #[test]
    fn a_sender_that_could_not_be_told_has_its_reason() {
        assert_eq!(json(&Acknowledgement::Told), r#"{"outcome":"told"}"#);
        let unreachable = Error::new(ErrorKind::Unreachable, "no route").with_details(["try 1"]);
        assert_eq!(
            json(&Acknowledgement::NotTold(unreachable)),
            r#"{"error":{"details":["try 1"],"kind":"unreachable","message":"no route","retryable":true},"outcome":"not-told"}"#
        );
    }

    #[test]
    fn a_sent_queue_names_what_failed_and_what_waits() {
        let (failed, held) = (PackageId::generate(), PackageId::generate());
        let run = SentQueue {
            sent: Vec::new(),
            failed: vec![(failed, Error::new(ErrorKind::Refused, "no"))],
            held_back: vec![held],
            next_due: None,
        };
        let expected = format!(
            r#"{{"failed":[{{"error":{{"kind":"refused","message":"no","retryable":false}},"package":"{failed}"}}],"held_back":["{held}"],"sent":[]}}"#
        );
        assert_eq!(json(&run), expected);
    }
}
