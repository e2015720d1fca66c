//! One single fault of an error that sums up several: a sentence for people, and what programs read of it.

use std::fmt;

/// One single fault, such as one violated rule or one mistake in the settings.
///
/// `Display` is the sentence. What a program acts on stands beside it, each where there is one.
///
/// ```
/// use claimwire::{Detail, Error, ErrorKind};
///
/// let missing = Detail::new("The bill type `OCF-21` is not known here.").coded("unknown-bill-type").about("ON-INS/B-7");
/// let error = Error::new(ErrorKind::ImportRulesViolated, "the package may not be unpacked").with_details([missing]);
/// let [detail] = error.details() else { panic!("one detail is expected") };
/// assert_eq!(detail.code.as_deref(), Some("unknown-bill-type"));
/// assert_eq!(detail.to_string(), "The bill type `OCF-21` is not known here.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Detail {
    /// The sentence, which may change between versions.
    pub message: String,
    /// The stable code, such as the name of a
    #[cfg_attr(feature = "exchange", doc = "[`ViolationCode`](crate::rules::ViolationCode).")]
    #[cfg_attr(not(feature = "exchange"), doc = "violated rule.")]
    pub code: Option<String>,
    /// What it is about: the exchange id of a record, or the place in the settings.
    pub subject: Option<String>,
    /// What to put in the place of what is wrong, such as a document's name that would do.
    pub proposal: Option<String>,
}

impl Detail {
    /// A plain sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, subject: None, proposal: None }
    }

    /// The same detail with a stable code.
    #[must_use]
    pub fn coded(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The same detail about this record, or this place in the settings.
    #[must_use]
    pub fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// The same detail with what would do instead.
    #[must_use]
    pub fn proposing(self, proposal: impl Into<String>) -> Self {
        Self { proposal: Some(proposal.into()), ..self }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<String> for Detail {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Detail {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

#[cfg(feature = "exchange")]
impl Detail {
    /// A mistake at a place in the settings; the sentence begins with the place.
    pub(crate) fn at(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self::new(format!("{place}: {what}")).about(place.to_string())
    }

    /// The same mistake, where its place stands within another.
    pub(crate) fn below(self, prefix: &str) -> Self {
        let message = format!("{prefix}{self}");
        Self { message, subject: self.subject.map(|place| format!("{prefix}{place}")), ..self }
    }

    /// The sentences of several in one.
    pub(crate) fn joined(details: &[Self], between: &str) -> String {
        details.iter().map(|detail| detail.message.as_str()).collect::<Vec<_>>().join(between)
    }

    /// The same detail with each of its texts as `change` leaves it.
    pub(crate) fn each_text(self, change: impl Fn(&str) -> String) -> Self {
        Self {
            message: change(&self.message),
            code: self.code.as_deref().map(&change),
            subject: self.subject.as_deref().map(&change),
            proposal: self.proposal.as_deref().map(&change),
        }
    }
}

/// Details as they stand in JSON: the sentences in `details`, as they always did, and what programs read in
/// `findings`, item by item, left out where none of them has any. Flatten it into what has them.
#[cfg(feature = "exchange")]
pub(crate) mod form {
    use super::Detail;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Form {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        details: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
    }

    #[derive(Default, PartialEq, Serialize, Deserialize)]
    struct Finding {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<String>,
    }

    pub(crate) fn serialize<S: Serializer>(details: &[Detail], serializer: S) -> Result<S::Ok, S::Error> {
        let mut findings: Vec<Finding> = details
            .iter()
            .map(|detail| Finding {
                code: detail.code.clone(),
                subject: detail.subject.clone(),
                proposal: detail.proposal.clone(),
            })
            .collect();
        if findings.iter().all(|finding| *finding == Finding::default()) {
            findings.clear();
        }
        let details = details.iter().map(|detail| detail.message.clone()).collect();
        Form { details, findings }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Detail>, D::Error> {
        let Form { details, findings } = Form::deserialize(deserializer)?;
        let mut findings = findings.into_iter();
        let whole = |message| {
            let Finding { code, subject, proposal } = findings.next().unwrap_or_default();
            Detail { message, code, subject, proposal }
        };
        Ok(details.into_iter().map(whole).collect())
    }
}
