//! The answer to a trial: what the recipient of a sample package found, and a sample for the way back.

use super::receipt::is_media_type;
use super::{Digest, Response, printable};
use crate::model::{PackageId, SiteId, Timestamp};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The media type of the answer to a trial.
pub const TRIAL_MEDIA_TYPE: &str = "application/vnd.claimwire.trial+json";

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrialOutcome {
    /// Packages will fail on it.
    Failed,
    /// Packages will pass, but not all of them, or not all that is in them.
    Warning,
    /// It is as it should be.
    Passed,
}

impl TrialOutcome {
    /// The outcome's stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Passed => "passed",
        }
    }
}

/// Whose settings a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrialSide {
    /// Those of the site that sends the trial.
    Sender,
    /// Those of the site that answers it.
    Recipient,
    /// The two sites differ, and only people can say which of them is right.
    Either,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialCheck {
    /// What was checked: stable, for programs. `docs/protocol.md` lists the codes.
    pub code: String,
    /// How it came out.
    pub outcome: TrialOutcome,
    /// Whose settings it is about: where something is to be done when it did not pass.
    pub side: TrialSide,
    /// What was found, for people; it names sites by their ids.
    pub message: String,
    /// What to do about it; nothing where it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl TrialCheck {
    /// The most characters of a message or a remedy on the wire.
    pub const MAX_TEXT: usize = 500;

    /// A check without a remedy.
    #[must_use]
    pub fn new(
        code: impl Into<String>,
        outcome: TrialOutcome,
        side: TrialSide,
        message: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), outcome, side, message: message.into(), remedy: None }
    }

    /// The same check with what to do about it.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The check with its texts cut to length and free of control characters.
    fn cleaned(mut self) -> Self {
        self.message = cleaned(&self.message);
        self.remedy = self.remedy.as_deref().map(cleaned);
        self
    }
}

fn cleaned(text: &str) -> String {
    printable(text).chars().take(TrialCheck::MAX_TEXT).collect()
}

/// A package of kind `trial` on the way back: sealed as the recipient seals what it sends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SealedSample {
    /// The package's id.
    pub package_id: PackageId,
    /// The name of the suite it is sealed with.
    pub suite: String,
    /// The version of the key it is sealed with.
    pub key_version: u32,
    /// The sealed bytes; base64 in JSON.
    #[serde(with = "as_base64")]
    pub sealed: Vec<u8>,
}

impl SealedSample {
    /// A sample for the way back.
    #[must_use]
    pub fn new(package_id: PackageId, suite: impl Into<String>, key_version: u32, sealed: Vec<u8>) -> Self {
        Self { package_id, suite: suite.into(), key_version, sealed }
    }
}

impl fmt::Debug for SealedSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSample")
            .field("package_id", &self.package_id)
            .field("suite", &self.suite)
            .field("key_version", &self.key_version)
            .field("bytes", &self.sealed.len())
            .finish()
    }
}

/// What the recipient of a trial answers: a small JSON document, signed as the answer that carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialAnswer {
    /// The version of this format: 1.
    pub version: u32,
    /// The trial package this answers.
    pub package_id: PackageId,
    /// The site that answers.
    pub from: SiteId,
    /// The site that sent the trial.
    pub to: SiteId,
    /// The SHA-256 of the sealed bytes that came in.
    pub digest: Digest,
    /// When the trial was signed, by its sender's clock.
    pub sent_at: Timestamp,
    /// When it was answered, by the recipient's clock.
    pub at: Timestamp,
    /// The id of the key that the recipient signs with now.
    pub signing_key_id: String,
    /// The highest version of the package format that the recipient reads.
    pub format_version: u64,
    /// The largest sealed package that the recipient takes in, in bytes.
    pub takes_up_to: u64,
    /// The largest sealed package that the recipient sends, in bytes.
    pub sends_up_to: u64,
    /// What the recipient checked.
    pub checks: Vec<TrialCheck>,
    /// A package for the way back, where the recipient has a key to seal one with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_back: Option<SealedSample>,
}

impl TrialAnswer {
    /// The version of the format this version of the crate writes.
    pub const VERSION: u32 = 1;
    /// The most checks of an answer.
    pub const MAX_CHECKS: usize = 100;

    /// An answer of the present moment to the trial `package_id` from `to`, without checks and without a sample.
    #[must_use]
    pub fn new(
        package_id: PackageId,
        from: SiteId,
        to: SiteId,
        digest: Digest,
        sent_at: Timestamp,
        signing_key_id: impl Into<String>,
    ) -> Self {
        Self {
            version: Self::VERSION,
            package_id,
            from,
            to,
            digest,
            sent_at,
            at: Timestamp::now(),
            signing_key_id: signing_key_id.into(),
            format_version: crate::package::FORMAT_VERSION,
            takes_up_to: 0,
            sends_up_to: 0,
            checks: Vec::new(),
            way_back: None,
        }
    }

