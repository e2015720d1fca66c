//! The convention's own language: from text to parts.

use super::{NamingFacts, matching};
use crate::model::Date;
use crate::{Error, ErrorKind, Result};

/// One part of a convention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    ClaimNumber,
    PolicyNumber,
    DocumentType,
    Date(Vec<DatePart>),
    Extension(Vec<String>),
    Text,
    Number(Option<usize>),
}

/// One part of a date's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatePart {
    Year,
    Month,
    Day,
    Separator(char),
}

impl DatePart {
    /// How many characters it takes.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Year => 4,
            Self::Month | Self::Day => 2,
            Self::Separator(_) => 1,
        }
    }
}

impl Part {
    /// The value the part stands for, and what to say when it is not known.
    pub(super) fn fact<'a>(&self, facts: &NamingFacts<'a>) -> (Option<&'a str>, &'static str) {
        match self {
            Self::ClaimNumber => (facts.claim_number, "The claim has no claim number"),
            Self::PolicyNumber => (facts.policy_number, "The claim has no policy number"),
            Self::DocumentType => (facts.document_type, "The document has no document type"),
            _ => (None, ""),
        }
    }
}

/// The longest convention, in bytes: no file name is longer than a quarter of it.
const MAX_BYTES: usize = 1024;

/// The widest `{number:…}`.
const MAX_DIGITS: usize = 20;

/// Reads a convention into its parts.
pub(super) fn parse(text: &str) -> Result<Vec<Part>> {
    let fault = |place: usize, what: String| {
        let before = text.get(..place).unwrap_or(text).chars().count();
        Error::new(
            ErrorKind::InvalidSettings,
            format!("naming convention `{}`, character {}: {what}", text.escape_debug(), before + 1),
        )
    };
    if text.is_empty() || text.len() > MAX_BYTES {
        return Err(fault(0, format!("a convention has 1 to {MAX_BYTES} bytes")));
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let place = text.len() - rest.len();
        if let Some(brace @ ("{{" | "}}")) = rest.get(..2) {
            literal.push_str(&brace[..1]);
            rest = &rest[2..];
        } else if character == '{' {
            let inner = rest[1..].split_once('}').map(|(inner, _)| inner);
            let inner =
                inner.ok_or_else(|| fault(place, "`{` has no `}`; write `{{` for a brace itself".into()))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(placeholder(inner).map_err(|what| fault(place, what))?);
            rest = &rest[inner.len() + 2..];
        } else if character == '}' {
            return Err(fault(place, "`}` has no `{`; write `}}` for a brace itself".into()));
        } else if matching::is_forbidden(character) {
            return Err(fault(place, format!("file names cannot have `{}`", character.escape_debug())));
        } else {
            literal.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn placeholder(inner: &str) -> Result<Part, String> {
    let (name, option) = match inner.split_once(':') {
        Some((name, option)) => (name, Some(option)),
        None => (inner, None),
    };
    match (name, option) {
        ("claim_number", None) => Ok(Part::ClaimNumber),
        ("policy_number", None) => Ok(Part::PolicyNumber),
        ("document_type", None) => Ok(Part::DocumentType),
        ("text", None) => Ok(Part::Text),
        ("number", None) => Ok(Part::Number(None)),
        ("number", Some(width)) => match width.parse() {
            Ok(digits) if (1..=MAX_DIGITS).contains(&digits) => Ok(Part::Number(Some(digits))),
            _ => Err(format!("`{{number:…}}` takes a number of digits from 1 to {MAX_DIGITS}")),
        },
        ("date", Some(form)) => date_form(form),
        ("ext", Some(list)) => extensions(list),
        ("date", None) => Err("say in what form: `{date:YYYYMMDD}`".into()),
        ("ext", None) => Err("say which extensions: `{ext:pdf|docx}`".into()),
        _ => Err(format!(
            "`{{{}}}` is no placeholder; there are {{claim_number}}, {{policy_number}}, {{document_type}}, {{date:YYYYMMDD}}, {{ext:pdf|docx}}, {{number}}, {{number:3}} and {{text}}",
            inner.escape_debug()
        )),
    }
}

fn date_form(form: &str) -> Result<Part, String> {
    let mut parts = Vec::new();
    let mut rest = form;
    while let Some(character) = rest.chars().next() {
        let (part, length) = if rest.starts_with("YYYY") {
            (DatePart::Year, 4)
        } else if rest.starts_with("MM") {
            (DatePart::Month, 2)
        } else if rest.starts_with("DD") {
            (DatePart::Day, 2)
        } else if matches!(character, '-' | '_' | '.') {
            (DatePart::Separator(character), 1)
        } else {
            return Err(format!(
                "a date has `YYYY`, `MM`, `DD` and `-`, `_`, `.` between, not `{}`",
                rest.escape_debug()
            ));
        };
        if !matches!(part, DatePart::Separator(_)) && parts.contains(&part) {
            return Err("a date has each of `YYYY`, `MM` and `DD` at most once".into());
        }
        parts.push(part);
        rest = &rest[length..];
    }
    if parts.iter().all(|part| matches!(part, DatePart::Separator(_))) {
        return Err("a date needs at least one of `YYYY`, `MM` and `DD`".into());
    }
    Ok(Part::Date(parts))
}

fn extensions(list: &str) -> Result<Part, String> {
    let extensions: Vec<String> = list.split('|').map(str::to_owned).collect();
    let fits = |extension: &String| {
        !extension.is_empty()
            && extension.chars().all(|character| character.is_ascii_alphanumeric() || character == '.')
    };
    if !extensions.iter().all(fits) {
        return Err("extensions are letters and digits, with `|` between: `{ext:pdf|docx}`".into());
    }
    Ok(Part::Extension(extensions))
}

/// The date in this form.
pub(super) fn write_date(form: &[DatePart], date: Date) -> String {
    let text = date.to_string();
    form.iter()
        .map(|part| match part {
            DatePart::Year => text[..text.len() - 6].to_owned(),
            DatePart::Month => text[text.len() - 5..text.len() - 3].to_owned(),
            DatePart::Day => text[text.len() - 2..].to_owned(),
            DatePart::Separator(character) => character.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_place() {
        for (text, place, what) in [
            ("a_{dat:YYYY}", 3, "no placeholder"),
            ("{claim_number", 1, "no `}`"),
            ("ü}x", 2, "no `{`"),
            ("{date:YYYY-MM-YYYY}", 1, "at most once"),
            ("{date:YYMMDD}", 1, "`YYYY`"),
            ("{date:--}", 1, "at least one"),
            ("{date}", 1, "in what form"),
            ("x.{ext:pdf|}", 3, "letters and digits"),
            ("{ext}", 1, "which extensions"),
            ("{number:0}", 1, "from 1 to"),
            ("a/b", 2, "file names cannot have"),
            ("", 1, "bytes"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSettings);
            let message = error.to_string();
            assert!(message.contains(&format!("character {place}:")) && message.contains(what), "{message}");
        }
    }

    #[test]
    fn a_convention_is_no_longer_than_its_limit() {
        assert!(parse(&"a".repeat(MAX_BYTES)).is_ok());
        for length in [MAX_BYTES + 1, 4 * MAX_BYTES] {
            let said = parse(&"a".repeat(length)).unwrap_err().to_string();
            assert!(said.contains("1 to 1024 bytes"), "{said}");
        }
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(parse("{{a}}").unwrap(), [Part::Literal("{a}".into())]);
        assert_eq!(
            parse("{{{text}}}").unwrap(),
            [Part::Literal("{".into()), Part::Text, Part::Literal("}".into())]
        );
    }
}
