//! The convention's form for experts: a regular expression for the whole name.
//!
//! The `regex` crate matches in time linear in the name for a given expression, whatever both are; the expression's
//! length and its compiled size are bounded here.

use super::pattern::Part;
use super::{EXPRESSION, MAX_NAME_BYTES, NamingFacts, for_file_name, matching};
use crate::model::Date;
use crate::{Error, ErrorKind, Result};
use regex::{Regex, RegexBuilder};
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// The longest expression, in bytes.
const MAX_BYTES: usize = 1024;

/// The most memory that a compiled expression takes, in bytes.
const MAX_COMPILED: usize = 4 << 20;

/// How deep groups may stand within each other.
const MAX_NESTING: u32 = 50;

/// The groups whose text must be what is known of the claim and the document.
const FACTS: [(&str, Part, &str); 3] = [
    ("claim_number", Part::ClaimNumber, "claim number"),
    ("policy_number", Part::PolicyNumber, "policy number"),
    ("document_type", Part::DocumentType, "document type"),
];

/// The group whose text must be a real date.
const DATE: &str = "date";

#[derive(Clone, Debug)]
pub(super) struct Expression(Regex);

/// A group of a name that holds something else than it should.
struct Wrong {
    place: Range<usize>,
    reason: String,
    right: Option<String>,
}

impl Expression {
    pub(super) fn new(expression: &str) -> Result<Self> {
        let fault = |what: &str| {
            let said = format!("naming convention `{EXPRESSION}{}`: {what}", expression.escape_debug());
            Error::new(ErrorKind::InvalidSettings, said)
        };
        if expression.is_empty() || expression.len() > MAX_BYTES {
            return Err(fault(&format!("an expression has 1 to {MAX_BYTES} bytes")));
        }
        let expression: String = expression.nfc().collect();
        // By itself first: one that closes a group it did not open could else speak for a part of the name alone.
        compile(&expression).map_err(|what| fault(&what))?;
        let whole = compile(&format!(r"\A(?:{expression})\z")).map_err(|what| fault(&what))?;
        let known = |name: &&str| *name == DATE || FACTS.iter().any(|(fact, ..)| fact == name);
        if let Some(name) = whole.capture_names().flatten().find(|name| !known(name)) {
            return Err(fault(&format!(
                "the group `{name}` is not known; there are claim_number, policy_number, document_type and date; \
                 other groups have no name"
            )));
        }
        Ok(Self(whole))
    }

    pub(super) fn matches(&self, name: &str, facts: &NamingFacts<'_>) -> bool {
        let name: String = name.nfc().collect();
        self.wrong(&name, facts).is_some_and(|wrong| wrong.is_empty())
    }

    /// What is wrong with a name that does not match, and one that would: where the expression fits and only a fact is
    /// another one, the name with the right fact.
    pub(super) fn correct(&self, name: &str, facts: &NamingFacts<'_>) -> (Option<String>, Option<String>) {
        if name.len() > MAX_NAME_BYTES {
            return (Some(format!("The name has more than {MAX_NAME_BYTES} bytes")), None);
        }
        let mut name: String = name.nfc().collect();
        let Some(mut wrong) = self.wrong(&name, facts) else { return (None, None) };
        let reasons: Vec<&str> = wrong.iter().map(|wrong| wrong.reason.as_str()).collect();
        let reason = Some(reasons.join(". "));
        // From the last to the first, so that the places before stay; groups within groups have no one correction.
        wrong.sort_by_key(|wrong| wrong.place.start);
        let mut end = name.len();
        for wrong in wrong.iter().rev() {
            let Some(right) = wrong.right.as_ref().filter(|_| wrong.place.end <= end) else {
                return (reason, None);
            };
            name.replace_range(wrong.place.clone(), right);
            end = wrong.place.start;
        }
        let fits = name.len() <= MAX_NAME_BYTES && self.matches(&name, facts);
        (reason, fits.then_some(name))
    }

    /// The groups that hold something else than they should; `None` where the expression does not fit at all.
    fn wrong(&self, name: &str, facts: &NamingFacts<'_>) -> Option<Vec<Wrong>> {
        let captures = self.0.captures(name)?;
        let mut wrong = Vec::new();
        for (group, part, what) in &FACTS {
            let Some(found) = captures.name(group) else { continue };
            let (value, missing) = part.fact(facts);
            let reason = match value {
                Some(value) if matching::is_value(value, found.as_str()) => continue,
                Some(value) => {
                    let (found, value) = (found.as_str().escape_debug(), value.trim().escape_debug());
                    format!("The {what} in it is `{found}`, not `{value}`")
                }
                None => missing.to_owned(),
            };
            wrong.push(Wrong { place: found.range(), reason, right: value.map(for_file_name) });
        }
        if let Some(found) = captures.name(DATE).filter(|found| !is_date(found.as_str())) {
            let reason = format!("`{}` is no date of year, month and day", found.as_str().escape_debug());
            let right = facts.date.map(|date| date.to_string().replace('-', ""));
            wrong.push(Wrong { place: found.range(), reason, right });
        }
        Some(wrong)
    }
}

/// Compiles, or says why not in the last words of the engine, which name the fault; those before repeat the expression.
fn compile(expression: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(expression)
        .case_insensitive(true)
        .size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTING)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("it takes more than {MAX_COMPILED} bytes when compiled"),
        error => {
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

/// Whether the text is a real date as year, month and day, with or without `-`, `_` or `.` between.
fn is_date(text: &str) -> bool {
    let digits: String = text.chars().filter(|character| !matches!(character, '-' | '_' | '.')).collect();
    let whole = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole && format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]).parse::<Date>().is_ok()
}