    /// The answer as JSON, with no more than [`MAX_CHECKS`](Self::MAX_CHECKS) checks, failed ones first, and no text
    /// longer than [`TrialCheck::MAX_TEXT`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it has no JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut answer = self.clone();
        answer.checks.sort_by_key(|check| check.outcome);
        answer.checks.truncate(Self::MAX_CHECKS);
        answer.checks = answer.checks.into_iter().map(TrialCheck::cleaned).collect();
        serde_json::to_vec(&answer).map_err(|error| {
            Error::new(ErrorKind::Internal, "the trial's answer could not be written as JSON")
                .caused_by(error)
        })
    }

    /// Reads an answer. Its texts are cut to length and cleaned of control characters; members that are not known
    /// are passed over.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFormatVersion`] for a later version, naming both; [`ErrorKind::BadMessage`] when this
    /// is no answer to a trial, has too many checks, or a code that is none.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let malformed = |error: serde_json::Error| {
            Error::new(
                ErrorKind::BadMessage,
                format!("not an answer to a trial: {}", printable(&error.to_string())),
            )
            .caused_by(error)
        };
        let Versioned { version } = serde_json::from_slice(json).map_err(malformed)?;
        if version != Self::VERSION {
            return Err(Error::new(
                ErrorKind::UnsupportedFormatVersion,
                format!(
                    "the answer has format version {version}; this version of claimwire reads {}",
                    Self::VERSION
                ),
            ));
        }
        let mut answer: Self = serde_json::from_slice(json).map_err(malformed)?;
        if answer.checks.len() > Self::MAX_CHECKS || !answer.checks.iter().all(|check| is_code(&check.code)) {
            let said = "not an answer to a trial: too many checks, or a code that is none";
            return Err(Error::new(ErrorKind::BadMessage, said));
        }
        answer.signing_key_id = printable(&answer.signing_key_id);
        answer.checks = answer.checks.into_iter().map(TrialCheck::cleaned).collect();
        Ok(answer)
    }

    /// The answer with status 200, unsigned.
    ///
    /// # Errors
    /// As [`to_json`](Self::to_json); [`ErrorKind::BadMessage`] when it is larger than an answer may be.
    pub fn to_response(&self) -> Result<Response> {
        let mut response = Response::new(200, self.to_json()?)?;
        response.headers_mut().insert("content-type", TRIAL_MEDIA_TYPE)?;
        Ok(response)
    }

    /// Reads it out of a successful answer; its signature is checked elsewhere.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json); [`ErrorKind::BadMessage`] for another media type.
    pub fn from_response(response: &Response) -> Result<Self> {
        let media_type = response.headers().get("content-type").unwrap_or("no media type");
        if !is_media_type(media_type, TRIAL_MEDIA_TYPE) {
            return Err(Error::new(
                ErrorKind::BadMessage,
                format!(
                    "not an answer to a trial, but {}",
                    media_type.chars().take(100).collect::<String>().escape_debug()
                ),
            ));
        }
        Self::from_json(response.body())
    }
}

/// Whether this is a code: lower-case words with hyphens.
fn is_code(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

mod as_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(|_| de::Error::custom("the sealed bytes are not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer() -> TrialAnswer {
        let (from, to) = (SiteId::new("IMEX").unwrap(), SiteId::new("ON-INS").unwrap());
        let now = "2026-03-02T14:30:00Z".parse().unwrap();
        let id = PackageId::generate();
        let mut answer = TrialAnswer::new(id, from, to, Digest::of(b"sealed"), now, "IMEX/1");
        answer.way_back = Some(SealedSample::new(id, "age", 2, b"sealed too".to_vec()));
        answer.checks = vec![
            TrialCheck::new("opens", TrialOutcome::Passed, TrialSide::Recipient, "It opens."),
            TrialCheck::new("suite", TrialOutcome::Failed, TrialSide::Either, "Another suite.")
                .with_remedy("Agree on one."),
        ];
        answer
    }

    #[test]
    fn what_is_written_is_read_back_with_what_failed_first() {
        let read = TrialAnswer::from_response(&answer().to_response().unwrap()).unwrap();
        assert_eq!(
            read.checks.iter().map(|check| check.code.as_str()).collect::<Vec<_>>(),
            ["suite", "opens"]
        );
        assert_eq!(read.way_back.unwrap().sealed, b"sealed too");
    }

    #[test]
    fn a_hostile_answer_is_cut_cleaned_or_refused() {
        let mut long = answer();
        long.checks[0].message = "a\nFAILED forged\u{1b}[0m ".repeat(200);
        let json = serde_json::to_vec(&long).unwrap();
        let read = TrialAnswer::from_json(&json).unwrap();
        let said = &read.checks[0].message;
        assert!(said.chars().count() == TrialCheck::MAX_TEXT && !said.chars().any(char::is_control));

        let check = answer().checks[0].clone();
        let mut many = answer();
        many.checks = vec![check; TrialAnswer::MAX_CHECKS + 1];
        assert!(TrialAnswer::from_json(&serde_json::to_vec(&many).unwrap()).is_err());
        assert_eq!(
            TrialAnswer::from_json(&many.to_json().unwrap()).unwrap().checks.len(),
            TrialAnswer::MAX_CHECKS
        );
        for code in ["", "Opens", "a b", "a\n", &"a".repeat(65)] {
            let mut odd = answer();
            odd.checks[0].code = code.to_owned();
            let read = TrialAnswer::from_json(&serde_json::to_vec(&odd).unwrap());
            assert_eq!(read.unwrap_err().kind(), ErrorKind::BadMessage, "{code:?}");
        }
        let deep = format!(r#"{{"version":1,"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(TrialAnswer::from_json(deep.as_bytes()).unwrap_err().kind(), ErrorKind::BadMessage);
        let later = TrialAnswer::from_json(br#"{"version":2}"#).unwrap_err();
        assert_eq!(later.kind(), ErrorKind::UnsupportedFormatVersion);
    }

    #[test]
    fn the_largest_answer_fits_into_an_answer() {
        let mut large = answer();
        let text = "\u{1F600}".repeat(TrialCheck::MAX_TEXT);
        let check = TrialCheck::new("opens", TrialOutcome::Failed, TrialSide::Either, text.as_str());
        large.checks = vec![check.with_remedy(text); TrialAnswer::MAX_CHECKS];
        large.way_back.as_mut().unwrap().sealed = vec![0; 256 * 1024];
        assert!(large.to_response().is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = TrialAnswer::from_json(text.as_bytes());
        }
    }
}
