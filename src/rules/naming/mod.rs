//! Naming conventions: what a partner wants documents to be called, in a form a claims administrator can write.
//!
//! `{claim_number}_{document_type}_{date:YYYYMMDD}.{ext:pdf|docx}` is a convention. Text outside braces stands for
//! itself, each placeholder for a part of the name:
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{claim_number}`, `{policy_number}` | the claim's own number |
//! | `{document_type}` | the document's type |
//! | `{date:YYYYMMDD}` | a real date, of `YYYY`, `MM`, `DD` and `-`, `_`, `.` in any order, such as `{date:DD.MM.YYYY}` |
//! | `{ext:pdf\|docx}` | one of these extensions |
//! | `{number}`, `{number:3}` | digits; exactly three digits |
//! | `{text}` | any text of at least one character |
//! | `{{`, `}}` | the braces themselves |
//!
//! With the feature `regex` a convention may also be a regular expression: `regex:` and the expression, as the `regex`
//! crate reads it, for the whole name.

#[cfg(feature = "regex")]
mod expression;
mod matching;
mod pattern;

use crate::model::{Date, Json, Record};
use crate::{Error, Result};
use pattern::Part;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest name that is compared, in bytes: what common file systems take.
const MAX_NAME_BYTES: usize = 255;

/// How a partner wants documents to be named.
///
/// Letters are compared without regard to case. A space in a claim number or document type may be a space, `-` or `_`
/// in the name; a character that file names cannot have (such as `/`) may be `-` or `_`. The time to compare grows
/// with the product of both lengths at most.
///
/// ```
/// use claimwire::rules::{NamingConvention, NamingFacts};
///
/// let convention = NamingConvention::new("{claim_number}_{document_type}_{date:YYYYMMDD}.{ext:pdf|docx}")?;
/// let mut facts = NamingFacts::new();
/// facts.claim_number = Some("CLM-2026-0117");
/// facts.document_type = Some("Medical Report");
/// facts.date = Some("2026-03-02".parse()?);
/// assert!(convention.check("CLM-2026-0117_medical-report_20260302.pdf", &facts).is_ok());
///
/// let fault = convention.check("report final.pdf", &facts).unwrap_err();
/// assert_eq!(fault.proposal.as_deref(), Some("CLM-2026-0117_Medical-Report_20260302.pdf"));
/// # Ok::<(), claimwire::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamingConvention {
    text: String,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Parts(Vec<Part>),
    #[cfg(feature = "regex")]
    Expression(expression::Expression),
}

/// The form is what the text says.
impl PartialEq for NamingConvention {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for NamingConvention {}

/// What a convention begins with that is a regular expression; no readable one can, since names cannot have a colon.
const EXPRESSION: &str = "regex:";

/// What is known of a document and its claim, for its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamingFacts<'a> {
    /// The claim's number.
    pub claim_number: Option<&'a str>,
    /// The policy's number.
    pub policy_number: Option<&'a str>,
    /// The document's type.
    pub document_type: Option<&'a str>,
    /// The document's date, for a proposal; any real date matches.
    pub date: Option<Date>,
}

impl<'a> NamingFacts<'a> {
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a claim and a document record say; the date is the day the file was last changed, or else made.
    #[must_use]
    pub fn of(claim: &'a Record, document: &'a Record) -> Self {
        let text = |record: &'a Record, name| {
            record.fields.get(name).and_then(Json::as_str).filter(|text| !text.trim().is_empty())
        };
        let day = |name| text(document, name).and_then(|moment| moment.get(..10)?.parse().ok());
        Self {
            claim_number: text(claim, "claim_number"),
            policy_number: text(claim, "policy_number"),
            document_type: text(document, "document_type"),
            date: day("modified_at").or_else(|| day("created_at")),
        }
    }
}

/// A name that does not match: the name, the convention, and a name that would do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamingFault {
    /// The document's name as it is.
    pub name: String,
    /// The convention it does not match.
    pub convention: String,
    /// What is missing or wrong, where that can be said.
    pub reason: Option<String>,
    /// A name that would match; `None` when a part of it is not known.
    pub proposal: Option<String>,
}

impl fmt::Display for NamingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, convention, reason, proposal } = self;
        write!(f, "Document `{}` is not named as the partner asks: {convention}.", name.escape_debug())?;
        if let Some(reason) = reason {
            write!(f, " {reason}.")?;
        }
        match proposal {
            Some(proposal) => write!(f, " Rename it, for example to `{}`.", proposal.escape_debug()),
            None if reason.is_some() => f.write_str(" Fill that in or rename the document."),
            None => f.write_str(" Rename the document."),
        }
    }
}

