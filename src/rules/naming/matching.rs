//! Comparing a name with a convention, in time bounded by the product of their lengths.
//!
//! The name is read part by part; after each part stands the set of places the name may have been read up to. No
//! place is visited twice for a part, so no convention and no name make it try one way after the other.

use super::NamingFacts;
use super::pattern::{DatePart, Part};
use crate::model::Date;
use unicode_normalization::UnicodeNormalization;

/// Whether file names cannot have this character on every common system.
pub(super) fn is_forbidden(character: char) -> bool {
    character.is_control() || matches!(character, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

pub(super) fn matches(parts: &[Part], name: &str, facts: &NamingFacts<'_>) -> bool {
    let name: Vec<char> = name.nfc().collect();
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for part in parts {
        reached = step(part, &name, &reached, facts);
    }
    reached[name.len()]
}

/// The places reached after `part`, from those reached before it.
fn step(part: &Part, name: &[char], reached: &[bool], facts: &NamingFacts<'_>) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    match part {
        Part::Text => run(name, reached, &mut next, |_| true),
        Part::Number(None) => run(name, reached, &mut next, |character| character.is_ascii_digit()),
        _ => {
            let lengths = |rest: &[char]| lengths(part, rest, facts);
            for (place, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
                for length in lengths(&name[place..]) {
                    next[place + length] = true;
                }
            }
        }
    }
    next
}

/// One or more characters that fit.
fn run(name: &[char], reached: &[bool], next: &mut [bool], fits: impl Fn(char) -> bool) {
    for (place, character) in name.iter().enumerate() {
        next[place + 1] = fits(*character) && (reached[place] || next[place]);
    }
}

/// How many characters at the beginning of `rest` the part may stand for.
fn lengths(part: &Part, rest: &[char], facts: &NamingFacts<'_>) -> Vec<usize> {
    let prefix = |text: &str, fits| prefix(text, rest, fits);
    match part {
        Part::Literal(text) => prefix(text, same_letter).into_iter().collect(),
        Part::Extension(allowed) => {
            allowed.iter().filter_map(|extension| prefix(extension, same_letter)).collect()
        }
        Part::Number(width) => {
            let digits = rest.iter().take_while(|character| character.is_ascii_digit()).count();
            width.filter(|width| *width <= digits).into_iter().collect()
        }
        Part::Date(form) => date_length(form, rest).into_iter().collect(),
        _ => part.fact(facts).0.and_then(|value| prefix(value.trim(), stands_for)).into_iter().collect(),
    }
}

/// The length of `text` where `rest` begins with it.
fn prefix(text: &str, rest: &[char], fits: fn(char, char) -> bool) -> Option<usize> {
    // No more of it than the name could match: a value may be of any length.
    let text: Vec<char> = text.nfc().take(rest.len() + 1).collect();
    let begins =
        text.len() <= rest.len() && text.iter().zip(rest).all(|(wanted, found)| fits(*wanted, *found));
    begins.then_some(text.len())
}

/// Whether `found`, a part of a name, stands for this value and nothing else.
#[cfg(feature = "regex")]
pub(super) fn is_value(value: &str, found: &str) -> bool {
    let found: Vec<char> = found.nfc().collect();
    prefix(value.trim(), &found, stands_for) == Some(found.len())
}

fn same_letter(wanted: char, found: char) -> bool {
    wanted == found || wanted.to_lowercase().eq(found.to_lowercase())
}

/// Whether `found` may stand in a name for a value's character.
fn stands_for(wanted: char, found: char) -> bool {
    same_letter(wanted, found)
        || (wanted.is_whitespace() && matches!(found, ' ' | '-' | '_'))
        || (is_forbidden(wanted) && matches!(found, '-' | '_'))
}

/// The length of the date at the beginning of `rest`, when there is a real one.
fn date_length(form: &[DatePart], rest: &[char]) -> Option<usize> {
    // Without a year, the 29th of February is a day; without month or day, the first is meant.
    let (mut year, mut month, mut day) = ("2000".to_owned(), "01".to_owned(), "01".to_owned());
    let mut place = 0;
    for part in form {
        let text: String = rest.get(place..place + part.width())?.iter().collect();
        place += part.width();
        match part {
            DatePart::Separator(wanted) if text == wanted.to_string() => continue,
            DatePart::Separator(_) => return None,
            DatePart::Year => year = text,
            DatePart::Month => month = text,
            DatePart::Day => day = text,
        }
    }
    let all_digits = [&year, &month, &day].iter().all(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    (all_digits && format!("{year}-{month}-{day}").parse::<Date>().is_ok()).then_some(place)
}
