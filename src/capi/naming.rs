//! A document's name against a partner's naming convention, while a user types it.

use super::answer::Answer;
use super::border::call;
use super::buffer::cw_buffer;
use super::error::cw_error;
use super::pointer::{json_or_default, parsed, text};
use crate::model::Date;
use crate::rules::{NamingConvention, NamingFacts, NamingFault};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ffi::c_char;
use std::ptr::null_mut;

/// What the host knows of a document and its claim.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Facts {
    claim_number: Option<String>,
    policy_number: Option<String>,
    document_type: Option<String>,
    date: Option<String>,
}

#[derive(Serialize)]
struct Fault<'f> {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<&'f str>,
}

/// Whether a document's name is as a partner asks: `convention` is what its settings have as "/export/naming". `facts` is a
/// JSON object of what is known: "claim_number", "policy_number", "document_type" and "date", a day such as "2026-03-02";
/// NULL for nothing. `*matches` gets 1, or 0; then `out` gets "message" for people and, where there are such, "reason" and
/// "proposal", a name that would do. With 1 it gets "null". Both may be NULL. The same check is made when a claim is
/// exported.
///
/// Errors: CW_ERR_INVALID_SETTINGS for a convention that is none; CW_ERR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cw_naming_check(
    convention: *const c_char,
    convention_len: usize,
    name: *const c_char,
    name_len: usize,
    facts: *const c_char,
    facts_len: usize,
    matches: *mut i32,
    out: *mut *mut cw_buffer,
    error: *mut *mut cw_error,
) -> i32 {
    // SAFETY: the host vouches for its pointers.
    unsafe {
        call("cw_naming_check", error, || {
            let answer = Answer::new(out, matches, null_mut());
            let convention: NamingConvention = parsed("convention", convention, convention_len)?;
            let name = text("name", name, name_len)?;
            let known: Facts = json_or_default("facts", facts, facts_len)?;
            match convention.check(name, &facts_of(&known)?) {
                Ok(()) => answer.give(&(), 1, None),
                Err(fault) => answer.give(&told(&fault), 0, None),
            }
        })
    }
}

fn facts_of(known: &Facts) -> Result<NamingFacts<'_>> {
    let mut facts = NamingFacts::new();
    facts.claim_number = known.claim_number.as_deref();
    facts.policy_number = known.policy_number.as_deref();
    facts.document_type = known.document_type.as_deref();
    let date = known.date.as_deref().map(str::parse::<Date>).transpose();
    facts.date = date.map_err(|error: Error| error.within("`facts`"))?;
    Ok(facts)
}

fn told(fault: &NamingFault) -> Fault<'_> {
    Fault { message: fault.to_string(), reason: fault.reason.as_deref(), proposal: fault.proposal.as_deref() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::undocumented_unsafe_blocks, reason = "each call is one that a host may make")]

    use super::super::code::{CW_ERR_INVALID_ARGUMENT, CW_ERR_INVALID_SETTINGS};
    use super::super::host_for_tests::{fails, works};
    use super::super::two_sites::take;
    use super::*;
    use serde_json::Value;

    const CONVENTION: &str = "{claim_number}_{document_type}_{date:YYYYMMDD}.{ext:pdf|docx}";
    const FACTS: &str = r#"{"claim_number":"CLM-7","document_type":"Medical Report","date":"2026-03-02"}"#;

    fn check(
        [convention, name, facts]: [&str; 3],
        matches: *mut i32,
        out: *mut *mut cw_buffer,
        error: *mut *mut cw_error,
    ) -> i32 {
        let given = |text: &str| (text.as_ptr().cast(), text.len());
        let (convention, name, facts) = (given(convention), given(name), given(facts));
        unsafe {
            cw_naming_check(convention.0, convention.1, name.0, name.1, facts.0, facts.1, matches, out, error)
        }
    }

    #[test]
    fn a_name_is_checked_while_it_is_typed_and_a_better_one_proposed() {
        let told = |name: &str| {
            let (mut matches, mut out) = (7, null_mut());
            works(|error| check([CONVENTION, name, FACTS], &raw mut matches, &raw mut out, error));
            (matches, serde_json::from_str::<Value>(&take(out)).unwrap())
        };
        assert_eq!(told("CLM-7_medical-report_20260302.pdf"), (1, Value::Null));
        let (matches, fault) = told("report final.pdf");
        assert_eq!((matches, &fault["proposal"]), (0, &Value::from("CLM-7_Medical-Report_20260302.pdf")));
        assert!(fault["message"].as_str().unwrap().contains("report final.pdf"), "{fault}");
    }

    #[test]
    fn what_is_no_convention_and_no_fact_is_told() {
        let refused =
            |given, code, said| fails(code, said, |error| check(given, null_mut(), null_mut(), error));
        refused(["{claim", "a.pdf", FACTS], CW_ERR_INVALID_SETTINGS, "");
        refused([CONVENTION, "a.pdf", "[]"], CW_ERR_INVALID_ARGUMENT, "`facts`");
        refused([CONVENTION, "a.pdf", r#"{"claim":"CLM-7"}"#], CW_ERR_INVALID_ARGUMENT, "`claim`");
        refused([CONVENTION, "a.pdf", r#"{"date":"2026-02-30"}"#], CW_ERR_INVALID_ARGUMENT, "`facts`");
    }
}