impl std::error::Error for NamingFault {}

impl NamingConvention {
    /// Reads a convention.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidSettings`](crate::ErrorKind::InvalidSettings) with the place that is not understood.
    pub fn new(text: &str) -> Result<Self> {
        let form = match text.strip_prefix(EXPRESSION) {
            Some(expression) => expression_form(expression)?,
            None => Form::Parts(pattern::parse(text)?),
        };
        Ok(Self { text: text.to_owned(), form })
    }

    /// The convention as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the name matches.
    #[must_use]
    pub fn matches(&self, name: &str, facts: &NamingFacts<'_>) -> bool {
        name.len() <= MAX_NAME_BYTES
            && match &self.form {
                Form::Parts(parts) => matching::matches(parts, name, facts),
                #[cfg(feature = "regex")]
                Form::Expression(expression) => expression.matches(name, facts),
            }
    }

    /// Checks a document's name.
    ///
    /// # Errors
    /// The fault when the name does not match, with a corrected proposal where one can be made.
    pub fn check(&self, name: &str, facts: &NamingFacts<'_>) -> Result<(), NamingFault> {
        if self.matches(name, facts) {
            return Ok(());
        }
        let (reason, proposal) = match &self.form {
            Form::Parts(parts) => {
                let proposal = self.propose(parts, name, facts);
                let reason = proposal.as_ref().err().cloned().or_else(|| wrong_extension(parts, name));
                (reason, proposal.ok())
            }
            #[cfg(feature = "regex")]
            Form::Expression(expression) => expression.correct(name, facts),
        };
        Err(NamingFault { name: name.to_owned(), convention: self.text.clone(), reason, proposal })
    }

    /// A matching name, or what has to be known first.
    fn propose(&self, parts: &[Part], name: &str, facts: &NamingFacts<'_>) -> Result<String, String> {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let mut proposal = String::new();
        for part in parts {
            match part {
                Part::Literal(text) => proposal.push_str(text),
                Part::ClaimNumber | Part::PolicyNumber | Part::DocumentType => {
                    let (value, missing) = part.fact(facts);
                    proposal.push_str(&for_file_name(value.ok_or(missing)?));
                }
                Part::Date(format) => {
                    let date = facts.date.ok_or("The document has no date")?;
                    proposal.push_str(&pattern::write_date(format, date));
                }
                Part::Extension(allowed) => {
                    let kept = allowed.iter().find(|allowed| allowed.eq_ignore_ascii_case(extension));
                    proposal.push_str(kept.or(allowed.first()).map_or("", String::as_str));
                }
                Part::Text => {
                    let text = for_file_name(stem.trim());
                    proposal.push_str(if text.is_empty() { "text" } else { &text });
                }
                Part::Number(width) => proposal.push_str(&format!("{:0>1$}", 1, width.unwrap_or(1))),
            }
        }
        if self.matches(&proposal, facts) { Ok(proposal) } else { Err("The name would be too long".into()) }
    }
}

/// Says so when another name cannot help, since the file is of a kind the convention does not allow.
fn wrong_extension(parts: &[Part], name: &str) -> Option<String> {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let allowed = parts.iter().find_map(|part| match part {
        Part::Extension(allowed) => Some(allowed),
        _ => None,
    })?;
    (!allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(extension)))
        .then(|| format!("It must be a file of type {}", allowed.join(" or ")))
}

#[cfg(feature = "regex")]
fn expression_form(expression: &str) -> Result<Form> {
    expression::Expression::new(expression).map(Form::Expression)
}

#[cfg(not(feature = "regex"))]
fn expression_form(_: &str) -> Result<Form> {
    Err(Error::new(
        crate::ErrorKind::InvalidSettings,
        "naming conventions as regular expressions are not built in; build with the feature `regex`",
    ))
}

/// `value` with `-` for spaces and for what file names cannot have.
fn for_file_name(value: &str) -> String {
    let fits = |character: char| !character.is_whitespace() && !matching::is_forbidden(character);
    value.trim().chars().map(|character| if fits(character) { character } else { '-' }).collect()
}

impl FromStr for NamingConvention {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl TryFrom<String> for NamingConvention {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(&text)
    }
}

impl From<NamingConvention> for String {
    fn from(convention: NamingConvention) -> Self {
        convention.text
    }
}

impl fmt::Display for NamingConvention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
